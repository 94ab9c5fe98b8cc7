"""What counts: the marks of a class, folded from its results and the history of decisions.

Exports, pages and reports read marks only here (:func:`marks`), never points from a stored result. A mark
keeps apart what the tests gave, what people decided, and what lateness took.

A question is a test function; the cases of a parametrised one belong to it together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from graders.history import Event, Kind
from pytest_symmetry.findings import Outcome, Result, Verdict
from pytest_symmetry.records import Record

if TYPE_CHECKING:
    from graders.gradebook import Gradebook

_R = TypeVar("_R", bound=Record)
DecidedBy = Literal["the tests", "an override", "a void", "nobody yet"]

GRADED = "graded"
NOT_YET = "not graded yet"
MISSING = "missing"
EXCUSED = "excused"
WAITS = "waits for a person"
NOT_GRADABLE = "not gradable"


@dataclass(frozen=True, slots=True)
class Person(Record):
    """What the roster says of a student; all empty where there is no roster."""

    name: str = ""
    group: str = ""
    section: str = ""
    due: str = ""
    excused: bool = False
    ids: Mapping[str, str] = field(default_factory=dict)
    """Who this is elsewhere, by column of the roster (an e-mail address, a number of the LMS)."""
    lti_user: str = ""
    """Who this is to the LMS over LTI; not one of ``ids``: no file and no submission is found by it."""


@dataclass(frozen=True, slots=True)
class Lateness(Record):
    """How late work came, in seconds, and what that takes: ``percent`` of the points possible.

    ``floor`` is the share of the points possible, in percent, below which lateness takes nothing; ``line``
    says it as a page shows it.
    """

    seconds: float = 0.0
    percent: float = 0.0
    floor: float = 0.0
    line: str = ""

    def deduction(self, earned: float, possible: float) -> float:
        """Return the points that are taken from ``earned``: never more than there are, never negative."""
        room = earned - min(earned, self.floor / 100 * possible)
        return round(min(max(self.percent / 100 * possible, 0.0), room), 6)


@dataclass(frozen=True, slots=True)
class QuestionMark(Record):
    """One question of one student.

    ``points`` is what counts, None where nobody has decided (never to be exported as 0); ``judged`` is what
    the tests gave, None where they came to no verdict. ``reason``, ``author`` and ``at`` are those of the
    override or void that decides.
    """

    question: str
    max_points: float
    points: float | None
    judged: float | None
    by: DecidedBy = "the tests"
    reason: str = ""
    author: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Mark(Record):
    """What one student has: ``points`` = ``raw`` - ``deduction``, questions without a decision left out.

    ``status`` is "graded" (every question is decided), "waits for a person", "not gradable", "not graded
    yet", "missing" (nothing was handed in) or "excused"; ``reason`` says why it is not the first.
    ``result`` is what the tests said, None where there is none. ``approved`` holds only as long as points
    and work are those that were approved.
    """

    student: str
    status: str
    reason: str = ""
    questions: tuple[QuestionMark, ...] = ()
    raw: float = 0.0
    deduction: float = 0.0
    points: float = 0.0
    max_points: float = 0.0
    lateness: Lateness = field(default_factory=Lateness)
    person: Person = field(default_factory=Person)
    approved: bool = False
    pseudonym: str = ""
    result: Result | None = None

    @property
    def final(self) -> bool:
        """Whether the mark is a mark: every question is decided."""
        return self.status == GRADED

    @property
    def pending(self) -> tuple[str, ...]:
        """The questions that nobody has decided yet."""
        return tuple(q.question for q in self.questions if q.points is None)

    @property
    def corrected(self) -> tuple[QuestionMark, ...]:
        """The questions that a person decided."""
        return tuple(q for q in self.questions if q.by in ("an override", "a void"))


def marks(book: Gradebook) -> list[Mark]:
    """Return the mark of everyone in the class, students in order: the one source of all exports.

    Raises:
        GradebookError: a row of the gradebook is damaged.
    """
    history = book.history()
    found = fold(history, book.results(counting(history).values()), book.students())
    return [replace(mark, pseudonym=book.pseudonym(mark.student)) for mark in found]


def question_of(test: str) -> str:
    """Return the question that a test's verdict belongs to: its name without the case."""
    return test.partition("[")[0]


def counting(history: Iterable[Event]) -> dict[str, int]:
    """Return the number of the result that counts, by student."""
    return {e.student: int(e.data["result"]) for e in history if e.kind is Kind.GRADED}


def fold(history: Sequence[Event], results: Mapping[int, Result], students: Iterable[str] = ()) -> list[Mark]:
    """Return the marks that follow from a history; ``results`` are the results it speaks of, by number.

    The newest decision counts: of an override and a void of the same question, the later. ``students`` are
    those who handed something in, also where it has not been graded yet.
    """
    standing = {student: results[n] for student, n in counting(history).items()}
    decided = _Decisions.of(history)
    handed_in = {*standing, *students}
    asked = asked_questions(standing.values())
    everyone = sorted({*handed_in, *decided.people, *(student for student, _ in decided.overrides)})
    return [_mark(student, standing.get(student), decided, asked, handed_in) for student in everyone]


