"""Whether one array's claimed gradient is the slope of the loss: the verdict on a single array.

A residual counts only if it is significant (outside the measurement's own error bar, and still there at
smaller steps) and material (beside that array's own gradient). What lies between is a note. A kink asks for
another direction, and then for another point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from pytest_symmetry.differences import (
    EPS,
    SIGMAS,
    Neighbourhood,
    Outcome,
    Probe,
    draw_direction,
    draw_table,
    length,
)
from pytest_symmetry.errors import StudentTrouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_symmetry.arrays import FloatArray

NEGLIGIBLE = 1e-9
"""An array's gradient this small beside the largest one is zero as far as any error is concerned."""

LOOSER = 1000.0
"""A gradient that came as float32 is judged at this many of its machine epsilons: one for each of the
roundings of a long sum."""

NOTEWORTHY = 1e-10
"""Agreement to fewer digits than this, beyond the error bar, deserves a note."""

MOVES = 32
"""Far points after which a loss that never changed in one bit with an array does not read it at all."""

State = Literal["agrees", "differs", "kink", "unclear", "dead", "flat"]
"""``dead``: gradient and slope are zero here, though the loss depends on the array elsewhere; ``flat``: the
loss does not depend on the array at all."""


@dataclass(slots=True)
class ArrayVerdict:
    """What became of one array. ``residual``, ``bar`` and ``scale`` are in units of the loss."""

    name: str
    shape: tuple[int, ...] = ()
    state: State = "agrees"
    residual: float = 0.0
    bar: float = 0.0
    scale: float = 0.0
    directions: int = 0
    evaluations: int = 0
    kinks: int = 0
    coarse: float = 0.0
    entries_wrong: int | None = None
    direction: FloatArray | None = None

    def take(self, probe: Probe) -> None:
        """Add one direction: the largest residual and error bar speak for the array."""
        self.directions += 1
        self.kinks += probe.kinks
        self.residual = max(self.residual, abs(probe.residual))
        self.bar = max(self.bar, probe.bar)
        self.scale = probe.scale

    def relative(self, value: float, floor: float) -> float:
        """Return ``value`` beside this array's gradient, or 1 for anything beside nothing."""
        size = max(self.scale, floor)
        if size == 0.0:
            return 0.0 if value == 0.0 else 1.0
        return value / size


