"""Fifteen ways in which the functions themselves are off, beside their arithmetic."""

# ruff: noqa: ARG001 - all mistakes share one signature, whatever they need of it
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gradients.engines import Case
from benchmarks.gradients.problems import Arrays, Dense, Problem

Build = Callable[[int], Case]


def _net(seed: int, **options: Any) -> Dense:
    return Dense.drawn((6, 5, 5, 3), 7, seed, **options)


def _faulty(fault: str) -> Build:
    def build(seed: int) -> Case:
        problem = _net(seed, fault=fault)
        return Case(problem.parameters, problem.loss, problem.gradients, seed)

    return build


def _changed(change: Callable[[Arrays], Arrays]) -> Build:
    """Return a case whose gradients are changed after they were computed."""

    def build(seed: int) -> Case:
        problem = _net(seed)
        return Case(problem.parameters, problem.loss, lambda p: change(problem.gradients(p)), seed)

    return build


def _forward(before: Callable[[Problem, Arrays], Any]) -> Build:
    """Return a case whose forward pass, of both functions, begins with something it should not do."""

    def build(seed: int) -> Case:
        problem = _net(seed)
        X = problem.X

        def loss(p: Arrays) -> Any:
            before(problem, p)
            return problem.loss(p) + 0.0 * X[0, 0]

        def gradients(p: Arrays) -> Arrays:
            before(problem, p)
            return problem.gradients(p) if X is not None else {}

        return Case(problem.parameters, loss, gradients, seed)

    return build


def _scale_x(problem: Problem, p: Arrays) -> None:
    problem.X *= 0.9


def _scale_w(problem: Problem, p: Arrays) -> None:
    p["W1"] *= 0.9


def _float32_forward(seed: int) -> Case:
    problem = _net(seed)
    low = _net(seed, dtype=np.float32)
    return Case(problem.parameters, low.loss, problem.gradients, seed)


def _noisy_loss(seed: int) -> Case:
    problem = _net(seed)
    random = np.random.default_rng(seed)
    return Case(
        problem.parameters,
        lambda p: problem.loss(p) + 1e-3 * random.standard_normal(),
        problem.gradients,
        seed,
    )


def _nan_loss(seed: int) -> Case:
    problem = _net(seed)
    return Case(problem.parameters, lambda p: np.nan * problem.loss(p), problem.gradients, seed)


def _overwritten_cache(seed: int) -> Case:
    """The idiom dscores = probs, by a network that keeps the forward pass of its loss for its gradients."""
    problem = _net(seed)
    kept: dict[str, Any] = {"at": {}, "cache": {}}

    def loss(p: Arrays) -> Any:
        kept["at"] = {n: v.copy() for n, v in p.items()}
        value, kept["cache"] = problem.forward(p)
        return value

    def gradients(p: Arrays) -> Arrays:
        if not all(np.array_equal(p[n], kept["at"].get(n)) for n in p):
            loss(p)
        g = problem.backward(p, kept["cache"])
        kept["cache"]["delta"][...] = 0
        return g

    return Case(problem.parameters, loss, gradients, seed)


BAD_INPUTS: dict[str, tuple[Build, bool]] = {
    "NaN entry": (_faulty("NaN entry"), True),
    "infinite entry": (_faulty("inf entry"), True),
    "db of shape (1, h)": (_changed(lambda g: g | {"db1": g["db1"][None, :]}), True),
    "dW transposed": (_changed(lambda g: g | {"dW1": g["dW1"].T}), True),
    "missing key": (_changed(lambda g: {n: v for n, v in g.items() if n != "db1"}), True),
    "noisy backward": (_faulty("noise"), True),
    "accumulates": (_faulty("accumulates"), True),
    "backward updates W": (_faulty("updates W"), True),
    "backward overwrites its cache": (_overwritten_cache, False),
    "float32 gradients": (_changed(lambda g: {n: v.astype(np.float32) for n, v in g.items()}), False),
    "forward scales X in place": (_forward(_scale_x), True),
    "forward scales W in place": (_forward(_scale_w), True),
    "float32 forward": (_float32_forward, False),
    "noisy loss": (_noisy_loss, True),
    "NaN loss": (_nan_loss, True),
}
"""What is off, and whether a check should fail for it (or only say so)."""
