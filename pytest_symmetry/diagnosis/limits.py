"""Ranges, permutations and new arrays that count as rounds: a changed size can make them endless.

What goes on inside the interpreter's own functions is not counted by loops; so those that make much out of
one number count what they make, before they make it.
"""

from __future__ import annotations

import builtins
import itertools
import math
import types
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

import numpy as np

Tick = Callable[[int], None]

PER_ROUND = 100
"""Members of a range that take the time of one round."""

ENTRIES_PER_ROUND = 1_000
"""Entries of a new array that take the time of one round."""

_MANY = (
    "permutations",
    "combinations",
    "combinations_with_replacement",
    "product",
    "count",
    "cycle",
    "repeat",
)


def _rows_and_columns(n: Any, m: Any = None, *_: Any) -> int:
    return int(n) * int(n if m is None else m)


def _steps(start: Any, stop: Any = None, step: Any = 1, *_: Any) -> int:
    length = start if stop is None else stop - start
    return max(0, int(length / step) + 1)


_SIZES: dict[str, Callable[..., int]] = {
    "zeros": lambda shape, *_: math.prod(np.atleast_1d(shape).tolist()),
    "arange": _steps,
    "eye": _rows_and_columns,
    "identity": _rows_and_columns,
    "linspace": lambda _start, _stop, num=50, *_: int(num),
    "tile": lambda array, reps: np.size(array) * math.prod(np.atleast_1d(reps).tolist()),
    "repeat": lambda array, repeats, *_: np.size(array) * int(np.max(repeats)),
}
_SIZES |= dict.fromkeys(("ones", "empty", "full"), _SIZES["zeros"])


def counted_range(tick: Tick) -> Callable[..., range]:
    """Return what stands for ``range`` and counts its length."""

    def counted(*ends: Any) -> range:
        made = builtins.range(*ends)
        tick(len(made) // PER_ROUND)
        return made

    return counted


def counted_itertools(tick: Tick) -> types.ModuleType:
    """Return what stands for :mod:`itertools`: what makes many members counts each."""
    module = _copy_of(itertools)
    for name in _MANY:
        setattr(module, name, _each(getattr(itertools, name), tick))
    return module


def counted_numpy(tick: Tick) -> types.ModuleType:
    """Return what stands for numpy: what makes a new array counts its entries before it makes them."""
    module = _copy_of(np)
    for name, size in _SIZES.items():
        setattr(module, name, _sized(getattr(np, name), size, tick))
    return module


def _copy_of(module: types.ModuleType) -> types.ModuleType:
    made = types.ModuleType(module.__name__)
    vars(made).update(vars(module))
    return made


def _each(function: Callable[..., Iterable[Any]], tick: Tick) -> Callable[..., Iterator[Any]]:
    @wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for member in function(*args, **kwargs):
            tick(1)
            yield member

    return counted


def _sized(function: Callable[..., Any], size: Callable[..., int], tick: Tick) -> Callable[..., Any]:
    @wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Any:
        try:
            entries = size(*args)
        except (TypeError, ValueError, OverflowError, ZeroDivisionError):  # given by name, or no size at all
            entries = 0
        tick(entries // ENTRIES_PER_ROUND)
        return function(*args, **kwargs)

    return counted
