"""A folder for what is unpacked: it goes with the process, also where that is killed.

A process that is killed removes nothing. What it leaves is removed by the next one that unpacks something
on this machine: a folder whose lock nobody holds any more is nobody's.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from graders.lock import taken

_PREFIX = "symmetry-intake-"
_LOCK = "lock"


def scratch_folder() -> Path:
    """Return a new folder that only this user can read, and remove those of processes that are gone.

    Raises:
        OSError: there is no place to write to.
    """
    _remove_stale(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    new = folder / f"{_LOCK}.new"
    taken(os.open(new, os.O_RDWR | os.O_CREAT, 0o600))  # held until this process ends
    with contextlib.suppress(OSError):  # where an open file cannot be renamed, the folder is not found stale
        new.rename(folder / _LOCK)  # nobody finds a lock that is not held yet
    inside = folder / "files"
    inside.mkdir()
    return inside


def _remove_stale(place: Path) -> None:
    """Remove the folders of this user that no process holds."""
    for folder in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # another process may be removing it too
            if _is_own(folder) and _is_free(folder / _LOCK):
                shutil.rmtree(folder)


def _is_own(folder: Path) -> bool:
    return not folder.is_symlink() and (not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid())


def _is_free(lock: Path) -> bool:
    """Return whether nobody holds a lock; False where there is none (yet)."""
    descriptor = os.open(lock, os.O_RDWR)
    try:
        return taken(descriptor)
    finally:
        os.close(descriptor)
