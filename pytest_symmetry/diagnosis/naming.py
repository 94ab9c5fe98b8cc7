"""From planted mistakes of equal behaviour to what is said about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_symmetry.diagnosis.causes import COURSE, cause_named

if TYPE_CHECKING:
    from pytest_symmetry.diagnosis.dictionary import Entry

_VARIABLES = {
    "activation-for-preactivation",
    "gradient-for-parameter",
    "gradient-of-another-layer",
    "preactivation-for-activation",
}
_SAID_BY = {
    "activation-derivative-extra": {"activation-derivative-twice", "output-derivative-extra"},
    "derivative-of-another-activation": {"activation-derivative-missing"},
    "transpose-extra": {"transpose-missing"},
}
"""Causes that say less than another one of the same behaviour, which then speaks for both; those that only
tell two variables apart say less than any other."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the lookup found: one cause, or several that fit equally (``one_of``).

    ``also`` holds the second mistake where two together explain what was seen. ``numbers`` are those of the
    planted mistakes that the cause stands for.
    """

    cause: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    one_of: tuple[str, ...] = ()
    function: str = ""
    also: tuple[Explanation, ...] = ()
    numbers: tuple[int, ...] = ()


def named(entries: Sequence[Entry]) -> Explanation:
    """Return the cause that entries of equal behaviour have in common, or all of their causes.

    A mistake that the course has a name for comes first; then one of the field, which is a better name than
    "a factor is missing"; among equals the more frequent comes first.
    """
    own = [entry for entry in entries if entry.cause.startswith(COURSE)]
    kept = own or [entry for entry in entries if entry.specific] or list(entries)
    frequency = {entry.cause: cause_named(entry.cause).frequency for entry in kept}
    known = set(frequency)
    frequency = {cause: n for cause, n in frequency.items() if not _outdone(cause, known)}
    causes = sorted(frequency, key=lambda cause: (-frequency[cause], cause))
    if not kept[0].specific:
        causes = [cause for cause in causes if frequency[cause] == frequency[causes[0]]]
    first = next(entry for entry in kept if entry.cause == causes[0])
    facts = _facts([entry for entry in kept if entry.cause == causes[0]])
    if len(causes) == 1:
        numbers = tuple(entry.number for entry in kept if entry.cause == causes[0])
        return Explanation(causes[0], facts, function=first.function, numbers=numbers)
    titles = tuple(title_of(cause, kept) for cause in causes[:4])
    return Explanation("one-of-several", {"causes": causes[:4]}, titles, first.function)


def title_of(cause: str, entries: Sequence[Entry] = ()) -> str:
    """Return a cause's title; that of a course's own stands in the entries' facts."""
    for entry in entries:
        if entry.cause == cause and "course_title" in entry.facts:
            return str(entry.facts["course_title"])
    return cause_named(cause).title


def _outdone(cause: str, known: set[str]) -> bool:
    """Return whether another known cause of the same behaviour says more."""
    if cause in _VARIABLES:
        return bool(known - _VARIABLES)
    return bool(_SAID_BY.get(cause, set()) & known)


def _facts(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what is known of one cause: alternatives joined by "or", what cannot be told left out."""
    kinds: dict[str, list[Any]] = {}
    for entry in entries:
        for key, value in entry.facts.items():
            if value not in kinds.setdefault(key, []):
                kinds[key].append(value)
    facts = {key: values[0] if len(values) == 1 else _either(values) for key, values in kinds.items()}
    if len(kinds.get("used", "")) > 1:  # which of two variables stands for which cannot be told
        facts |= {"used": None, "instead": None}
    facts["target"] = _targets(entries)
    return {key: value for key, value in facts.items() if value is not None}


def _either(values: Sequence[Any]) -> str | None:
    """Return a few alternatives in words; None for many."""
    words = [value if isinstance(value, str) else f"{value:g}" for value in values]
    return " or ".join(words) if len(words) < 4 else None


def _targets(entries: Sequence[Entry]) -> str:
    """Return the quantities that the mistake may be in, without a helper that returns one of them."""
    names = list(dict.fromkeys(str(entry.facts["target"]) for entry in entries))
    quantities = [name for name in names if name not in {entry.function for entry in entries}]
    names = quantities or names
    return " or ".join(names) if len(names) < 4 else entries[0].function
