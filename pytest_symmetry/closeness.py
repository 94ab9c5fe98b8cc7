"""When two sets of arguments are the same question: equal but for the last digits of their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

RELATIVE = 1e-10
"""What numbers may differ by, relative to the largest of their array: another BLAS or another numpy moves the
last digits of what a test computes, some 1e-16 per operation; a check tells 1e-6 apart."""

_DEPTH = 64


def close(kept: Any, asked: Any, depth: int = 0) -> bool:
    """Return whether two values have the same structure and, up to rounding, the same numbers."""
    if depth > _DEPTH:
        return False
    if isinstance(kept, Mapping):
        return (
            isinstance(asked, Mapping)
            and set(kept) == set(asked)
            and all(close(member, asked[key], depth + 1) for key, member in kept.items())
        )
    if isinstance(kept, list | tuple):
        return (
            isinstance(asked, list | tuple)
            and len(kept) == len(asked)
            and all(close(a, b, depth + 1) for a, b in zip(kept, asked, strict=True))
        )
    if isinstance(kept, np.random.Generator):
        return isinstance(asked, np.random.Generator) and _states(kept) == _states(asked)
    if isinstance(kept, bool | int | float | complex | np.ndarray | np.generic):
        return _close_numbers(kept, asked)
    return type(kept) is type(asked) and isinstance(kept, str | bytes | None) and bool(kept == asked)


def _states(generator: np.random.Generator) -> str:
    return repr(generator.bit_generator.state)


def _close_numbers(kept: Any, asked: Any) -> bool:
    if not isinstance(asked, bool | int | float | complex | np.ndarray | np.generic):
        return False
    a, b = np.asarray(kept), np.asarray(asked)
    if a.shape != b.shape or a.dtype.kind not in "fciub" or b.dtype.kind not in "fciub":
        return False
    if a.dtype.kind in "iub" and b.dtype.kind in "iub":
        return bool(np.array_equal(a, b))
    with np.errstate(all="ignore"):
        same = (a == b) | ((a != a) & (b != b))
        largest = np.abs(a[np.isfinite(a)]).max(initial=0.0)
        return bool((same | (np.abs(a - b) <= RELATIVE * largest)).all())
