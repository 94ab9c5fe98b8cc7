"""The gradebook: one SQLite file beside the feedback, with every result ever made and every decision.

Two tables only grow: ``results`` (what the tests said of a submission, and what that depended on) and
``history`` (what counts since when, and why: :mod:`graders.history`). Nothing in them is changed; the one
exception is a student who is erased. Each row carries a checksum, so that a row that a disk or a hand has
changed is not believed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from graders.history import Event, Kind
from graders.pseudonyms import new_key, pseudonym
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.findings import Result
from pytest_symmetry.records import plain

if TYPE_CHECKING:
    from pathlib import Path

FILE = "gradebook.sqlite"
SCHEMA = 2
"""Version of the tables below."""

TABLES = """
CREATE TABLE IF NOT EXISTS header (key TEXT PRIMARY KEY, value TEXT NOT NULL, checksum TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS results (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    student TEXT NOT NULL,
    work TEXT NOT NULL,
    basis TEXT NOT NULL,
    line TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    student TEXT NOT NULL,
    event TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS students (student TEXT PRIMARY KEY, checksum TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS of_student ON results (student, work, basis);
"""


class GradebookError(SymmetryError):
    """A gradebook that cannot be used; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a verdict depends on beside the submission itself."""

    assignment: str
    versions: Mapping[str, str]
    seed: str
    isolation: str
    seeds: int = 1

    def text(self) -> str:
        """Return the basis as text: the same for the same basis."""
        return json.dumps(
            {
                "assignment": self.assignment,
                "versions": dict(sorted(self.versions.items())),
                "seed": self.seed,
                "isolation": self.isolation,
                "seeds": self.seeds,
            }
        )

    @classmethod
    def of(cls, text: str) -> Basis:
        """Read :meth:`text`."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Judged:
    """One row of ``results``: what the tests said of some work of a student, and on what basis."""

    number: int
    student: str
    work: str
    basis: Basis
    line: Mapping[str, Any]

    @property
    def result(self) -> Result:
        """The result as a record."""
        return Result.from_json(self.line)


@dataclass(slots=True)
class Gradebook:
    """An open gradebook; one process writes at a time. ``author`` stands in what this process adds."""

    path: Path
    connection: sqlite3.Connection
    author: str = ""
    _key: bytes = field(default=b"", repr=False)

    # The header

    def header(self, key: str) -> str | None:
        """Return a value of the header."""
        row = self.connection.execute("SELECT value, checksum FROM header WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        self._believe("header", key, (key, row[0]), row[1])
        return str(row[0])

    def set_headers(self, **values: str) -> None:
        """Write values of the header, all or none."""
        rows = [(key, value, _checksum((key, value))) for key, value in values.items()]
        with self.connection:
            self.connection.executemany("INSERT OR REPLACE INTO header VALUES (?, ?, ?)", rows)

    @property
    def seed(self) -> int | None:
        """The seed of this gradebook, if one was drawn."""
        value = self.header("seed")
        return None if value is None else int(value)

    def settle_seed(self, asked: int | None) -> int:
        """Return the seed of this gradebook: the one it has, else ``asked``, else 128 secret bits.

        Raises:
            GradebookError: another seed is asked for than the one it has.
        """
        if (known := self.seed) is not None:
            if asked not in (None, known):
                msg = (
                    f"{self.path}: this gradebook has another seed; leave --seed out to go on with it, "
                    "or grade into a new folder"
                )
                raise GradebookError(msg)
            return known
        seed = secrets.randbits(128) if asked is None else asked
        self.set_headers(seed=str(seed))
        return seed

    @contextlib.contextmanager
    def in_a_hurry(self) -> Iterator[None]:
        """Do not wait for the disk at each entry, within the block: for what can be made again.

        Where the power fails, the last entries may be missing, and none is half there; where a process is
        killed, none is missing.
        """
        self.connection.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self.connection.execute("PRAGMA synchronous = FULL")

    # Who is in the class

    def students(self) -> list[str]:
        """Return everyone who handed something in, in order."""
        found = list(self.connection.execute("SELECT student, checksum FROM students ORDER BY student"))
        for student, checksum in found:
            self._believe("student", student, (student,), checksum)
        return [student for student, _ in found]

    def expect(self, students: Iterable[str]) -> None:
        """Note who handed something in; those who did before stay."""
        with self.connection:
            rows = ((student, _checksum((student,))) for student in students)
            self.connection.executemany("INSERT OR IGNORE INTO students VALUES (?, ?)", rows)

    def settle_key(self, asked: bytes | None = None) -> bytes:
        """Return the key of the pseudonyms: the one this gradebook has, else ``asked``, else a new one.

        Raises:
            GradebookError: another key is asked for than the one it has.
        """
        known = self.header("key")
        if known is None:
            known = (asked or new_key()).hex()
            self.set_headers(key=known)
        elif asked is not None and asked.hex() != known:
            msg = (
                f"{self.path}: this folder has other pseudonyms; leave --key out, or grade into a new folder"
            )
            raise GradebookError(msg)
        return bytes.fromhex(known)

    def pseudonym(self, student: str) -> str:
        """Return what stands for a student in file names and test ids; "" before a key was settled."""
        if not self._key:
            self._key = bytes.fromhex(self.header("key") or "")
        return pseudonym(self._key, student) if self._key else ""

    # Results

    def add(self, student: str, work: str, basis: Basis, line: Mapping[str, Any]) -> int:
        """Add a result and return its number; it counts for nobody until an event says so."""
        with self.connection:
            return self._insert_result(student, work, basis, line)

    def add_standing(self, student: str, work: str, basis: Basis, line: Mapping[str, Any]) -> None:
        """Add a result that counts from now on."""
        with self.connection:
            number = self._insert_result(student, work, basis, line)
            self._insert_event(Event(0, Kind.GRADED, student=student, data={"result": number}))

    def _insert_result(self, student: str, work: str, basis: Basis, line: Mapping[str, Any]) -> int:
        row = (student, work, basis.text(), to_text(line))
        cursor = self.connection.execute(
            "INSERT INTO results (student, work, basis, line, checksum) VALUES (?, ?, ?, ?, ?)",
            (*row, _checksum(row)),
        )
        return int(cursor.lastrowid or 0)

    def results(self, numbers: Iterable[int]) -> dict[int, Result]:
        """Return results by their numbers."""
        return {number: self.judged(number).result for number in numbers}

    def judged(self, number: int) -> Judged:
        """Return one row of the results.

        Raises:
            GradebookError: it is not there, or damaged.
        """
        query = "SELECT id, student, work, basis, line, checksum FROM results WHERE id = ?"
        row = self.connection.execute(query, (number,)).fetchone()
        self._believe("result", number, row[1:5] if row else (), row[5] if row else "none")
        return Judged(row[0], row[1], row[2], Basis.of(row[3]), json.loads(row[4]))

    def bases(self) -> dict[int, tuple[str, str]]:
        """Return (work, text of the basis) of every result by its number, unread: to compare, not to show."""
        rows = self.connection.execute("SELECT id, work, basis FROM results")
        return {number: (work, basis) for number, work, basis in rows}

    def find(self, student: str, work: str, basis: Basis) -> int | None:
        """Return the number of the result of this work of a student on this basis, if it was judged."""
        query = "SELECT max(id) FROM results WHERE student = ? AND work = ? AND basis = ?"
        row = self.connection.execute(query, (student, work, basis.text())).fetchone()
        return None if row[0] is None else int(row[0])

    # The history

    def record(self, *events: Event) -> None:
        """Add events to the history, all or none; their numbers, moments and authors are set here."""
        with self.connection:
            for event in events:
                self._insert_event(event)

    def _insert_event(self, event: Event) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        row = (event.student, _event_text(replace(event, at=at, author=self.author)))
        self.connection.execute(
            "INSERT INTO history (student, event, checksum) VALUES (?, ?, ?)", (*row, _checksum(row))
        )

    def history(self) -> list[Event]:
        """Return all events, oldest first.

        Raises:
            GradebookError: one is damaged.
        """
        events = []
        rows = self.connection.execute("SELECT id, student, event, checksum FROM history ORDER BY id")
        for number, student, text, checksum in rows:
            self._believe("event", number, (student, text), checksum)
            data = json.loads(text)
            events.append(Event(**{**data, "number": number, "kind": Kind(data["kind"])}))
        return events

    # The exception

    def erase(self, student: str) -> tuple[int, int]:
        """Delete all rows of a student; return how many results and how many events there were."""
        with self.connection:
            results = self.connection.execute("DELETE FROM results WHERE student = ?", (student,)).rowcount
            events = self.connection.execute("DELETE FROM history WHERE student = ?", (student,)).rowcount
            self.connection.execute("DELETE FROM students WHERE student = ?", (student,))
        return results, events

    def rebuild(self) -> None:
        """Write the file anew without what was deleted, and empty the log of changes."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.execute("VACUUM")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _believe(self, what: str, which: object, row: Iterable[str], checksum: str) -> None:
        if _checksum(row) != checksum:
            msg = f"{self.path}: {what} {which} is not what was written there; put back a copy of this file"
            raise GradebookError(msg)


def to_text(line: Mapping[str, Any]) -> str:
    """Return a line as JSON, always the same bytes for the same content."""
    return json.dumps(line, ensure_ascii=False, allow_nan=False, sort_keys=False)


def _event_text(event: Event) -> str:
    return to_text({key: plain(value) for key, value in asdict(event).items() if key != "number"})


def _checksum(row: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(row).encode("utf-8", "surrogatepass")).hexdigest()[:32]
