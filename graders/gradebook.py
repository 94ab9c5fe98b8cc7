"""The gradebook: one SQLite file beside the feedback, with every result ever made, never overwritten.

The newest row of a student counts. A result is kept under the key of what it depends on (the submission's
bytes, the assignment's files, the versions, the seed); what is there under the same key is not graded again.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.findings import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "gradebook.sqlite"

_TABLES = """
CREATE TABLE IF NOT EXISTS header (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS results (
    id INTEGER PRIMARY KEY,
    student TEXT NOT NULL,
    key TEXT NOT NULL,
    status TEXT NOT NULL,
    points REAL NOT NULL,
    max_points REAL NOT NULL,
    line TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS newest ON results (student, id);
"""

_INSERT = """
INSERT INTO results (student, key, status, points, max_points, line) VALUES (?, ?, ?, ?, ?, ?)
"""
_NEWEST = """
SELECT student, key, line FROM results WHERE id IN (SELECT max(id) FROM results GROUP BY student)
"""


class GradebookError(SymmetryError):
    """A gradebook that cannot be used; the message names the file and what to do."""


@dataclass(slots=True)
class Gradebook:
    """An open gradebook; one process writes at a time."""

    path: Path
    connection: sqlite3.Connection

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
        self.set_header("seed", str(seed))
        return seed

    def header(self, key: str) -> str | None:
        """Return a value of the header."""
        row = self.connection.execute("SELECT value FROM header WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_header(self, key: str, value: str) -> None:
        """Write a value of the header."""
        with self.connection:
            self.connection.execute("INSERT OR REPLACE INTO header VALUES (?, ?)", (key, value))

    def add(self, key: str, line: Mapping[str, Any]) -> None:
        """Append one result: a line of results.jsonl, under its key."""
        values = (line["student"], key, line["status"], line["points"], line["max_points"], to_text(line))
        with self.connection:
            self.connection.execute(_INSERT, values)

    def newest(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return the newest (key, line) of every student, students in order."""
        rows = self.connection.execute(_NEWEST)
        return {student: (key, json.loads(line)) for student, key, line in sorted(rows)}


def to_text(line: Mapping[str, Any]) -> str:
    """Return a line as JSON, always the same bytes for the same content."""
    return json.dumps(line, ensure_ascii=False, allow_nan=False, sort_keys=False)


@contextlib.contextmanager
def open_gradebook(folder: Path) -> Iterator[Gradebook]:
    """Open the gradebook in ``folder``; make both where they are missing.

    Raises:
        GradebookError: the folder or the file cannot be used, or a newer version wrote it.
    """
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=30)
    except (OSError, sqlite3.Error) as error:
        msg = f"{path}: the gradebook cannot be opened: {error}; choose another folder with --out"
        raise GradebookError(msg) from None
    with contextlib.closing(connection):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLES)
            book = Gradebook(path, connection)
            _check_schema(book)
            yield book
        except sqlite3.DatabaseError as error:
            msg = f"{path}: the gradebook cannot be used: {error}; nothing in it was changed by this run"
            raise GradebookError(msg) from None


def _check_schema(book: Gradebook) -> None:
    schema = book.header("schema")
    if schema is None:
        book.set_header("schema", str(SCHEMA))
    elif int(schema) > SCHEMA:
        msg = f"{book.path}: a newer pytest-symmetry wrote this gradebook; update this one"
        raise GradebookError(msg)
