"""The arrays that a loss and its gradients use beside the parameters: data, caches, scratch space.

A function that changes its data in place makes every later measurement wrong, and a gradient check blames
the wrong function for it. What a function *may* change is its own scratch space, so a change counts only
where the loss depends on what the array holds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.arrays import leaves
from pytest_symmetry.errors import StudentTrouble
from pytest_symmetry.findings import Finding, Place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.arrays import FloatArray
    from pytest_symmetry.checks.program import Answer, Program
    from pytest_symmetry.context import Call

_MOST_BYTES = 1 << 28
"""Data beyond this is not copied for the comparison; a second call that differs still shows the change."""


@dataclass(slots=True)
class Surroundings:
    """The arrays around a program, with a copy of each from before the first call."""

    program: Program
    arrays: dict[int, tuple[str, NDArray[Any], NDArray[Any]]] = field(default_factory=dict)
    cached: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, program: Program) -> Surroundings:
        """Copy every array that the program's functions close over, parameters apart."""
        own = {id(array) for array in leaves(program.parameters).values()}
        around, room = cls(program), _MOST_BYTES
        for name, array in (*_closed_over(program.loss), *_closed_over(program.gradients)):
            if id(array) not in own and id(array) not in around.arrays and array.nbytes <= room:
                room -= array.nbytes
                around.arrays[id(array)] = (name, array, array.copy())
        return around

    def harmful(self, answer: Answer, point: Mapping[str, FloatArray]) -> list[str]:
        """Return what a call changed and the loss depends on, by name; put back what changed here.

        What the loss does not depend on keeps its new content: sums of gradients, scratch space.
        """
        harmed, seen = [], {id(array) for array in leaves(answer.given).values()}
        for key, (name, array, before) in self.arrays.items():
            if _same(array, before):
                continue
            seen.add(key)
            now = array.copy()
            np.copyto(array, before)
            if self._matters(array, point):
                harmed.append(name)
            else:
                np.copyto(array, now)
                self.arrays[key] = (name, array, now)
        return harmed + self._harmed_elsewhere(answer, point, seen | _made_inside(answer.calls))

    def _harmed_elsewhere(self, answer: Answer, point: Mapping[str, FloatArray], seen: set[int]) -> list[str]:
        """Return the same for what another process reports: the arrays here stayed as they were."""
        harmed = []
        for call in answer.calls:
            paths = call.changed_paths or ("",) * len(call.changed)
            for path, array in zip(paths, call.changed, strict=False):
                if not isinstance(array, np.ndarray) or id(array) in seen:
                    continue
                seen.add(id(array))
                if self._matters(array, point):
                    known = self.arrays.get(id(array))
                    harmed.append(known[0] if known else path)
        return harmed

    def _matters(self, array: NDArray[Any], point: Mapping[str, FloatArray]) -> bool:
        """Return whether the loss changes with the content of ``array``."""
        if not array.flags.writeable or array.size == 0:
            return False
        kept = array.copy()
        try:
            before = self.program.loss_at(point)
            np.copyto(array, kept)
            flat = np.arange(1, array.size + 1).reshape(array.shape) / array.size
            spread = float(np.std(kept)) if kept.dtype.kind == "f" else 1.0
            np.copyto(array, kept + (spread or 1.0) * flat, casting="unsafe")
            after = self.program.loss_at(point)
        except StudentTrouble:
            return True
        except Exception:  # noqa: BLE001 - other content that cannot even be used is content that matters
            return True
        finally:
            np.copyto(array, kept)
        return bool(before != after)

    def cache_notes(self, calls: tuple[Call, ...], place: Place) -> list[Finding]:
        """Return the note on values that one of the submission's functions made and another overwrote."""
        inside = _made_inside(calls)
        for call in calls:
            paths = call.changed_paths or ("",) * len(call.changed)
            names = [path for path, array in zip(paths, call.changed, strict=False) if id(array) in inside]
            if names:
                facts = {"arrays": names, "function": call.function}
                return [Finding("PUR104", severity="warn", place=place, facts=facts)]
        return []


def _made_inside(calls: tuple[Call, ...]) -> set[int]:
    """Return the identities of the arrays that the submission's own calls returned."""
    return {id(array) for call in calls for array in leaves(call.result).values()}


def _same(array: NDArray[Any], before: NDArray[Any]) -> bool:
    if array.shape != before.shape:
        return False
    return np.array_equal(array, before, equal_nan=array.dtype.kind in "fc")


def _closed_over(function: Callable[..., Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield name and array of what a function closes over, has as defaults, or got from ``partial``."""
    while isinstance(function, functools.partial):
        for position, value in enumerate(function.args):
            yield from _arrays_in(f"argument {position + 1}", value)
        for name, value in function.keywords.items():
            yield from _arrays_in(name, value)
        function = function.func
    code = getattr(function, "__code__", None)
    if code is None:
        return
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield from _arrays_in(name, cell.cell_contents)
        except ValueError:  # a name that has no value yet
            continue
    names = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    for name, value in zip(names[len(names) - len(defaults) :], defaults, strict=True):
        yield from _arrays_in(name, value)
    for name in code.co_names:
        if name in function.__globals__:
            yield from _arrays_in(name, function.__globals__[name])


def _arrays_in(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, NDArray[Any]]]:
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fciub" and value.flags.writeable:
            yield name, value
    elif depth < 3 and isinstance(value, dict):
        for key, member in value.items():
            yield from _arrays_in(f"{name}[{key!r}]", member, depth + 1)
    elif depth < 3 and isinstance(value, list | tuple) and len(value) < 1000:
        for index, member in enumerate(value):
            yield from _arrays_in(f"{name}[{index}]", member, depth + 1)
