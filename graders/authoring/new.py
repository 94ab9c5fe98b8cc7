"""A new assignment from the template: two questions that work, to be replaced one by one."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from graders.release import vacant
from graders.specimens import code_cell, notebook_bytes
from pytest_symmetry.errors import AssignmentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CELL = re.compile(r"^# %%(?P<words> \[markdown\])? (?P<name>[a-z-]+)\n", re.MULTILINE)


def write_new(name: str, out: Path) -> list[Path]:
    """Write an assignment with two questions into the new folder ``out``, and return its files.

    Raises:
        AssignmentError: the name cannot name files and modules, or the folder is not empty.
    """
    check_name(name)
    vacant(out)
    title = name.replace("_", " ").capitalize()
    known = {"NAME": name, "TITLE": title}
    return write_files(
        out,
        {
            "assignment.toml": _filled("assignment.toml.txt", known).encode(),
            f"{name}.ipynb": notebook_bytes(notebook_of(_filled("notebook.py.txt", known))),
            f"test_{name}.py": _filled("test.py.txt", known).encode(),
            "specimens.toml": _filled("specimens.toml.txt", known).encode(),
        },
    )


def check_name(name: str) -> None:
    """See that a name can name a folder, a notebook and a test module.

    Raises:
        AssignmentError: it cannot.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise AssignmentError(
            name, "this is no name for an assignment; give lower-case letters, digits and _"
        )


def write_files(out: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder, which is made; return their paths."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in contents.items():
        (out / name).write_bytes(content)
        written.append(out / name)
    return written


def notebook_of(text: str) -> dict[str, Any]:
    """Return the notebook of a text in which each cell begins with a line ``# %% name``."""
    _, *parts = _CELL.split(text)
    cells = [
        (markdown_cell if words else code_cell)(name, body.strip("\n"))
        for words, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
    return notebook_from(cells)


def notebook_from(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a notebook of format 4.5 with these cells."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def markdown_cell(identifier: str, text: str) -> dict[str, Any]:
    """Return a cell of words."""
    source = text.splitlines(keepends=True)
    return {"cell_type": "markdown", "id": identifier, "metadata": {}, "source": source}


def _filled(name: str, known: Mapping[str, str]) -> str:
    text = (files("graders") / "authoring" / "template" / name).read_text(encoding="utf-8")
    for key, value in known.items():
        text = text.replace(f"@{key}@", value)
    return text
