"""Scores sent, one student after the other: each arrives once, and what becomes of each is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from graders.history import Kind
from graders.lti.columns import Column, Wanted, below, find_or_create
from graders.lti.connection import (
    LINE_ITEM,
    MEMBERS,
    RESULTS,
    SCORES,
    Answer,
    Connection,
    PushStoppedError,
    UnansweredError,
)
from graders.lti.journal import Journal
from graders.lti.members import find_users
from graders.lti.scores import MEDIA_TYPE, Fit, Held, Score, fit_to_send, user_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from graders.gradebook import Gradebook
    from graders.lti.clocks import Clock
    from graders.lti.keys import Signer
    from graders.lti.settings import Settings
    from graders.marks import Mark

_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
_IN_VAIN = 3
"""So many in a row without an answer, or refused as if there were no column, and the rest has to wait."""

_GONE = (403, 404, 410)
_NOBODY = (400, 404, 422)
"""How platforms refuse a user whom they do not know (Moodle: 400)."""

_CONFLICT = 409


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
class Push:
    """The scores of one gradebook on their way into one column.

    ``again`` is whether scores go out again where the platform has something else than what was sent.
    ``stopped`` says why not all were tried, "" where they were; ``said`` is what a person should know beside
    the rows.
    """

    book: Gradebook
    settings: Settings
    marks: Sequence[Mark]
    fit: Fit
    wanted: Wanted
    again: bool = False
    stopped: str = ""
    said: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, book: Gradebook, marks: Sequence[Mark], settings: Settings) -> Push:
        """Prepare a push of the marks of a gradebook.

        Raises:
            PushError: a mark is not sound.
        """
        name = book.header("assignment") or ""
        wanted = Wanted(
            resource_id=settings.resource_id or name,
            tag=settings.tag,
            label=settings.label or book.header("title") or name,
            maximum=max((mark.max_points for mark in marks), default=0.0) or 1.0,
        )
        return cls(book, settings, marks, fit_to_send(marks, settings, _reveal(book)), wanted)

    @property
    def target(self) -> str:
        """What lti.toml names, as the journal knows it."""
        if self.settings.lineitem:
            return self.settings.lineitem
        return f"{self.settings.lineitems}#{self.wanted.resource_id}#{self.wanted.tag}"

    def preview(self) -> Iterator[Row]:
        """Yield what a push would do, as far as that is known without asking the platform."""
        journal = Journal.of(self.book, self.target)
        for row in self._without(journal):
            to_ask = self.settings.memberships and row.student in self.fit.unknown
            yield Row(row.student, Outcome.TO_SEND, "if its list of members has them") if to_ask else row
        for score in self.fit.scores:
            there = _is_there(journal, score)
            yield Row(score.student, Outcome.THERE if there else Outcome.TO_SEND, score=score)

    def carry_out(self, signer: Signer, clock: Clock, client: httpx.Client) -> Iterator[Row]:
        """Send what is fit to be sent, and yield what became of each.

        Raises:
            PushError: nothing could be sent at all: no token, or no column.
        """
        asks = bool(self.settings.memberships and self.fit.unknown)
        if not self.fit.scores and not asks:
            yield from self._without(Journal.of(self.book, self.target))
            return
        scopes = [
            SCORES,
            RESULTS,
            *([MEMBERS] if asks else []),
            *([] if self.settings.lineitem else [LINE_ITEM]),
        ]
        connection = Connection(self.settings, signer, client, clock, tuple(scopes))
        if asks:
            self._look_up_users(connection)
        column = find_or_create(connection, self.settings, self.wanted)
        self._tell_of(column)
        journal = Journal.of(self.book, self.target, column.url)
        yield from self._without(journal)
        yield from self._deliver_all(_Delivery(connection, column, journal, self.again))
        if difference := connection.time.difference:
            self.said.append(difference)

    def _without(self, journal: Journal) -> Iterator[Row]:
        """Yield those who have no score to send, and what stays there of an earlier one."""
        kept = [(student, Outcome.LEFT_OUT, why) for student, why in self.fit.left_out]
        kept += [(student, Outcome.NOT_SENT, why) for student, why in self.fit.unsendable]
        for student, outcome, why in kept:
            before = journal.arrived(student)
            stays = f"; {before.points:g} of {before.of:g}, sent before, stay there" if before else ""
            yield Row(student, outcome, f"{why}{stays}")

    def _look_up_users(self, connection: Connection) -> None:
        """Choose anew what is fit to be sent, with those whom the platform's list of members names."""
        before = set(self.fit.unknown)
        taken = {user_of(mark, self.settings) for mark in self.marks}
        found = find_users(connection, self.settings, self.marks, taken)
        self.fit = fit_to_send(self.marks, self.settings, _reveal(self.book), found)
        count = len(before - set(self.fit.unknown))
        self.said.append(f"{count} of {len(before)} users were found in the platform's list of members")

    def _tell_of(self, column: Column) -> None:
        if column.created:
            self.said.append(f"the column {column.label!r} was created there")
        most = {score.of for score in self.fit.scores}
        if column.maximum is not None and most - {column.maximum}:
            worth = " or ".join(f"{points:g}" for points in sorted(most))
            self.said.append(
                f"the column {column.label!r} is worth {column.maximum:g} points there and {worth} here: the "
                "platform scales"
            )

    def _deliver_all(self, delivery: _Delivery) -> Iterator[Row]:
        for score in self.fit.scores:
            if self.stopped:
                yield Row(score.student, Outcome.NOT_SENT, "the push stopped before", score)
                continue
            try:
                row = delivery.deliver(score)
            except UnansweredError as error:
                row = Row(score.student, Outcome.NOT_SENT, str(error), score)
            except PushStoppedError as error:
                row, self.stopped = (
                    Row(score.student, Outcome.NOT_SENT, "the push stopped here", score),
                    str(error),
                )
            self.stopped = self.stopped or delivery.pointless(row)
            yield row


