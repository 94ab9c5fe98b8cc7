"""What was sent: events of the gradebook's history, so that no score is sent twice and none is forgotten.

A score is noted before it leaves, with its timestamp, and again when it has arrived. One that was noted and
never arrived (a killed run, a lost answer) is sent again with the same timestamp: a platform that has it
refuses that as no news, and so it is there once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.history import Event, Kind

if TYPE_CHECKING:
    from graders.gradebook import Gradebook
    from graders.lti.scores import Score

_KINDS = (Kind.SENDING, Kind.ARRIVED, Kind.REFUSED)


@dataclass(frozen=True, slots=True)
class Note:
    """The last that is known of a student's score in a column."""

    kind: Kind
    user: str
    points: float
    of: float
    second: int

    def is_of(self, score: Score) -> bool:
        """Return whether it is about this score: these points of so many, for this user."""
        return (self.user, self.points, self.of) == (score.user, score.points, score.of)


@dataclass(slots=True)
class Journal:
    """What the history says of one column: ``target`` is what lti.toml names, ``column`` its address."""

    book: Gradebook
    target: str
    column: str
    _last: dict[str, Note]
    _arrived: dict[str, Note]
    _all: dict[str, set[Note]]

    @classmethod
    def of(cls, book: Gradebook, target: str, column: str = "") -> Journal:
        """Read the history; without ``column``, for the address at which the target was last found."""
        events = [e for e in book.history() if e.kind in _KINDS]
        known = (e.data["column"] for e in reversed(events) if e.data["target"] == target)
        where = column or next(known, "")
        journal = cls(book, target, where, {}, {}, {})
        for event in events:
            if event.data["column"] == where:
                journal._take(event)
        return journal

    def last(self, student: str) -> Note | None:
        """Return the last note about a student."""
        return self._last.get(student)

    def arrived(self, student: str) -> Note | None:
        """Return the score that is there, as far as is known."""
        return self._arrived.get(student)

    def all(self, student: str) -> set[Note]:
        """Return all that was ever noted about a student: one of it may be there."""
        return self._all.get(student, set())

    def note(self, kind: Kind, score: Score, second: int, why: str = "") -> None:
        """Add a note: on its way, arrived, or refused for a reason."""
        data: dict[str, Any] = {
            "target": self.target,
            "column": self.column,
            "user": score.user,
            "of": score.of,
            "second": second,
        }
        event = Event(0, kind, student=score.student, points=score.points, reason=why, data=data)
        self.book.record(event)
        self._take(event)

    def _take(self, event: Event) -> None:
        data = event.data
        note = Note(event.kind, data["user"], event.points or 0.0, data["of"], data["second"])
        self._last[event.student] = note
        self._all.setdefault(event.student, set()).add(note)
        if event.kind is Kind.ARRIVED:
            self._arrived[event.student] = note
