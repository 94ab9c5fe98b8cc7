"""Relations between a student's array and the expected one that name a mistake without any source."""

from __future__ import annotations

import math


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
