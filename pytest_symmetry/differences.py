"""The slope of a function of many arrays along a direction, with its own error estimate.

A :class:`Neighbourhood` is a function seen from one point. It measures

* slopes by central differences at two step sizes, which gives the truncation error and shows kinks;
* the rounding noise of the function itself, from high differences along a tiny segment (Moré and Wild,
  "Estimating computational noise", SIAM J. Sci. Comput. 33, 2011);
* slopes by a complex step (Squire and Trapp, SIAM Review 40, 1998), where the function's code is analytic.

Every call is counted. Points and directions are mappings from names to float64 arrays; a direction holds
only the arrays that move, each whole or as the table that fills it over and over.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
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

SEGMENTS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4)
"""Relative lengths of one step of the segment on which the noise is measured: the first that changes the
rounding (float64, float32, float16, rounded decimals), where the function itself is still a polynomial."""

LONG_SEGMENTS = (1e-3, 1e-2, 1e-1)
"""Lengths, relative to 1 + an entry's size, on which to look for the grid of a function that all of those
leave exactly as it is."""

COMPLEX_STEP = 1e-30
"""Imaginary step: its square vanishes beside 1 in float64, so that nothing is truncated."""

LARGE = 1 << 16
"""Bytes from which copies of an array use the same memory again: the system hands out large blocks page by
page, which takes longer than to fill them."""

TABLE = 16_381
"""How many random numbers serve a large array, over and over: to draw them is what costs most. A prime larger
than every side of the array, so that no two of its rows or columns get the same ones."""

BEND = 0.02
"""The most that slopes from the left and from the right may differ, beside a residual, for a mistake: a kink
at the point itself bends the slope by about twice its residual, and two kinks rarely cancel to this."""

CLEARLY = 3.0
"""How many error bars a residual must have, so that "the same at a smaller step" says something about it."""

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


class Copies:
    """Copies of arrays for one call at a time: those of a large array share one block of memory."""

    def __init__(self) -> None:
        self._blocks: dict[str, NDArray[Any]] = {}

    def of(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """Return a copy of ``array``."""
        room = self.room(name, array)
        np.copyto(room, array)
        return room

    def room(self, name: str, like: NDArray[Any]) -> NDArray[Any]:
        """Return a contiguous array of that shape and type with any content."""
        if like.nbytes < LARGE:
            return np.empty(like.shape, like.dtype)
        block = self._blocks.get(name)
        if block is None or block.shape != like.shape or block.dtype != like.dtype:
            block = self._blocks[name] = np.empty(like.shape, like.dtype)
        return block


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
    copies: Copies = field(default_factory=Copies)

    def __post_init__(self) -> None:
        self.noise = max(self.noise, 0.5 * EPS * abs(self.value), 1e-300)
        self.norms = {name: length(array) for name, array in self.point.items()}

    def at(self, moved: Mapping[str, NDArray[Any]]) -> Any:
        """Return the function where the arrays of ``moved`` replace the point's own.

        The function may change what it gets: it has copies of the point, and ``moved`` is not used again.
        """
        self.calls += 1
        whole: dict[str, NDArray[Any]] = dict(moved)
        for name, array in self.point.items():
            if name not in whole:
                whole[name] = self.copies.of(name, array)
        return self.function(whole)

    def base_step(self, names: Iterable[str]) -> float:
        """Return the step for a direction of norm 1 in some arrays: larger where the function is noisier."""
        size = math.sqrt(sum(self.norms[name] ** 2 for name in names))
        noisier = self.noise / (EPS * max(abs(self.value), 1e-300))
        return STEP * (1 + size) * float(min(max(noisier, 1.0) ** (1 / 3), 1e4))

    def difference(self, direction: Arrays, step: float, gradient: Arrays) -> Difference:
        """Measure one central difference (two calls)."""
        claimed, moved = 0.0, {}
        for name, along in direction.items():
            moved[name], slope = self._moved(name, along, step, gradient[name])
            claimed += slope
        high = float(self.at(moved))
        low = float(self.at({n: self._shifted(n, along, -step) for n, along in direction.items()}))
        return Difference((high - low) / (2 * step), claimed, (high - 2 * self.value + low) / step, step)

    def _moved(
        self, name: str, along: FloatArray, step: float, gradient: FloatArray
    ) -> tuple[FloatArray, float]:
        """Return an array moved along a direction, and the slope that a gradient claims for that.

        It claims it for the displacement really made after rounding; over thousands of entries the rounding
        averages out, and the direction itself serves as well.
        """
        point, moved = self.point[name], self._displacement(name, along, step)
        if moved.nbytes < LARGE:
            high, low = point + moved, point - moved
            return high, float(np.vdot(gradient, (high - low) / 2)) / step
        claimed = float(np.vdot(gradient, moved)) / step
        moved += point
        return moved, claimed

    def _shifted(self, name: str, along: FloatArray, step: float) -> FloatArray:
        """Return an array moved along a direction."""
        moved = self._displacement(name, along, step)
        moved += self.point[name]
        return moved

    def _displacement(self, name: str, along: FloatArray, step: float) -> FloatArray:
        """Return a direction times a step, in memory that the next call may overwrite."""
        room = self.copies.room(name, self.point[name])
        if along.size < room.size:
            return repeated(along * step, room)
        np.multiply(along.reshape(room.shape), step, out=room)
        return room

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

        Third to fifth differences along a tiny segment hold nothing but noise; the largest of the three
        estimates is kept, because too small a one accuses correct code. A function that repeats its values
        on the segment is rounded more coarsely than float64 (float32 inside): it gets a longer one.
        """
        if self.measured:
            return self.noise
        self.measured = True
        along = {name: self.random.standard_normal(array.shape) for name, array in self.point.items()}
        coarse = moved = False
        for length in SEGMENTS:
            values = self._along(along, 1e-3, length * np.arange(8))
            if not np.all(np.isfinite(values)):
                return self.noise
            for order in (3, 4, 5):
                spread = float(np.sqrt(np.mean(np.diff(values, order) ** 2) / math.comb(2 * order, order)))
                self.noise = max(self.noise, spread)
            distinct = np.unique(values)
            coarse |= len(distinct) < len(values)
            moved |= len(distinct) > 1
            if coarse and len(distinct) > 1:
                # Values on a grid: their rounding is that of the grid, however regular they look.
                self.noise = max(self.noise, float(np.diff(distinct).min()) / math.sqrt(12))
            if len(distinct) > 5:
                break
        if not moved:
            self.noise = max(self.noise, self._grid(along) / math.sqrt(12))
        return self.noise

    def _grid(self, along: Arrays) -> float:
        """Return how far apart the values are of a function that stands still here; 0 where it is constant.

        One that is rounded so coarsely stands still wherever it has moved to; one that is constant only here
        (dead units, margins that are kept) goes on moving from there.
        """
        for length in LONG_SEGMENTS:
            places = length * np.arange(8)
            values = self._along(along, 1.0, places)
            if not np.all(np.isfinite(values)):
                break
            if (away := values != values[0]).any():
                beside = self._along(along, 1.0, places[away] + SEGMENTS[0])
                rounded = np.array_equal(beside, values[away])
                return float(np.diff(np.unique(values)).min()) if rounded else 0.0
        return 0.0

    def _along(self, along: Arrays, least: float, places: NDArray[Any]) -> FloatArray:
        """Return the values at some places on a line; an entry moves by its size, at least by ``least``."""
        steps = {name: (np.abs(self.point[name]) + least) * v for name, v in along.items()}
        moved = ({name: self.point[name] + place * step for name, step in steps.items()} for place in places)
        return np.array([float(self.at(arrays)) for arrays in moved])

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
        step, shrink = self.base_step(direction), 1.0
        before: tuple[float, float, float] | None = None
        seen, kinks, bent = (0.0, math.inf), 0, False
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
            bent = abs(near.bend) > BEND * abs(residual) + rounding
            if before is not None:
                # A smooth function bends in proportion to the step.
                in_proportion = abs(near.bend - before[2] / shrink) <= 0.3 * abs(near.bend)
                bent = bent and not in_proportion
                stays = abs(residual - before[0]) <= rounding + before[1] + BEND * abs(residual)
                kinks += not stays
                if stays and not bent and spread <= 0.1 * abs(residual) and abs(residual) > CLEARLY * bar:
                    return Probe("differs", residual, bar, scale, kinks)
            before = (residual, rounding, near.bend)
            seen = (residual, bar)
            shrink = min(max(abs(residual) / (3 * rounding), 2.0), 8.0)
            step /= shrink
        return Probe("kink" if bent else "unclear", *seen, scale, kinks)


