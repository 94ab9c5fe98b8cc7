"""What stands for a student in file names, test ids and logs: a keyed hash, so that no name leaves a folder.

Without the key nobody can tell whose a pseudonym is, not even by trying every name of a course. With it
(staff have it: it stands in the gradebook) the same student has the same pseudonym, run after run.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from typing import TYPE_CHECKING

from pytest_symmetry.errors import SymmetryError

if TYPE_CHECKING:
    from pathlib import Path

_KEY = 32
_LENGTH = 16
"""Hexadecimal digits: 64 bits, so that among a million students two alike are not to be expected."""


def pseudonym(key: bytes, student: str) -> str:
    """Return what stands for ``student`` under a key; the same for all spellings that Unicode calls equal."""
    text = unicodedata.normalize("NFC", student).encode("utf-8", "surrogatepass")
    return hmac.new(key, b"student\0" + text, hashlib.sha256).hexdigest()[:_LENGTH]


def seed_mark(key: bytes, seed: str) -> str:
    """Return what a page shows of a seed: enough to see that two pages had the same, of no use beside that.

    Whoever knows the seed can draw the inputs of every test, and write a function that answers just those
    in the next submission. Keyed, because a seed that a person chose is quickly guessed from a plain hash.
    """
    return hmac.new(key, b"seed\0" + seed.encode(), hashlib.sha256).hexdigest()[:12]


def new_key() -> bytes:
    """Return a new secret key."""
    return secrets.token_bytes(_KEY)


def read_key(path: Path) -> bytes:
    """Read a key that several folders share, so that a student has one pseudonym in all of them.

    Raises:
        SymmetryError: the file does not hold one.
    """
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        key = b""
    if len(key) != _KEY:
        msg = f"{path}: there is no key of pseudonyms in it, 64 hexadecimal digits on one line"
        raise SymmetryError(msg)
    return key
