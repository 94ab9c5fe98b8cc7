"""Is it only a tiny constant inside the loss, as in ``log(p + 1e-8)``, that the gradient leaves out?

Everybody writes that constant and derives ``log(p)``. Where ``p`` is small the gradient is off by the
constant over ``p``: one part in a million at p = 0.01, everything at p = 1e-8. No mistake in a formula
looks like that: with smaller parameters ``p`` is near one over the number of classes, and what is left of
the error is tiny, more than rounding, and nearly the same with parameters smaller still. A factor or a term
stays what it is; a wrong slope of an activation vanishes by orders of magnitude, and so do clipped values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_symmetry import context
from pytest_symmetry.checks.contract import Contract, read_gradients
from pytest_symmetry.differences import SIGMAS, Neighbourhood, draw_direction, length
from pytest_symmetry.errors import StudentTrouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_symmetry.arrays import FloatArray
    from pytest_symmetry.checks.agreement import ArrayVerdict, Judge
    from pytest_symmetry.checks.program import Program

CALMER = (0.3, 0.1)
"""Factors on the parameters: ten classes have probabilities near 0.1 at the first, whatever they had."""

LEFT = 2e-5
"""The largest relative error that a tiny constant leaves there: that of 1e-7, times two hundred."""

STEADY = 8.0
"""How much it may differ between the two, and between the arrays."""

MOST = 1e-2
"""A larger error is reported whatever its cause: clipped gradients are right with small parameters, too."""

DIRECTIONS = 6


@dataclass(frozen=True, slots=True)
class Left:
    """The relative error of an array's gradient, over a few directions, and the error bar of that."""

    error: float
    bar: float


def excuse(program: Program, judge: Judge, verdicts: Sequence[ArrayVerdict]) -> None:
    """Let the arrays agree, to fewer digits, if all errors are those of a tiny constant.

    The array that is measured best has to show the constant at both points; the others, no more than it.
    """
    wrong = [v for v in verdicts if v.state == "differs"]
    if not wrong or any(v.relative(v.residual, judge.floor) > MOST for v in wrong):
        return
    # The wrong ones first: one that stays wrong ends the search.
    names = [v.name for v in sorted(verdicts, key=lambda v: v.state != "differs")]
    left = []
    for factor in CALMER:
        left.append(_at(program, judge, names, factor))
        if not left[-1]:
            return
    best = min(names, key=lambda n: max(at[n].bar for at in left))
    shown = [at[best] for at in left]
    if any(s.error <= s.bar for s in shown) or shown[0].error > STEADY * shown[1].error:
        return
    if any(at[v.name].error > STEADY * at[best].error + at[v.name].bar for v in wrong for at in left):
        return
    for verdict in wrong:
        verdict.state, verdict.entries_wrong = "agrees", None
        verdict.coarse = verdict.residual / verdict.scale if verdict.scale else 0.0


def _at(program: Program, judge: Judge, names: Sequence[str], factor: float) -> dict[str, Left]:
    """Return what is left of the arrays' errors with smaller parameters; nothing where one is large."""
    point = {n: factor * array for n, array in judge.near.point.items()}
    fresh = Contract()
    surroundings = context.current()
    before = len(surroundings.calls) if surroundings else 0
    found: dict[str, Left] = {}
    try:
        value = float(program.loss_at(point))
        raw = program.ask(program.gradients, point).value
        read_gradients(fresh, raw, point, list(names), program)
        near = Neighbourhood(judge.near.function, point, value, judge.near.random)
        near.measure_noise()
        for name in names:
            left = _left(near, name, fresh.gradients[name])
            if left is None:
                return {}
            found[name] = left
    except StudentTrouble:
        raise
    except Exception:  # noqa: BLE001 - where the functions have no value nothing is excused
        return {}
    finally:
        if surroundings is not None:
            del surroundings.calls[before:]
    return found


def _left(near: Neighbourhood, name: str, gradient: FloatArray) -> Left | None:
    size = max(length(gradient) / math.sqrt(max(gradient.size, 1)), 1e-300)
    error = bar = 0.0
    for count in range(1, DIRECTIONS + 1):
        along = {name: draw_direction(near.random, gradient.shape)}
        step = near.base_step(along)
        here, far = (near.difference(along, s, {name: gradient}) for s in (step, 2 * step))
        residual = (4 * (here.claimed - here.slope) - (far.claimed - far.slope)) / 3
        error, bar = math.hypot(error, residual / size), math.hypot(bar, SIGMAS * near.noise / step / size)
        if not error <= (LEFT + bar) * math.sqrt(count):
            return None
    return Left(error / math.sqrt(DIRECTIONS), bar / math.sqrt(DIRECTIONS))
