"""Looks a student's results up among the planted mistakes of the reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.diagnosis.dictionary import Dictionary, Leaf, Print, dictionary_for, measure
from pytest_symmetry.diagnosis.locked import LockedDictionary
from pytest_symmetry.diagnosis.naming import Explanation, named
from pytest_symmetry.diagnosis.replay import Step, measured, program_of, steps_of
from pytest_symmetry.diagnosis.together import composed, side_by_side

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pytest_symmetry.context import Call, Context

CALLS_PER_FUNCTION = 2
"""Calls of one function that are repeated with every planted mistake."""

MOST_NUMBERS = 20_000
"""Calls whose arguments and results hold more numbers than this are left out: planting takes too long."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The student's results beside the dictionary of the same calls.

    ``own`` are the leaves that hold the arrays which the finding is about; ``source`` is "" where the
    reference is not at hand.
    """

    dictionary: Dictionary
    seen: Print
    arrays: Mapping[Leaf, NDArray[Any]]
    own: tuple[Leaf, ...]
    steps: tuple[Step, ...]
    source: str
    sizes: Mapping[int, str]

    @property
    def right(self) -> Mapping[Leaf, NDArray[Any]]:
        """What the reference gives on the same calls."""
        if isinstance(self.dictionary, LockedDictionary):
            return self.dictionary.right
        return measure(program_of(self.source).run(self.steps))


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
        program = program_of(context.reference_source)
    except ValueError:
        return None
    chosen = _chosen(context.calls, student, program.functions)
    if not chosen:
        return None
    steps, place = steps_of(context.calls, chosen)
    if any(step.function not in program.functions for step in steps):
        return None
    results: list[Any] = [None] * len(steps)
    for call, step in place.items():
        results[step] = context.calls[call].result
    found = measure(results)
    if context.answers is not None:
        dictionary = context.answers.dictionary(steps, sizes, list(found), folder)
    else:
        dictionary = dictionary_for(context.reference_source, steps, sizes, folder)
    if dictionary is None:
        return None
    arrays = {leaf: array for leaf, array in found.items() if leaf in set(dictionary.leaves)}
    own = tuple(leaf for leaf, array in arrays.items() if _among(array, student))
    seen = dictionary.print_of(arrays)
    source = "" if isinstance(dictionary, LockedDictionary) else context.reference_source
    return Sight(dictionary, seen, arrays, own, tuple(steps), source, sizes)


def _chosen(
    calls: Sequence[Call], student: Mapping[str, NDArray[Any]], functions: Collection[str]
) -> list[int]:
    """Return the calls to repeat: the first ones of each function, and one that gave the student's arrays."""
    taken: dict[str, list[int]] = {}
    own: dict[str, int] = {}
    for i, call in enumerate(calls):
        if call.function not in functions:
            continue
        arrays = [array for _, array in measured(call.result)]
        numbers = sum(array.size for _, array in measured([*call.args, *call.kwargs.values(), call.result]))
        if not arrays or numbers > MOST_NUMBERS:
            continue
        indices = taken.setdefault(call.function, [])
        if len(indices) < CALLS_PER_FUNCTION:
            indices.append(i)
        if call.function not in own and any(_among(array, student) for array in arrays):
            own[call.function] = i
    return sorted({i for indices in taken.values() for i in indices} | set(own.values()))


def _among(array: NDArray[Any] | None, student: Mapping[str, NDArray[Any]]) -> bool:
    if array is None:
        return False
    return any(array.shape == np.shape(other) and np.array_equal(array, other) for other in student.values())


def only_own(sight: Sight) -> Print:
    """Return what was seen in the arrays of the finding alone, all other leaves left open."""
    arrays = {leaf: array for leaf, array in sight.arrays.items() if leaf in sight.own}
    return sight.dictionary.print_of(arrays)


def planted_by_course(sight: Sight, noise: float) -> Explanation | None:
    """Return the course's own mistake that gives the student's results on every call, if there is one."""
    if not sight.dictionary.differing(sight.seen, noise):
        return None
    matched = [entry for entry in sight.dictionary.matching(sight.seen, noise) if entry.number < 0]
    return named(matched) if matched else None


def explanation(
    sight: Sight, noise: float, about: NDArray[Any] | None = None, *, mixed: bool = True
) -> Explanation | None:
    """Return the planted mistake that gives the student's results on every call, or two that do together.

    Where two mistakes are found, the one that changes the array ``about`` comes first. ``mixed`` asks for two
    that meet in one result as well, which takes longer.
    """
    dictionary = sight.dictionary
    if not dictionary.differing(sight.seen, noise):
        return None
    first = [about is not None and _among(sight.arrays.get(leaf), {"": about}) for leaf in dictionary.leaves]
    views = [view for view in (sight.seen, only_own(sight)) if dictionary.differing(view, noise)]
    for seen in views:
        if matched := dictionary.matching(seen, noise):
            return named(matched)
    for seen in views:
        if (found := side_by_side(dictionary, seen, noise, np.array(first))) is not None:
            return found
    # Two mistakes that meet in one result are planted one beside the other: in a reference, not in a pack.
    for seen in views if mixed and not isinstance(dictionary, LockedDictionary) else ():
        found = composed(dictionary, sight.source, sight.steps, sight.sizes, seen, noise)
        if found is not None:
            return found
    return None
