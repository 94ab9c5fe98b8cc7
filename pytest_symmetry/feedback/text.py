"""A finding to words, and to the lines of a terminal.

The sentences themselves stand in the code pages and cause files; here they are only filled in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_symmetry.diagnosis.causes import all_causes, code_page

if TYPE_CHECKING:
    import jinja2

    from pytest_symmetry.findings import Finding, Place

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Words:
    """What a finding says, in the order in which every renderer shows it."""

    code: str
    title: str
    place: str
    seen: str
    expected: str
    why: str
    hint: str
    cause: str


def printable(text: str) -> str:
    """Return ``text`` with control and direction characters made visible, so that it drives no terminal."""
    return _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}", text)


def number(value: Any, digits: int = 4) -> str:
    """Return a number as a reader wants it: short, and never wrong in its last digit."""
    return value if isinstance(value, str) else f"{value:.{digits}g}"


def shape(value: Any) -> str:
    """Return a shape the way numpy prints it."""
    return str(tuple(value))


def listed(items: list[Any], most: int = 6) -> str:
    """Return items as "0, 3 and 5", cut after ``most``."""
    words = [str(i) for i in items]
    if len(words) > most:
        return ", ".join(words[:most]) + f" and {len(words) - most} more"
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


@cache
def environment() -> jinja2.Environment:
    """Return the environment of all plain-text templates."""
    import jinja2

    env = jinja2.Environment(
        autoescape=False,  # noqa: S701 - plain text for terminals; pages escape it again where they show it
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(number=number, shape=shape, listed=listed)
    return env


@cache
def _template(source: str) -> jinja2.Template:
    return environment().from_string(source)


def fill(source: str, finding: Finding) -> str:
    """Fill one sentence's template with the finding's facts, its place and its cause."""
    facts = {**finding.facts, "place": finding.place}
    return printable(_template(source).render(facts).strip())


def place_words(place: Place) -> str:
    """Return a place as "backward, cell 7, line 12: dW1[2, 5]"."""
    where = [place.function] if place.function else []
    if place.cell is not None:
        where.append(f"cell {place.cell}")
    if place.line is not None:
        where.append(f"line {place.line}")
    what = ""
    if place.array is not None:
        what = place.array + (f"[{', '.join(map(str, place.index))}]" if place.index else "")
    return printable(": ".join(part for part in (", ".join(where), what) if part))


def words(finding: Finding, *, reveal: str = "hint") -> Words:
    """Return what ``finding`` says; ``reveal`` is "hint" or "cause" (the mistake's name as well).

    Raises:
        LookupError: the code or the cause has no words.
        jinja2.UndefinedError: the finding lacks a fact that its words need.
    """
    page = code_page(finding.code)
    cause = all_causes()[finding.cause] if finding.cause else None
    return Words(
        code=finding.code,
        title=fill(page.title, finding),
        place=place_words(finding.place),
        seen=fill(page.seen, finding),
        expected=fill(page.expected, finding),
        why=page.why,
        hint=fill(cause.hint if cause else page.hint, finding),
        cause=fill(cause.cause, finding) if cause and reveal == "cause" else "",
    )


def render(finding: Finding, *, reveal: str = "cause") -> str:
    """Return a finding as the lines that a terminal shows."""
    said = words(finding, reveal=reveal)
    head = f"{said.code}  {said.title}"
    lines = [f"{head}  ({said.place})" if said.place else head]
    parts = (("I see", said.seen), ("Expected", said.expected), ("Cause", said.cause), ("Hint", said.hint))
    for label, text in parts:
        if text:
            first, *rest = text.splitlines()
            lines.append(f"  {label:<9}{first}")
            lines.extend(f"  {'':<9}{line}" for line in rest)
    return "\n".join(lines)
