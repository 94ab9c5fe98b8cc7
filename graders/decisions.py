"""What people decide about marks: overrides, voided questions, approval. Each is an event of the history.

All or nothing: of a file with a row that is not right no row is taken.
"""

from __future__ import annotations

import csv
import difflib
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.history import Event, Kind
from graders.marks import GRADED, asked_questions, marks, question_of
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.feedback.text import number, question_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from graders.gradebook import Gradebook
    from graders.marks import Mark

_COLUMNS = ("student", "question", "points", "reason")


class DecisionError(SymmetryError):
    """A decision that names nobody or nothing in this class; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One override that somebody asks for, with where it stands ("line 3 of marks.csv")."""

    student: str
    question: str
    points: str
    reason: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who was approved now, and who was not, with the reason."""

    approved: tuple[str, ...]
    before: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def override(book: Gradebook, asked: Iterable[Asked]) -> list[str]:
    """Give the points that are asked for, whatever the tests say; return the students concerned.

    Raises:
        DecisionError: there is no such student or question, or the points are not between 0 and its maximum.
    """
    found = marks(book)
    events = [_overridden(found, one, str(book.path.parent)) for one in asked]
    book.record(*events)
    return sorted({event.student for event in events})


def restore(book: Gradebook, student: str, question: str, reason: str = "") -> str:
    """Take an override back; return the student concerned.

    Raises:
        DecisionError: there is no such override.
    """
    found = marks(book)
    mark = find_student(found, student, str(book.path.parent))
    question = find_question(_worth(found, mark), question)
    overridden = {
        e.question: e.kind
        for e in book.history()
        if e.student == mark.student and e.kind in (Kind.OVERRIDDEN, Kind.RESTORED)
    }
    if overridden.get(question) is not Kind.OVERRIDDEN:
        msg = f"{book.path.parent}: {question_words(question)} of {mark.student} is not overridden"
        raise DecisionError(msg)
    book.record(Event(0, Kind.RESTORED, student=mark.student, question=question, reason=reason))
    return mark.student


def void(book: Gradebook, question: str, reason: str, *, undo: bool = False) -> tuple[str, list[str]]:
    """Give everyone who handed in the points of a question, or take that back.

    Returns:
        The question's name and the students whose points that changes.

    Raises:
        DecisionError: there is no such question, or nothing to take back.
    """
    before = marks(book)
    question = find_question(_class_questions(before), question)
    last = [e.kind for e in book.history() if e.question == question and e.kind in _VOIDING]
    in_force = last[-1:] == [Kind.VOIDED]
    if undo and not in_force:
        msg = f"{book.path.parent}: {question_words(question)} is not voided"
        raise DecisionError(msg)
    kind = Kind.REINSTATED if undo else Kind.VOIDED
    book.record(Event(0, kind, question=question, reason=reason))
    points = {mark.student: mark.points for mark in before}
    return question, [m.student for m in marks(book) if m.points != points[m.student]]


_VOIDING = (Kind.VOIDED, Kind.REINSTATED)


def approve(book: Gradebook, students: Sequence[str] = ()) -> Approval:
    """Approve the marks of some students, or of all: what is approved may be sent.

    What waits for a person is never approved. An approval is of these points for this work: when either
    changes, it has to be given again.

    Raises:
        DecisionError: there is no such student.
    """
    found = marks(book)
    chosen = [find_student(found, s, str(book.path.parent)) for s in students] or found
    fit = [mark for mark in chosen if mark.status == GRADED]
    new = [mark for mark in fit if not mark.approved]
    book.record(*(_approved(mark) for mark in new))
    refused = (
        (m.student, f"{m.status}: {m.reason}" if m.reason else m.status) for m in chosen if m not in fit
    )
    before = tuple(mark.student for mark in fit if mark.approved)
    return Approval(tuple(mark.student for mark in new), before, tuple(refused))


def _approved(mark: Mark) -> Event:
    work = mark.result.sha256 if mark.result is not None else ""
    data = {"sha256": work, "of": mark.max_points}
    return Event(0, Kind.APPROVED, student=mark.student, points=mark.points, data=data)


def read_overrides(path: Path, reason: str = "") -> list[Asked]:
    """Read overrides from a CSV with the columns student, question, points and reason.

    Rows without points are left out: a list of all manual questions can be filled in bit by bit. ``reason``
    holds where a row has none.

    Raises:
        DecisionError: the file cannot be read, or a column is missing.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: it cannot be read: {error}; save it as CSV in UTF-8"
        raise DecisionError(msg) from None
    head = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    rows.fieldnames = [(name or "").strip().casefold() for name in rows.fieldnames or ()]
    if missing := [name for name in _COLUMNS[:3] if name not in rows.fieldnames]:
        msg = f"{path}, line 1: there is no column {missing[0]}; the columns are {', '.join(_COLUMNS)}"
        raise DecisionError(msg)
    return list(_read(path, rows, reason))


