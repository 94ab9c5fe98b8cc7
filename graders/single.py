"""One notebook for Colab, Kaggle and the like: its first cell fetches the plugin, the tests and the pack.

Such a session starts with one file and nothing else. So the notebook brings a first cell that installs the
pinned version and unpacks the rest, from where staff have put it or from a zip that the student uploads, and
a last cell that asks all questions.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest_symmetry
from graders.release import Release, release, vacant
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.grading import DEFAULT_SEED

if TYPE_CHECKING:
    from pytest_symmetry.assignment import Assignment

_SCHEMES = ("https://", "http://", "file://")
LAST_CELL = "check()"


def release_single(
    assignment: Assignment,
    out: Path,
    *,
    url: str = "",
    level: str = "",
    seed: int = DEFAULT_SEED,
    isolation: str = "best",
) -> Release:
    """Write one notebook, and beside it the zip that its first cell fetches, into the new folder ``out``.

    Args:
        assignment: what to release.
        out: a folder that is not there, or is empty.
        url: where staff will put the zip; students upload it where none is given.
        level: as :func:`graders.release.release`, which also says what is refused.
        seed: as there.
        isolation: as there.

    Raises:
        AssignmentError: the URL is none, or as there.
    """
    if url and not url.startswith(_SCHEMES):
        raise AssignmentError(assignment.file, f"{url!r} is no address; it must begin with https://")
    vacant(out)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "released"
        made = release(assignment, folder, level=level, seed=seed, isolation=isolation)
        out.mkdir(parents=True, exist_ok=True)
        _zip(folder, out / f"{assignment.name}.zip")
        _write_notebook(folder / assignment.notebook, out / assignment.notebook, assignment.name, url)
    return replace(made, folder=out)


def first_cell(name: str, url: str) -> str:
    """Return the cell that makes a bare session ready."""
    text = (files("graders") / "released" / "first_cell.py.txt").read_text(encoding="utf-8")
    known = {"NAME": name, "URL": url, "VERSION": pytest_symmetry.__version__}
    for key, value in known.items():
        text = text.replace(f'"@{key}@"', json.dumps(value))
    return text.rstrip("\n")


def _write_notebook(source: Path, target: Path, name: str, url: str) -> None:
    import nbformat
    from nbformat import v4

    notebook: Any = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call] # unannotated
    first = v4.new_code_cell(first_cell(name, url), id="get-ready")  # type: ignore[no-untyped-call]
    last = v4.new_code_cell(LAST_CELL, id="ask-all")  # type: ignore[no-untyped-call]
    notebook["cells"] = [first, *notebook["cells"], last]
    nbformat.write(notebook, target)  # type: ignore[no-untyped-call]


def _zip(folder: Path, target: Path) -> None:
    """Pack a folder; the same files give the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix())
                archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
