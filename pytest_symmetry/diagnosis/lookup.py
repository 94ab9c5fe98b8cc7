"""Looks a student's results up among the planted mistakes of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.dictionary import Dictionary, Entry, Leaf, Print, dictionary_for, measure
from pytest_symmetry.diagnosis.replay import Program, Step, measured, steps_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pytest_symmetry.context import Call, Context

CALLS_PER_FUNCTION = 2
"""Calls of one function that are repeated with every planted mistake."""

MOST_NUMBERS = 20_000
"""Calls whose results hold more numbers than this are left out: planting would take too long."""


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


@dataclass(frozen=True, slots=True)
class Sight:
    """The student's results beside the dictionary of the same calls.

    ``own`` are the leaves that hold the arrays which the finding is about.
    """

    dictionary: Dictionary
    seen: Print
    arrays: Mapping[Leaf, NDArray[Any]]
    own: tuple[Leaf, ...]
    steps: tuple[Step, ...]
    right: Mapping[Leaf, NDArray[Any]]


def look(
    context: Context,
    student: Mapping[str, NDArray[Any]],
    sizes: Mapping[int, str],
    folder: Path | None = None,
) -> Sight | None:
    """Return the student's results beside the dictionary, or None where there is no reference to run."""
    if not context.reference_source or not context.calls:
        return None
    try:
        program = Program(context.reference_source)
    except ValueError:
        return None
    chosen = _chosen(context.calls, student, program)
    if not chosen:
        return None
    steps, place = steps_of(context.calls, chosen)
    if any(step.function not in program.functions for step in steps):
        return None
    dictionary = dictionary_for(context.reference_source, steps, sizes, folder)
    if dictionary is None:
        return None
    results: list[Any] = [None] * len(steps)
    for call, step in place.items():
        results[step] = context.calls[call].result
    arrays = {leaf: array for leaf, array in measure(results).items() if leaf in set(dictionary.leaves)}
    own = tuple(leaf for leaf, array in arrays.items() if _among(array, student))
    return Sight(
        dictionary, dictionary.print_of(arrays), arrays, own, tuple(steps), measure(program.run(steps))
    )


def _chosen(calls: Sequence[Call], student: Mapping[str, NDArray[Any]], program: Program) -> list[int]:
    """Return the calls to repeat: the first ones of each function, and one that gave the student's arrays."""
    taken: dict[str, list[int]] = {}
    own: dict[str, int] = {}
    for i, call in enumerate(calls):
        if call.function not in program.functions:
            continue
        arrays = [array for _, array in measured(call.result)]
        if not arrays or sum(array.size for array in arrays) > MOST_NUMBERS:
            continue
        indices = taken.setdefault(call.function, [])
        if len(indices) < CALLS_PER_FUNCTION:
            indices.append(i)
        if call.function not in own and any(_among(array, student) for array in arrays):
            own[call.function] = i
    return sorted({i for indices in taken.values() for i in indices} | set(own.values()))


def _among(array: NDArray[Any], student: Mapping[str, NDArray[Any]]) -> bool:
    return any(array.shape == np.shape(other) and np.array_equal(array, other) for other in student.values())


def only_own(sight: Sight) -> Print:
    """Return what was seen in the arrays of the finding alone, all other leaves left open."""
    arrays = {leaf: array for leaf, array in sight.arrays.items() if leaf in sight.own}
    return sight.dictionary.print_of(arrays)


def explanation(sight: Sight, noise: float, about: NDArray[Any] | None = None) -> Explanation | None:
    """Return the planted mistake that gives the student's results on every call, or two that do together.

    Where two mistakes are found, the one that changes the array ``about`` comes first.
    """
    if not sight.dictionary.differing(sight.seen, noise):
        return None
    for seen in (sight.seen, only_own(sight)):
        if not sight.dictionary.differing(seen, noise):
            continue
        if matched := sight.dictionary.matching(seen, noise):
            return named(matched)
        if (pair := _pair(sight, seen, noise, about)) is not None:
            return pair
    return None


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


def _pair(sight: Sight, seen: Print, noise: float, about: NDArray[Any] | None) -> Explanation | None:
    """Return two mistakes that touch different results and explain all of them between them."""
    dictionary = sight.dictionary
    agrees = dictionary.explaining(seen, noise)
    changes = dictionary.changes(noise) & (seen.shapes >= 0)
    wrong = ~dictionary.explaining_reference(seen, noise)
    consistent = (agrees | ~changes).all(axis=1) & (changes & wrong).any(axis=1)
    groups: dict[bytes, list[int]] = {}
    for i in np.flatnonzero(consistent):
        groups.setdefault((changes[i] & wrong).tobytes(), []).append(int(i))
    masks = {key: np.frombuffer(key, dtype=bool) for key in groups}
    found = [
        (a, b)
        for a in groups
        for b in groups
        if a < b and not (masks[a] & masks[b]).any() and bool(((masks[a] | masks[b]) == wrong).all())
    ]
    if len(found) != 1:
        return None
    own = np.array(
        [
            about is not None and leaf in sight.arrays and _among(sight.arrays[leaf], {"": about})
            for leaf in dictionary.leaves
        ]
    )
    keys = sorted(found[0], key=lambda key: not (masks[key] & own).any())
    first, second = (named([dictionary.entries[i] for i in groups[key]]) for key in keys)
    return Explanation(first.cause, first.facts, first.one_of, first.function, (second,))
