"""Two mistakes at once, where no single one explains what was seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.dictionary import content_key, printed
from pytest_symmetry.diagnosis.mutations import mutations, nested, run_planted
from pytest_symmetry.diagnosis.naming import Explanation, named
from pytest_symmetry.diagnosis.replay import Program, Step, program_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.diagnosis.dictionary import Dictionary, Entry, Print
    from pytest_symmetry.diagnosis.mutations import Operator

MOST_FIRST = 5
"""Behaviours that are tried as the first of two mistakes that meet in one result."""

MOST_LISTED = 4
"""Candidates that are still worth a list; where more fit, nothing is said."""


def side_by_side(
    dictionary: Dictionary,
    seen: Print,
    noise: float,
    first: NDArray[np.bool_],
    believed: Callable[[NDArray[np.bool_], Sequence[Entry]], list[Entry]],
) -> Explanation | None:
    """Return two mistakes that touch different results and explain all of them between them.

    The one that changes a leaf marked in ``first`` comes first. ``believed`` keeps those of some mistakes
    that explain marked leaves beyond chance.
    """
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
    keys = sorted(found[0], key=lambda key: not (masks[key] & first).any())
    parts = [believed(masks[key], [dictionary.entries[i] for i in groups[key]]) for key in keys]
    if not all(parts):
        return None
    return replace(named(parts[0]), also=(named(parts[1]),))


def composed(
    dictionary: Dictionary,
    source: str,
    steps: Sequence[Step],
    sizes: Mapping[int, str],
    seen: Print,
    noise: float,
    may_hold: Callable[[Entry], bool],
) -> Explanation | None:
    """Return two mistakes of the field of which one changes what the other changes too.

    The first must show unmixed in some result; the second is then planted beside it, each in turn.
    ``may_hold`` tells whether a mistake may be in its function at all.
    """
    agrees = dictionary.explaining(seen, noise)
    changes = dictionary.changes(noise) & (seen.shapes >= 0)
    wrong = ~dictionary.explaining_reference(seen, noise)
    specific = np.array(
        [e.specific and e.number >= 0 and may_hold(e) for e in dictionary.entries], dtype=bool
    )
    unmixed = (agrees & changes & wrong).sum(axis=1) * specific
    order = np.argsort(-unmixed, kind="stable")
    firsts = order[unmixed[order] > 0]
    pairs: dict[tuple[str, str], tuple[Explanation, Explanation]] = {}
    for same in islice(_behaviours(dictionary, firsts, noise), MOST_FIRST):
        one = named([dictionary.entries[i] for i in same])
        for i in _beside(dictionary, source, steps, sizes, same[0], seen, noise):
            two = named([dictionary.entries[i]])
            if may_hold(dictionary.entries[i]) and one.cause != two.cause:
                pairs.setdefault((min(one.cause, two.cause), max(one.cause, two.cause)), (one, two))
    return _agreed(list(pairs.values()))


def _behaviours(dictionary: Dictionary, entries: NDArray[np.int64], noise: float) -> Iterator[list[int]]:
    """Yield the entries that behave alike together, those of the first entry first.

    Alike is up to noise: formulas that are equal differ in their last digits, and not on every machine.
    """
    left = entries
    while left.size:
        alike = dictionary.agreeing(dictionary.shown(int(left[0])), noise)[1:][left].all(axis=1)
        yield [int(i) for i in left[alike]]
        left = left[~alike]


def _agreed(pairs: Sequence[tuple[Explanation, Explanation]]) -> Explanation | None:
    """Return the pair that fits; where several do, the mistake they share, and the others as "one of"."""
    if not pairs:
        return None
    if len(pairs) == 1:
        return replace(pairs[0][0], also=(pairs[0][1],))
    shared = set.intersection(*({one.cause, two.cause} for one, two in pairs))
    if len(shared) != 1 or len(pairs) > MOST_LISTED:
        return None
    cause = shared.pop()
    known = next(e for pair in pairs for e in pair if e.cause == cause)
    others = sorted({e.cause for pair in pairs for e in pair if e.cause != cause})
    titles = tuple(all_causes()[other].title for other in others)
    return replace(known, also=(Explanation("one-of-several", {"causes": others}, titles),))


_Rows = tuple["NDArray[np.int64]", "NDArray[np.float64]", list[int]]
_MEMORY: OrderedDict[tuple[str, Sequence[Operator], int], _Rows] = OrderedDict()
_REMEMBERED = 256


def _beside(
    dictionary: Dictionary,
    source: str,
    steps: Sequence[Step],
    sizes: Mapping[int, str],
    first: int,
    seen: Print,
    noise: float,
) -> list[int]:
    """Return the entries that give what was seen when they are planted beside the entry ``first``."""
    key = (content_key(source, steps, sizes), dictionary.operators, dictionary.entries[first].number)
    if key not in _MEMORY:
        _MEMORY[key] = _planted_beside(dictionary, program_of(source), steps, sizes, first)
    _MEMORY.move_to_end(key)
    while len(_MEMORY) > _REMEMBERED:
        _MEMORY.popitem(last=False)
    shapes, prints, numbers = _MEMORY[key]
    if not numbers:
        return []
    both = replace(dictionary, shapes=shapes, prints=prints, entries=())
    agree = both.agreeing(seen, noise).all(axis=1)
    return [numbers[i] for i in np.flatnonzero(agree)]


def _planted_beside(
    dictionary: Dictionary, program: Program, steps: Sequence[Step], sizes: Mapping[int, str], first: int
) -> _Rows:
    every = list(mutations(program, steps, sizes, dictionary.operators))
    one = every[dictionary.entries[first].number]
    shapes, prints, numbers = [], [], []
    for i, entry in enumerate(dictionary.entries):
        if not entry.specific or entry.number < 0:
            continue
        two = every[entry.number]
        if nested([*one.parts, *two.parts]):
            continue
        found = printed(partial(run_planted, program, steps, [one, two]), dictionary.leaves)
        if found is not None:
            shapes.append(found.shapes)
            prints.append(found.prints)
            numbers.append(i)
    return np.array(shapes), np.array(prints), numbers
