"""From planted mistakes of equal behaviour to what is said about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_symmetry.diagnosis.causes import all_causes

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

    ``also`` holds the second mistake where two together explain what was seen.
    """

    cause: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    one_of: tuple[str, ...] = ()
    function: str = ""
    also: tuple[Explanation, ...] = ()


def named(entries: Sequence[Entry]) -> Explanation:
    """Return the cause that entries of equal behaviour have in common, or all of their causes.

    A mistake of the field is a better name than "a factor is missing"; among equals the more frequent comes
    first.
    """
    kept = [entry for entry in entries if entry.specific] or list(entries)
    frequency = {entry.cause: all_causes()[entry.cause].frequency for entry in kept}
    known = set(frequency)
    frequency = {cause: n for cause, n in frequency.items() if not _outdone(cause, known)}
    causes = sorted(frequency, key=lambda cause: (-frequency[cause], cause))
    if not kept[0].specific:
        causes = [cause for cause in causes if frequency[cause] == frequency[causes[0]]]
    first = next(entry for entry in kept if entry.cause == causes[0])
    facts = {**first.facts, "target": _targets(kept, causes[0])}
    if len(causes) == 1:
        return Explanation(causes[0], facts, function=first.function)
    titles = tuple(all_causes()[cause].title for cause in causes[:4])
    return Explanation("one-of-several", {"causes": causes[:4]}, titles, first.function)


def _outdone(cause: str, known: set[str]) -> bool:
    """Return whether another known cause of the same behaviour says more."""
    if cause in _VARIABLES:
        return bool(known - _VARIABLES)
    return bool(_SAID_BY.get(cause, set()) & known)


def _targets(entries: Sequence[Entry], cause: str) -> str:
    names = list(dict.fromkeys(entry.facts["target"] for entry in entries if entry.cause == cause))
    return " or ".join(names) if len(names) < 4 else entries[0].function
