"""Looks a student's results up among the planted mistakes of the reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.context import blamed, doubted
from pytest_symmetry.diagnosis.dictionary import Dictionary, Entry, Leaf, Print, dictionary_for, measure
from pytest_symmetry.diagnosis.information import information, is_discrete, needed
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
"""Calls whose arguments and results hold more numbers are left out: planting takes too long."""


PLAIN_TO_SEE = frozenset({"all-zero", "constant-gradient"})
"""Causes that say no more than what the numbers show: they need no proof beyond those."""


@dataclass(frozen=True, slots=True)
class Weight:
    """The bits that wrong results carry, those of what belongs there, and whether all are choices."""

    bits: float
    lost: float
    choice: bool


@dataclass(frozen=True)
class Sight:
    """The student's results beside the dictionary of the same calls.

    ``own`` are the leaves that hold the arrays which the finding is about; ``source`` is "" where the
    reference is not at hand. ``called`` are the functions that were called, ``cleared`` the assignment's
    others that nothing speaks against: no mistake is looked for in those. ``leaning`` are the functions that
    use another one which has failed a check: what is wrong there may look like many a mistake here, so no
    general one is believed in those.
    """

    dictionary: Dictionary
    seen: Print
    arrays: Mapping[Leaf, NDArray[Any]]
    own: tuple[Leaf, ...]
    steps: tuple[Step, ...]
    source: str
    sizes: Mapping[int, str]
    called: frozenset[str] = frozenset()
    cleared: frozenset[str] = frozenset()
    leaning: frozenset[str] = frozenset()

    @cached_property
    def right(self) -> Mapping[Leaf, NDArray[Any]]:
        """What the reference gives on the same calls."""
        if isinstance(self.dictionary, LockedDictionary):
            return self.dictionary.right
        return measure(program_of(self.source).run(self.steps))

    def may_hold(self, entry: Entry) -> bool:
        """Return whether a mistake may be in the function that it is planted in."""
        if entry.function in self.leaning and not entry.specific:
            return False
        return entry.function.partition(".")[0] not in self.cleared

    def weighed(self, seen: Print, noise: float, among: NDArray[np.bool_] | None = None) -> Weight:
        """Return how much what was seen says, where it is not what the reference gives.

        Where a choice (a label, an index) is off, the numbers beside it in the same result follow from the
        choice and say no more than it does.
        """
        wrong = self.dictionary.differing(seen, noise)
        if among is not None:
            wrong = [leaf for leaf, kept in zip(self.dictionary.leaves, among, strict=True) if kept]
        choices = {leaf for leaf in wrong if is_discrete(self.arrays[leaf]) and is_discrete(self.right[leaf])}
        chosen = {step for step, _ in choices}
        counted = [leaf for leaf in wrong if leaf in choices or leaf[0] not in chosen]
        bits = sum(information(self.arrays[leaf], noise) for leaf in counted)
        lost = sum(information(self.right[leaf], noise) for leaf in counted)
        return Weight(bits, lost, choice=bool(wrong) and chosen == {step for step, _ in wrong})


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
    called = frozenset(call.function for call in context.calls)
    asked = frozenset(getattr(context.assignment, "functions", ()))
    cleared = asked - called - doubted(context.submission) if context.submission is not None else frozenset()
    failed = blamed(context.submission) if context.submission is not None else frozenset()
    leaning = frozenset(name for name in program.functions if failed and failed & program.leads_to(name))
    return Sight(dictionary, seen, arrays, own, tuple(steps), source, sizes, called, cleared, leaning)


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
    planted = sum(entry.number < 0 for entry in sight.dictionary.entries)
    if not matched or sight.weighed(sight.seen, noise).bits < needed(planted):
        return None
    return named(matched)


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
    weights = [sight.weighed(view, noise) for view in views]
    for seen, weight in zip(views, weights, strict=True):
        if matched := _alone(sight, seen, noise, weight):
            return named(matched)
    views = [view for view, weight in zip(views, weights, strict=True) if not weight.choice]
    for seen in views:
        found = side_by_side(dictionary, seen, noise, np.array(first), _believed(sight, seen, noise))
        if found is not None:
            return found
    # Two mistakes that meet in one result are planted one beside the other: in a reference, not in a pack.
    for seen in views if mixed and not isinstance(dictionary, LockedDictionary) else ():
        if sight.weighed(seen, noise).bits < needed(len(dictionary.entries) ** 2):
            continue
        found = composed(dictionary, sight.source, sight.steps, sight.sizes, seen, noise, sight.may_hold)
        if found is not None:
            return found
    return None


def _alone(sight: Sight, seen: Print, noise: float, weight: Weight) -> list[Entry]:
    """Return the mistakes that give what was seen beyond chance, each by itself."""
    least = needed(len(sight.dictionary.entries))
    if max(weight.bits, weight.lost) < least:
        return []
    matched = _matching(sight, seen, noise, weight.choice)
    return [entry for entry in matched if weight.bits >= least or entry.cause in PLAIN_TO_SEE]


def _matching(sight: Sight, seen: Print, noise: float, choice: bool) -> list[Entry]:
    """Return the mistakes that give what was seen and that nothing else speaks against.

    A mistake is not in a function that is right elsewhere, nor does it change a result that is right; where
    choices alone are off it is in the function that chose; and where mistakes in two functions give the same,
    it is in the one that was called.
    """
    agree = sight.dictionary.agreeing(seen, noise)[1:].all(axis=1)
    whole = sight.dictionary.agreeing(sight.seen, noise)
    agree &= (whole[1:] | ~whole[0]).all(axis=1)
    matched = [sight.dictionary.entries[i] for i in np.flatnonzero(agree)]
    matched = [entry for entry in matched if sight.may_hold(entry)]
    near = [entry for entry in matched if entry.function in sight.called or entry.number < 0]
    if choice:
        return near
    field = any(entry.specific for entry in matched)
    return [entry for entry in near if entry.specific or not field] or matched


def _believed(
    sight: Sight, seen: Print, noise: float
) -> Callable[[NDArray[np.bool_], Sequence[Entry]], list[Entry]]:
    """Return what keeps those of some mistakes that explain the marked leaves beyond chance."""

    def believed(leaves: NDArray[np.bool_], entries: Sequence[Entry]) -> list[Entry]:
        weight = sight.weighed(seen, noise, leaves)
        if weight.choice or weight.bits < needed(len(sight.dictionary.entries)):
            return []
        return [entry for entry in entries if sight.may_hold(entry)]

    return believed
