"""Which row of a teacher's file is whose. Where it is not certain, nobody gets anybody's mark."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graders.names import key, orders

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graders.marks import Mark

NOT_THERE = "not in the file"
SEVERAL_ROWS = "several rows of the file may be theirs"
SEVERAL_STUDENTS = "another student matches the same row"


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
    """Find each student's row: by identifier, else by a name that only one row and one student have."""
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
    return _certain(marks, found)


def _certain(marks: Sequence[Mark], found: Mapping[str, set[int]]) -> Matched:
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
        else:
            matched.rows[next(iter(rows))] = mark
    return matched


def _rows(index: Mapping[str, set[int]], keys: Iterable[str]) -> set[int]:
    return set().union(*(index.get(k, ()) for k in keys))


def _name(mark: Mark) -> str:
    return mark.person.name or mark.student
