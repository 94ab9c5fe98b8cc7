"""Whose a hand-in is: the roster's students, or strangers under the identifier that their platform gave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graders.names import identifier, look, some_of
from pytest_symmetry.feedback.text import printable

if TYPE_CHECKING:
    from graders.inboxes import HandIn, Who
    from graders.roster import Roster


@dataclass(slots=True)
class Owners:
    """Finds the students of hand-ins: by their identifiers, then by a name that only one of them has.

    A name counts only where nobody else may be meant: neither two people of the roster, nor two accounts of
    the platform. ``said`` tells where it did not count.
    """

    roster: Roster | None
    hand_ins: Sequence[HandIn]
    said: list[str] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Find the students whom several accounts might be."""
        accounts: dict[str, set[str]] = defaultdict(set)
        by_name: dict[str, set[str]] = defaultdict(set)
        for who in (w for hand_in in self.hand_ins for w in hand_in.who):
            student, named = self._by_id(who), self._by_name(who)
            if student is not None:
                accounts[student].add(who.student)
            elif named is not None:
                accounts[named].add(who.student)
                by_name[named].add(who.student)
        self.doubtful = {student for student in by_name if len(accounts[student]) > 1}
        for student in sorted(self.doubtful):
            some = some_of([identifier(a) for a in sorted(by_name[student])])
            self.said.append(
                f"{student} of the roster has the name of several accounts; taken for none: {some}"
            )

    def of(self, hand_in: HandIn) -> list[tuple[str, str]]:
        """Return (student, name) of everyone who gets the mark of a hand-in."""
        found: dict[str, str] = {}
        for who in hand_in.who:
            for student in self._students(who):
                found.setdefault(student, self._name(student, who))
        return list(found.items())

    def _by_id(self, who: Who) -> str | None:
        return self.roster.by_id((who.student, identifier(who.student), *who.ids)) if self.roster else None

    def _by_name(self, who: Who) -> str | None:
        return self.roster.by_name(who.name or who.student) if self.roster else None

    def _students(self, who: Who) -> Sequence[str]:
        student = self._by_id(who)
        if student is None and (named := self._by_name(who)) not in self.doubtful:
            student = named
        if self.roster is None:
            return [identifier(who.student)]
        group = self.roster.people[student].person.group if student is not None else self._group(who)
        return self.roster.members(group) if group else [student or identifier(who.student)]

    def _group(self, who: Who) -> str | None:
        """Return the group that handed in under its own name; Moodle writes "group-full name"."""
        assert self.roster is not None
        heads = [who.name[:i] for i, c in enumerate(who.name) if c == "-"]
        return next((g for n in (who.student, who.name, *heads) if (g := self.roster.group_of(n))), None)

    def _name(self, student: str, who: Who) -> str:
        known = self.roster.people.get(student) if self.roster is not None else None
        return known.person.name if known is not None and known.person.name else printable(who.name)


def alike(students: Iterable[str]) -> Iterator[str]:
    """Yield which students' identifiers look like one another's: they are different people here."""
    looks: dict[str, list[str]] = defaultdict(list)
    for student in sorted(students):
        looks[look(student)].append(student)
    for some in looks.values():
        if len(some) > 1:
            yield f"these look alike, and are kept apart: {some_of(some)}"
