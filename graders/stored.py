"""The submitted bytes, kept by content: what was judged can be shown, and judged again, for ever.

They lie in ``submissions/<pseudonym>/<sha256>.ipynb`` of the graded folder: a folder per student, so that
two who hand in the same bytes stay two, and one who is erased leaves nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graders.intake import Entry

FOLDER = "submissions"


def keep(out: Path, pseudonym: str, entry: Entry) -> Path:
    """Keep the bytes of an entry and return where they lie; the file that came in where they are others.

    A file that is changed while the class is read has another hash than its entry says: it is not kept
    under a hash that it does not have.

    Raises:
        OSError: they cannot be read or written.
    """
    target = _place(out, pseudonym, entry.sha256, entry.path.suffix.lower())
    if _holds(target, entry.sha256):
        return target
    raw = entry.path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != entry.sha256:
        return entry.path
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
    Path(name).replace(target)
    return target


def stored(out: Path, pseudonym: str, sha256: str) -> Path | None:
    """Return where the bytes of a submission lie, None where they were never kept or are not the same."""
    places = (_place(out, pseudonym, sha256, suffix) for suffix in (".ipynb", ".py"))
    return next((place for place in places if sha256 and _holds(place, sha256)), None)


def _holds(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def erase(out: Path, pseudonym: str) -> None:
    """Remove all that was kept of a student."""
    shutil.rmtree(out / FOLDER / pseudonym, ignore_errors=True)


def tidy(out: Path) -> None:
    """Remove what a run that was killed left half written."""
    for pattern in (".*.part", "feedback/.*.part", f"{FOLDER}/*/*.part"):
        for path in out.glob(pattern):
            path.unlink(missing_ok=True)


def _place(out: Path, pseudonym: str, sha256: str, suffix: str) -> Path:
    return out / FOLDER / pseudonym / f"{sha256}{suffix}"
