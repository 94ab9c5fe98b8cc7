"""The roster: a CSV of who is in the class, and finding out whose a submission is.

Columns are known by their names, in any order and with any delimiter; exports of Canvas, Moodle and GitHub
Classroom are rosters as they are.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graders.lateness import LatenessError, LatePolicy, policy_of_text, read_time
from graders.marks import Person
from graders.names import identifier, key, orders
from pytest_symmetry.errors import SymmetryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

_COLUMNS = {
    "id": ("id", "student id", "sid", "student number", "id number", "identifier", "username", "login"),
    "name": ("name", "full name", "student", "student name"),
    "first name": ("first name", "first names", "given name", "firstname"),
    "last name": ("last name", "surname", "family name", "lastname"),
    "group": ("group", "groups", "team"),
    "section": ("section", "tutorial", "class"),
    "due": ("due", "due at", "deadline"),
    "submitted": ("submitted", "submitted at", "last modified (submission)"),
    "excused": ("excused",),
    "late policy": ("late policy", "late"),
    "lti user id": ("lti user id", "lti user", "lti sub", "lms user id"),
}
_ELSEWHERE = ("email", "email address", "e-mail", "mail", "sis user id", "sis login id", "login id",
              "integration id", "github username", "github id", "participant", *_COLUMNS["id"])  # fmt: skip
"""Columns that say who somebody is elsewhere: a submission under any of them is this person's."""

_YES, _NO = {"yes", "y", "true", "1", "x", "ex", "excused"}, {"", "no", "n", "false", "0", "-"}
_MOST_TOLD = 20
_BYTES = 20 << 20


class RosterError(SymmetryError):
    """A roster that cannot be used; one sentence per row that is not right."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One row; ``due``, ``submitted`` and the text of ``late_policy`` are empty where the default holds."""

    student: str
    person: Person
    late_policy: str = ""
    due: datetime | None = None
    submitted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """Who is in the class, by identifier."""

    people: Mapping[str, Enrolled]
    notes: tuple[str, ...] = ()
    _keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    _names: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
    _groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def by_id(self, identifiers: Iterable[str]) -> str | None:
        """Return whose one of these identifiers is: the roster's own id, or None."""
        return next((self._keys[k] for i in identifiers if (k := key(i)) in self._keys), None)

    def by_name(self, name: str) -> str | None:
        """Return the one person of that name, in any order of its words; None for nobody and for several."""
        found: frozenset[str] = frozenset().union(*(self._names.get(o, ()) for o in orders(name)))
        return next(iter(found)) if len(found) == 1 else None

    def group_of(self, name: str) -> str | None:
        """Return the group of that name as the roster spells it, or None."""
        members = self._groups.get(key(name))
        return self.people[members[0]].person.group if members else None

    def members(self, group: str) -> tuple[str, ...]:
        """Return the members of a group, in order."""
        return self._groups.get(key(group), ())


def read_roster(path: Path, zone: ZoneInfo) -> Roster:
    """Read a roster; times without an offset are ``zone``'s.

    Raises:
        RosterError: it cannot be read, has no column for the identifier, or rows are not right.
    """
    text, notes = _text(path)
    rows = _rows(path, text)
    header_line, header = rows[0]
    columns, unused = _columns(path, header_line, header)
    if unused:
        notes.append(f"{path.name}: not used: {', '.join(unused)}")
    reader = _Reader(path, columns, zone, len(header))
    for line, cells in rows[1:]:
        reader.take(line, cells)
    if reader.problems:
        told = reader.problems[:_MOST_TOLD]
        more = len(reader.problems) - len(told)
        raise RosterError("\n".join(told + ([f"and {more} more rows"] if more else [])))
    return Roster(reader.people, tuple(notes), reader.keys, *_index(reader.people))


def _text(path: Path) -> tuple[str, list[str]]:
    try:
        with path.open("rb") as file:
            raw = file.read(_BYTES + 1)
    except OSError as error:
        msg = f"{path}: the roster cannot be read: {error.strerror}"
        raise RosterError(msg) from None
    if len(raw) > _BYTES:
        msg = f"{path}: it is larger than {_BYTES >> 20} MB; that is no roster"
        raise RosterError(msg)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace"), []
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace"), [f"{path.name}: it is not UTF-8; read as Windows-1252"]


