"""One score after the other into one column, each once, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from graders.history import Kind
from graders.lti.columns import below
from graders.lti.connection import RESULTS, UnansweredError
from graders.lti.scores import MEDIA_TYPE, Held

if TYPE_CHECKING:
    from graders.lti.answers import Answer
    from graders.lti.columns import Column
    from graders.lti.connection import Connection
    from graders.lti.journal import Journal
    from graders.lti.scores import Score

_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
_IN_VAIN = 3
"""So many in a row without an answer, or refused as if there were no column, and the rest has to wait."""

_GONE = (403, 404, 410)
_NOBODY = (400, 404, 422)
"""How platforms refuse a user whom they do not know (Moodle: 400)."""

_CONFLICT = 409
_MOVED = "an earlier score is with another user, as the roster then said; see to it there"


class Outcome(StrEnum):
    """What became of a student's score: a closed set."""

    SENT = "sent"
    THERE = "already there"
    CHANGED = "changed there"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    LEFT_OUT = "left out"
    TO_SEND = "to be sent"


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one student's score, None where there is none to send.

    ``status`` is that of the platform's refusal.
    """

    student: str
    outcome: Outcome
    why: str = ""
    score: Score | None = None
    status: int = 0

    @property
    def arrived(self) -> bool:
        """Whether all is well: it is there, or there is nothing that should be."""
        return self.outcome not in (Outcome.REFUSED, Outcome.NOT_SENT)


@dataclass(slots=True)
class Delivery:
    """Brings scores into one column, each once."""

    connection: Connection
    column: Column
    journal: Journal
    again: bool
    _in_vain: int = field(default=0, init=False)
    _held: Mapping[str, Held] | None = field(default=None, init=False)
    _looked: bool = field(default=False, init=False)

    def deliver(self, score: Score) -> Row:
        """Send one score, if it is not there.

        Raises:
            UnansweredError: the platform gave no answer; the journal knows that it may have the score.
            PushStoppedError: no score can be sent any more.
        """
        if (row := self._seen_there(score)) is not None:
            return row
        last = self.journal.last(score.student)
        unfinished = last is not None and last.kind is Kind.SENDING and last.is_of(score)
        second = last.second if last is not None and unfinished else self._begin(score)
        for stamped_anew in (False, True):
            answer = self._post(score, second)
            if answer.status != _CONFLICT:
                return self._arrived(score, second) if answer.fine else self._refused(score, second, answer)
            there = self._read_back(score.user)
            if there is not None and there.is_equal(score.points, score.of):
                sent_now = answer.again and not unfinished
                return self._arrived(score, second, Outcome.SENT if sent_now else Outcome.THERE)
            if stamped_anew or not self._may_be_replaced(score, there):
                break
            second = self._begin(score)
        return self._older(score, second, there)

    def pointless(self, row: Row) -> str:
        """Return why the rest need not be tried, "" where it should be."""
        if row.arrived:
            self._in_vain = 0
            return ""
        if row.status and row.status not in _GONE:
            return ""
        self._in_vain += 1
        if self._in_vain < _IN_VAIN:
            return ""
        said = f"{self._in_vain} scores in a row came to nothing ({row.why})"
        return f"{said}; run the same command again when that is mended"

    def _seen_there(self, score: Score) -> Row | None:
        """Return what a look at the platform says of a score; None where it should be sent.

        What somebody typed or changed there is theirs, and stays, unless we are told to send again.
        """
        before, held = is_there(self.journal, score), self._look()
        if held is None:
            why = "sent before; the platform does not show it"
            return Row(score.student, Outcome.THERE, why, score) if before else None
        now = held.get(score.user)
        if now is not None and now.is_equal(score.points, score.of):
            if not before:
                last = self.journal.last(score.student)
                self.journal.note(Kind.ARRIVED, score, last.second if last else 0)
            return Row(score.student, Outcome.THERE, score=score)
        if self.again or (not before and self._may_be_replaced(score, now)):
            return None
        has = f"{now.points:g} of {now.of:g}" if now is not None else "none"
        if before:
            why = f"sent before; the platform has {has} now, and it stays (--again sends)"
            return Row(score.student, Outcome.CHANGED, why, score)
        why = f"the platform has {has}, which is not from here; it stays (--again sends)"
        return Row(score.student, Outcome.NOT_SENT, why, score, _CONFLICT)

    def _look(self) -> Mapping[str, Held] | None:
        """Return what the platform has of all users, asked for once; None where it does not show that."""
        if not self._looked:
            self._looked = True
            self._held = {} if self.column.created else self._all_results()
        return self._held

    @property
    def blind(self) -> bool:
        """Whether scores went out without a look at what was there."""
        return self._looked and self._held is None

    def _all_results(self) -> dict[str, Held] | None:
        if not self.connection.grants(RESULTS):
            return None
        try:
            return dict(self._results(below(self.column.url, "results")))
        except (UnansweredError, LookupError):
            return None

    def _results(self, url: str) -> Iterator[tuple[str, Held]]:
        """Yield users with what the platform has of them.

        Raises:
            LookupError: it does not show that.
        """
        for answer in self.connection.pages(url, accept=_RESULTS):
            found = answer.data()
            if not answer.fine or not isinstance(found, list):
                raise LookupError(answer.said)
            for result in found:
                held = Held.read(result) if isinstance(result, Mapping) else None
                if held is not None:
                    yield str(result.get("userId")), held

    def _begin(self, score: Score) -> int:
        """Note that a score leaves, and return the second that it is stamped with."""
        last = self.journal.last(score.student)
        second = self.connection.time.second_after(last.second if last else 0)
        self.journal.note(Kind.SENDING, score, second)
        return second

    def _post(self, score: Score, second: int) -> Answer:
        url = below(self.column.url, "scores")
        return self.connection.ask("POST", url, body=score.body(second), kind=MEDIA_TYPE)

    def _read_back(self, user: str) -> Held | None:
        """Return what the platform has of a user; None where it has none, or does not show it."""
        if not self.connection.grants(RESULTS):
            return None
        try:
            return dict(self._results(below(self.column.url, "results", user_id=user))).get(user)
        except LookupError:
            return None

    def _may_be_replaced(self, score: Score, there: Held | None) -> bool:
        """Return whether what is there is nobody else's decision: nothing, or what we sent before."""
        mine = (note for note in self.journal.all(score.student) if note.user == score.user)
        ours = there is None or any(there.is_equal(note.points, note.of) for note in mine)
        return ours or self.again

    def _arrived(self, score: Score, second: int, outcome: Outcome = Outcome.SENT) -> Row:
        before = self.journal.arrived(score.student)
        self.journal.note(Kind.ARRIVED, score, second)
        moved = before is not None and before.user != score.user
        return Row(score.student, outcome, _MOVED if moved else "", score)

    def _refused(self, score: Score, second: int, answer: Answer) -> Row:
        advice = "; see that they are a student of that course" if answer.status in _NOBODY else ""
        why = f"{answer.said}{advice}"
        self.journal.note(Kind.REFUSED, score, second, why)
        return Row(score.student, Outcome.REFUSED, why, score, answer.status)

    def _older(self, score: Score, second: int, there: Held | None) -> Row:
        """Tell of a score that is not the newest there."""
        if there is None:
            why = "the platform has a score with a later time and does not show it; look there"
        else:
            why = (
                f"the platform has a later score, {there.points:g} of {there.of:g}; it stays (--again sends)"
            )
        self.journal.note(Kind.REFUSED, score, second, why)
        return Row(score.student, Outcome.REFUSED, why, score, _CONFLICT)


def is_there(journal: Journal, score: Score) -> bool:
    """Return whether a score is the last that arrived, and nothing was sent after it."""
    last = journal.last(score.student)
    return last is not None and last.kind is Kind.ARRIVED and last.is_of(score)
