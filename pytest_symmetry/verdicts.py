"""What is to be said about the units of one hidden layer.

Most follows from the parameters and the layout alone. What else is known (the activation is odd, or
positively homogeneous; what some training steps did) comes in as :class:`Known`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pytest_symmetry.certificates import Arrays, Groups, certificate, is_recurrent, slices
from pytest_symmetry.layouts import Layer, Layout, Member, labelled
from pytest_symmetry.partition import (
    ENTRY_RTOL,
    NEAR,
    FloatArray,
    classes,
    coarsest_partition,
    signed_partition,
    typical_size,
)

VerdictName = Literal[
    "identical for ever",
    "group structure",
    "identical now, no gradient",
    "identical now, will differentiate",
    "sign mirrored",
    "scaled copy",
    "nearly identical",
    "dead",
    "layers alike",
    "ok",
]

CHANCE = 1e-9
"""Nearly equal units are reported only where chance explains so close a pair less often than this."""

COINCIDENCE = 1e-5
"""Equal units are reported only where equal draws are rarer than this: all but float32 with one input."""

PROBES = 64
"""Inputs, turned and scaled, that a unit must be silent on to count as dead."""

PARTED = 0.1
"""Units count as parted when they differ by this part of the size of their weights."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one layer beside its parameters.

    ``odd`` and ``homogeneous`` describe its activation, ``silent`` its units of value 0; ``history`` are the
    parameters before and after each of some training steps.
    """

    odd: bool = False
    homogeneous: bool = False
    silent: tuple[int, ...] = ()
    history: tuple[Arrays, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerVerdict:
    """The verdict on one layer; ``groups`` are the units it speaks of, ``certificate`` what proves it."""

    layer: Layer
    name: VerdictName
    classes: Groups
    groups: Groups = ()
    certificate: tuple[str, ...] = ()
    same_entries: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)


def looks_drawn(values: FloatArray) -> bool:
    """Return whether numbers may come from a random generator: more than half of them differ."""
    return values.size > 1 and np.unique(values).size * 2 > values.size


def copied_layers(arrays: Arrays, layout: Layout) -> list[tuple[str, str, float]]:
    """Return pairs of weight arrays that start from one stream of numbers, with the factor between them.

    Only arrays that look drawn at random count: a constant or an identity matrix in two layers is no copy.
    """
    drawn = [n for n in layout.weights if arrays[n].size >= 4 and looks_drawn(arrays[n])]
    found = []
    for one, other in itertools.combinations(drawn, 2):
        length = min(arrays[one].size, arrays[other].size)
        a, b = arrays[one].ravel()[:length], arrays[other].ravel()[:length]
        factor = float(b[0] / a[0]) if a[0] else 0.0
        if factor and np.all(np.abs(b - factor * a) <= 1e-6 * np.abs(b)):
            found.append((one, other, factor))
    return found


# --- verdicts --------------------------------------------------------------------------------------------


def effective_classes(arrays: Arrays, layout: Layout, *, near: float = 0.0) -> tuple[Groups, ...]:
    """Return the classes of the coarsest equitable partition, layer by layer."""
    sizes = [layer.units for layer in layout.layers]
    labels = coarsest_partition(labelled(arrays, layout), sizes, near=near)
    return tuple(classes(layer_labels) for layer_labels in labels)


def judge(arrays: Arrays, layout: Layout, known: Sequence[Known] | None = None) -> list[LayerVerdict]:
    """Return one verdict per hidden layer, the gravest that holds for it.

    ``known`` says per layer what the network and the training step showed; without it only the parameters
    speak.
    """
    about = known or [Known() for _ in layout.layers]
    exact = effective_classes(arrays, layout)
    mirrored = _mirrored(arrays, layout, about)
    near = effective_classes(arrays, layout, near=NEAR)
    verdicts = []
    for number, layer in enumerate(layout.layers):
        judged = _for_ever(arrays, layout, exact, number)
        rest = (
            _mirror(arrays, layout, exact, number, mirrored[number]),
            _nearly(arrays, layer, exact[number], near[number], about[number]),
            _alike_now(arrays, layout, exact, number, about[number]),
            _dead(arrays, layer, exact[number], about[number]),
            _scaled_copy(arrays, layer, exact[number], about[number]),
        )
        candidates = [v for v in (judged, *rest) if v is not None]
        candidates.sort(key=lambda v: _GRAVITY.index(v.name))
        verdicts.append(candidates[0] if candidates else LayerVerdict(layer, "ok", exact[number]))
    return verdicts


_GRAVITY: tuple[VerdictName, ...] = (
    "identical for ever",
    "group structure",
    "identical now, no gradient",
    "sign mirrored",
    "nearly identical",
    "dead",
    "identical now, will differentiate",
    "scaled copy",
)


def _for_ever(arrays: Arrays, layout: Layout, exact: Sequence[Groups], number: int) -> LayerVerdict | None:
    layer = layout.layers[number]
    groups = tuple(group for group in exact[number] if len(group) > 1)
    if not groups or _equal_by_chance(arrays, layer, layer.members):
        return None
    lines, entries_agree = certificate(arrays, layout, exact, number, groups[0], layer.members)
    name: VerdictName = "identical for ever" if len(groups) == 1 else "group structure"
    return LayerVerdict(layer, name, exact[number], groups, lines, entries_agree)


def _equal_by_chance(arrays: Arrays, layer: Layer, members: Sequence[Member]) -> bool:
    """Return whether two units of the layer could be equal although each was drawn by itself.

    In float32 two of some hundred units with a single input are the same number now and then. Columns that
    are the same for all units (zero biases, a constant start) are no draws, and say nothing.
    """
    telling = int(np.count_nonzero(np.ptp(slices(arrays, layer, members), axis=0)))
    single = all(np.array_equal(arrays[m.array], arrays[m.array].astype(np.float32)) for m in members)
    spacing = float(np.finfo(np.float32 if single else np.float64).eps)
    return telling > 0 and spacing**telling * layer.units**2 > COINCIDENCE


def _mirrored(
    arrays: Arrays, layout: Layout, known: Sequence[Known]
) -> list[list[tuple[tuple[int, int], ...]]]:
    """Return per layer its signed classes of two or more units, each unit with its sign."""
    odd = [k.odd for k in known]
    if not any(odd):
        return [[] for _ in odd]
    sizes = [layer.units for layer in layout.layers]
    found = signed_partition(labelled(arrays, layout), sizes, odd)
    return [
        [
            tuple(zip(c.units, c.signs, strict=True))
            for c in layer_classes
            if len(c.units) > 1 and 0 not in c.signs
        ]
        for layer_classes in found
    ]


def _mirror(
    arrays: Arrays, layout: Layout, exact: Sequence[Groups], number: int,
    mirrored: Sequence[tuple[tuple[int, int], ...]],
) -> LayerVerdict | None:  # fmt: skip
    layer = layout.layers[number]
    groups = [group for group in mirrored if any(sign < 0 for _, sign in group)]
    if not groups:
        return None
    opposite = next(unit for unit, sign in groups[0] if sign < 0)
    pair = (groups[0][0][0], opposite)
    lines, entries_agree = certificate(arrays, layout, exact, number, pair, layer.members, sign=-1)
    width = len(exact[number]) - sum(len(group) - 1 for group in groups)
    first = tuple(dict.fromkeys((*pair, *(unit for unit, _ in groups[0]))))
    units = (first, *(tuple(unit for unit, _ in group) for group in groups[1:]))
    facts = {"mirrored_width": width}
    return LayerVerdict(layer, "sign mirrored", exact[number], units, lines, entries_agree, facts)


def _alike_now(
    arrays: Arrays, layout: Layout, exact: Sequence[Groups], number: int, known: Known
) -> LayerVerdict | None:
    """Units whose incoming weights and biases are equal while something that they send differs."""
    layer = layout.layers[number]
    members = layer.incoming
    if not members:
        return None
    _, labels = np.unique(slices(arrays, layer, members), axis=0, return_inverse=True)
    groups = tuple(group for group in classes(labels.reshape(-1)) if len(group) > 1)
    if not groups or _equal_by_chance(arrays, layer, members):
        return None
    lines, _ = certificate(arrays, layout, exact, number, groups[0], members)
    facts: dict[str, Any] = {"steps": max(len(known.history) - 1, 0), "gap": None}
    name: VerdictName = "identical now, will differentiate"
    if known.history:
        start = _of(groups[0], arrays, layer)
        stuck = all(np.array_equal(_of(groups[0], p, layer), start) for p in known.history)
        moved = any(not np.array_equal(p[k], arrays[k]) for p in known.history for k in arrays)
        # Any gradient but 0 moves a weight of 0; a larger weight may swallow a small step by rounding.
        if stuck and moved and np.any(start == 0):
            name = "identical now, no gradient"
        else:
            rows = _of(groups[0], known.history[-1], layer)
            facts["gap"] = float(np.abs(rows[1:] - rows[:1]).max())
    return LayerVerdict(layer, name, exact[number], groups, lines, facts=facts)


def _of(group: Sequence[int], arrays: Arrays, layer: Layer) -> FloatArray:
    rows: FloatArray = slices(arrays, layer, layer.incoming)[list(group)]
    return rows


def _nearly(arrays: Arrays, layer: Layer, exact: Groups, near: Groups, known: Known) -> LayerVerdict | None:
    """Units that differ by less than a thousandth, where chance does not explain it."""
    scales = _scales(arrays, layer)
    rows = slices(arrays, layer, layer.members)
    same_class = {unit: number for number, group in enumerate(exact) for unit in group}
    groups = []
    for group in near:
        if len(group) < 2 or len({same_class[u] for u in group}) < 2:
            continue
        if not layer.members or _by_chance(rows[list(group)], scales, layer.units):
            continue
        groups.append(group)
    if not groups:
        return None
    group = groups[0]
    gap = _relative_gap(arrays, layer, group)
    facts = {"gap": gap, "measured": bool(known.history), **_growth(layer, group, gap, known)}
    pair = [group[0], next(u for u in group if same_class[u] != same_class[group[0]])]
    lines, entries_agree = (), True
    return LayerVerdict(
        layer, "nearly identical", exact, tuple(groups), lines, entries_agree, {**facts, "pair": pair}
    )


def _scales(arrays: Arrays, layer: Layer) -> FloatArray:
    """Return the typical size of the array that each column of ``slices`` comes from."""
    sizes = [
        np.full(slices(arrays, layer, [m]).shape[1], typical_size(arrays[m.array])) for m in layer.members
    ]
    return np.concatenate(sizes) if sizes else np.zeros(0)


def _by_chance(rows: FloatArray, scales: FloatArray, units: int) -> bool:
    """Return whether the two closest rows of a group could be that close by chance.

    For independent entries of typical size s two differ by less than g with a probability of about g / s;
    there are units squared / 2 pairs to choose from. Columns of zeros say nothing.
    """
    telling = scales > 0
    if not np.any(telling):
        return True
    gaps = np.abs(rows[1:] - rows[:1])[:, telling] / scales[telling]
    log_chance = np.log(np.clip(gaps, 1e-16, 1.0)).sum(axis=1).max()
    return bool(log_chance + 2 * math.log(units) > math.log(CHANCE))


def _relative_gap(arrays: Arrays, layer: Layer, group: Sequence[int]) -> float:
    """Return how far a group's units are apart, as a part of the size of their weights."""
    largest = 0.0
    for member in layer.members:
        size = typical_size(arrays[member.array])
        rows = slices(arrays, layer, [member])[list(group)]
        if size > 0:
            largest = max(largest, float(np.ptp(rows, axis=0).max()) / size)
    return largest