def _rows(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Return (line, cells) of every row that is not empty, split at the delimiter of the first."""
    text, first = text.replace("\0", "\ufffd"), 1
    if hint := re.match(r"sep=(.)\r?\n", text, re.IGNORECASE):
        text, first = text[hint.end() :], 2
    head = text.lstrip().partition("\n")[0]
    delimiter = hint[1] if hint else max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, line = [], first
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, [_cell(cell) for cell in cells]))
            line = reader.line_num + first
    except csv.Error as error:
        msg = f"{path}, line {line}: it cannot be read as CSV: {error}"
        raise RosterError(msg) from None
    if not rows:
        msg = f"{path}: it is empty; the first line must name the columns, one of them id"
        raise RosterError(msg)
    return rows


def _cell(text: str) -> str:
    """Return a cell without what spreadsheets add: spaces, and ``="007"`` around numbers."""
    text = " ".join(text.split())
    return text[2:-1] if text.startswith('="') and text.endswith('"') else text


def _columns(path: Path, line: int, header: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Return where each known column is, "elsewhere: …" for further identifiers, and what is not used."""
    plain = [re.sub(r"[\s_]+", " ", name).strip().casefold() for name in header]
    found: dict[str, int] = {}
    for column, names in _COLUMNS.items():
        at = next((plain.index(n) for n in names if n in plain), None)
        if at is not None:
            found[column] = at
    if "id" not in found:
        msg = f"{path}, line {line}: no column is named id (found: {', '.join(header)})"
        raise RosterError(msg)
    unused = []
    known = [name for names in _COLUMNS.values() for name in names]
    for at, name in enumerate(plain):
        if name in _ELSEWHERE and at not in found.values():
            found[f"elsewhere: {name}"] = at
        elif at not in found.values() and name:
            if near := difflib.get_close_matches(name, known, n=1, cutoff=0.85):
                msg = f"{path}, line {line}, column {header[at]!r}: did you mean {near[0]!r}?"
                raise RosterError(msg)
            unused.append(header[at])
    return found, unused


@dataclass(slots=True)
class _Reader:
    """Rows to people, with a sentence for each row that is not right."""

    path: Path
    columns: Mapping[str, int]
    zone: ZoneInfo
    width: int
    people: dict[str, Enrolled] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, line: int, cells: Sequence[str]) -> None:
        """Take in a row."""
        if cells[0] == "Points Possible":  # Canvas's second row
            return
        if len(cells) > self.width and any(cells[self.width :]):
            self._wrong(line, "", f"it has {len(cells)} cells, but the header names {self.width} columns")
            return
        values = {name: cells[at] if at < len(cells) else "" for name, at in self.columns.items()}
        if not values["id"]:
            self._wrong(line, "id", "it is empty")
            return
        student = identifier(values["id"])
        try:
            enrolled = self._enrolled(student, values)
        except _WrongCellError as wrong:
            self._wrong(line, wrong.column, wrong.problem)
            return
        mine = [("id", student), *((f"elsewhere: {c}", v) for c, v in enrolled.person.ids.items())]
        for column, value in mine:
            if (owner := self.keys.get(key(value), student)) != student or student in self.people:
                said = f"{value!r} is also that of line {self.lines[owner]}"
                self._wrong(line, column.removeprefix("elsewhere: "), said)
                return
        user = enrolled.person.lti_user
        if user and (before := self.users.setdefault(user, line)) != line:
            self._wrong(line, "lti user id", f"{user!r} is also that of line {before}")
            return
        self.keys.update({key(value): student for _, value in mine})
        self.people[student], self.lines[student] = enrolled, line

    def _wrong(self, line: int, column: str, problem: str) -> None:
        where = f", column {column}" if column else ""
        self.problems.append(f"{self.path}, line {line}{where}: {problem}")

    def _enrolled(self, student: str, values: Mapping[str, str]) -> Enrolled:
        due, submitted = (self._time(values, column) for column in ("due", "submitted"))
        excused = values.get("excused", "").casefold()
        if excused not in _YES | _NO:
            problem = f"it is {values['excused']!r}, but must be yes or no"
            raise _WrongCellError(problem, column="excused")
        try:
            policy_of_text(values.get("late policy", ""), LatePolicy())
        except LatenessError as error:
            raise _WrongCellError(str(error), column="late policy") from None
        name = values.get("name") or f"{values.get('first name', '')} {values.get('last name', '')}".strip()
        elsewhere = {c.removeprefix("elsewhere: "): v for c, v in values.items() if c.startswith("elsewhere")}
        person = Person(
            name=name,
            group=values.get("group", ""),
            section=values.get("section", ""),
            due=due.isoformat() if due else "",
            excused=excused in _YES,
            ids={column: value for column, value in elsewhere.items() if value},
            lti_user=values.get("lti user id", ""),
        )
        return Enrolled(student, person, values.get("late policy", ""), due, submitted)

    def _time(self, values: Mapping[str, str], column: str) -> datetime | None:
        if values.get(column, "") in ("", "-"):
            return None
        try:
            return read_time(values[column], self.zone, latest=column == "due")
        except LatenessError as error:
            raise _WrongCellError(str(error), column=column) from None


class _WrongCellError(Exception):
    """One cell of a row cannot be read."""

    def __init__(self, problem: str, *, column: str) -> None:
        self.column, self.problem = column, problem
        super().__init__(problem)


def _index(
    people: Mapping[str, Enrolled],
) -> tuple[Mapping[str, frozenset[str]], Mapping[str, tuple[str, ...]]]:
    """Return who has a name, by the letters of it in one order, and who is in a group."""
    names: dict[str, set[str]] = defaultdict(set)
    groups: dict[str, tuple[str, ...]] = {}
    for student, enrolled in people.items():
        for order in orders(enrolled.person.name):
            names[order].add(student)
        if group := enrolled.person.group:
            groups[key(group)] = (*groups.get(key(group), ()), student)
    return {order: frozenset(who) for order, who in names.items()}, groups
