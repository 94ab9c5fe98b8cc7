"""When two sets of arguments are the same question: equal but for the last digits of their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

RELATIVE = 1e-10
"""What numbers may differ by, relative to the largest of their array: another BLAS or another numpy moves the
last digits of what a test computes, some 1e-16 per operation; a check tells 1e-6 apart."""

APART = 100
"""How many times nearer the nearest of several close questions must be: steps of a finite difference are as
close as that to each other, and are told apart by it."""

_DEPTH = 64


def close(kept: Any, asked: Any) -> bool:
    """Return whether two values have the same structure and, up to rounding, the same numbers."""
    return distance(kept, asked) <= RELATIVE


def nearest(known: Iterable[Any], asked: Any) -> int | None:
    """Return the number of the one value that is close to what was asked; None where none is, or several."""
    found = sorted((distance(value, asked), i) for i, value in enumerate(known))
    if not found or found[0][0] > RELATIVE:
        return None
    alone = len(found) == 1 or found[0][0] * APART < found[1][0]
    return found[0][1] if alone else None


def distance(kept: Any, asked: Any, depth: int = 0) -> float:
    """Return how far the numbers of two values are apart, relative to the largest of their array.

    Infinite where anything else differs: structure, keys, shapes, texts, integers, NaN.
    """
    if depth > _DEPTH:
        return math.inf
    if isinstance(kept, Mapping):
        if not isinstance(asked, Mapping) or set(kept) != set(asked):
            return math.inf
        return max((distance(member, asked[key], depth + 1) for key, member in kept.items()), default=0.0)
    if isinstance(kept, list | tuple):
        if not isinstance(asked, list | tuple) or len(kept) != len(asked):
            return math.inf
        return max((distance(a, b, depth + 1) for a, b in zip(kept, asked, strict=True)), default=0.0)
    if isinstance(kept, bool | int | float | complex | np.ndarray | np.generic):
        return _between_numbers(kept, asked)
    return 0.0 if _same(kept, asked) else math.inf


def _same(kept: Any, asked: Any) -> bool:
    if isinstance(kept, np.random.Generator):
        return isinstance(asked, np.random.Generator) and _state(kept) == _state(asked)
    return type(kept) is type(asked) and isinstance(kept, str | bytes | None) and bool(kept == asked)


def _state(generator: np.random.Generator) -> str:
    return repr(generator.bit_generator.state)


def _between_numbers(kept: Any, asked: Any) -> float:
    if not isinstance(asked, bool | int | float | complex | np.ndarray | np.generic):
        return math.inf
    a, b = np.asarray(kept), np.asarray(asked)
    if a.shape != b.shape or a.dtype.kind not in "fciub" or b.dtype.kind not in "fciub":
        return math.inf
    if a.dtype.kind in "iub" and b.dtype.kind in "iub":
        return 0.0 if np.array_equal(a, b) else math.inf
    with np.errstate(all="ignore"):
        differs = ~((a == b) | ((a != a) & (b != b)))
        if not differs.any():
            return 0.0
        largest = np.abs(a[np.isfinite(a)]).max(initial=0.0)
        off = float(np.abs(a - b)[differs].max() / largest) if largest else math.inf
    return off if math.isfinite(off) else math.inf
