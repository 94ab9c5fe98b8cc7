"""Two arrays of one shape and what is known around them; when agreement is more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.diagnosis.information import information, needed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.arrays import FloatArray

DIGITS = 5.0
"""Decimal digits of agreement that must be left over before a relation is believed."""

GUESSES = 64
"""Relations and constants that are tried on one pair of arrays, more or less."""

Sizes = Mapping[int, str]
"""What a length means; "m" is the number of examples."""


@dataclass(frozen=True)
class Pair:
    """The two arrays, of one shape, and what is known around them."""

    student: FloatArray
    expected: FloatArray
    name: str
    noise: float
    parameter: FloatArray | None
    others: Mapping[str, FloatArray]
    bases: Mapping[str, FloatArray]
    sizes: Sizes
    stepping: bool = True

    @cached_property
    def scale(self) -> float:
        """The largest entry of the two arrays."""
        return float(max(np.abs(self.student).max(initial=0.0), np.abs(self.expected).max(initial=0.0)))

    @cached_property
    def tolerance(self) -> float:
        """What two entries may differ by and still be called equal: ten times the noise."""
        return 10 * self.noise * self.scale

    def equals(self, other: NDArray[Any]) -> bool:
        """Return whether the student's array is ``other``."""
        return other.shape == self.student.shape and self._near(self.student - other)

    def _near(self, difference: FloatArray) -> bool:
        return bool((np.abs(difference) <= self.tolerance).all())

    def fits(self, array: NDArray[Any], basis: NDArray[Any]) -> float | None:
        """Return c where ``array`` is c times ``basis``, beyond chance, else None."""
        if basis.shape != array.shape or not (norm := float(np.vdot(basis, basis))):
            return None
        factor = float(np.vdot(basis, array)) / norm
        if not self._near(array - factor * basis):
            return None
        return factor if self.proven(array, fitted=1) else None

    def proven(self, array: NDArray[Any], *, fitted: int = 0, tried: int = 1) -> bool:
        """Return whether agreement with ``array`` leaves enough digits, after ``tried`` guesses."""
        sizes = np.abs(array).ravel()
        with np.errstate(divide="ignore"):
            digits = np.log10(sizes[sizes > self.tolerance] / self.tolerance) if self.tolerance else sizes
        spare = np.sort(digits)[::-1][fitted:]
        return float(spare.sum()) - math.log10(tried) >= DIGITS


def shape_cause(shape: tuple[int, ...], expected: tuple[int, ...]) -> str | None:
    """Return the cause that a difference in shape points to, or None where it points to nothing."""
    if shape == expected:
        return None
    if expected == () and math.prod(shape) == 1:
        return "number-as-array"
    if shape == () and math.prod(expected) > 1:
        return "single-number"
    if shape == tuple(n for n in expected if n != 1):
        return "keepdims-missing"
    if len(shape) == len(expected) > 1 and shape == expected[::-1]:
        return "transposed"
    if len(shape) < len(expected) and math.prod(shape) == math.prod(expected):
        return "shape-flattened"
    return None


def moved_along(student: NDArray[Any], expected: NDArray[Any], axis: int, noise: float = 1e-9) -> bool:
    """Return whether an array holds the right numbers one place before or after their own, beyond chance.

    What is moved out at one end is lost, and what stands at the other may be anything.
    """
    length = expected.shape[axis]
    if student.shape != expected.shape or length < 3 or student.dtype.kind not in "fiub":
        return False
    front, back = range(length - 1), range(1, length)
    for mine, theirs in ((front, back), (back, front)):
        moved, right = np.take(student, mine, axis), np.take(expected, theirs, axis)
        scale = float(np.abs(expected).max(initial=0.0))
        near = bool((np.abs(moved - right) <= 10 * noise * scale).all())
        still = bool((np.abs(moved - np.take(expected, mine, axis)) <= 10 * noise * scale).any())
        if near and not still and information(moved, noise) >= needed(GUESSES):
            return True
    return False