@dataclass(slots=True)
class Judge:
    """Judges arrays at one point; ``cautious`` where the caller chose it, and may have chosen a kink."""

    near: Neighbourhood
    gradients: Mapping[str, FloatArray]
    precision: Mapping[str, float]
    rtol: float
    directions: int
    cautious: bool = False
    floor: float = field(init=False)
    scales: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self.scales = {
            name: length(gradient) / math.sqrt(max(gradient.size, 1))
            for name, gradient in self.gradients.items()
        }
        self.floor = NEGLIGIBLE * max(self.scales.values(), default=0.0)

    def scale(self, name: str) -> float:
        """Return the size of a typical slope along a direction of norm 1, by the claimed gradient."""
        return self.scales[name]

    def tolerance(self, name: str) -> float:
        """Return the relative error that is material for this array."""
        looser = LOOSER * self.precision[name] if self.precision[name] > EPS else 0.0
        return float(max(self.rtol, looser))

    def judge(self, names: list[str]) -> list[ArrayVerdict]:
        """Return the verdicts on some arrays: at once where that settles it, one by one elsewhere."""
        together = self._together(names)
        return [together.get(name) or self.judge_one(name) for name in names]

    def _together(self, names: list[str]) -> dict[str, ArrayVerdict]:
        """Compare all arrays by one difference per direction, moving each by its own step.

        The rounding error is that of a single difference, so that each array is tested as sharply as alone;
        arrays whose gradient is too small for that are left out. Agreement settles all of them, because
        random errors of several arrays cancel no more often than those of several entries. Anything else
        settles nothing: one by one, then.
        """
        bar = SIGMAS * self.near.noise
        steps = {n: self.near.base_step([n]) for n in names}
        sharp = [n for n in names if bar <= self.tolerance(n) * self.scale(n) * steps[n]]
        if len(sharp) < 2:
            return {}
        verdicts = {n: ArrayVerdict(n, self.gradients[n].shape, scale=self.scale(n)) for n in sharp}
        for _ in range(self.directions):
            along = {n: draw_table(self.near.random, self.gradients[n].shape, steps[n]) for n in sharp}
            measured = self.near.difference(along, 1.0, self.gradients)
            residual = measured.claimed - measured.slope
            if not abs(residual) <= bar:
                return {}
            for n, verdict in verdicts.items():
                verdict.take(Probe("agrees", residual / steps[n], bar / steps[n], verdict.scale))
                verdict.evaluations += 2
        return verdicts

    def judge_one(self, name: str) -> ArrayVerdict:
        """Return the verdict on one array."""
        verdict = ArrayVerdict(name, self.gradients[name].shape, scale=self.scale(name))
        before = self.near.calls
        for _ in range(self.directions):
            self._one(verdict)
            if verdict.state != "agrees":
                break
        if verdict.state == "agrees" and not self.gradients[name].any():
            verdict.state = "dead"
        verdict.evaluations = self.near.calls - before
        return verdict

    def _probe(self, verdict: ArrayVerdict, *, quick: bool = False) -> Probe:
        """Measure along a fresh direction."""
        name = verdict.name
        along = {name: draw_direction(self.near.random, self.gradients[name].shape)}
        claimed = {name: self.gradients[name]}
        probe = self.near.quick(along, claimed, verdict.scale, self.tolerance(name)) if quick else None
        if probe is None:
            probe = self.near.careful(along, claimed, verdict.scale, self.tolerance(name))
        verdict.take(probe)
        verdict.direction = along[name]
        return probe

    def _one(self, verdict: ArrayVerdict) -> None:
        probe = self._probe(verdict, quick=True)
        if probe.outcome == "agrees":
            self._look_closer(verdict, probe)
            return
        outcomes: list[Outcome] = [probe.outcome]
        needed = 3 if self.cautious else 2
        while len(outcomes) < 3 and outcomes.count("differs") < needed:
            outcomes.append(self._probe(verdict).outcome)
        if outcomes.count("differs") >= needed and "kink" not in outcomes:
            verdict.state = "differs"
        elif outcomes.count("agrees") < 2:
            verdict.state = "kink" if "kink" in outcomes else "unclear"

    def _look_closer(self, verdict: ArrayVerdict, probe: Probe) -> None:
        """Follow up a residual that is small beside the gradient, yet more than the measurement's error.

        One direction may hide most of a wrong gradient by chance; three do not.
        """
        if abs(probe.residual) <= max(probe.bar, NOTEWORTHY * probe.scale):
            return
        others = [self._probe(verdict), self._probe(verdict)]
        if any(other.outcome == "differs" for other in others):
            last = self._probe(verdict)
            if [p.outcome for p in (*others, last)].count("differs") >= 2:
                verdict.state = "differs"
            return
        sizes = [abs(p.residual) for p in (probe, *others) if abs(p.residual) > 3 * p.bar]
        if len(sizes) >= 2:
            verdict.coarse = max(sizes) / probe.scale if probe.scale else 0.0

    def is_flat(self, name: str) -> bool:
        """Return whether the loss stayed the same, bit by bit, however far the array moved.

        The other arrays move as well: units that are dead here let something through elsewhere.
        """
        random, point = self.near.random, self.near.point
        for size in np.geomspace(0.3, 10.0, MOVES):
            far = {n: array + size * random.standard_normal(array.shape) for n, array in point.items()}
            first = self._far_value({n: array.copy() for n, array in far.items()})
            far[name] = far[name] + size * random.standard_normal(far[name].shape)
            second = self._far_value(far)
            if first != second and np.isfinite(first) and np.isfinite(second):
                return False
        return True

    def _far_value(self, far: dict[str, FloatArray]) -> float:
        """Return the loss at a far point, NaN where it cannot be evaluated so far away."""
        try:
            with np.errstate(all="ignore"):
                return float(self.near.at(far))
        except StudentTrouble:
            raise
        except Exception:  # noqa: BLE001 - overflow in the caller's code says nothing about the array
            return math.nan
