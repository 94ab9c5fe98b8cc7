"""What proves a verdict: the entries, or the sums of entries, that two units have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pytest_symmetry.layouts import Layer, Layout, Member
from pytest_symmetry.partition import ENTRY_RTOL, FloatArray

Arrays = Mapping[str, FloatArray]
Groups = tuple[tuple[int, ...], ...]


def slices(arrays: Arrays, layer: Layer, members: Sequence[Member]) -> FloatArray:
    """Return all that every unit of the layer has in the members, one row per unit."""
    rows = []
    for member in members:
        values = np.moveaxis(arrays[member.array], member.axis, 0)
        rows.append(values[member.positions(layer.units)].reshape(layer.units, -1))
    return np.hstack(rows) if rows else np.zeros((layer.units, 0))


def same(a: FloatArray, b: FloatArray) -> bool:
    """Return whether all entries agree within their rounding."""
    return bool(np.all(np.abs(a - b) <= ENTRY_RTOL * np.maximum(np.abs(a), np.abs(b))))


def entry(arrays: Arrays, member: Member, layer: Layer, unit: int) -> str:
    """Return a unit's part of an array the way numpy writes it: ``W1[0, :]``."""
    shape = arrays[member.array].shape
    at = member.positions(layer.units)[unit]
    if at.size == 1:
        mark = str(at[0])
    elif member.before == 1:
        mark = f"{at[0]}:{at[-1] + 1}"
    else:
        mark = f"{at[0]}::{layer.units * member.inner}"
    marks = [mark if axis == member.axis else "0" if n == 1 else ":" for axis, n in enumerate(shape)]
    return f"{member.array or 'array'}[{', '.join(marks)}]"


def certificate(
    arrays: Arrays, layout: Layout, exact: Sequence[Groups], number: int, units: Sequence[int],
    members: Sequence[Member], sign: int = 1,
) -> tuple[tuple[str, ...], bool]:  # fmt: skip
    """Return what a reader can check by hand for the first two of ``units``, and whether entries agree.

    ``exact`` are the classes of all layers, ``number`` is the layer that the units belong to. Where entries
    differ and only their sums over classes agree, the sums are given.
    """
    layer = layout.layers[number]
    one, other = units[0], units[1]
    lines = []
    entries_agree = True
    for member in members:
        first, second = (entry(arrays, member, layer, unit) for unit in (one, other))
        rows = slices(arrays, layer, [member])
        if same(rows[one], sign * rows[other]):
            lines.append(f"{first} = {'-' if sign < 0 else ''}{second}")
        elif _fixed_by_exchange(arrays, layer, member, one, other):
            lines.append(f"{first} = {second} when entries {one} and {other} change places")
        else:
            entries_agree = False
            lines.append(f"{first} and {second} {_sums(arrays, layout, exact, member, rows[one])}")
    return tuple(lines), entries_agree


def _sums(arrays: Arrays, layout: Layout, exact: Sequence[Groups], member: Member, row: FloatArray) -> str:
    """Say which sums of a row agree: those over the classes of the layer at the array's other axis."""
    across = [
        (exact[n], layer.name)
        for n, layer in enumerate(layout.layers)
        for m in layer.members
        if m.array == member.array and m.axis != member.axis and layer.units == row.size
    ]
    if arrays[member.array].ndim != 2 or not across:
        return "have equal sums over each class of the neighbouring layer"
    groups, name = across[0]
    sums = [f"{row[list(group)].sum():.4g}" for group in groups]
    if len(sums) == 1:
        return f"both sum to {sums[0]}"
    told = "; ".join(f"{', '.join(map(str, g))}: {total}" for g, total in zip(groups, sums, strict=True))
    return f"have equal sums over the classes of {name} ({told})"


def is_recurrent(layer: Layer, member: Member) -> bool:
    """Return whether the layer's units lie along two axes of the member's array."""
    return sum(m.array == member.array for m in layer.members) > 1


def _fixed_by_exchange(arrays: Arrays, layer: Layer, member: Member, one: int, other: int) -> bool:
    """Return whether a recurrent array stays the same when two units change places on both its axes."""
    values = arrays[member.array]
    if not is_recurrent(layer, member) or values.ndim != 2 or values.shape[0] != values.shape[1]:
        return False
    order = np.arange(layer.units)
    order[[one, other]] = other, one
    return same(values, values[np.ix_(order, order)])
