"""Files and folders -> submissions and whose they are. A bad or double one is a status, never the end."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.submission import find_submissions, read_submission

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_symmetry.submission import Found


@dataclass(frozen=True, slots=True)
class Entry:
    """One submission of a class.

    ``label`` is its path below the folder that was given; ``sha256`` is that of its bytes, "" where it could
    not be read. ``status`` and ``reason`` are set for what cannot be graded.
    """

    student: str
    path: Path
    label: str
    sha256: str = ""
    status: str = ""
    reason: str = ""

    @property
    def gradable(self) -> bool:
        """Whether there is something to grade."""
        return not self.status


def take_in(paths: Sequence[Path], notebook: str) -> list[Entry]:
    """Return the submissions at ``paths``, by student; each one is read once.

    Raises:
        SubmissionError: there is nothing at one of the paths.
    """
    entries: list[Entry] = []
    taken: dict[str, str] = {}
    for root in paths:
        base = root if root.is_dir() else root.parent
        in_order = sorted(find_submissions(root, notebook), key=lambda f: (f.student, str(f.path)))
        entries += [_entry(found, base, taken) for found in in_order]
    return sorted(entries, key=lambda e: e.student)


def _entry(found: Found, base: Path, taken: dict[str, str]) -> Entry:
    label = Path(os.path.relpath(found.path, base)).as_posix()
    student = found.student
    if student in taken:
        number = 2
        while f"{student} ({number})" in taken:
            number += 1
        reason = f"{student} handed in twice: {taken[student]} was graded, this one was not"
        student = f"{student} ({number})"
        taken[student] = label
        return Entry(student, found.path, label, status="waits for a person", reason=reason)
    taken[student] = label
    try:
        submission = read_submission(found.path, student)
    except SubmissionError as error:
        reason = str(error).removeprefix(f"{found.path}: ")
        return Entry(student, found.path, label, status="not gradable", reason=reason)
    if submission.empty:
        reason = "there is no code in it"
        return Entry(student, found.path, label, submission.sha256, "not gradable", reason)
    return Entry(student, found.path, label, submission.sha256)


def in_chunks(entries: Iterable[Entry], size: int) -> list[list[Entry]]:
    """Return the entries in lists of at most ``size``, in order."""
    rows = list(entries)
    return [rows[i : i + size] for i in range(0, len(rows), size)]
