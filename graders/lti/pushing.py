"""A push: who has a score to send, into which column, and what becomes of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graders.lti.columns import Wanted, find_or_create
from graders.lti.connection import (
    LINE_ITEM,
    MEMBERS,
    RESULTS,
    SCORES,
    Connection,
    PushStoppedError,
    UnansweredError,
)
from graders.lti.delivery import Delivery, Outcome, Row, is_there
from graders.lti.journal import Journal
from graders.lti.members import find_users
from graders.lti.scores import Fit, fit_to_send, user_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from graders.gradebook import Gradebook
    from graders.lti.clocks import Clock
    from graders.lti.columns import Column
    from graders.lti.keys import Signer
    from graders.lti.settings import Settings
    from graders.marks import Mark


@dataclass(slots=True)
class Push:
    """The scores of one gradebook on their way into one column.

    ``again`` is whether scores go out also where the platform has one that is not from here.
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
            there = is_there(journal, score)
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
        scopes = (
            SCORES,
            RESULTS,
            *([] if self.settings.lineitem else [LINE_ITEM]),
            *([MEMBERS] if asks else []),
        )
        connection = Connection(self.settings, signer, client, clock, scopes)
        if asks:
            self._look_up_users(connection)
        column = find_or_create(connection, self.settings, self.wanted)
        self._tell_of(column)
        journal = Journal.of(self.book, self.target, column.url)
        yield from self._without(journal)
        delivery = Delivery(connection, column, journal, self.again)
        yield from self._deliver_all(delivery)
        if delivery.blind:
            self.said.append("the platform does not show what it had: what a teacher typed there is replaced")
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

    def _deliver_all(self, delivery: Delivery) -> Iterator[Row]:
        for score in self.fit.scores:
            if self.stopped:
                yield Row(score.student, Outcome.NOT_SENT, "the push stopped before", score)
                continue
            try:
                row = delivery.deliver(score)
            except UnansweredError as error:
                row = Row(score.student, Outcome.NOT_SENT, str(error), score)
            except PushStoppedError as error:
                row = Row(score.student, Outcome.NOT_SENT, "the push stopped here", score)
                self.stopped = str(error)
            self.stopped = self.stopped or delivery.pointless(row)
            yield row


def _reveal(book: Gradebook) -> str:
    return book.header("reveal") or "hint"