def _read(path: Path, rows: csv.DictReader[str], reason: str) -> Iterator[Asked]:
    for row in rows:
        cells = {key: (value or "").strip() for key, value in row.items() if key in _COLUMNS}
        if cells["points"]:
            said = cells.get("reason") or reason
            where = f"{path}, line {rows.line_num}"
            yield Asked(cells["student"], cells["question"], cells["points"].replace(",", "."), said, where)


def find_student(found: Sequence[Mark], name: str, where: str) -> Mark:
    """Return the mark of a student, asked for by identifier or by pseudonym.

    Raises:
        DecisionError: there is none.
    """
    for mark in found:
        # Tables put an apostrophe before a name that a spreadsheet would take for a formula.
        if name and name in (mark.student, mark.pseudonym, f"'{mark.student}"):
            return mark
    near = difflib.get_close_matches(name, [mark.student for mark in found], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"`symmetry report {where} --names` lists them"
    msg = f"{where}: there is no student {name!r} in this class; {hint}"
    raise DecisionError(msg)


def find_question(asked: Collection[str], name: str) -> str:
    """Return a question by the name of its test, with or without ``test_``, or in the words of a page.

    Raises:
        DecisionError: there is none, or the class has no question yet.
    """
    plain = question_of(name.strip())
    for question in asked:
        if plain in (question, question.removeprefix("test_"), question_words(question)):
            return question
    known = ", ".join(asked) or "none yet: nothing was graded"
    msg = f"there is no question {name!r}; the questions are {known}"
    raise DecisionError(msg)


def _overridden(found: Sequence[Mark], asked: Asked, folder: str) -> Event:
    where = asked.where or folder
    mark = find_student(found, asked.student, where)
    worth = _worth(found, mark)
    try:
        question = find_question(worth, asked.question)
    except DecisionError as error:
        msg = f"{where}: {error}"
        raise DecisionError(msg) from None
    try:
        points = float(asked.points)
    except ValueError:
        points = math.nan
    if not 0 <= points <= worth[question]:
        most = number(worth[question])
        said = question_words(question)
        msg = f"{where}: {asked.points!r} cannot be given; {said} is worth 0 to {most} points"
        raise DecisionError(msg)
    if not asked.reason.strip():
        msg = f"{where}: a reason is missing; the student reads it, and whoever looks at this mark later"
        raise DecisionError(msg)
    return Event(0, Kind.OVERRIDDEN, "", "", mark.student, question, points, asked.reason.strip())


def _worth(found: Sequence[Mark], mark: Mark) -> Mapping[str, float]:
    """Return what the questions of a student are worth; those of the class where there is no work."""
    return {q.question: q.max_points for q in mark.questions} or _class_questions(found)


def _class_questions(found: Sequence[Mark]) -> dict[str, float]:
    return asked_questions(mark.result for mark in found if mark.result is not None)
