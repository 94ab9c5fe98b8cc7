"""What the platform answered, and what of it may be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SAID = 120
"""Characters that are shown of what a platform says."""

_OPAQUE = re.compile(r"[A-Za-z0-9_.~+=-]{32,}")
"""What may be a token, or the assertion for one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform answered. ``again`` is whether the same had been asked before without an answer."""

    status: int
    headers: Mapping[str, str]
    text: str
    again: bool = False

    @property
    def fine(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    def data(self) -> Any:
        """Return the JSON in it; None where there is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @property
    def said(self) -> str:
        """The status with the platform's reason, on one short line.

        Moodle repeats what it got in its reason: what looks like that, from the first brace on, is private
        and is left out.
        """
        reason = _reason(self.data()) if self.text.lstrip().startswith(("{", "[")) else self.text
        plain = _OPAQUE.sub("[...]", re.sub(r"<[^>]*>", " ", reason.partition("{")[0]))
        plain = " ".join(plain.split())[:SAID]
        return f"{self.status}: {plain}" if plain else str(self.status)


def _reason(data: Any) -> str:
    """Return the words of an error as Moodle, OAuth 2, Canvas and RFC 7807 put them."""
    if isinstance(data, list):
        return _reason(data[0]) if data else ""
    if not isinstance(data, Mapping):
        return ""
    if isinstance(data.get("errors"), list | Mapping):
        return _reason(data["errors"])
    names = ("reason", "error", "error_description", "message", "title", "detail")
    return ": ".join(data[name] for name in names if isinstance(data.get(name), str))
