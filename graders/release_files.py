"""The files of a released folder beside the pack: what is copied, what is written anew."""

from __future__ import annotations

import json
import shutil
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest_symmetry
from pytest_symmetry.assignment import FILE, is_hidden

if TYPE_CHECKING:
    from pytest_symmetry.assignment import Assignment

_KEYS = (
    "schema", "name", "title", "notebook", "accept", "licence",
    "limits", "functions", "aliases", "conventions", "quantities", "questions",
)  # fmt: skip
"""What students receive of assignment.toml: neither the course's own mistakes nor what they cost."""


def write(assignment: Assignment, folder: Path, notebook: Any, level: str) -> None:
    """Write the notebook, the tests, the data, assignment.toml, START.txt and conftest.py into a new folder.

    Args:
        assignment: what is released.
        folder: where to; it is made.
        notebook: the student's notebook, as nbformat's own.
        level: how much the pack says.
    """
    import nbformat

    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / assignment.notebook)  # type: ignore[no-untyped-call] # unannotated
    for test in assignment.tests:
        if not is_hidden(test.name):
            shutil.copyfile(test, folder / test.name)
    if assignment.data is not None:
        ignored = shutil.ignore_patterns(".*", "__pycache__", "*.pyc")
        shutil.copytree(assignment.data, folder / "data", ignore=ignored)
    (folder / FILE).write_text(_toml(assignment, level), encoding="utf-8")
    (folder / "START.txt").write_text(_filled("START.txt", assignment), encoding="utf-8")
    own = assignment.folder / "conftest.py"
    guard = _filled("conftest.py.txt", assignment)
    rest = "\n\n" + own.read_text(encoding="utf-8") if own.is_file() else ""
    (folder / "conftest.py").write_text(guard + rest, encoding="utf-8")


def needed_version() -> str:
    """Return the oldest version of the package that reads what this one writes: its own minor version."""
    return ".".join(pytest_symmetry.__version__.split(".")[:2])


def _filled(name: str, assignment: Assignment) -> str:
    text = (files("graders") / "released" / name).read_text(encoding="utf-8")
    known = {"TITLE": assignment.title, "NOTEBOOK": assignment.notebook, "VERSION": needed_version()}
    for key, value in known.items():
        text = text.replace(f"@{key}@", value)
    return text


def _toml(assignment: Assignment, level: str) -> str:
    """Return assignment.toml with what students may know of it; comments stay with staff."""
    data = tomllib.loads(assignment.file.read_text(encoding="utf-8"))
    kept = {key: data[key] for key in _KEYS if key in data} | {"reveal": level}
    lines = [f"{key} = {_value(value)}" for key, value in kept.items() if not isinstance(value, dict)]
    for key, table in kept.items():
        if isinstance(table, dict):
            lines += ["", f"[{key}]", *(f"{json.dumps(k)} = {_value(v)}" for k, v in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """Return a value as TOML: texts and lists are written as in JSON."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, bool | int | float | str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)  # dates and times
