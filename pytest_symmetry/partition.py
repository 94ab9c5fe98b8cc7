"""The coarsest equitable partition of a weighted network: which hidden units are one unit, for ever.

A partition of every hidden layer into classes is *equitable* when two units of one class have equal
biases, equal sums of weights from every class of the layer below and equal sums of weights to every class
of the layer above (inputs and outputs are classes of one). Units of one class then have equal activations
and equal deltas, each weight's gradient is constant on the block that two classes span, and so the
partition survives every step of gradient descent, momentum, Adam and weight decay. The coarsest such
partition is found by refinement, as colours are refined in graph isomorphism (McKay 1981, Practical graph
isomorphism; for weighted graphs Cardon & Crochemore 1982): begin with one class per layer, split by the
tuple of sums, repeat until nothing splits. Each round is linear in the weights, up to the sort.

For odd activations (tanh) a unit may also be minus another one. Every unit then stands in the network
twice, as itself and negated; a class that holds one unit as itself and another one negated pairs mirrors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

ENTRY_RTOL = 1e-12
"""Two entries are equal within this part of the larger one: some thousand roundings of float64."""

_FLOAT64_EPS = float(np.finfo(np.float64).eps)
_FLOAT32_EPS = float(np.finfo(np.float32).eps)

NEAR = 1e-3
"""Two entries are nearly equal within this part of the array's median size."""

_GAPS = (0.1, 0.01, 0.001, 0.0)


@dataclass(frozen=True, slots=True)
class LabelledArray:
    """One array of parameters; ``axes`` names for every axis the layer whose units lie along it, or None.

    An axis of None (inputs, outputs, the taps of a filter) keeps every index apart. One layer may label
    two axes (the recurrent weights of an RNN).
    """

    name: str
    values: FloatArray
    axes: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class SignedClass:
    """Units of one role: ``units`` in order, ``signs`` relative to the first (0: the unit is silent)."""

    units: tuple[int, ...]
    signs: tuple[int, ...]


def classes(labels: IntArray) -> tuple[tuple[int, ...], ...]:
    """Return the units of every class, in the order of each class's first unit."""
    groups: dict[int, list[int]] = {}
    for unit, label in enumerate(labels.tolist()):
        groups.setdefault(label, []).append(unit)
    return tuple(tuple(group) for group in groups.values())


def coarsest_partition(
    arrays: Sequence[LabelledArray], sizes: Sequence[int], *, near: float = 0.0
) -> tuple[IntArray, ...]:
    """Return one integer label per unit and layer: the coarsest equitable partition.

    Args:
        arrays: all parameters, their axes labelled with layer numbers 0, 1, ….
        sizes: number of units of each layer.
        near: take entries for equal that differ by less than this part of the array's typical size; 0 for
            no more than rounding.

    Sums are compared within their own rounding error, entries within :data:`ENTRY_RTOL` of themselves.
    """
    labels = [np.zeros(size, dtype=np.intp) for size in sizes]
    while True:
        refined = [_refined(arrays, labels, layer, near=near) for layer in range(len(sizes))]
        if all(a.max(initial=0) == b.max(initial=0) for a, b in zip(refined, labels, strict=True)):
            return tuple(labels)
        labels = refined


def signed_partition(
    arrays: Sequence[LabelledArray], sizes: Sequence[int], odd: Sequence[bool]
) -> tuple[tuple[SignedClass, ...], ...]:
    """Return the classes of every layer where units of the layers marked ``odd`` may also be mirrored.

    ``odd[layer]`` says that the layer's activation has g(-z) = -g(z), which makes (w, b, v) and
    (-w, -b, -v) the same contribution to the output.
    """
    doubled = [_doubled(array, odd) for array in arrays]
    labels = coarsest_partition(doubled, [n * 2 if o else n for n, o in zip(sizes, odd, strict=True)])
    return tuple(
        _signed(layer_labels, size, mirrored)
        for layer_labels, size, mirrored in zip(labels, sizes, odd, strict=True)
    )


def _doubled(array: LabelledArray, odd: Sequence[bool]) -> LabelledArray:
    """Return the array with every axis of an odd layer doubled: the units, then the units negated."""
    values = array.values
    for axis, layer in enumerate(array.axes):
        if layer is not None and odd[layer]:
            values = np.concatenate((values, -values), axis=axis)
    return replace(array, values=values)


def _signed(labels: IntArray, size: int, mirrored: bool) -> tuple[SignedClass, ...]:
    if not mirrored:
        return tuple(SignedClass(group, (1,) * len(group)) for group in classes(labels))
    plus, minus = labels[:size].tolist(), labels[size:].tolist()
    found: list[SignedClass] = []
    taken: set[int] = set()
    for first in range(size):
        if first in taken:
            continue
        units = [u for u in range(first, size) if plus[u] == plus[first] or minus[u] == plus[first]]
        taken.update(units)
        silent = plus[first] == minus[first]
        signs = tuple(0 if silent else 1 if plus[u] == plus[first] else -1 for u in units)
        found.append(SignedClass(tuple(units), signs))
    return tuple(found)


