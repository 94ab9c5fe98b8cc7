"""Who of a cluster may grade: all alike, so that no result shows on which machine it was made."""

from __future__ import annotations

import importlib.util
from concurrent.futures import CancelledError, Executor, Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from graders.cluster import answers, post
from graders.cluster.kinds import kind_here
from pytest_symmetry.errors import SymmetryError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from distributed import Client

    from graders.cluster.answers import Examined
    from graders.cluster.orders import Terms


GOODBYE = 2.0
"""Seconds in which a worker may take its leave."""


class ClusterError(SymmetryError):
    """A cluster cannot be used; the message says why and what to do."""


@dataclass(slots=True, eq=False)
class Member:
    """A worker of the cluster: what it said of itself, why it is left out, and what it has to do."""

    address: str
    threads: int
    executor: Executor
    examined: Examined | None = None
    why_out: str = ""
    told: bool = False
    losses: int = 0
    """Chunks in a row that it did not bring back."""
    chunks: list[Any] = field(default_factory=list)

    @property
    def asked(self) -> bool:
        """Whether it has not answered yet."""
        return self.examined is None and not self.why_out

    @property
    def able(self) -> bool:
        """Whether it may grade."""
        return self.examined is not None and not self.why_out

    @property
    def room(self) -> bool:
        """Whether it may be given a chunk: one more than it has threads, so that none waits for the next."""
        return self.able and len(self.chunks) <= self.threads

    @property
    def busy(self) -> float:
        """How much it has to do for each of its threads."""
        return len(self.chunks) / self.threads

    def compare(self, chosen: Examined) -> None:
        """Leave it out if it would say other bytes than the others."""
        if self.examined is None or self.why_out:
            return
        mine, theirs = self.examined, chosen
        if mine.kind.processor != theirs.kind.processor:
            self.why_out = (
                f"its processor is {mine.kind.processor}, and that of the others {theirs.kind.processor}, "
                "which may round in another way"
            )
        elif str(mine.judge.isolation) != str(theirs.judge.isolation):
            self.why_out = (
                f"it isolates submissions at {mine.judge.isolation}, "
                f"and the others do at {theirs.judge.isolation}"
            )


class Roll:
    """The workers that are there. Not for several threads: ``later`` takes what is to be called in its own.

    ``where`` is what to call the cluster; ``say`` is told, once and in a sentence, who is left out and why.
    """

    def __init__(
        self,
        client: Client,
        where: str,
        say: Callable[[str], None],
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        self.where = where
        self.terms: Terms | None = None
        self.chosen: Examined | None = None
        """What all who grade are like."""
        self._client, self._say, self._later = client, say, later
        self._members: dict[str, Member] = {}

    @property
    def able(self) -> list[Member]:
        """Who may grade."""
        return [m for m in self._members.values() if m.able] if self.chosen is not None else []

    @property
    def empty(self) -> bool:
        """Whether nobody is there."""
        return not self._members

    @property
    def hopeless(self) -> str:
        """Why none of those who are there can grade, "" where one can or may."""
        members = self._members.values()
        if not members or any(m.able or m.asked for m in members):
            return ""
        return next(_sentence(m) for m in members)

    def agree(self, terms: Terms) -> None:
        """Ask everybody whether they can grade on these terms."""
        self.terms, self.chosen = terms, None
        for member in self._members.values():
            self.introduce(member)

    def look_round(self) -> list[Member]:
        """See who came and who went; return who went.

        Raises:
            ClusterError: the scheduler itself is gone.
        """
        try:
            there = self._client.nthreads()
        except (OSError, TimeoutError, CancelledError) as error:
            why = str(error) or type(error).__name__
            msg = (
                f"{self.where}: the scheduler does not answer any more ({why}); "
                "what was graded is kept: run the same command again to go on"
            )
            raise ClusterError(msg) from None
        for address, threads in there.items():
            if address not in self._members:
                pinned = {"workers": [address], "allow_other_workers": False, "pure": False, "retries": 0}
                member = Member(address, max(1, threads), self._client.get_executor(**pinned))
                self._members[address] = member
                self.introduce(member)
        return [self._members.pop(address) for address in [a for a in self._members if a not in there]]

    def introduce(self, member: Member) -> None:
        """Send a worker the assignment, and ask what it grades with.

        A worker of dask that is sent a function that it has not got ends itself: whether it has this one is
        asked with one that every Python has.
        """
        if self.terms is None:
            return
        member.examined, member.why_out, member.told = None, "", False
        self._ask(member, self._found, importlib.util.find_spec, post.__name__)

    def _ask(
        self, member: Member, then: Callable[..., None], function: Callable[..., Any], what: Any
    ) -> None:
        answered = partial(then, member, self.terms)
        said = member.executor.submit(function, what)
        said.add_done_callback(lambda said: self._later(partial(answered, said)))

    def _found(self, member: Member, terms: Terms, said: Future[Any]) -> None:
        """Ask a worker that has what it takes; leave one out that has not."""
        if self._is_asked(member, terms, said):
            if said.exception() is None and said.result() is not None:
                self._ask(member, self._introduced, post.ask, terms.parcel)
            else:
                self.leave_out(member, in_words(said.exception() or ModuleNotFoundError(post.__name__)))

    def _is_asked(self, member: Member, terms: Terms, said: Future[Any]) -> bool:
        """Return whether an answer still matters: its worker may be gone, or asked something else by now."""
        there = self._members.get(member.address) is member
        return there and terms is self.terms and not said.cancelled()

    def leave_out(self, member: Member, why: str) -> None:
        """Give a worker nothing more."""
        member.why_out = why
        self._tell()

    def dismiss(self) -> None:
        """Let the processes that graded go; the workers themselves stay."""
        wait([member.executor.submit(post.leave) for member in self.able], GOODBYE)

    def _introduced(self, member: Member, terms: Terms, said: Future[bytes]) -> None:
        """Let a worker in, or leave it out."""
        if not self._is_asked(member, terms, said):
            return
        try:
            member.examined = answers.examined(said.result())
            member.why_out = member.examined.kind.differs_from(kind_here(), "this machine")
        except Exception as error:  # noqa: BLE001 - whatever went wrong there
            member.why_out = in_words(error)
        members = self._members.values()
        self.chosen = self.chosen or _commonest(members)
        if self.chosen is not None:
            for one in members:
                one.compare(self.chosen)
        self._tell()

    def _tell(self) -> None:
        for member in self._members.values():
            if member.why_out and not member.told:
                member.told = True
                self._say(_sentence(member))


def _sentence(member: Member) -> str:
    return f"worker {member.address} is left out: {member.why_out}"


def in_words(error: BaseException) -> str:
    """Return what went wrong with a worker, as the end of a sentence."""
    if isinstance(error, answers.BadAnswer):
        return str(error)
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    return f"it cannot do what it is asked ({said}); see that it has this pytest-symmetry"


def _commonest(members: Collection[Member]) -> Examined | None:
    """Return what half of the workers are like, or most of them once all have answered; None before.

    Some that never answer (a worker may be paused from the start) do not hold up the others for ever.
    """
    found = [m.examined for m in members if m.examined is not None and m.able]
    waits = sum(m.asked for m in members)
    kinds = [(one.kind.processor, str(one.judge.isolation)) for one in found]
    commonest = max(sorted(set(kinds)), key=kinds.count, default=None)
    if commonest is None or (waits and 2 * kinds.count(commonest) < len(found) + waits):
        return None
    return found[kinds.index(commonest)]