def asked_questions(results: Iterable[Result]) -> dict[str, float]:
    """Return what each question is worth, in the order of the tests."""
    asked: dict[str, float] = {}
    for result in results:
        for question, verdicts in _questions(result).items():
            asked[question] = max(asked.get(question, 0.0), _total(v.max_points for v in verdicts))
    return asked


@dataclass(slots=True)
class _Decisions:
    """The decisions that are in force."""

    overrides: dict[tuple[str, str], Event] = field(default_factory=dict)
    voids: dict[str, Event] = field(default_factory=dict)
    late: dict[str, Lateness] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    approvals: dict[str, Event] = field(default_factory=dict)

    @classmethod
    def of(cls, history: Sequence[Event]) -> _Decisions:
        found = cls()
        for event in history:
            found.take(event)
        return found

    def take(self, event: Event) -> None:
        """Take in the next event."""
        match event.kind:
            case Kind.OVERRIDDEN:
                self.overrides[event.student, event.question] = event
            case Kind.RESTORED:
                self.overrides.pop((event.student, event.question), None)
            case Kind.VOIDED:
                self.voids[event.question] = event
            case Kind.REINSTATED:
                self.voids.pop(event.question, None)
            case Kind.LATE:
                self.late[event.student] = _from(Lateness, event.data)
            case Kind.ENROLLED:
                self.people[event.student] = _from(Person, event.data)
            case Kind.APPROVED:
                self.approvals[event.student] = event

    def about(self, student: str, question: str, *, handed_in: bool) -> Event | None:
        """Return the decision that counts for a question of a student."""
        void = self.voids.get(question) if handed_in else None
        found = [e for e in (self.overrides.get((student, question)), void) if e is not None]
        return max(found, key=lambda event: event.number, default=None)


def _from(kind: type[_R], data: Mapping[str, Any]) -> _R:
    """Build a record of an event's data; keys that a newer version added are left out."""
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type] # records are dataclasses
    return kind.from_json({key: value for key, value in data.items() if key in known})


def _mark(
    student: str,
    result: Result | None,
    decided: _Decisions,
    asked: Mapping[str, float],
    handed_in: Collection[str],
) -> Mark:
    person = decided.people.get(student, Person())
    late = decided.late.get(student, Lateness())
    questions = _question_marks(student, result, decided, asked)
    raw = _total(q.points for q in questions if q.points is not None)
    maximum = _total(q.max_points for q in questions)
    deduction = late.deduction(raw, maximum)
    points = round(raw - deduction, 6)
    status, reason = _status(result, questions, person, handed_in=student in handed_in)
    approval = decided.approvals.get(student)
    return Mark(
        student=student,
        status=status,
        reason=reason,
        questions=questions,
        raw=raw,
        deduction=deduction,
        points=points,
        max_points=maximum,
        lateness=late,
        person=person,
        approved=status == GRADED and approval is not None and _approves(approval, points, maximum, result),
        result=result,
    )


def _question_marks(
    student: str, result: Result | None, decided: _Decisions, asked: Mapping[str, float]
) -> tuple[QuestionMark, ...]:
    """Return a student's questions: those of the result; all of the class's where it has none."""
    own = _questions(result) if result is not None else {}
    worth = {q: _total(v.max_points for v in verdicts) for q, verdicts in own.items()} or dict(asked)
    found = []
    for question, most in worth.items():
        judged = _judged(own.get(question, []))
        decision = decided.about(student, question, handed_in=result is not None)
        if decision is None:
            by: DecidedBy = "nobody yet" if judged is None else "the tests"
            found.append(QuestionMark(question, most, judged, judged, by))
            continue
        overridden = decision.kind is Kind.OVERRIDDEN
        points = min(decision.points or 0.0, most) if overridden else most
        by = "an override" if overridden else "a void"
        found.append(
            QuestionMark(
                question, most, points, judged, by, decision.reason, decision.author, decision.at
            )
        )  # fmt: skip
    return tuple(found)


def _status(
    result: Result | None, questions: Sequence[QuestionMark], person: Person, *, handed_in: bool
) -> tuple[str, str]:
    if person.excused:
        return EXCUSED, "excused in the roster"
    if questions and all(q.points is not None for q in questions):
        return GRADED, ""
    if result is None:
        return (NOT_YET, "") if handed_in else (MISSING, "nothing was handed in")
    if result.status == GRADED and not questions:
        return GRADED, ""
    waiting = [q.question for q in questions if q.points is None]
    reason = f"no verdict on {', '.join(waiting)}" if result.tests else result.reason
    return (WAITS if result.status == GRADED else result.status), reason


def _approves(approval: Event, points: float, maximum: float, result: Result | None) -> bool:
    """Return whether an approval is of this mark: these points, of so many, for this work."""
    work = result.sha256 if result is not None else ""
    return (approval.points, approval.data) == (points, {"sha256": work, "of": maximum})


def _questions(result: Result) -> dict[str, list[Verdict]]:
    found: dict[str, list[Verdict]] = {}
    for verdict in result.tests:
        found.setdefault(question_of(verdict.name), []).append(verdict)
    return found


def _judged(verdicts: Sequence[Verdict]) -> float | None:
    """Return the points that the tests gave for a question; None where one came to no verdict."""
    if not verdicts or any(v.outcome is Outcome.WAITS for v in verdicts):
        return None
    return _total(v.points for v in verdicts)


def _total(points: Iterable[float]) -> float:
    return round(sum(points), 6)