def _refined(
    arrays: Sequence[LabelledArray], labels: Sequence[IntArray], layer: int, *, near: float
) -> IntArray:
    """Split the classes of one layer by what its units receive and send."""
    current = labels[layer]
    counts = np.bincount(current)
    open_units = np.flatnonzero(counts[current] > 1)
    if not open_units.size:
        return current
    keys = [current[open_units, None]]
    for array in arrays:
        for axis, label in enumerate(array.axes):
            if label == layer:
                keys.append(_column_keys(array, axis, labels, open_units, near=near))
    fresh = current.copy()
    # Classes that already stand alone keep their numbers; the others are numbered after them.
    fresh[open_units] = _ranks(np.hstack(keys)) + current.max() + 1
    return _ranks(fresh[:, None])


def _ranks(rows: IntArray) -> IntArray:
    """Return for every row of numbers from 0 up its place among the different rows, in their order.

    As ``np.unique(rows, axis=0, return_inverse=True)``, in a tenth of the time: texts of numbers with the
    largest digit first stand in the order of the numbers.
    """
    text, width = rows.astype(">u4").tobytes(), 4 * rows.shape[1]
    keys = [text[start : start + width] for start in range(0, len(text), width)]
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    return np.array([places[key] for key in keys], dtype=np.intp)


def signature(
    array: LabelledArray, axis: int, labels: Sequence[IntArray], units: IntArray
) -> tuple[FloatArray, FloatArray, int]:
    """Return what ``units`` have in ``array`` along ``axis``, summed over the classes of its other axes.

    Returns values of shape (units, columns), the sums of absolute values beside them (the scale of their
    rounding error), and the largest number of terms in one sum.
    """
    values = np.take(array.values, units, axis=axis)
    sizes = np.abs(values)
    terms = 1
    for other, layer in enumerate(array.axes):
        if other == axis or layer is None:
            continue
        groups = labels[layer]
        if groups.max(initial=-1) + 1 == groups.size:
            continue
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        terms *= int(np.bincount(groups).max())
        values = np.add.reduceat(np.take(values, order, axis=other), starts, axis=other)
        sizes = np.add.reduceat(np.take(sizes, order, axis=other), starts, axis=other)
    rows = (units.size, -1)
    return np.moveaxis(values, axis, 0).reshape(rows), np.moveaxis(sizes, axis, 0).reshape(rows), terms


def _column_keys(
    array: LabelledArray, axis: int, labels: Sequence[IntArray], units: IntArray, *, near: float
) -> IntArray:
    values, sizes, terms = signature(array, axis, labels, units)
    if near:
        return _near_keys(values, near * typical_size(array.values) * np.sqrt(terms))
    rtol = ENTRY_RTOL
    if terms > 1:
        # Values that are float32 numbers were summed in float32: their equal sums agree only to its rounding.
        single = np.array_equal(array.values, array.values.astype(np.float32))
        rtol = max(rtol, (4 * _FLOAT32_EPS if single else terms * _FLOAT64_EPS))
    return _gap_keys(values, rtol * sizes)


def typical_size(values: FloatArray) -> float:
    """Return the median absolute value of the entries that are not 0, or 0."""
    present = np.abs(values[values != 0])
    if not present.size:
        return 0.0
    present.sort()  # as np.median, which takes ten times as long for a few numbers; NaN comes last
    if np.isnan(present[-1]):
        return float("nan")
    return float(present[(present.size - 1) // 2 : present.size // 2 + 1].mean())


def _gap_keys(values: FloatArray, tolerance: FloatArray) -> IntArray:
    """Number the values of every column so that neighbours within ``tolerance`` share a number.

    NaN equals nothing, itself included.
    """
    order = np.argsort(values, axis=0, kind="stable")
    ranked = np.take_along_axis(values, order, axis=0)
    allowed = np.take_along_axis(tolerance, order, axis=0)
    with np.errstate(invalid="ignore"):
        apart = ~(np.diff(ranked, axis=0) <= np.maximum(allowed[1:], allowed[:-1]))
    numbers = np.zeros(values.shape, dtype=np.intp)
    np.cumsum(apart, axis=0, out=numbers[1:])
    keys = np.empty_like(numbers)
    np.put_along_axis(keys, order, numbers, axis=0)
    return keys


def _near_keys(values: FloatArray, width: float) -> IntArray:
    """Number the values so that close ones share a number and no group is wider than ``width``.

    The gap that separates groups shrinks until no chain of neighbours is wider than allowed.
    """
    keys = np.empty(values.shape, dtype=np.intp)
    todo = np.arange(values.shape[1])
    for gap in _GAPS:
        trial = _gap_keys(values[:, todo], np.full((values.shape[0], todo.size), gap * width))
        wide = _widest(values[:, todo], trial) > width
        keys[:, todo] = trial
        todo = todo[wide]
        if not todo.size:
            break
    return keys


def _widest(values: FloatArray, keys: IntArray) -> FloatArray:
    """Return for every column the width of its widest group."""
    order = np.argsort(values, axis=0)
    ranked = np.take_along_axis(values, order, axis=0)
    numbers = np.take_along_axis(keys, order, axis=0)
    first = np.diff(numbers, axis=0, prepend=-1) > 0
    starts = np.maximum.accumulate(np.where(first, np.arange(values.shape[0])[:, None], 0), axis=0)
    with np.errstate(invalid="ignore"):
        # A group of NaN or of infinities is of no width; it must not hide how wide another one is.
        widths: FloatArray = np.nan_to_num(ranked - np.take_along_axis(ranked, starts, axis=0)).max(axis=0)
    return widths