@dataclass(slots=True)
class _Delivery:
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
        if _is_there(self.journal, score) and (row := self._sent_before(score)) is not None:
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
            if stamped_anew or not self._may_be_replaced(score.student, there):
                break
            second = self._begin(score)
        return self._older(score, second, there)

    def pointless(self, row: Row) -> str:
        """Return why the rest need not be tried, "" where it should be."""
        if row.arrived:
            self._in_vain = 0
            return ""
        if row.outcome is Outcome.REFUSED and row.status not in _GONE:
            return ""
        self._in_vain += 1
        if self._in_vain < _IN_VAIN:
            return ""
        return f"{self._in_vain} scores in a row came to nothing ({row.why}); run the same command again when that is mended"  # fmt: skip # noqa: E501

    def _sent_before(self, score: Score) -> Row | None:
        """Return what there is of a score that arrived once; None where it should be sent again.

        What somebody has changed there since is theirs, and stays.
        """
        if not self._looked:
            self._looked, self._held = True, self._all_results()
        if self._held is None:
            return Row(score.student, Outcome.THERE, "sent before; the platform does not show it", score)
        now = self._held.get(score.user)
        if now is not None and now.is_equal(score.points, score.of):
            return Row(score.student, Outcome.THERE, score=score)
        if self.again:
            return None
        has = f"{now.points:g} of {now.of:g}" if now is not None else "none"
        why = f"sent before; the platform has {has} now, and it stays (--again sends)"
        return Row(score.student, Outcome.CHANGED, why, score)

    def _all_results(self) -> dict[str, Held] | None:
        """Return what the platform has of all users; None where it does not show that."""
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

    def _may_be_replaced(self, student: str, there: Held | None) -> bool:
        """Return whether what is there is nobody else's decision: nothing, or what we sent before."""
        before = self.journal.arrived(student)
        return there is None or (before is not None and there.is_equal(before.points, before.of))

    def _arrived(self, score: Score, second: int, outcome: Outcome = Outcome.SENT) -> Row:
        before = self.journal.arrived(score.student)
        self.journal.note(Kind.ARRIVED, score, second)
        moved = before is not None and before.user != score.user
        why = (
            "an earlier score is with another user, as the roster then said; see to it there" if moved else ""
        )
        return Row(score.student, outcome, why, score)

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
                f"the platform has a later score, {there.points:g} of {there.of:g}; it stays, unless the "
                "same command is run again"
            )
        self.journal.note(Kind.REFUSED, score, second, why)
        return Row(score.student, Outcome.REFUSED, why, score, _CONFLICT)


def _reveal(book: Gradebook) -> str:
    return book.header("reveal") or "hint"


def _is_there(journal: Journal, score: Score) -> bool:
    """Return whether a score is the last that arrived, and nothing was sent after it."""
    last = journal.last(score.student)
    return last is not None and last.kind is Kind.ARRIVED and last.is_of(score)
