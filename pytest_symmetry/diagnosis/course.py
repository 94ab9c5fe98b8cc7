"""Mistakes that a course has planted in its own solution, with words of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pytest_symmetry.assignment import PLANTED
from pytest_symmetry.diagnosis.causes import COURSE


@dataclass(frozen=True, slots=True)
class Planted:
    """One changed solution: its source, the first function that differs, and what is said about it."""

    cause: str
    facts: dict[str, Any]
    source: str
    function: str
    line: int


def planted_in(source: str) -> Iterator[Planted]:
    """Yield the mistakes that a reference's source carries.

    Raises:
        SyntaxError: the source is not Python.
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == PLANTED:
            for entry in ast.literal_eval(node.value):
                yield _planted(source, entry)


def _planted(source: str, entry: dict[str, str]) -> Planted:
    own, changed = _functions(source), _functions(entry["source"])
    differing = [name for name, (text, _) in changed.items() if own.get(name, ("",))[0] != text]
    name = differing[0] if differing else ""
    line = changed[name][1] if name else 0
    words = {f"course_{key}": entry[key] for key in ("title", "hint", "cause")}
    return Planted(COURSE + entry["name"], {"target": "", **words}, entry["source"], name, line)


@lru_cache(maxsize=64)
def _functions(source: str) -> dict[str, tuple[str, int]]:
    """Return the text of each function of a source, and its line."""
    return {
        node.name: (ast.unparse(node), node.lineno)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
