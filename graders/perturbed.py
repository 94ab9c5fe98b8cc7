"""Submissions that are off somewhere, made from the solution without knowing what it does.

A release asks them, where an assignment has no planted mistakes of its own, what tests ask of the reference
when something is not right: one function after another gives other numbers, in one place or everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graders.specimens import Patch, code_cell, notebook_bytes, notebook_with
from pytest_symmetry.questions import functions_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_symmetry.assignment import Assignment

PLACES = 6
"""Arrays and numbers of a result that are changed one at a time."""

_OFF = """
def _moved(value, place, seen):
    if isinstance(value, dict):
        return {key: _moved(member, place, seen) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(member, place, seen) for member in value)
    if isinstance(value, (bool, str, type(None))):
        return value
    seen.append(None)
    if place is not None and len(seen) - 1 != place:
        return value
    try:
        return value * 1.25 + 0.125
    except TypeError:
        return value
"""
_WRAPPED = """
_right_{name} = {name}


def {name}(*args, **kwargs):
    return _moved(_right_{name}(*args, **kwargs), {place}, [])
"""


def write_perturbed(assignment: Assignment, source: Mapping[str, Any], out: Path) -> list[Path]:
    """Write the solution with each of its functions off in each of the first places of its results.

    Args:
        assignment: whose functions.
        source: its source notebook, as nbformat 4 JSON.
        out: the folder to write into.

    Raises:
        AssignmentError: a test file cannot be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name in functions_of(assignment):
        for place in (None, *range(PLACES)):
            notebook = notebook_with(source, Patch())
            text = _OFF.strip("\n") + "\n\n\n" + _WRAPPED.format(name=name, place=place).strip("\n")
            notebook["cells"].append(code_cell("moved", text))
            path = out / f"{name}-{'all' if place is None else place}.ipynb"
            path.write_bytes(notebook_bytes(notebook))
            written.append(path)
    return written
