"""What is to be said about the units of one hidden layer, from the parameters as they stand.

Everything here follows from the parameters and the layout; what a training step or the network's function
adds (does the gap grow, is the activation odd) comes in as :class:`Known`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pytest_symmetry.layouts import Layer, Layout, Member, labelled
from pytest_symmetry.partition import ENTRY_RTOL, FloatArray, classes, coarsest_partition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_symmetry.partition import IntArray

Arrays = "Mapping[str, FloatArray]"

VerdictName = Literal[
    "identical for ever",
    "group structure",
    "identical now, no gradient",
    "identical now, will differentiate",
    "sign mirrored",
    "scaled copy",
    "nearly identical",
    "dead",
    "ok",
]


@dataclass(frozen=True, slots=True)
class LayerVerdict:
    """The verdict on one layer; ``groups`` are the units it speaks of, ``certificate`` what proves it."""

    layer: Layer
    name: VerdictName
    classes: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...] = ()
    certificate: tuple[str, ...] = ()
    same_entries: bool = True


def slices(arrays: Mapping[str, FloatArray], layer: Layer, member: Member) -> FloatArray:
    """Return what every unit of the layer has in one member, as rows."""
    values = np.moveaxis(arrays[member.array], member.axis, 0)
    rows: FloatArray = values[member.positions(layer.units)].reshape(layer.units, -1)
    return rows


def _same(rows: FloatArray, one: int, other: int) -> bool:
    a, b = rows[one], rows[other]
    return bool(np.all(np.abs(a - b) <= ENTRY_RTOL * np.maximum(np.abs(a), np.abs(b))))


def _entry(arrays: Mapping[str, FloatArray], member: Member, layer: Layer, unit: int) -> str:
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
    arrays: Mapping[str, FloatArray], layer: Layer, units: Sequence[int], members: Sequence[Member]
) -> tuple[tuple[str, ...], bool]:
    """Return what a reader can check by hand for the first two of ``units``, and whether entries agree."""
    one, other = units[0], units[1]
    lines = []
    same = True
    for member in members:
        first, second = (_entry(arrays, member, layer, unit) for unit in (one, other))
        if _same(slices(arrays, layer, member), one, other):
            lines.append(f"{first} = {second}")
        else:
            same = False
            lines.append(f"the sums of {first} and of {second} over each class of the next layer agree")
    return tuple(lines), same


def effective_classes(
    arrays: Mapping[str, FloatArray], layout: Layout, *, near: bool = False
) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Return the classes of the coarsest equitable partition, layer by layer."""
    sizes = [layer.units for layer in layout.layers]
    labels: tuple[IntArray, ...] = coarsest_partition(labelled(arrays, layout), sizes, near=near)
    return tuple(classes(layer_labels) for layer_labels in labels)


def _equal_incoming(arrays: Mapping[str, FloatArray], layer: Layer) -> tuple[tuple[int, ...], ...]:
    """Return the groups of two or more units whose incoming weights and biases are the same numbers."""
    rows = np.hstack([slices(arrays, layer, member) for member in layer.incoming])
    _, labels = np.unique(rows, axis=0, return_inverse=True)
    return tuple(group for group in classes(labels.reshape(-1)) if len(group) > 1)


def judge(arrays: Mapping[str, FloatArray], layout: Layout) -> list[LayerVerdict]:
    """Return one verdict per hidden layer."""
    return [
        _judge_layer(arrays, layer, layer_classes)
        for layer, layer_classes in zip(layout.layers, effective_classes(arrays, layout), strict=True)
    ]


def _judge_layer(
    arrays: Mapping[str, FloatArray], layer: Layer, layer_classes: tuple[tuple[int, ...], ...]
) -> LayerVerdict:
    groups = tuple(group for group in layer_classes if len(group) > 1)
    if groups:
        lines, same = certificate(arrays, layer, groups[0], layer.members)
        name: VerdictName = "identical for ever" if len(groups) == 1 else "group structure"
        return LayerVerdict(layer, name, layer_classes, groups, lines, same)
    if layer.incoming and (alike := _equal_incoming(arrays, layer)):
        lines, same = certificate(arrays, layer, alike[0], layer.incoming)
        return LayerVerdict(layer, "identical now, will differentiate", layer_classes, alike, lines, same)
    return LayerVerdict(layer, "ok", layer_classes)
