"""Where a gradient is checked: near the given parameters, but where nothing hides a mistake."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.differences import length, repeated, table_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_symmetry.arrays import FloatArray

WEIGHT_SPREAD = 0.3
"""Standard deviation of the move of a weight, times the square root of its fan-in: units leave zero and
one another without saturating."""

BIAS_SPREAD = 0.1
RELATIVE_SPREAD = 0.05
"""Large arrays move by at least this part of their own size."""


def generic_point(
    arrays: Mapping[str, FloatArray], random: np.random.Generator, spread: float = 1.0
) -> dict[str, FloatArray]:
    """Move every array a little, at random: off zero biases, equal or symmetric weights, and exact kinks."""
    point = {}
    for name, array in arrays.items():
        own = length(array) / math.sqrt(max(array.size, 1))
        size = spread * max(_spread(array), RELATIVE_SPREAD * own)
        # Uniform with that standard deviation: half the time of a normal draw, and no far tails. In place,
        # because fresh memory costs more than the arithmetic.
        table = np.asarray(random.random(table_size(array.shape)))
        table -= 0.5
        table *= size * 12**0.5
        small = table.size == array.size
        moved = table.reshape(array.shape) if small else repeated(table, np.empty(array.shape))
        moved += array
        point[name] = moved
    return point


def _spread(array: FloatArray) -> float:
    if array.ndim < 2 or 1 in array.shape[:2]:
        return BIAS_SPREAD
    # Weights come as (in, out) and as (out, in); convolutions as (out, in, height, width).
    fan_in = float(array.size) ** 0.5 if array.ndim == 2 else float(math.prod(array.shape[1:]))
    return WEIGHT_SPREAD / math.sqrt(fan_in)


def blind_spots(arrays: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """Return what a point cannot show: arrays of zeros, equal rows or columns, symmetric matrices."""
    spots = []
    for name, array in arrays.items():
        if array.size > 1 and not array.any():
            spots.append({"array": name, "what": "zero"})
        elif array.ndim == 2 and min(array.shape) > 1:
            if array.shape[0] == array.shape[1] and np.array_equal(array, array.T):
                spots.append({"array": name, "what": "symmetric"})
            if _has_twins(array):
                spots.append({"array": name, "what": "equal rows"})
            if _has_twins(array.T):
                spots.append({"array": name, "what": "equal columns"})
    return spots


def _has_twins(rows: FloatArray) -> bool:
    return bool(len(np.unique(rows, axis=0)) < len(rows))


def backward_order(arrays: Mapping[str, FloatArray]) -> list[str]:
    """Return the names in the order in which a backward pass reaches them: last layer first, weights first.

    The layer is the first number in a name that has letters (``W2``, ``layers[1].b``); where there are
    none, each array of two or more dimensions opens a layer.
    """
    layers: dict[str, tuple[int, ...]] = {}
    count = 0
    numbered = all(re.search(r"\d", name) and re.search(r"[A-Za-z]", name) for name in arrays)
    for name, array in arrays.items():
        if numbered:
            layers[name] = tuple(int(digits) for digits in re.findall(r"\d+", name))
        else:
            count += array.ndim > 1 and 1 not in array.shape
            layers[name] = (count,)
    position = {name: i for i, name in enumerate(arrays)}
    return sorted(arrays, key=lambda name: ([-n for n in layers[name]], position[name]))
