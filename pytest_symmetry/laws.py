"""The laws that starting weights are drawn from, and when a sample contradicts one.

Every statistic is held against its own distribution at :data:`Z` standard scores (2e-9 for both sides), so
that a check of some hundred statistics accuses a correct function with a probability below 1e-6. A spread
must also be :data:`MATERIAL` off to count, and a normal law truncated at 2 std, as some libraries draw it, is
a normal law with a spread of :data:`TRUNCATED`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pytest_symmetry.errors import SymmetryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_symmetry.partition import FloatArray

Z = 6.0
MATERIAL = 0.15
TRUNCATED = 0.8796
"""Std of a standard normal law whose draws beyond 2 are drawn again: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1))."""

Law = str | Callable[[int, int], float] | None


class Fans(NamedTuple):
    """Number of inputs and outputs of one layer."""

    n_in: int
    n_out: int


Spread = Callable[[Fans], float]

_LAWS: dict[str, tuple[Spread, ...]] = {
    "he": (lambda fans: math.sqrt(2 / fans.n_in),),
    "lecun": (lambda fans: math.sqrt(1 / fans.n_in),),
    "glorot": (lambda fans: math.sqrt(2 / (fans.n_in + fans.n_out)),),
    "xavier": (lambda fans: math.sqrt(1 / fans.n_in), lambda fans: math.sqrt(2 / (fans.n_in + fans.n_out))),
}

LOOKALIKES: tuple[tuple[str, str, Spread], ...] = (
    ("law-not-rooted", "2 / n_in", lambda fans: 2 / fans.n_in),
    ("law-not-rooted", "1 / n_in", lambda fans: 1 / fans.n_in),
    ("law-other", "sqrt(2 / n_in)", lambda fans: math.sqrt(2 / fans.n_in)),
    ("law-other", "sqrt(1 / n_in)", lambda fans: math.sqrt(1 / fans.n_in)),
    ("law-other", "sqrt(2 / (n_in + n_out))", lambda fans: math.sqrt(2 / (fans.n_in + fans.n_out))),
    ("law-fan-out", "sqrt(2 / n_out)", lambda fans: math.sqrt(2 / fans.n_out)),
    ("law-fan-out", "sqrt(1 / n_out)", lambda fans: math.sqrt(1 / fans.n_out)),
    ("scale-missing", "1", lambda _fans: 1.0),
    ("scale-fixed", "0.1", lambda _fans: 0.1),
    ("scale-fixed", "0.01", lambda _fans: 0.01),
    ("scale-fixed", "0.001", lambda _fans: 0.001),
)
"""Spreads that people draw in place of the one asked for: cause, formula, value."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Weights of one array pooled over draws, with the fan-in and fan-out of its layer."""

    name: str
    shape: tuple[int, ...]
    fans: Fans
    entries: FloatArray

    @property
    def std(self) -> float:
        """The root mean square: the laws have mean 0."""
        return float(np.sqrt(np.mean(self.entries**2)))


def spreads(law: Law) -> tuple[Spread, ...]:
    """Return the standard deviations that ``law`` allows, as functions of both fans.

    Raises:
        SymmetryError: there is no such law.
    """
    if law is None:
        return ()
    if callable(law):
        return (lambda fans: law(fans.n_in, fans.n_out),)
    if law in _LAWS:
        return _LAWS[law]
    kind, _, text = law.partition(":")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if kind in ("fixed", "uniform") and value > 0:
        fixed = value if kind == "fixed" else value / math.sqrt(3)
        return (lambda _fans: fixed,)
    known = ", ".join((*_LAWS, "fixed:0.01", "uniform:0.01"))
    msg = f"no law {law!r}: use one of {known}, or a function of n_in and n_out"
    raise SymmetryError(msg)


def bounds(expected: float, entries: int) -> tuple[float, float]:
    """Return between which values the root mean square of ``entries`` normal draws of that std lies.

    The quantiles of chi square by Wilson & Hilferty 1931 (PNAS 17:684), widened to the material limit. The
    root mean square of uniform draws scatters less than that of normal ones; that of truncated draws as well,
    but about :data:`TRUNCATED`, so the lower bound starts from there.
    """
    spread = 2 / (9 * entries)
    low = max(0.0, 1 - spread - Z * math.sqrt(spread)) ** 1.5
    high = (1 - spread + Z * math.sqrt(spread)) ** 1.5
    return expected * min(TRUNCATED * low, 1 - MATERIAL), expected * max(high, 1 + MATERIAL)


def fits(sample: Sample, spread: Spread) -> bool:
    """Return whether the sample's spread is what ``spread`` says."""
    low, high = bounds(spread(sample.fans), sample.entries.size)
    return low <= sample.std <= high


def lookalike(samples: Sequence[Sample]) -> tuple[str, str] | None:
    """Return (cause, formula) of the one other spread that all samples have, or None."""
    found = {(c, formula) for c, formula, spread in LOOKALIKES if all(fits(s, spread) for s in samples)}
    return found.pop() if len(found) == 1 else None


def slope(samples: Sequence[Sample]) -> float | None:
    """Return the slope of log std over log fan-in: -1/2 for He, 0 for a fixed scale; None for one fan-in."""
    points = [(math.log(s.fans.n_in), math.log(s.std)) for s in samples if s.std > 0]
    if len({x for x, _ in points}) < 2:
        return None
    x, y = np.array(points).T
    return float(np.polyfit(x, y, 1)[0])


def mean_score(sample: Sample) -> float:
    """Return by how many standard errors the mean differs from 0."""
    spread = float(np.std(sample.entries))
    mean = float(np.mean(sample.entries))
    if spread == 0:
        return 0.0 if mean == 0 else math.inf
    return abs(mean) / spread * math.sqrt(sample.entries.size)


def shape_of_law(entries: FloatArray) -> str | None:
    """Return "normal" or "uniform" where the largest entry decides, None where it does not.

    A uniform law's largest entry is sqrt(3) = 1.73 of its root mean square; of 400 normal draws one is
    larger than 1.75 but for a chance of 3e-15.
    """
    if entries.size < 400 or not np.any(entries):
        return None
    peak = float(np.abs(entries).max() / np.sqrt(np.mean(entries**2)))
    if peak < 1.75:
        return "uniform"
    return "normal" if peak > math.sqrt(3) * (1 + Z * math.sqrt(0.2 / entries.size)) else None
