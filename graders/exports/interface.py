"""What an export is, and what holds for all of them: who is in it, and that its numbers are sound.

A third party writes an object with the attributes of :class:`Export` and names it in an entry point of the
group ``pytest_symmetry.exports``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from graders.marks import EXCUSED, NOT_GRADABLE, WAITS, Mark
from pytest_symmetry.errors import SymmetryError


class ExportError(SymmetryError):
    """Marks that cannot be written; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a format may know of a graded assignment beside its marks.

    ``reveal`` is how much students are told ("hint" or "cause"); ``column`` is the column of the teacher's
    file that was asked for, "" for the one with the assignment's title. ``page`` returns a student's page as
    HTML, ``work`` the stored file of a submission; both None where there is none.
    """

    name: str
    title: str
    reveal: str = "hint"
    column: str = ""
    page: Callable[[Mark], str | None] = lambda _: None
    work: Callable[[Mark], Path | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Written:
    """What an export did: its files, how many students are in them, and who is not, each with the reason.

    ``said`` is what a person should know beside that.
    """

    files: tuple[Path, ...]
    students: int
    left_out: tuple[tuple[str, str], ...] = ()
    said: tuple[str, ...] = ()


class Export(Protocol):
    """A format. ``writes`` says what in a few words; ``fills_in`` is what ``into`` must be, "" for nothing.

    Where ``approved_only`` holds, the format gets no mark that nobody has approved, but those of excused
    students.
    """

    @property
    def name(self) -> str:
        """The name to ask for."""

    @property
    def writes(self) -> str:
        """What is written, in a few words."""

    @property
    def fills_in(self) -> str:
        """Which file of the teacher's is filled in."""

    @property
    def approved_only(self) -> bool:
        """Whether the marks go straight to students."""

    def export(
        self, marks: Sequence[Mark], assignment: Assignment, out: Path, into: Path | None = None
    ) -> Written:
        """Write ``marks`` to ``out``.

        Raises:
            ExportError: ``into`` is not what this format fills in, or nothing can be written.
            OSError: ``out`` cannot be written.
        """


NOT_APPROVED = "not approved"
_UNJUDGED = (NOT_GRADABLE, WAITS)


@dataclass(slots=True)
class LeftOut:
    """Who is not in an export, gathered while it is made."""

    students: list[tuple[str, str]] = field(default_factory=list)

    def add(self, mark: Mark, why: str) -> None:
        """Leave a student out."""
        self.students.append((mark.student, why))

    def graded(self, marks: Sequence[Mark]) -> list[Mark]:
        """Return the marks that are marks; leave out the others, with what they are and why."""
        for mark in marks:
            if not mark.final:
                self.add(mark, f"{mark.status}: {mark.reason}" if mark.reason else mark.status)
        return [mark for mark in marks if mark.final]

    def tellable(self, marks: Sequence[Mark]) -> list[Mark]:
        """Return the marks, and the work that was not judged (for formats that can say so)."""
        self.graded([mark for mark in marks if mark.status not in _UNJUDGED])
        return [mark for mark in marks if mark.final or mark.status in _UNJUDGED]


def carry_out(
    export: Export, marks: Sequence[Mark], assignment: Assignment, out: Path, into: Path | None = None
) -> Written:
    """Export marks: only sound ones, and only approved ones where that is the rule.

    Raises:
        ExportError: a mark is not sound, ``into`` is missing or one too many, or nothing can be written.
    """
    _require_file(export, out, into)
    for mark in marks:
        require_sound(mark)
    left_out = LeftOut()
    chosen = []
    for mark in marks:
        if export.approved_only and mark.final and not mark.approved:
            left_out.add(mark, NOT_APPROVED)
        else:
            chosen.append(mark)
    if left_out.students and not any(mark.final for mark in chosen):
        msg = "nothing was written: no mark is approved; `symmetry approve` approves marks"
        raise ExportError(msg)
    try:
        written = export.export(chosen, assignment, out, into)
    except OSError as error:
        msg = f"{out}: it cannot be written: {error.strerror}; give another --out"
        raise ExportError(msg) from None
    return replace(written, left_out=(*left_out.students, *written.left_out))


def _require_file(export: Export, out: Path, into: Path | None) -> None:
    if export.fills_in and into is None:
        msg = f"the format {export.name} fills in {export.fills_in}; name that file with --into"
        raise ExportError(msg)
    if into is None:
        return
    if not export.fills_in:
        msg = f"the format {export.name} fills in no file; leave --into out"
        raise ExportError(msg)
    if not into.is_file():
        msg = f"{into}: there is no such file; --into must name {export.fills_in}"
        raise ExportError(msg)
    if out.exists() and out.samefile(into):
        msg = f"{out}: that is the file to fill in, and it stays as it is; give another --out"
        raise ExportError(msg)


def is_sound(points: float, most: float) -> bool:
    """Return whether points are numbers that a platform may get: from 0 to what there is to earn."""
    return math.isfinite(points) and math.isfinite(most) and 0 <= points <= most


def require_sound(mark: Mark) -> None:
    """Refuse a mark that no platform may get: not a number, negative, or more than there is to earn.

    Raises:
        ExportError: that is so.
    """
    pairs = [("", mark.points, mark.max_points)]
    pairs += [(f", {q.question}", q.points, q.max_points) for q in mark.questions if q.points is not None]
    for where, points, most in pairs:
        if not is_sound(points, most):
            msg = (
                f"{mark.pseudonym or mark.student}{where}: the mark is {points} of {most} points; no file "
                "was written; correct it with `symmetry override`"
            )
            raise ExportError(msg)


def is_excused(mark: Mark) -> bool:
    """Return whether a student need not do this assignment."""
    return mark.status == EXCUSED
