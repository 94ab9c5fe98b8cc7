"""A finding to words, and to the lines of a terminal.

The sentences themselves stand in the code pages and cause files; here they are only filled in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_symmetry.diagnosis.causes import cause_named, code_page

if TYPE_CHECKING:
    import jinja2

    from pytest_symmetry.findings import Finding, Place

# Control characters drive terminals, direction characters reorder what is read (CVE-2021-42574), lone
# surrogates (file names that are not UTF-8) cannot be written at all. The joiners U+200C and U+200D stay:
# Persian and Indic names are spelled with them.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
# What the logs of GitHub Actions and Azure Pipelines take for orders: "::" at the start of a line, spaces
# before it allowed, and "##[" or "##vso[" anywhere.
_ORDERS = re.compile(r"(?m)^(\s*):(?=:)|#(?=#(?:vso)?\[)")
_NUMBER_WIDTH = 30
_LOWER = ("the ", "a ", "layer ")
"""Quantities said in words may come first in a sentence; names keep their case."""


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
    if text.isascii() and text.isprintable():  # nearly always, and ten times as fast
        return text
    return _UNPRINTABLE.sub(_visible, text)


def harmless(text: str) -> str:
    """Return ``text`` printable and without what a CI system's log would take for an order."""
    return _ORDERS.sub(lambda m: f"{m[1] or ''}\\x{ord(m[0][-1]):02x}", printable(text))


def _visible(match: re.Match[str]) -> str:
    value = ord(match[0])
    if value > 0xFFFF:
        return f"\\U{value:08x}"
    return f"\\u{value:04x}" if value > 0xFF else f"\\x{value:02x}"


def number(value: Any, digits: int = 4) -> str:
    """Return a number as a reader wants it: short, and never wrong in its last digit."""
    return value[:_NUMBER_WIDTH] if isinstance(value, str) else f"{value:.{digits}g}"


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
    text = printable(_template(source).render(facts).strip())
    if source.startswith(("{{ target", "{% if target")) and text.startswith(_LOWER):
        return text[:1].upper() + text[1:]
    return text


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


def question_words(name: str) -> str:
    """Return a test's name as a person says it: "gradients of own loss (batch of 2)"."""
    function, bracket, case = name.removeprefix("test_").partition("[")
    said = function.replace("_", " ").strip() or name
    return f"{said} ({case.removesuffix(']')})" if bracket else said


def words(finding: Finding, *, reveal: str = "hint") -> Words:
    """Return what ``finding`` says; ``reveal`` is "hint" or "cause" (the mistake's name as well).

    Raises:
        LookupError: the code or the cause has no words.
        jinja2.UndefinedError: the finding lacks a fact that its words need.
    """
    page = code_page(finding.code)
    cause = cause_named(finding.cause) if finding.cause else None
    return Words(
        code=finding.code,
        title=fill(page.title, finding),
        place=place_words(finding.place),
        seen=fill(page.seen, finding),
        expected=fill(page.expected, finding),
        why=page.why,
        hint=" ".join([fill(cause.hint if cause else page.hint, finding), *_beside(finding, "hint")]),
        cause=" ".join([fill(cause.cause, finding), *_beside(finding, "cause")])
        if cause and reveal == "cause"
        else "",
    )


def _beside(finding: Finding, part: str) -> list[str]:
    """Return the hint or the cause of every further mistake that shows beside the first."""
    frame = getattr(cause_named("and-another"), part)
    said = []
    for other in finding.facts.get("also", ()):
        alone = replace(finding, cause=other["cause"], facts={**other, "also": []})
        second = fill(getattr(cause_named(other["cause"]), part), alone)
        said.append(fill(frame, replace(alone, facts={"second": second})))
    return list(dict.fromkeys(said))


def words_or_facts(finding: Finding, *, reveal: str = "hint") -> Words:
    """Return what ``finding`` says; where its words cannot be made, its code and bare facts.

    A finding from a newer version, or one whose facts do not suit its sentences, must not cost a student
    the page about everything else.
    """
    import jinja2

    try:
        return words(finding, reveal=reveal)
    except (LookupError, TypeError, ValueError, jinja2.TemplateError):
        facts = ", ".join(f"{key} = {value}" for key, value in finding.facts.items())
        title = str(finding.cause or finding.code)
        return Words(
            finding.code, printable(title), place_words(finding.place), printable(facts), "", "", "", ""
        )


def title_words(finding: Finding) -> str:
    """Return a finding's title alone, for long lists; its cause or code where the title cannot be made."""
    import jinja2

    try:
        return fill(code_page(finding.code).title, finding)
    except (LookupError, TypeError, ValueError, jinja2.TemplateError):
        return printable(str(finding.cause or finding.code))


def render(finding: Finding, *, reveal: str = "cause") -> str:
    """Return a finding as the lines that a terminal shows."""
    said = words_or_facts(finding, reveal=reveal)
    head = f"{said.code}  {said.title}"
    lines = [f"{head}  ({said.place})" if said.place else head]
    parts = (("I see", said.seen), ("Expected", said.expected), ("Cause", said.cause), ("Hint", said.hint))
    for label, text in parts:
        if text:
            first, *rest = text.splitlines()
            lines.append(f"  {label:<9}{first}")
            lines.extend(f"  {'':<9}{line}" for line in rest)
    return harmless("\n".join(lines))
