"""Opening a gradebook: one writer at a time, whole or not at all, and what is wrong in one sentence."""

from __future__ import annotations

import contextlib
import getpass
import os
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING

from graders.gradebook import FILE, SCHEMA, TABLES, Gradebook, GradebookError
from graders.lock import only_writer

if TYPE_CHECKING:
    from pathlib import Path

BUSY_SECONDS = 10.0
"""How long to wait for another program that has the database open for writing (a database browser)."""


@contextlib.contextmanager
def open_gradebook(folder: Path, *, author: str | None = None, patience: float = 0.0) -> Iterator[Gradebook]:
    """Open the gradebook in ``folder`` for writing, as the only one; make both where they are missing.

    Raises:
        FolderLocked: somebody else writes to the folder, for ``patience`` seconds and more.
        GradebookError: the folder or the file cannot be used, or another version wrote it.
    """
    path = folder / FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it will hold the seed and the work of all
        with (
            only_writer(folder, patience=patience),
            _connected(path, f"{path.resolve().as_uri()}?mode=rwc") as c,
        ):
            c.execute("PRAGMA journal_mode = WAL")
            c.execute("PRAGMA secure_delete = ON")
            book = Gradebook(path, c, _user() if author is None else author)
            _check_schema(book)
            c.executescript(TABLES)
            book.set_headers(schema=str(SCHEMA))
            yield book
    except OSError as error:
        msg = f"{error.filename or folder}: {error.strerror}; what was graded before is as it was"
        raise GradebookError(msg) from None


@contextlib.contextmanager
def read_gradebook(folder: Path) -> Iterator[Gradebook]:
    """Open the gradebook in ``folder`` to read it, also while somebody writes and where nobody may write.

    Raises:
        GradebookError: there is none, or it cannot be used.
    """
    path = folder / FILE
    if not path.is_file():
        msg = f"{folder}: there is no gradebook in it; give a folder that `symmetry grade` wrote"
        raise GradebookError(msg)
    # A file system that nobody may write to holds no log of a writer: SQLite may then read the file alone.
    frozen = not os.access(folder, os.W_OK) and not path.with_name(f"{FILE}-wal").exists()
    with _connected(
        path, f"{path.resolve().as_uri()}?{'immutable=1' if frozen else 'mode=ro'}"
    ) as connection:
        book = Gradebook(path, connection)
        _check_schema(book)
        yield book


_ADVICE = {
    "full": "free some space and run the same command again: what is graded is kept",
    "disk I/O": "the disk did not take it; see that it is well and has space, and run the same command again",
    "locked": "another program has it open for writing; close that and run the same command again",
    "readonly": "it may not be written to; see to its permissions, and those of its folder",
}


@contextlib.contextmanager
def _connected(path: Path, uri: str) -> Iterator[sqlite3.Connection]:
    """Connect to a database whose structure is whole, and say in one sentence what goes wrong with it."""
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection:
            connection.text_factory = _text
            if (found := _quick_check(connection)) != "ok":
                raise sqlite3.DatabaseError(found)
            yield connection
    except sqlite3.Error as error:
        advice = next((a for word, a in _ADVICE.items() if word in str(error)), "")
        told = " ".join(str(error).split())
        msg = f"{path}: the gradebook cannot be used: {told}; {advice or 'put back a copy of it'}; " + (
            "nothing in it was changed" if not advice else "nothing in it was lost"
        )
        raise GradebookError(msg) from None


def _quick_check(connection: sqlite3.Connection) -> str:
    """Return what SQLite finds wrong with the structure of a database, "ok" where nothing is."""
    try:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except UnicodeDecodeError:  # it quotes what is damaged, in an error that Python cannot decode
        return "its tables are damaged"


def _text(raw: bytes) -> str:
    """Read text also where it is damaged: what was written is told by its checksum, not by an exception."""
    return raw.decode("utf-8", "replace")


def _check_schema(book: Gradebook) -> None:
    tables = {
        row[0] for row in book.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    if not tables:
        return
    old = "header" not in tables or "history" not in tables
    schema = None if old else book.header("schema")
    if old or (schema is not None and int(schema) < SCHEMA):
        msg = f"{book.path}: an earlier pytest-symmetry wrote this gradebook; grade into a new folder"
        raise GradebookError(msg)
    if schema is not None and int(schema) > SCHEMA:
        msg = f"{book.path}: a newer pytest-symmetry wrote this gradebook; update this one"
        raise GradebookError(msg)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a user without a name
        return "unknown"
