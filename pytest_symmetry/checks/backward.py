"""Is a layer's backward pass right?

A layer is ``forward(x, w, b) -> out, cache`` and ``backward(dout, cache) -> dx, dw, db``.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry import context
from pytest_symmetry.arrays import is_array, leaves
from pytest_symmetry.checks.accepted import settled
from pytest_symmetry.checks.failing import fail
from pytest_symmetry.checks.gradients import At, GradientCheck
from pytest_symmetry.checks.naming import pick_gradients
from pytest_symmetry.checks.program import Program, real
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.findings import Finding, Place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.findings import GradientEvidence


def check_backward(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    arguments: Mapping[str, Any] | Sequence[Any],
    *,
    at: At = "generic",
    seed: int = 0,
    wrt: str | Iterable[str] | None = None,
    directions: int = 1,
    rtol: float = 1e-6,
    exhaustive: bool = False,
    progress: Callable[[int, int], None] | None = None,
    reseed: Callable[[], Any] | None = None,
) -> GradientEvidence:
    """Check that ``backward`` returns the slopes of ``sum(dout * forward(...))`` for a random ``dout``.

    Args:
        forward: called with ``arguments``; returns the output, or ``(output, cache)``.
        backward: called with ``(dout, cache)``, or with ``dout`` alone where there is no cache; returns a
            gradient for each floating-point argument, by name or in their order.
        arguments: the arrays of the layer, by name or in the order of ``forward``'s parameters. What is not
            an array of floats (labels, strides, a dict of options) is handed on as a copy, and so is a
            number such as ``eps=1e-5`` that ``backward`` returns no gradient for.
        at: "generic" moves the arrays a little, "given" does not.
        seed: of the point, the directions and ``dout``.
        wrt: the arguments to check; all arrays of floats by default.
        directions: random directions per array.
        rtol: the relative error of a gradient that counts as wrong.
        exhaustive: compare every entry.
        progress: called with (done, total) during an exhaustive check.
        reseed: called before every evaluation.

    Returns:
        What was measured, with a note where the cache was overwritten.

    Raises:
        CheckFailed: GRD131, a gradient is wrong; or the functions break their contract.
        SymmetryError: the arguments of this call cannot be used.
        StudentTrouble: a call into a submission gave no answer.
    """
    __tracebackhide__ = True
    layer = Layer(forward, backward, arguments, seed)
    layer.fix_numbers(wrt)
    program = Program(layer.loss, layer.gradients, layer.arrays, reseed)
    check = GradientCheck(program, at, seed, wrt, directions, rtol, exhaustive, progress, code="GRD131")
    check.notes = layer.notes
    evidence, finding = check.run()
    if finding is not None:
        evidence, finding = settled(check, evidence, finding)
    if finding is not None:
        place = finding.place if finding.place.function not in ("loss", "gradients") else layer.place(finding)
        fail(finding.at(function=place.function), evidence)
    context.record(evidence)
    return evidence


@dataclass(slots=True)
class Layer:
    """A layer as a loss and its gradients: the loss is the output weighted by a random ``dout``."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    arguments: Mapping[str, Any] | Sequence[Any]
    seed: int
    arrays: dict[str, Any] = field(init=False)
    names: list[str] = field(init=False)
    dout: NDArray[np.float64] | None = None
    notes: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        values = list(self.arguments.values() if isinstance(self.arguments, Mapping) else self.arguments)
        self.names = list(self.arguments) if isinstance(self.arguments, Mapping) else self._parameter_names()
        self.arrays = {n: v for n, v in zip(self.names, values, strict=True) if is_array(v)}
        if not self.arrays:
            msg = "the arguments hold no array of numbers"
            raise SymmetryError(msg)

    def _parameter_names(self) -> list[str]:
        """Name positional arguments as ``forward`` does, or by their position."""
        try:
            names = list(inspect.signature(self.forward).parameters)
        except (TypeError, ValueError):
            names = []
        count = len(self.arguments)
        return names[:count] if len(names) >= count else [f"x{i}" for i in range(count)]

    def fix_numbers(self, wrt: str | Iterable[str] | None) -> None:
        """Take plain numbers for options, unless there is a gradient for them (one call of each function)."""
        numbers = [n for n, v in self.arrays.items() if isinstance(v, float | np.floating)]
        if not numbers or len(numbers) == len(self.arrays):
            return
        if wrt is None:
            copies = {n: v if n in numbers else np.array(real(v)) for n, v in self.arrays.items()}
            shapes = {n: real(v).shape for n, v in self.arrays.items()}
            wanted: Iterable[str] = pick_gradients(self.gradients(copies), shapes, list(shapes))
        else:
            wanted = [wrt] if isinstance(wrt, str) else list(wrt)
        self.arrays = {n: v for n, v in self.arrays.items() if n not in numbers or n in wanted}
        self.notes.clear()

    def run(self, arrays: Mapping[str, Any]) -> tuple[Any, tuple[Any, ...]]:
        """Call ``forward``: the output, and what ``backward`` gets beside ``dout``."""
        if isinstance(self.arguments, Mapping):
            named = {n: arrays[n] if n in arrays else copy.deepcopy(v) for n, v in self.arguments.items()}
            returned = self.forward(**named)
        else:
            pairs = zip(self.names, self.arguments, strict=True)
            returned = self.forward(*(arrays[n] if n in arrays else copy.deepcopy(v) for n, v in pairs))
        if isinstance(returned, tuple) and len(returned) == 2:
            return real(returned[0]), (returned[1],)
        return real(returned), ()

    def loss(self, arrays: Mapping[str, Any]) -> Any:
        """Return the output weighted by ``dout``, summed in double precision."""
        out, _ = self.run(arrays)
        return self._weighted(out)

    def _weighted(self, out: NDArray[Any]) -> Any:
        if self.dout is None or self.dout.shape != out.shape:
            self.dout = np.random.default_rng([self.seed, 1]).normal(size=out.shape)
        return np.sum(self.dout * out)

    def gradients(self, arrays: Mapping[str, Any]) -> Any:
        """Call ``forward`` and ``backward``, and note a cache that was overwritten."""
        out, cache = self.run(arrays)
        self._weighted(out)
        assert self.dout is not None
        before = {n: np.array(a) for n, a in leaves(cache).items()}
        returned = self.backward(self.dout.copy(), *cache)
        changed = [n for n, a in leaves(cache).items() if n in before and not np.array_equal(a, before[n])]
        if changed and not any(note.code == "PUR104" for note in self.notes):
            facts = {"arrays": [f"cache{n.removeprefix('[0]')}" for n in changed], "function": "backward"}
            self.notes.append(Finding("PUR104", severity="warn", facts=facts))
        return returned

    def place(self, finding: Finding) -> Place:
        """Return the place of a finding in the caller's own functions."""
        function = self.forward if finding.place.function == "loss" else self.backward
        name = getattr(function, "__name__", "")
        return Place(function=name if name.isidentifier() else None)
