"""Relations between a student's array and the expected one that name a mistake without any source.

Each relation is tried on its own; the first that holds is the answer. A relation holds only where chance
cannot explain it: every entry that agrees beyond those that were needed to fit a constant counts for the
digits it agrees to, and several of them are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.diagnosis.information import information, is_discrete, needed
from pytest_symmetry.diagnosis.pairs import GUESSES, Pair, Sizes, moved_along, shape_cause

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Relation:
    """How a wrong array follows from the right one.

    ``sharp`` says that the relation alone names the mistake; where it is false (an unknown constant, a
    single row) a closer explanation is worth looking for.
    """

    cause: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    sharp: bool = True


def relate(
    student: NDArray[Any],
    expected: NDArray[Any],
    *,
    name: str,
    parameter: NDArray[Any] | None = None,
    others: Mapping[str, NDArray[Any]] | None = None,
    sizes: Sizes | None = None,
    bases: Mapping[str, NDArray[Any]] | None = None,
    stepping: bool = True,
    noise: float = 1e-9,
) -> Relation | None:
    """Return the relation that makes ``student`` out of ``expected``, or None.

    Args:
        student: the array that the submission computed, any shape.
        expected: what it should be.
        name: what the array is called, for the facts.
        parameter: the parameter whose gradient this is, for regularisation terms.
        others: other arrays known by name (expected values, arguments), for copies.
        sizes: what a length means (``{7: "m", 4: "n_h"}``); "m" is the number of examples.
        bases: arrays that the result may be a step from, such as the old parameters of an update.
        stepping: whether the result is a step downhill, and not a change of another kind.
        noise: the relative error that either array may carry: 1e-9 in float64, 1e-6 in float32, or the error
            bar of a numerical gradient.
    """
    mine, theirs = np.asarray(student), np.asarray(expected)
    if not {mine.dtype.kind, theirs.dtype.kind} <= set("fiub"):
        return None
    if mine.shape != theirs.shape:
        cause = shape_cause(mine.shape, theirs.shape)
        return Relation(cause, {"shape": mine.shape, "expected_shape": theirs.shape}) if cause else None
    mine, theirs = mine.astype(np.float64), theirs.astype(np.float64)
    if not np.isfinite((mine, theirs)).all():
        return None
    known = {key: np.asarray(value, dtype=np.float64) for key, value in (others or {}).items()}
    weight = None if parameter is None else np.asarray(parameter, dtype=np.float64)
    start = {key: np.asarray(value, dtype=np.float64) for key, value in (bases or {}).items()}
    pair = Pair(mine, theirs, name, noise, weight, known, start, sizes or {}, stepping)
    if pair.equals(theirs):
        return None
    if not _says_enough(pair):
        return _threshold(pair)
    return next((found for test in _RELATIONS if (found := test(pair)) is not None), None)


def _says_enough(pair: Pair) -> bool:
    """Return whether the two arrays hold enough that a relation between them is no accident.

    Labels, counts and indices are related in one way or another by chance: of those only decisions are
    looked at.
    """
    if is_discrete(pair.student) and is_discrete(pair.expected):
        return False
    least = needed(GUESSES)
    if information(pair.expected, pair.noise) < least:
        return False
    if pair.equals(np.zeros_like(pair.student)):
        return True
    return information(pair.student, pair.noise) >= least


def _zeros(pair: Pair) -> Relation | None:
    return None if np.any(pair.student) else Relation("all-zero")


def _factor(pair: Pair) -> Relation | None:
    """A constant factor, by the name of the constant where it has one."""
    names = _constants(pair.sizes)
    for value, cause, meaning in names:
        if pair.equals(value * pair.expected) and pair.proven((value - 1) * pair.expected, tried=len(names)):
            twins = {c for v, c, _ in names if abs(v - value) <= 10 * pair.noise * abs(value)}
            if len(twins) == 1:
                return Relation(cause, _factor_facts(value, meaning))
            return Relation("factor-constant", _factor_facts(value, ""), sharp=False)
    if (factor := pair.fits(pair.student, pair.expected)) is not None:
        return Relation("factor-constant", _factor_facts(factor, ""), sharp=False)
    return None


def _factor_facts(value: float, meaning: str) -> dict[str, Any]:
    return {"factor": value, "inverse": 1 / value, "size": meaning}


def _constants(sizes: Sizes) -> list[tuple[float, str, str]]:
    """Return every constant with a meaning: value, cause, and what the size is called."""
    found = [
        (-1.0, "sign-reversed", ""),
        (2.0, "factor-2", ""),
        (0.5, "factor-half", ""),
        (math.log(10), "logarithm-base", ""),
        (1 / math.log(10), "logarithm-base", ""),
        (1 / math.log(2), "logarithm-base", ""),
    ]
    for n, meaning in sizes.items():
        if n > 1:
            found.append((float(n), "factor-m" if meaning == "m" else "factor-size", meaning))
            found.append((1.0 / n, "factor-1-over-m" if meaning == "m" else "factor-1-over-size", meaning))
    for m in (n for n, meaning in sizes.items() if meaning == "m"):
        for n, meaning in sizes.items():
            if meaning != "m" and n > 1:
                found.append((m / n, "divided-by-wrong-size", meaning))
        if m > 1:
            found.append((m / (m - 1), "divided-by-m-minus-1", "m"))
            found.append((-float(m), "sign-and-factor-m", "m"))
    return found


def _transposed(pair: Pair) -> Relation | None:
    if pair.student.ndim == 2 and pair.equals(pair.expected.T) and _differs(pair, pair.expected.T):
        return Relation("transposed")
    return None


def _differs(pair: Pair, found: FloatArray) -> bool:
    """Return whether ``found`` is told from the expected array clearly enough to be an explanation."""
    return pair.proven(found - pair.expected)


def _reordered(pair: Pair) -> Relation | None:
    """The entries of one axis shifted by one, or reversed."""
    for axis in range(pair.expected.ndim):
        if pair.expected.shape[axis] < 2:
            continue
        flipped = np.flip(pair.expected, axis)
        if pair.equals(flipped) and _differs(pair, flipped):
            return Relation("order-reversed", {"axis": axis})
        for step in (1, -1):
            rolled = np.roll(pair.expected, step, axis)
            if pair.equals(rolled) and _differs(pair, rolled):
                return Relation("shifted-by-one", {"axis": axis})
        if moved_along(pair.student, pair.expected, axis, pair.noise):
            return Relation("shifted-by-one", {"axis": axis})
    return None


def _summed(pair: Pair) -> Relation | None:
    """All entries along an axis are one number: the sum or the mean of what belongs there."""
    each = range(pair.expected.ndim)
    axes: list[tuple[int, ...]] = [tuple(each), *((axis,) for axis in each)]
    for axis in axes:
        for cause, combine in (("summed-over-all", np.sum), ("averaged-over-all", np.mean)):
            found = np.broadcast_to(combine(pair.expected, axis=axis, keepdims=True), pair.expected.shape)
            if pair.equals(found) and _differs(pair, found):
                return Relation(cause, {"axes": list(axis)})
    return None


def _regularised(pair: Pair) -> Relation | None:
    """What is too much or too little is a multiple of the parameter: a regularisation term."""
    if pair.parameter is None or pair.parameter.shape != pair.expected.shape:
        return None
    residual = pair.student - pair.expected
    if (factor := pair.fits(residual, pair.parameter)) is not None:
        bias = sum(n > 1 for n in pair.parameter.shape) < 2 and not pair.name.lstrip("d").startswith(
            ("W", "w")
        )
        cause = "bias-regularised" if bias else "weight-term"
        return Relation(cause, {"factor": factor})
    if (factor := pair.fits(residual, np.sign(pair.parameter))) is not None:
        return Relation("weight-sign-term", {"factor": factor})
    summed = pair.parameter.sum() - pair.parameter
    if pair.parameter.size > 2 and (factor := pair.fits(residual, summed)) is not None:
        return Relation("weight-term-summed", {"factor": factor})
    return None


def _copied(pair: Pair) -> Relation | None:
    """The array is another one: a gradient under the wrong name, or the parameter itself."""
    if pair.parameter is not None and pair.equals(pair.parameter) and _differs(pair, pair.parameter):
        return Relation("is-the-parameter")
    for name, other in pair.others.items():
        if name != pair.name and pair.equals(other) and _differs(pair, other):
            return Relation("copy-of-another", {"other": name})
    return None


def _from_weight_gradient(pair: Pair) -> Relation | None:
    """A bias gradient that was summed from the weight gradient."""
    for name, other in pair.others.items():
        if other.ndim != 2 or name == pair.name:
            continue
        for axis in (0, 1):
            summed = other.sum(axis=axis)
            if summed.size == pair.student.size > 1:
                found = summed.reshape(pair.student.shape)
                same = pair.equals(found) or pair.fits(pair.student, found) is not None
                if same and _differs(pair, found):
                    return Relation("bias-from-weight-gradient", {"other": name})
    return None


def _steps(pair: Pair) -> Relation | None:
    """A given array as it was, or a step from it that has the right direction and the wrong length."""
    for name, base in pair.bases.items():
        if base.shape != pair.expected.shape:
            continue
        if pair.equals(base) and _differs(pair, base):
            cause = "step-not-taken" if pair.stepping else "left-unchanged"
            return Relation(cause, {"target": pair.name, "base": name})
        if not pair.stepping:
            continue
        length = pair.fits(pair.student - base, pair.expected - base)
        if length is None or not pair.proven((length - 1) * (pair.expected - base), fitted=1):
            continue
        if abs(length + 1) <= 1e-6:
            return Relation("step-uphill", {"target": pair.name})
        return Relation("step-length", {"length": length}, sharp=False)
    return None


def _partly(pair: Pair) -> Relation | None:
    """Whole rows or columns are zero, and the rest is right."""
    wrong = np.abs(pair.student - pair.expected) > pair.tolerance
    for axis in range(pair.expected.ndim):
        length = pair.expected.shape[axis]
        rest = tuple(i for i in range(pair.expected.ndim) if i != axis)
        lines = np.flatnonzero(wrong.any(axis=rest))
        if not 0 < lines.size < length or length < 3:
            continue
        missing = np.take(pair.student, lines, axis)
        if not np.any(missing) and pair.proven(np.take(pair.expected, lines, axis)):
            cause = _which_lines(lines.tolist(), length)
            if cause == "lines-empty" and pair.equals(np.maximum(pair.expected, 0)):
                continue  # of an array with one row: every negative number is a line of its own
            facts = {"axis": axis, "lines": lines.tolist()}
            return Relation(cause, facts, sharp=cause != "lines-empty")
    return None


def _which_lines(lines: list[int], length: int) -> str:
    """Return whether the zero lines are all but one end, one end, or others."""
    if len(lines) == length - 1 and all(b == a + 1 for a, b in pairwise(lines)):
        return "only-first-filled" if lines[0] == 1 else "only-last-filled"
    if lines == [length - 1]:
        return "last-left-out"
    return "first-left-out" if lines == [0] else "lines-empty"


def _clipped(pair: Pair) -> Relation | None:
    wrong = np.abs(pair.student - pair.expected) > pair.tolerance
    bound = float(np.abs(pair.student).max())
    found = np.clip(pair.expected, -bound, bound)
    if wrong.all() or not pair.equals(found):
        return None
    return Relation("clipped", {"bound": bound}) if pair.proven(pair.student[wrong], fitted=1) else None


def _elementwise(pair: Pair) -> Relation | None:
    """A well-known function of each entry."""
    positive = bool((pair.expected > 0).all())
    guesses: list[tuple[str, Callable[[FloatArray], FloatArray]]] = [
        ("negative-part-lost", lambda e: np.maximum(e, 0)),
        ("absolute-value", np.abs),
        ("complement", lambda e: 1 - e),
        ("squared", np.square),
    ]
    if positive:
        guesses += [("root-taken", np.sqrt), ("inverted", lambda e: 1 / e), ("logarithm-taken", np.log)]
        guesses += [("logarithm-missing", np.exp)] if pair.expected.max() < 50 else []
    elif pair.expected.max() < 50 and (pair.student > 0).all():
        guesses.append(("logarithm-missing", np.exp))
    for cause, function in guesses:
        found = function(pair.expected)
        if pair.equals(found) and _differs(pair, found):
            return Relation(cause)
    return None


def _softmax_axis(pair: Pair) -> Relation | None:
    """Probabilities that sum to 1 along another axis than they should."""
    if pair.expected.ndim != 2 or min(pair.expected.shape) < 2 or (pair.expected <= 0).any():
        return None
    for axis in (0, 1):
        right = np.allclose(pair.expected.sum(axis=axis), 1, rtol=0, atol=1e-6)
        other = np.allclose(pair.student.sum(axis=1 - axis), 1, rtol=0, atol=1e-6)
        if right and other and not np.allclose(pair.student.sum(axis=axis), 1, rtol=0, atol=1e-6):
            return Relation("softmax-axis", {"axis": axis, "other_axis": 1 - axis})
    return None


def _threshold(pair: Pair) -> Relation | None:
    """Probabilities where decisions belong, or decisions the other way round."""
    if pair.expected.size < 3 or not np.isin(pair.expected, (0, 1)).all() or np.ptp(pair.expected) == 0:
        return None
    if pair.equals(1 - pair.expected):
        return Relation("decision-reversed")
    inside = ((pair.student >= 0) & (pair.student <= 1)).all()
    if inside and ((pair.student > 0.5) == (pair.expected > 0.5)).all():
        return Relation("threshold-missing")
    return None


def _coarse(pair: Pair) -> Relation | None:
    """Right up to a coarser number type."""
    if pair.expected.size < 3:
        return None
    whole = np.round(pair.student)
    fractions = np.abs(pair.expected - np.round(pair.expected)) > 1e-3
    if fractions.sum() >= 3 and np.array_equal(whole, pair.student):
        for cut in (np.trunc, np.round, np.floor):
            if np.array_equal(cut(pair.expected), pair.student) and np.any(pair.student):
                return Relation("integers")
    error = np.abs(pair.student - pair.expected)
    narrow = pair.student.astype(np.float32).astype(np.float64)
    if np.array_equal(narrow, pair.student) and not np.array_equal(whole, pair.student):
        return Relation("float32") if (error <= 1e-3 * pair.scale).all() else None
    return None


def _offset(pair: Pair) -> Relation | None:
    residual = pair.student - pair.expected
    offset = pair.fits(residual, np.ones_like(residual))
    return None if offset is None else Relation("constant-added", {"offset": offset}, sharp=False)


# The sharpest first: what needs no fitted constant, then what fits one.
_RELATIONS: tuple[Callable[[Pair], Relation | None], ...] = (
    _zeros,
    _threshold,
    _coarse,
    _factor,
    _transposed,
    _summed,
    _copied,
    _from_weight_gradient,
    _steps,
    _regularised,
    _softmax_axis,
    _reordered,
    _partly,
    _clipped,
    _elementwise,
    _offset,
)