def _growth(layer: Layer, group: Sequence[int], gap: float, known: Known) -> dict[str, Any]:
    """Return by how much the gap grows per step, and when it reaches :data:`PARTED` at that rate."""
    half = len(known.history) // 2
    if not half or gap <= 0:
        return {"rate": None, "steps_to_part": None}
    middle, last = (_relative_gap(known.history[at], layer, group) for at in (half, -1))
    # Gaps near the rounding of the weights come and go: no growth can be read from them.
    if middle < 1e-13 or last <= middle:
        return {"rate": None, "steps_to_part": None}
    rate = math.log(last / middle) / (len(known.history) - 1 - half)
    return {"rate": math.exp(rate), "steps_to_part": max(0, round(math.log(PARTED / gap) / rate))}


def _dead(arrays: Arrays, layer: Layer, exact: Groups, known: Known) -> LayerVerdict | None:
    weights = [m for m in layer.incoming if arrays[m.array].ndim > 1]
    driven = np.any(slices(arrays, layer, weights), axis=1) if weights else np.zeros(layer.units, dtype=bool)
    dead = tuple(u for u in known.silent if driven[u])
    return LayerVerdict(layer, "dead", exact, (dead,), facts={"probes": PROBES}) if dead else None


def _scaled_copy(arrays: Arrays, layer: Layer, exact: Groups, known: Known) -> LayerVerdict | None:
    """Units whose incoming weights and bias are a positive multiple of another's (relu)."""
    if not known.homogeneous or any(is_recurrent(layer, m) for m in layer.incoming):
        return None
    rows = slices(arrays, layer, layer.incoming)
    length = np.linalg.norm(rows, axis=1)
    # With one input and no bias every second pair is a multiple: that is geometry, not a copy.
    usable = np.flatnonzero((np.count_nonzero(rows, axis=1) > 1) & (length > 0))
    for place, one in enumerate(usable):
        others = usable[place + 1 :]
        near = rows[others] / length[others, None] - rows[one] / length[one]
        found = others[np.abs(near).max(axis=1, initial=0.0) <= ENTRY_RTOL] if others.size else others
        if found.size:
            other = int(found[0])
            factor = float(length[other] / length[one])
            return LayerVerdict(layer, "scaled copy", exact, ((int(one), other),), facts={"factor": factor})
    return None
