"""Calls of an initialiser: the seed it takes, what it returns, the global generators put back."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_symmetry.arrays import is_array, is_object
from pytest_symmetry.checks.parameters import read_arrays, with_arrays
from pytest_symmetry.context import current
from pytest_symmetry.partition import FloatArray


@dataclass(frozen=True, slots=True)
class Draw:
    """One call: the sizes and seed it was given, and what came back."""

    sizes: tuple[int, ...]
    seed: int
    raw: Any
    arrays: dict[str, FloatArray]
    touched: bool


class Caller:
    """Calls the function with the seed it takes, and counts the calls."""

    def __init__(self, initialize: Callable[..., Any]) -> None:
        self.initialize = initialize
        self.calls = 0
        self.seeded_by = _seed_argument(initialize)
        self.elsewhere = False

    def draw(self, sizes: tuple[int, ...], seed: int, outer: int | None = None) -> Draw:
        """Call the function once; the global generators are seeded with ``outer`` and put back afterwards."""
        self.calls += 1
        given: dict[str, Any] = {}
        if self.seeded_by == "rng":
            given["rng"] = np.random.default_rng(seed)
        elif self.seeded_by:
            given[self.seeded_by] = seed
        before = _calls_elsewhere()
        with _global_state(seed if outer is None else outer) as touched:
            raw = self.initialize(*sizes, **given)
            self.elsewhere = _calls_elsewhere() > before
            return Draw(sizes, seed, raw, dict(read_arrays(with_arrays(raw))), touched())

    def place(self) -> dict[str, Any]:
        """Return the function's name, and where it stands if it is the submission's."""
        context = current()
        if self.elsewhere and context is not None:
            last = context.calls[-1]
            return {"function": last.function, "cell": last.cell, "line": last.line}
        name = getattr(self.initialize, "__name__", "")
        return {"function": name} if isinstance(name, str) and name.isidentifier() else {}


def _calls_elsewhere() -> int:
    """Return how many calls into a submission's own process the context has seen."""
    context = current()
    return len(context.calls) if context is not None else 0


def _seed_argument(initialize: Callable[..., Any]) -> str | None:
    try:
        parameters = inspect.signature(initialize).parameters
    except (TypeError, ValueError):
        return None
    return next((name for name in ("seed", "random_state", "rng") if name in parameters), None)


@contextmanager
def _global_state(seed: int) -> Iterator[Callable[[], bool]]:
    """Seed the global generators and put them back; the value tells, once, whether anything used them."""
    numpy_before, python_before = np.random.get_state(), random.getstate()
    _seed(seed)
    untouched = _drawn()
    _seed(seed)
    try:
        yield lambda: untouched != _drawn()
    finally:
        np.random.set_state(numpy_before)
        random.setstate(python_before)


def _seed(seed: int) -> None:
    np.random.seed(seed % 2**32)
    random.seed(seed)


def _drawn() -> tuple[bytes, int]:
    """Draw from both global generators: as telling as their states, and cheaper to compare."""
    return np.random.bytes(16), random.getrandbits(128)


def leaves(container: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the arrays as the function returned them, before anything copies them."""
    if is_array(container):
        yield path.removeprefix("."), container
        return
    if depth > 16:
        return
    if isinstance(container, Mapping):
        for key, value in container.items():
            yield from leaves(value, f"{path}.{key}", depth + 1)
    elif isinstance(container, list | tuple):
        for index, value in enumerate(container):
            yield from leaves(value, f"{path}[{index}]", depth + 1)
    elif is_object(container):
        for key, value in vars(container).items():
            yield from leaves(value, f"{path}.{key}", depth + 1)


def rows_of_lists(container: Any, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield the lists of lists in a container: arrays written as plain Python lists."""
    if isinstance(container, Mapping):
        for key, value in container.items():
            yield from rows_of_lists(value, f"{path}.{key}".removeprefix("."))
    elif isinstance(container, list) and container:
        if all(isinstance(row, list) for row in container):
            yield path, container
        for index, value in enumerate(container):
            yield from rows_of_lists(value, f"{path}[{index}]")
