"""Names as people, file systems and learning platforms write them, made comparable and harmless.

Two names are one and the same only where Unicode says so (NFC): names that merely look alike stay apart.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from pytest_symmetry.feedback.text import printable

LONGEST = 100
"""Characters of an identifier that are kept; what is longer ends in a hash of all of it."""

_EDGES = re.compile(r"^\s|\s$")


def identifier(text: str) -> str:
    """Return a name as an identifier: normalised, every character visible, of bounded length.

    Control and direction characters, bytes that are no text and spaces at the ends are spelled out, so that
    two names that differ in them stay two.
    """
    shown = printable(unicodedata.normalize("NFC", text).replace("\n", "\\n").replace("\t", "\\t"))
    shown = _EDGES.sub(lambda m: f"\\x{ord(m[0]):02x}", shown) or "(no name)"
    if len(shown) <= LONGEST:
        return shown
    return f"{shown[:LONGEST]}~{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def key(text: str) -> str:
    """Return what two spellings of one identifier share: case and the form of accents do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())


def letters(text: str) -> str:
    """Return the letters and digits of a name, without accents, case, spaces and signs: "lovelaceada"."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if c.isalnum())


def orders(name: str) -> set[str]:
    """Return the letters of a person's name in the orders in which platforms write it.

    "Ada King Lovelace" is also "Lovelace, Ada King" and "King Lovelace, Ada".
    """
    words = name.replace(",", " ").split()
    return {letters(" ".join(words[i:] + words[:i])) for i in range(len(words))} - {""}


# What most often passes for a Latin letter, of Unicode's confusables.txt: Cyrillic and Greek.
_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0458\u0455"
    "\u0501\u04bb\u051b\u051d\u03b1\u03bf\u03c1\u03b9\u03bd",
    "aeopcxyijsdhqwaopiv",
)


def look(text: str) -> str:
    """Return what a name looks like: equal for names that an eye can hardly tell apart."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_ALIKE)
    return re.sub(r"[\s_.-]+", " ", "".join(c for c in plain if not unicodedata.combining(c)))


def some_of(labels: Sequence[str], most: int = 6) -> str:
    """Return labels as a list that is cut after ``most``."""
    shown = ", ".join(labels[:most])
    return f"{shown} and {len(labels) - most} more" if len(labels) > most else shown
