"""The line of a submitted file on which a place is: in a script, and in the JSON of a notebook."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.submission import read_submission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_symmetry.findings import Place

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def line_in_file(path: Path, place: Place) -> int | None:
    """Return the line of a file, counted from 1, on which a place is; None where that cannot be told."""
    if place.cell is None:
        return None
    try:
        if path.suffix.lower() != ".ipynb":
            before = [text for number, text in read_submission(path).cells if number < place.cell]
            return sum(text.count("\n") for text in before) + (place.line or 1)
        return _line_in_notebook(path.read_text(encoding="utf-8-sig"), place)
    except (SubmissionError, OSError, ValueError, RecursionError):
        return None


def _line_in_notebook(text: str, place: Place) -> int | None:
    """Return the line of the notebook's text that holds a line of a cell.

    The strings of a JSON text come in the order in which a walk over what it says meets them: the place of
    one in the text is its number.
    """
    notebook = json.loads(text, object_pairs_hook=_Pairs)
    strings = [match.start() for match in _STRING.finditer(text)]
    met = list(_strings(notebook, ()))
    if len(met) != len(strings):
        return None
    found = dict(notebook).get("cells") if isinstance(notebook, _Pairs) else None
    cells = [n for n, cell in enumerate(found if isinstance(found, list) else ()) if _is_code(cell)]
    if not 1 <= (place.cell or 0) <= len(cells):
        return None
    inside = ("cells", cells[(place.cell or 0) - 1], "source")
    line = 0
    for at, (where, said) in zip(strings, met, strict=True):
        if where[: len(inside)] != inside:
            continue
        line += said.count("\n")
        if line >= (place.line or 1) - 1 + said.endswith("\n"):
            return text.count("\n", 0, at) + 1
    return None


class _Pairs(tuple[Any, ...]):
    """An object of JSON as its pairs, so that one that names a key twice keeps both."""

    __slots__ = ()


def _is_code(cell: Any) -> bool:
    return isinstance(cell, _Pairs) and dict(cell).get("cell_type") == "code"


def _strings(value: Any, where: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield every string of a JSON value in the order of the text, keys too, with the way to it."""
    if isinstance(value, _Pairs):
        for key, inner in value:
            yield (*where, None), key
            yield from _strings(inner, (*where, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _strings(inner, (*where, number))
    elif isinstance(value, str):
        yield where, value
