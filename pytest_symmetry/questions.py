"""Which questions of an assignment are on which function: read from the tests, without running them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_symmetry.errors import AssignmentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_symmetry.assignment import Assignment

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Asked:
    """One test: how pytest names it, and the student's functions that it uses, first mentioned first."""

    nodeid: str
    functions: tuple[str, ...]


def questions_on(assignment: Assignment, function: str | None) -> list[str]:
    """Return the pytest names of the questions on ``function``, or of all.

    A question is on the last function that it uses, in the order of ``[functions]``: what comes before is
    its tool. A function that is last nowhere gets the questions that use it at all; the name of a test is
    taken too.

    Raises:
        AssignmentError: there is no question on it, or a test file cannot be read.
    """
    asked = [question for file in assignment.tests for question in _asked(file)]
    if function is None:
        return [question.nodeid for question in asked]
    known = functions_of(assignment)
    name = next((n for n, others in assignment.aliases.items() if function in others), function)
    order = {f: i for i, f in enumerate(known)}
    on = [q for q in asked if q.functions and max(q.functions, key=lambda f: order.get(f, -1)) == name]
    on = on or [q for q in asked if name in q.functions]
    on = on or [q for q in asked if function in (_test(q), _test(q).removeprefix("test_"))]
    if not on:
        problem = f"there is no question on {function!r}; there are questions on {', '.join(known)}"
        raise AssignmentError(assignment.title, problem)
    return [question.nodeid for question in on]


def functions_of(assignment: Assignment) -> list[str]:
    """Return the functions that students write: those of ``[functions]``, or those that the tests use.

    Raises:
        AssignmentError: a test file cannot be read.
    """
    used = (name for file in assignment.tests for question in _asked(file) for name in question.functions)
    return list(assignment.functions) or list(dict.fromkeys(used))


def _test(question: Asked) -> str:
    return question.nodeid.rpartition("::")[2]


def _asked(file: Path) -> Iterator[Asked]:
    """Yield the tests of a file that use a submission.

    Raises:
        AssignmentError: it cannot be read.
    """
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise AssignmentError(file, f"it cannot be read: {error}") from None
    helpers = {node.name: node for node in tree.body if isinstance(node, _Function)}
    for outer in tree.body:
        inside = outer.body if isinstance(outer, ast.ClassDef) else [outer]
        for node in inside:
            if isinstance(node, _Function) and node.name.startswith("test"):
                used = dict.fromkeys(_used(node, helpers, set()))
                if used or any(a.arg == "submission" for a in node.args.args):
                    where = f"{outer.name}::" if isinstance(outer, ast.ClassDef) else ""
                    yield Asked(f"{file}::{where}{node.name}", tuple(used))


def _used(node: _Function, helpers: dict[str, _Function], seen: set[str]) -> Iterator[str]:
    """Yield the ``f`` of each ``submission.f`` in a function, its fixtures and the helpers that it calls."""
    seen.add(node.name)
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Attribute)
            and isinstance(part.value, ast.Name)
            and part.value.id == "submission"
        ):
            yield part.attr
        name = part.id if isinstance(part, ast.Name) else part.arg if isinstance(part, ast.arg) else ""
        if name in helpers and name not in seen:
            yield from _used(helpers[name], helpers, seen)
