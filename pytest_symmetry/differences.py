"""The slope of a function of many arrays along a direction, with its own error estimate.

A :class:`Neighbourhood` is a function seen from one point. It measures

* slopes by central differences at two step sizes, which gives the truncation error and shows kinks;
* the rounding noise of the function itself, from high differences along a tiny segment (Moré and Wild,
  "Estimating computational noise", SIAM J. Sci. Comput. 33, 2011);
* slopes by a complex step (Squire and Trapp, SIAM Review 40, 1998), where the function's code is analytic.

Every call is counted. Points and directions are mappings from names to float64 arrays; a direction holds
only the arrays that move.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pytest_symmetry.arrays import FloatArray
from pytest_symmetry.errors import RaisedError, StudentTrouble

Arrays = Mapping[str, FloatArray]

EPS = float(np.finfo(np.float64).eps)
EPS32 = float(np.finfo(np.float32).eps)

STEP = 5e-6
"""Step of a central difference, times 1 + the norm of what moves: where rounding (eps |f| / h) and
truncation (h^2 f''' / 6) of a float64 loss are about equal on the networks of the benchmark."""

SIGMAS = 9.0
"""Half width of the rounding error bar, in standard deviations of the function's noise over h. A slope
extrapolated from h and 2h has 0.95 of them, so the bar is more than nine of its own."""

SEGMENT = 1e-8
"""Relative length of one step of the segment on which the noise is measured: long enough to change the
rounding of every operation in float32 as well, short enough that the function itself is a polynomial."""

COMPLEX_STEP = 1e-30
"""Imaginary step: its square vanishes beside 1 in float64, so that nothing is truncated."""

_STEEPEST = 1e-13


@dataclass(frozen=True, slots=True)
class Difference:
    """One central difference.

    ``slope`` is the measured one, ``claimed`` the one that the claimed gradient gives for the displacement
    really made after rounding; ``bend`` is the slope on the right minus the slope on the left, which
    shrinks with the step where the function is smooth and stays where it has a kink.
    """

    slope: float
    claimed: float
    bend: float
    step: float


Outcome = Literal["agrees", "differs", "kink", "unclear"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A claimed slope compared with the measured one along one direction, all in units of the loss.

    ``scale`` is the size that the claimed slope has for a typical direction of that length; ``bar`` is the
    error bar of the measurement; ``kinks`` counts the step sizes that straddled one.
    """

    outcome: Outcome
    residual: float
    bar: float
    scale: float
    kinks: int = 0


@dataclass(slots=True)
class Neighbourhood:
    """A function seen from one point.

    ``function`` takes a mapping of arrays and returns a number; ``value`` is the number at ``point``.
    ``noise`` is the standard deviation of the function's rounding error: half an ulp of the value until
    :meth:`measure_noise` has been asked.
    """

    function: Callable[[Mapping[str, NDArray[Any]]], Any]
    point: dict[str, FloatArray]
    value: float
    random: np.random.Generator
    noise: float = 0.0
    calls: int = 0
    measured: bool = False
    norms: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.noise = max(self.noise, 0.5 * EPS * abs(self.value), 1e-300)
        self.norms = {name: float(np.linalg.norm(array)) for name, array in self.point.items()}

    def at(self, moved: Mapping[str, NDArray[Any]]) -> Any:
        """Return the function where the arrays of ``moved`` replace the point's own."""
        self.calls += 1
        return self.function({**self.point, **moved})

    def base_step(self, direction: Arrays) -> float:
        """Return the step for a direction of norm 1: larger where the function is noisier."""
        size = math.sqrt(sum(self.norms[name] ** 2 for name in direction))
        noisier = self.noise / (EPS * max(abs(self.value), 1e-300))
        return STEP * (1 + size) * float(min(max(noisier, 1.0) ** (1 / 3), 1e4))

    def difference(self, direction: Arrays, step: float, gradient: Arrays) -> Difference:
        """Measure one central difference (two calls)."""
        above: dict[str, FloatArray] = {}
        below: dict[str, FloatArray] = {}
        claimed = 0.0
        for name, along in direction.items():
            shift = step * along
            above[name] = self.point[name] + shift
            below[name] = self.point[name] - shift
            claimed += float(np.vdot(gradient[name], above[name] - below[name]))
        high, low = float(self.at(above)), float(self.at(below))
        return Difference(
            (high - low) / (2 * step), claimed / (2 * step), (high - 2 * self.value + low) / step, step
        )

    def complex_slope(self, direction: Arrays) -> float | None:
        """Return the slope by a complex step (one call), or None where the code takes no complex numbers.

        It is exact for analytic code only: ``abs``, ``var`` and ``norm`` drop a term without a word, so
        that a real difference has to confirm it.

        Raises:
            StudentTrouble: the call timed out or the process died.
        """
        moved = {name: self.point[name] + 1j * COMPLEX_STEP * along for name, along in direction.items()}
        whole = {name: moved.get(name, array.astype(np.complex128)) for name, array in self.point.items()}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                value = self.at(whole)
        except RaisedError:
            return None
        except StudentTrouble:
            raise
        except Exception:  # noqa: BLE001 - the caller's code may answer a complex array with any exception
            return None
        if not np.iscomplexobj(value) or not np.isfinite(value):
            return None
        return float(np.imag(value)) / COMPLEX_STEP

    def measure_noise(self) -> float:
        """Return the standard deviation of the function's rounding error (eight calls, the first time).

        Third to fifth differences along a segment of relative length 1e-8 hold nothing but noise; the
        largest of the three estimates is kept, because too small a one accuses correct code.
        """
        if self.measured:
            return self.noise
        self.measured = True
        drift = {
            name: SEGMENT * self.random.standard_normal(array.shape) * (np.abs(array) + 1e-3)
            for name, array in self.point.items()
        }
        values = np.array(
            [float(self.at({n: self.point[n] + i * d for n, d in drift.items()})) for i in range(8)]
        )
        if np.all(np.isfinite(values)):
            if np.all(values.astype(np.float32) == values):
                self.noise = max(self.noise, 0.5 * EPS32 * abs(self.value))
            for order in (3, 4, 5):
                spread = float(np.sqrt(np.mean(np.diff(values, order) ** 2) / math.comb(2 * order, order)))
                self.noise = max(self.noise, spread)
        return self.noise

    def quick(self, direction: Arrays, gradient: Arrays, scale: float, rtol: float) -> Probe | None:
        """Compare by one central difference (two calls); None where that cannot settle it.

        A residual inside the rounding error bar leaves no room for a truncation error either, unless it
        cancels the gradient's error to that accuracy by chance.
        """
        step = self.base_step(direction)
        measured = self.difference(direction, step, gradient)
        residual = measured.claimed - measured.slope
        bar = SIGMAS * self.noise / step + _STEEPEST * scale
        if abs(residual) <= bar <= rtol * scale:
            return Probe("agrees", residual, bar, scale)
        return None

    def careful(self, direction: Arrays, gradient: Arrays, scale: float, rtol: float) -> Probe:
        """Compare at shrinking steps until the residual is gone, stays, or proves to be a kink's.

        A wrong gradient's residual is the same at every step and the slope does not bend; a kink's changes
        with the step, or bends the slope. Each size of step costs four calls.
        """
        self.measure_noise()
        step = self.base_step(direction)
        before: tuple[float, float] | None = None
        probe, kinks, bent = Probe("unclear", 0.0, math.inf, scale), 0, False
        for _attempt in range(5):
            near = self.difference(direction, step, gradient)
            far = self.difference(direction, 2 * step, gradient)
            residual = (4 * (near.claimed - near.slope) - (far.claimed - far.slope)) / 3
            rounding = SIGMAS * self.noise / step + _STEEPEST * scale
            spread = abs((near.slope - near.claimed) - (far.slope - far.claimed))
            bar = rounding + spread / 3
            if not math.isfinite(residual):
                step, before = step / 8, None
                continue
            if abs(residual) <= max(rounding, rtol * scale):
                return Probe("agrees", residual, bar, scale, kinks)
            bent = abs(near.bend) > 0.2 * abs(residual) + rounding
            if before is not None:
                stays = abs(residual - before[0]) <= bar + before[1] + 0.02 * abs(residual)
                kinks += not stays
                if stays and not bent and spread <= 0.1 * abs(residual) and abs(residual) > bar:
                    return Probe("differs", residual, bar, scale, kinks)
            before, probe = (residual, bar), Probe("unclear", residual, bar, scale, kinks)
            step /= min(max(abs(residual) / (3 * rounding), 2.0), 8.0)
        return Probe("kink" if bent else "unclear", probe.residual, probe.bar, scale, kinks)


def draw_direction(random: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Draw a direction of norm 1 whose entries all have sizes between 0.5 and 1.5 of one another.

    No entry is small, so that a single wrong one shows; no two are equal, so that errors of equal size
    cannot cancel.
    """
    along = 2 * random.random(shape) - 1
    along = np.asarray(along + np.copysign(0.5, along), dtype=np.float64)
    return along / max(float(np.linalg.norm(along)), 1e-300)
