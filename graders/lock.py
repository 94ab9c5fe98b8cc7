"""One writer per folder: a lock that dies with its holder, and says who that is."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_symmetry.errors import SymmetryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "writer.lock"
_STEP = 0.2


class FolderLocked(SymmetryError):
    """Somebody else writes to this folder; the message says who and since when."""


@contextlib.contextmanager
def only_writer(folder: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Be the only one who writes to ``folder``; wait ``patience`` seconds for somebody else to end.

    The lock is the operating system's (flock), so that a writer who is killed leaves none behind. The
    file stays where it is: removing it would let two hold locks on two files of one name.

    Raises:
        FolderLocked: somebody else still writes.
        OSError: the lock file cannot be opened.
    """
    path = folder / FILE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + patience
        while not taken(descriptor):
            if time.monotonic() >= end:
                msg = f"{folder}: {_holder(path)} writes to this folder; run this again when that is done"
                raise FolderLocked(msg)
            time.sleep(_STEP)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(_oneself()).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _oneself() -> dict[str, str]:
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    return {"pid": str(os.getpid()), "host": socket.gethostname(), "since": since}


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_bytes())
        return f"process {held['pid']} on {held['host']}, since {held['since']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


if sys.platform == "win32":  # tried in no machine of ours: Windows grades without a sandbox
    import msvcrt

    _FAR = 1 << 30
    """A byte that nobody writes: locked bytes cannot be read, and who holds the lock must be."""

    def taken(descriptor: int) -> bool:
        """Take the lock of an open file; return False where another process has it."""
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def taken(descriptor: int) -> bool:
        """Take the lock of an open file; return False where another process has it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
