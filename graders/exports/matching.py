"""Which row of a teacher's file is whose. Where it is not certain, nobody gets anybody's mark."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graders.names import key, letters, orders

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graders.marks import Mark

NOT_THERE = "not in the file"
SEVERAL_ROWS = "several rows of the file may be theirs"
SEVERAL_STUDENTS = "another student matches the same row"
OTHER_NAME = "the row of their identifier has somebody else's name"


@dataclass(frozen=True, slots=True)
class Known:
    """What a row says of a person: identifiers, and a name."""

    ids: tuple[str, ...]
    name: str = ""


@dataclass(slots=True)
class Matched:
    """Marks by row, and who has no row, with the reason."""

    rows: dict[int, Mark] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def match(marks: Sequence[Mark], known: Mapping[int, Known]) -> Matched:
    """Find each student's row: by identifier, else by a name that only one row and one student have.

    Numbers of one system are not those of another: a row that is found by a number must not have a name that
    shares no word with the student's, where both names are known. An e-mail address is enough.
    """
    by_id, by_name = defaultdict(set), defaultdict(set)
    for row, person in known.items():
        for identifier in filter(None, map(key, person.ids)):
            by_id[identifier].add(row)
        for order in orders(person.name):
            by_name[order].add(row)
    shared = Counter(order for mark in marks for order in orders(_name(mark)))
    found: dict[str, set[int]] = {}
    for mark in marks:
        rows = _rows(by_id, map(key, (mark.student, *mark.person.ids.values())))
        names = [order for order in orders(_name(mark)) if shared[order] == 1]
        found[mark.student] = rows or _rows(by_name, names)
    return _certain(marks, found, known)


def _certain(marks: Sequence[Mark], found: Mapping[str, set[int]], known: Mapping[int, Known]) -> Matched:
    taken = Counter(row for rows in found.values() for row in rows)
    matched = Matched()
    for mark in marks:
        rows = found[mark.student]
        if not rows:
            matched.left_out.append((mark.student, NOT_THERE))
        elif len(rows) > 1:
            matched.left_out.append((mark.student, SEVERAL_ROWS))
        elif taken[next(iter(rows))] > 1:
            matched.left_out.append((mark.student, SEVERAL_STUDENTS))
        elif _has_other_name(mark, known[next(iter(rows))]):
            matched.left_out.append((mark.student, OTHER_NAME))
        else:
            matched.rows[next(iter(rows))] = mark
    return matched


def _has_other_name(mark: Mark, row: Known) -> bool:
    mine = {key(identifier) for identifier in (mark.student, *mark.person.ids.values())}
    if any("@" in identifier and key(identifier) in mine for identifier in row.ids):
        return False
    words = _words(mark.person.name), _words(row.name)
    return all(words) and words[0].isdisjoint(words[1])


def _words(name: str) -> set[str]:
    return {letters(word) for word in name.replace(",", " ").split()} - {""}


def _rows(index: Mapping[str, set[int]], keys: Iterable[str]) -> set[int]:
    return set().union(*(index.get(k, ()) for k in keys))


def _name(mark: Mark) -> str:
    return mark.person.name or mark.student
