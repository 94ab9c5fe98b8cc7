"""How much an agreement with some numbers says: the bits that chance would have to guess.

A number of a computation carries some thirty bits to the precision of the comparison; a label, a truth value,
a count or a simple fraction carries what it takes to write it down, and a second one like it only what tells
it from the first. (J. Rissanen, "Modeling by shortest data description", 1978.)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANCE = 1e-6
"""Probability of an agreement by chance that is accepted."""

LARGEST_DIVISOR = 64
"""Fractions with a denominator up to this count as simple: shares and means of that many labels."""

_LISTED = 10_000


def needed(tried: int) -> float:
    """Return the bits that agreement with one of ``tried`` alternatives must carry."""
    return math.log2(max(1, tried) / CHANCE)


def information(array: NDArray[Any], noise: float = 1e-9) -> float:
    """Return the bits of an array, any shape, known to the relative precision ``noise``."""
    flat = np.asarray(array, dtype=np.float64).ravel()[:_LISTED]
    full = -math.log2(noise)
    values, counts = np.unique(flat[np.isfinite(flat)], return_counts=True)
    if not values.size:
        return 0.0
    own = np.minimum(full, _simple_bits(values))
    order = counts * np.log2(counts.sum() / counts)
    # Generic numbers are worth their digits once; which entry holds which counts for the simple ones alone.
    return float(own.sum() + order[own < full].sum())


def is_discrete(array: NDArray[Any]) -> bool:
    """Return whether an array holds whole numbers alone: labels, counts, indices, truth values."""
    flat = np.asarray(array, dtype=np.float64)
    return bool(np.isfinite(flat).all()) and bool((flat == np.round(flat)).all())


def _simple_bits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bits that write each value down as a fraction with a small denominator; inf for others."""
    divisors = np.arange(1, LARGEST_DIVISOR + 1, dtype=np.float64)
    scaled = np.abs(values)[:, None] * divisors
    near = np.abs(scaled - np.round(scaled)) <= 1e-12 * np.maximum(1.0, scaled)
    bits = np.where(near, np.log2(1 + np.round(scaled)) + 2 * np.log2(divisors), np.inf)
    return np.asarray(bits.min(axis=1))
