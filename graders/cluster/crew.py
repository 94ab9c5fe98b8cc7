"""The workers of a cluster as one executor for :class:`graders.workers.Workers`.

A chunk is given to one worker, by name. So it is known what a lost worker had; and when there is nothing
else to do, whoever is idle takes along what another has not brought back, be that one slow, paused or lost.
The first answer counts, and only one is ever handed on.

One thread knows and decides everything; what happens comes to it as calls in a queue.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from graders import batch
from graders.cluster import answers, post
from graders.cluster.orders import Terms
from graders.cluster.roll import ClusterError, Member, Roll, in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Client

LOOK_ROUND = 1.0
"""Seconds between two looks at who is there."""
COPIES = 3
"""No chunk is with more workers than this at a time."""
LATE = 2
"""A chunk that has been out for so many looks round may be done along by who has nothing to do."""
LOSSES = 3
"""A chunk that so many workers lost may be what ends them; one that loses so many in a row is not well."""


@dataclass(slots=True, eq=False)
class Chunk:
    """A chunk that somebody waits for, what the workers that have it will say, and which ones lost it."""

    task: batch.Task
    outcome: Future[Any]
    copies: dict[Member, Future[Any]] = field(default_factory=dict)
    lost_by: set[str] = field(default_factory=set)
    looks: int = 0
    """How many looks round it has been out for."""


class Crew(Executor):
    """An executor whose tasks are those of a batch: ``examine`` and ``grade_chunk``.

    ``where`` is what to call the cluster; ``say`` is told, in a sentence each, who is left out and why;
    ``grow`` is told for how many chunks at a time there are workers.
    """

    def __init__(
        self,
        client: Client,
        where: str,
        say: Callable[[str], None],
        grow: Callable[[int], None] = lambda _threads: None,
    ) -> None:
        self._grow = grow
        self._say = say
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._roll = Roll(client, where, say, self._calls.put)
        self._asked: list[Future[Any]] = []
        """Who waits to be told what judges there."""
        self._todo: deque[Chunk] = deque()
        self._given: dict[Chunk, None] = {}
        """What somebody has, oldest first."""
        self._looked = 0.0
        self._said_alone = False
        self._thread = threading.Thread(target=self._work, name="crew", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Take a task of a batch.

        Raises:
            TypeError: it is another function.
        """
        outcome: Future[Any] = Future()
        if function is batch.examine:
            self._calls.put(partial(self._examine, outcome, *args, **kwargs))
        elif function is batch.grade_chunk:
            self._calls.put(partial(self._take, Chunk(args[0], outcome)))
        else:
            msg = f"the workers of a cluster do not know {function}"
            raise TypeError(msg)
        return outcome

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - they are
        """End; what is not done is dropped. The cluster itself stays as it is."""
        self._calls.put(None)
        if wait:
            self._thread.join()

    # All that follows runs in the one thread.

    def _work(self) -> None:
        while True:
            call: Callable[[], None] | None
            try:
                call = self._calls.get(timeout=LOOK_ROUND)
            except queue.Empty:
                call = self._look_round
            if call is None:
                self._fail(CancelledError())
                self._roll.dismiss()
                return
            try:
                call()
                if time.monotonic() >= self._looked + LOOK_ROUND:
                    self._look_round()
                self._go_on()
            except Exception as error:  # noqa: BLE001 - else everybody would wait for ever
                self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Let everybody know that nothing comes."""
        for outcome in self._asked:
            _settle(outcome, error)
        for chunk in (*self._todo, *self._given):
            _settle(chunk.outcome, error)
            self._take_back(chunk)
        self._asked.clear()
        self._todo.clear()

    def _examine(self, outcome: Future[Any], folder: str, isolation: str) -> None:
        self._asked.append(outcome)
        self._roll.agree(Terms.of(folder, isolation))

    def _take(self, chunk: Chunk) -> None:
        self._todo.append(chunk)
        if self._roll.terms is None or not self._roll.terms.cover(chunk.task):
            self._roll.agree(Terms.of(chunk.task.assignment, chunk.task.isolation))

    def _look_round(self) -> None:
        self._looked = time.monotonic()
        for chunk in self._given:
            chunk.looks += 1
        for member in self._roll.look_round():
            for chunk in list(member.chunks):
                self._lost(chunk, member)

    def _go_on(self) -> None:
        """Tell who waits for the terms, and hand out what there is to do.

        Raises:
            ClusterError: nobody there can do it.
        """
        if not (self._asked or self._todo or self._given):
            return
        if self._roll.hopeless:
            msg = f"{self._roll.where}: no worker there can grade; {self._roll.hopeless}"
            raise ClusterError(msg)
        if self._roll.empty and not self._said_alone:
            self._say(f"{self._roll.where}: no worker is there; waiting for one")
        self._said_alone = self._roll.empty
        if self._roll.chosen is not None:
            self._grow(sum(member.threads for member in self._roll.able))
            for outcome in self._asked:
                _settle(outcome, self._roll.chosen.judge)
            self._asked.clear()
        able = self._roll.able
        while self._todo and (ready := [member for member in able if member.room]):
            self._give(self._todo.popleft(), min(ready, key=lambda m: m.busy))
        for member in able:
            if not member.chunks and (chunk := self._of_another(member)) is not None:
                self._give(chunk, member)

    def _of_another(self, member: Member) -> Chunk | None:
        """Return what a worker may do along: what fewest others have, the longest of these."""
        late = (c for c in self._given if c.looks >= LATE and len(c.copies) < COPIES)
        return min((c for c in late if member not in c.copies), key=lambda c: len(c.copies), default=None)

    def _give(self, chunk: Chunk, member: Member) -> None:
        """Send a chunk to a worker."""
        if chunk.outcome.cancelled():
            self._take_back(chunk)
            return
        assert self._roll.terms is not None
        try:
            parcel = self._roll.terms.chunk(chunk.task)
        except OSError as error:
            _settle(chunk.outcome, error)
            self._take_back(chunk)
            return
        said = member.executor.submit(post.ask, parcel)
        chunk.copies[member] = said
        member.chunks.append(chunk)
        self._given[chunk] = None
        said.add_done_callback(lambda said: self._calls.put(partial(self._answered, chunk, member, said)))

    def _answered(self, chunk: Chunk, member: Member, said: Future[Any]) -> None:
        """Hand on the first answer to a chunk; give to others what a worker could not do."""
        if chunk.copies.get(member) is not said:
            return  # another was quicker, or this worker was given up
        if said.cancelled() or isinstance(said.exception(), OSError | BrokenExecutor):
            self._ended(chunk, member)
            return
        terms = self._roll.terms
        assert member.examined is not None
        assert terms is not None
        try:
            found = answers.graded(said.result(), chunk.task, member.examined, terms.name)
        except Exception as error:  # noqa: BLE001 - whatever went wrong there
            self._leave_out(member, in_words(error))
            return
        member.losses = 0
        _settle(chunk.outcome, found)
        self._take_back(chunk)

    def _ended(self, chunk: Chunk, member: Member) -> None:
        """See whether it is a worker that is gone, or what graded there."""
        self._look_round()
        if member in chunk.copies:  # it is still there
            self._lost(chunk, member)
            member.losses += 1
            if member.losses >= LOSSES:
                self._leave_out(member, "the process that grades there ends again and again")

    def _leave_out(self, member: Member, why: str) -> None:
        """Give a worker nothing more, and what it has to others."""
        self._roll.leave_out(member, why)
        for chunk in list(member.chunks):
            self._lost(chunk, member, blame=False)

    def _lost(self, chunk: Chunk, member: Member, *, blame: bool = True) -> None:
        """Let others do what a worker did not bring back; give up what may be the reason."""
        member.chunks.remove(chunk)
        chunk.copies.pop(member).cancel()
        chunk.lost_by |= {member.address} if blame else set()
        if len(chunk.lost_by) >= LOSSES:
            _settle(chunk.outcome, BrokenExecutor("every worker that had this was lost"))
            self._take_back(chunk)
        elif not chunk.copies:
            self._given.pop(chunk, None)
            self._todo.appendleft(chunk)

    def _take_back(self, chunk: Chunk) -> None:
        """Let nobody do a chunk any more."""
        self._given.pop(chunk, None)
        copies, chunk.copies = chunk.copies, {}
        for member, copy in copies.items():
            member.chunks.remove(chunk)
            copy.cancel()


def _settle(outcome: Future[Any], with_what: Any) -> None:
    """Give an outcome to who waits for it, if anybody still does."""
    if not outcome.set_running_or_notify_cancel():
        return
    if isinstance(with_what, BaseException):
        outcome.set_exception(with_what)
    else:
        outcome.set_result(with_what)
