"""The arrays that a loss and its gradients use beside the parameters: data, caches, scratch space.

A function that changes its data in place makes every later measurement wrong, and a gradient check blames
the wrong function for it. What a function *may* change is its own scratch space, so a change counts only
where the loss depends on what the array holds.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.arrays import is_object, leaves
from pytest_symmetry.errors import StudentTrouble
from pytest_symmetry.findings import Finding, Place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.arrays import FloatArray
    from pytest_symmetry.checks.program import Answer, Program
    from pytest_symmetry.context import Call

_DEEPEST = 4
_MOST_VISITED = 1000

_MOST_BYTES = 1 << 28
"""Data beyond this is not copied for the comparison; a second call that differs still shows the change."""


@dataclass(slots=True)
class Surroundings:
    """The arrays around a program, with a copy of each from before the first call."""

    program: Program
    arrays: dict[int, tuple[str, NDArray[Any], NDArray[Any]]] = field(default_factory=dict)
    made: dict[int, tuple[str, NDArray[Any], NDArray[Any]]] = field(default_factory=dict)
    replaced: list[tuple[str, NDArray[Any], NDArray[Any]]] = field(default_factory=list)

    @classmethod
    def of(cls, program: Program) -> Surroundings:
        """Copy every array that the program's functions close over, parameters apart."""
        around = cls(program)
        around._copy_into(around.arrays)
        return around

    def look_again(self) -> None:
        """Copy the arrays that came to be since: what the loss kept, for the gradients to compute with."""
        self._copy_into(self.made)

    def _copy_into(self, known: dict[int, tuple[str, NDArray[Any], NDArray[Any]]]) -> None:
        seen = {id(array) for array in leaves(self.program.parameters).values()} | set(self.arrays)
        room = _MOST_BYTES
        walk = _Walk()
        walk.visit("loss", self.program.loss)
        walk.visit("gradients", self.program.gradients)
        for name, array in walk.found:
            if id(array) not in seen and array.nbytes <= room:
                room -= array.nbytes
                seen.add(id(array))
                known[id(array)] = (name, array, array.copy())

    def overwritten(self) -> list[str]:
        """Return the names of the arrays that the loss made and the gradients overwrote."""
        return [name for name, array, before in self.made.values() if not _same(array, before)]

    def put_back(self, gradients: Mapping[str, FloatArray]) -> list[str]:
        """Let the gradients find at every call what they found at the first; return the names of that.

        Sums of gradients and what began with zeros, such as a momentum, have to stand on their own.
        """
        changed = [c for c in self.replaced if not any(np.array_equal(c[1], g) for g in gradients.values())]
        if not all(before.any() for _, _, before in changed):
            return []
        self.program.restored = [(array, before) for _, array, before in changed]
        return [name for name, *_ in changed]

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
                self.replaced.append((name, array, before))
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
    if np.array_equal(array, before):
        return True
    return array.dtype.kind in "fc" and np.array_equal(array, before, equal_nan=True)


@dataclass(slots=True)
class _Walk:
    """Finds the arrays that a function can reach: by its closure, defaults, globals, and its object."""

    found: list[tuple[str, NDArray[Any]]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    def visit(self, name: str, value: Any, depth: int = 0) -> None:
        if isinstance(value, np.ndarray):
            if value.dtype.kind in "fciub" and value.flags.writeable:
                self.found.append((name, value))
            return
        if depth > _DEEPEST or id(value) in self.seen or len(self.seen) > _MOST_VISITED:
            return
        self.seen.add(id(value))
        for inner, member in _members(name, value):
            self.visit(inner, member, depth + 1)


def _members(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a value holds, by the name a reader would use for it."""
    if isinstance(value, dict):
        yield from ((f"{name}[{key!r}]", member) for key, member in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"{name}[{i}]", member) for i, member in enumerate(value[:_MOST_VISITED]))
    elif isinstance(value, functools.partial):
        yield from ((f"argument {i + 1}", member) for i, member in enumerate(value.args))
        yield from value.keywords.items()
        yield name, value.func
    elif isinstance(value, types.MethodType):
        yield getattr(type(value.__self__), "__name__", name), value.__self__
        yield name, value.__func__
    elif isinstance(value, types.FunctionType):
        yield from _names_of(value)
    elif is_object(value):
        yield from ((f"{name}.{key}", member) for key, member in vars(value).items())


def _names_of(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield what the names in a function's body stand for, as far as they come from outside."""
    code = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # a name that has no value yet
            continue
    defaults = function.__defaults__ or ()
    named = code.co_varnames[: code.co_argcount]
    yield from zip(named[len(named) - len(defaults) :], defaults, strict=True)
    for name in code.co_names:
        value = function.__globals__.get(name)
        if not isinstance(value, types.ModuleType | type | types.BuiltinFunctionType):
            yield name, value