def draw_direction(random: np.random.Generator, shape: tuple[int, ...], norm: float = 1.0) -> FloatArray:
    """Draw a direction of norm 1 (or ``norm``) with entries of about one size and either sign.

    The largest is at most twice the smallest, so that a single wrong entry shows; they differ, so that
    errors of equal size cannot cancel.
    """
    table = draw_table(random, shape, norm)
    return table.reshape(shape) if table.size == math.prod(shape) else repeated(table, np.empty(shape))


def draw_table(random: np.random.Generator, shape: tuple[int, ...], norm: float = 1.0) -> FloatArray:
    """Draw what fills a direction of that shape: as many numbers, or for a large array a table of fewer.

    Random bits become the sign and the mantissa of numbers between 1 and 2, which is the quickest way.
    """
    table_bits = np.asarray(random.integers(0, 1 << 64, table_size(shape), dtype=np.uint64))
    table_bits &= np.uint64(0x800FFFFFFFFFFFFF)
    table_bits |= np.uint64(0x3FF0000000000000)
    table: FloatArray = table_bits.view(np.float64)
    whole, rest = divmod(math.prod(shape), max(table.size, 1))
    size = math.hypot(math.sqrt(whole) * length(table), length(table[:rest]))
    table *= norm / max(size, 1e-300)
    return table


def length(array: FloatArray) -> float:
    """Return the norm of all entries (``np.linalg.norm`` takes three times as long for a small array)."""
    flat = array.ravel("K")
    return math.sqrt(float(flat.dot(flat)))


def table_size(shape: tuple[int, ...]) -> int:
    """Return how many random numbers an array of that shape is made of."""
    size = math.prod(shape)
    return min(size, TABLE) if all(side < TABLE for side in shape) else size


def repeated(table: NDArray[Any], into: NDArray[Any]) -> NDArray[Any]:
    """Fill a contiguous array with a table, over and over, and return it."""
    flat = into.reshape(-1)
    whole = into.size - into.size % table.size
    flat[:whole].reshape(-1, table.size)[...] = table
    flat[whole:] = table[: into.size - whole]
    return into
