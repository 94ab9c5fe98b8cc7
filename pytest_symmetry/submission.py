"""A student's file -> its code cells.

Reading is all that happens here: text is taken, nothing is parsed as Python and nothing runs. ``.ipynb`` of
version 4 is read by ``json``; nbformat, which takes a second to import where JupyterLab is installed, only
upgrades old notebooks and explains invalid ones.
"""

from __future__ import annotations

import fnmatch
import hashlib
import itertools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_symmetry.errors import SubmissionError

FILE_BYTES = 10 << 20
CELLS = 2_000
CELL_CHARACTERS = 200_000

_COPY = re.compile(r"^(.*?)(?: \(\d+\)|-Copy\d+|_copy\d*| copy(?: \d+)?| - Copy(?: \(\d+\))?|[-_ ]v?\d+)$")
_IGNORED = ("*-checkpoint.ipynb", ".*", "~*", "*.tmp")
_PERCENT = re.compile(r"^# ?%%.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Submission:
    """The code cells of one student's file. ``cells`` are (number, text), code cells counted from 1."""

    student: str
    path: Path
    sha256: str
    cells: tuple[tuple[int, str], ...]

    @property
    def empty(self) -> bool:
        """Whether there is no code in it at all."""
        return not any(text.strip() for _, text in self.cells)


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be a submission, and the student whose it seems to be.

    ``submission`` are its cells where somebody has them already: a notebook that runs has no file to read.
    """

    student: str
    path: Path
    submission: Submission | None = None


def read_submission(path: Path, student: str = "") -> Submission:
    """Read the code cells of a notebook or a Python file.

    Raises:
        SubmissionError: the file is missing, too large, not text, or not a notebook; the message says which.
    """
    try:
        if not path.is_file():
            msg = f"{path}: there is no such file"
            raise SubmissionError(msg)
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES + 1)
    except OSError as error:
        msg = f"{path}: it cannot be read: {error.strerror}"
        raise SubmissionError(msg) from error
    if len(raw) > FILE_BYTES:
        msg = f"{path}: it is larger than {FILE_BYTES >> 20} MB; clear the outputs and save it again"
        raise SubmissionError(msg)
    texts = _notebook_cells(path, raw) if path.suffix.lower() == ".ipynb" else _script_cells(path, raw)
    if len(texts) > CELLS or any(len(text) > CELL_CHARACTERS for text in texts):
        most = f"{CELLS} code cells, or a cell of more than {CELL_CHARACTERS} characters"
        msg = f"{path}: it has more than {most}"
        raise SubmissionError(msg)
    return Submission(
        student or path.stem, path, hashlib.sha256(raw).hexdigest(), tuple(enumerate(texts, start=1))
    )


def _text(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: byte {error.start} is not UTF-8 text; save the file as UTF-8"
        raise SubmissionError(msg) from None


def _script_cells(path: Path, raw: bytes) -> list[str]:
    """Split a script at its ``# %%`` lines, as editors do; line numbers stay those of the file."""
    text = _text(path, raw)
    starts = [m.start() for m in _PERCENT.finditer(text)]
    if not starts:
        return [text]
    borders = [0, *[s for s in starts if s], len(text)]
    return [text[a:b] for a, b in itertools.pairwise(borders)]


def _notebook_cells(path: Path, raw: bytes) -> list[str]:
    if not raw.strip():
        msg = f"{path}: the file is empty"
        raise SubmissionError(msg)
    try:
        notebook = json.loads(_text(path, raw))
    except (ValueError, RecursionError) as error:
        msg = f"{path}: it is not a notebook: {_json_reason(error)}; open it in Jupyter and save it again"
        raise SubmissionError(msg) from None
    cells = _cells_of(notebook)
    return cells if cells is not None else _upgraded_cells(path, raw)


def _json_reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _cells_of(notebook: Any) -> list[str] | None:
    """Return the code cells of a version 4 notebook, or None for anything else."""
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        return None
    if not isinstance(cells := notebook.get("cells"), list):
        return None
    found = []
    for cell in cells:
        if not isinstance(cell, dict):
            return None
        source = cell.get("source", "")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            return None
        if cell.get("cell_type") == "code":
            found.append(source)
    return found


def _upgraded_cells(path: Path, raw: bytes) -> list[str]:
    """Let nbformat upgrade an older notebook, or say what is wrong with it."""
    import nbformat

    try:
        notebook = nbformat.reads(_text(path, raw), as_version=4)  # type: ignore[no-untyped-call] # unannotated
        cells = _cells_of(notebook)
    except Exception as error:  # noqa: BLE001 - nbformat raises what the file provokes: KeyError, TypeError, …
        reason = str(error).strip().splitlines()
        msg = f"{path}: it is not a notebook that Jupyter could open: {(reason or [type(error).__name__])[0]}"
        raise SubmissionError(msg) from None
    if cells is None:
        msg = (
            f"{path}: it is not a notebook that Jupyter could open: its cells are not in the notebook format"
        )
        raise SubmissionError(msg)
    return cells


def is_ignored(path: Path) -> bool:
    """Return whether a file is one that editors leave behind: checkpoints, hidden and temporary files."""
    return any(
        fnmatch.fnmatch(part, pattern)
        for part in (path.name, path.parent.name)
        for pattern in _IGNORED
        if part not in ("", ".", "..")
    )


def find_submissions(where: Path, notebook: str) -> list[Found]:
    """Return the submissions at a file, a folder or a glob pattern, by student, in a stable order.

    In a folder each notebook (or script) is a student's, named by its file; each subfolder is a student's,
    named by the folder, and holds ``notebook`` or its only notebook.

    Raises:
        SubmissionError: there is nothing there.
    """
    if where.is_file():
        return [Found(where.stem, where)]
    if where.is_dir():
        found = _in_folder(where, notebook)
    else:
        pattern = str(where)
        root = Path(where.anchor) if where.is_absolute() else Path()
        matches = root.glob(pattern.removeprefix(where.anchor)) if any(c in pattern for c in "*?[") else ()
        found = [f for m in sorted(matches) for f in _in(m, notebook)]
    if not found:
        msg = f"{where}: no submission found; give a notebook, a .py file, a folder of them, or a pattern"
        raise SubmissionError(msg)
    return found


def _in(path: Path, notebook: str) -> list[Found]:
    if path.is_dir():
        return _students_own(path, notebook)
    return [Found(path.stem, path)] if _is_candidate(path) else []


def _in_folder(folder: Path, notebook: str) -> list[Found]:
    return [f for path in sorted(folder.iterdir()) for f in _in(path, notebook)]


def _is_candidate(path: Path) -> bool:
    tests = path.name.startswith("test_") or path.name == "conftest.py"
    return path.suffix.lower() in (".ipynb", ".py") and path.is_file() and not is_ignored(path) and not tests


def _students_own(folder: Path, notebook: str) -> list[Found]:
    """Return the one submission of a student's folder: the named notebook, or the newest of the others."""
    if is_ignored(folder / "x") or folder.name == "__pycache__":
        return []
    inside = [p for p in sorted(folder.iterdir()) if _is_candidate(p)]
    named = [p for p in inside if p.name == notebook] or [p for p in inside if p.suffix == ".ipynb"] or inside
    return [Found(folder.name, named[0])] if named else []


def copies_of(notebook: Path) -> list[Path]:
    """Return the files beside ``notebook`` that look like copies of it: ``planar (1).ipynb`` and such."""
    if not notebook.parent.is_dir():
        return []
    return [
        p
        for p in sorted(notebook.parent.glob("*.ipynb"))
        if p != notebook and not is_ignored(p) and (m := _COPY.match(p.stem)) and m[1] == notebook.stem
    ]


def is_copy(name: str, notebook: str) -> bool:
    """Return whether a file of that name looks like a copy of ``notebook``: ``planar (1).ipynb`` and such."""
    match = _COPY.match(Path(name).stem)
    return match is not None and match[1] == Path(notebook).stem
