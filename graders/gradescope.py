"""submission_metadata.yml of a Gradescope export: whose the folders are, and when they came.

The file is YAML as Ruby writes it, with results and feedback in between. Only what is needed is read, by
its indentation: text that somebody printed stands deeper, and is never taken for a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_FOLDER = re.compile(r"""(?P<quote>["']?)(?P<name>[^\s"':#][^"':]*)(?P=quote):\s*""")
_KEY = re.compile(r"  :(?P<key>[a-z_]+):(?:\s+(?P<value>.*))?")
_PERSON = re.compile(r"  (?:- |  ):(?P<key>[a-z_]+):(?:\s+(?P<value>.*))?")


@dataclass(slots=True)
class Submitted:
    """One submission: its submitters as ``name``, ``sid`` and ``email``, and when it was created."""

    submitters: list[dict[str, str]] = field(default_factory=list)
    created_at: str = ""


def read_metadata(text: str) -> dict[str, Submitted]:
    """Return the submissions of an export by the name of their folder."""
    found: dict[str, Submitted] = {}
    now, section = Submitted(), ""
    for line in text.splitlines():
        if (folder := _FOLDER.fullmatch(line)) is not None:
            now, section = found.setdefault(folder["name"], Submitted()), ""
        elif (key := _KEY.fullmatch(line)) is not None:
            section = key["key"]
            if section == "created_at":
                now.created_at = _scalar(key["value"])
        elif section == "submitters" and (person := _PERSON.fullmatch(line)) is not None:
            if line.startswith("  - "):
                now.submitters.append({})
            if now.submitters:
                now.submitters[-1][person["key"]] = _scalar(person["value"])
        elif line.strip() and not line.startswith("  "):
            section = ""
    return found


def _scalar(value: str | None) -> str:
    """Return a YAML scalar on one line as text."""
    text = (value or "").strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", _escaped, text[1:-1])
    return "" if text in ("null", "~") else text


def _escaped(match: re.Match[str]) -> str:
    if len(match[0]) > 2:
        return chr(min(int(match[0].lstrip("\\xuU"), 16), 0x10FFFF))
    return {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b"}.get(match[0][1], match[0][1])
