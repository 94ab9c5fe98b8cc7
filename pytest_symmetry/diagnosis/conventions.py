"""Choices that another course makes otherwise: an assignment may accept them, by the names listed here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.context import current, paid
from pytest_symmetry.diagnosis.explain import gradient_is_right, noise_of, the_call_sizes
from pytest_symmetry.diagnosis.lookup import Sight, explanation, look
from pytest_symmetry.diagnosis.naming import Explanation
from pytest_symmetry.diagnosis.relations import relate
from pytest_symmetry.findings import Finding, Place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

BY_RELATION = {
    "transposed-results": "transposed",
    "sum-over-examples": "factor-m",
    "twice-the-loss": "factor-2",
    "half-the-loss": "factor-half",
}
"""Conventions that show in the arrays themselves, with the relation that each wrong array must be in."""

BY_CAUSE = {
    "biases-in-penalty": ("bias-in-penalty", None),
    "penalty-doubled": ("regularisation-factor", 2.0),
    "penalty-halved": ("regularisation-factor", 0.5),
    "epsilon-inside-root": ("epsilon-inside-root", None),
    "epsilon-outside-root": ("epsilon-outside-root", None),
}
"""Conventions that are looked up among the planted mistakes, with the factor where one is meant."""


CAUSES = frozenset({*BY_RELATION.values(), *(cause for cause, _ in BY_CAUSE.values())}) | {
    "doubled-inside",
    "halved-inside",
}
"""Causes that may be a convention; all others are none."""


def excused(convention: str, array: str, place: Place) -> Finding | None:
    """Return the note on a convention that costs nothing: it is accepted, or has cost points already.

    Returns None where it costs points, or where there is no assignment that could say.
    """
    context = current()
    if context is None or context.assignment is None:
        return None
    facts: dict[str, Any] = {"array": array, "convention": convention}
    if convention not in getattr(context.assignment, "accept", ()):
        before = paid(context.submission).get(convention)
        if before is None:
            return None
        facts["paid"] = before
    return Finding("MAT205", severity="note", place=place, facts=facts)


def convention_of(student: Arrays, expected: Arrays, accepted: Collection[str]) -> str | None:
    """Return the accepted convention under which all of ``student`` is what was expected, or None.

    A factor is taken for a convention in a loss (one number) and in gradients (arrays called d…) alone: twice
    the right output of a layer is no convention of anybody.

    Args:
        student: the arrays of the submission by name.
        expected: the reference's, by the same names.
        accepted: names of conventions.
    """
    wrong = [name for name in expected if not _equal(student.get(name), expected[name])]
    if not wrong or any(name not in student for name in wrong):
        return None
    for convention in accepted:
        if _relation_holds(convention, wrong, student, expected) or _is_planted(
            convention, {name: student[name] for name in wrong}
        ):
            return convention
    return None


def _relation_holds(convention: str, wrong: Collection[str], student: Arrays, expected: Arrays) -> bool:
    cause = BY_RELATION.get(convention)
    if cause is None:
        return False
    if cause != "transposed" and not _scalable(expected):
        return False
    sizes = the_call_sizes()
    if cause != "transposed" and len(wrong) < len(expected):  # a convention holds for all of them
        return False
    return all(
        _holds(cause, np.asarray(student[name]), np.asarray(expected[name]), name, sizes) for name in wrong
    )


def _holds(cause: str, mine: NDArray[Any], theirs: NDArray[Any], name: str, sizes: Mapping[int, str]) -> bool:
    if cause == "transposed":
        return mine.shape == theirs.T.shape and _equal(mine, theirs.T)
    relation = relate(mine, theirs, name=name, sizes=sizes, noise=noise_of({name: mine}))
    if relation is not None:
        return relation.cause == cause
    factors = {"factor-2": 2.0, "factor-half": 0.5}
    m = next((float(n) for n, meaning in sizes.items() if meaning == "m"), np.nan)
    return _equal(mine, factors.get(cause, m) * theirs)  # one number alone proves no factor, but may have it


def _scalable(expected: Arrays) -> bool:
    """Return whether the values are a loss or gradients."""
    one_number = len(expected) == 1 and all(np.ndim(value) == 0 for value in expected.values())
    return one_number or all(name.rpartition(".")[2].startswith(("d", "grad")) for name in expected)


def of_gradients(gradients: Arrays) -> tuple[str | None, bool]:
    """Return what is known of gradients that do not fit their loss.

    Args:
        gradients: the submission's, by name.

    Returns:
        The convention that, as the one planted mistake, explains them and all else that was called; and
        whether they are the reference's, so that the loss alone is off.
    """
    context = current()
    sight = look(context, gradients, the_call_sizes(), context.dictionaries) if context else None
    if sight is None or not gradients:
        return None, False
    mistake = _only_mistake(sight, gradients)
    known = next((c for c in BY_CAUSE if _stands_for(c, mistake)), None)
    return known, gradient_is_right(sight, noise_of(gradients))


def _is_planted(convention: str, student: Arrays) -> bool:
    context = current()
    if convention not in BY_CAUSE or context is None:
        return False
    sight = look(context, student, the_call_sizes(), context.dictionaries)
    return sight is not None and _stands_for(convention, _only_mistake(sight, student))


def _only_mistake(sight: Sight, student: Arrays) -> Explanation | None:
    """Return the one planted mistake that explains what was seen, if the arrays are results of calls."""
    if not all(_is_result(array, sight) for array in student.values()):
        return None
    known = explanation(sight, noise_of(student), mixed=False)
    return None if known is None or known.also else known


def _stands_for(convention: str, mistake: Explanation | None) -> bool:
    cause, factor = BY_CAUSE[convention]
    if mistake is None or mistake.cause != cause:
        return False
    return factor is None or mistake.facts.get("factor") == factor


def _is_result(array: NDArray[Any], sight: Sight) -> bool:
    """Return whether a compared array is what a call returned, untouched by the test."""
    return any(np.array_equal(array, result) for result in sight.arrays.values())


def _equal(mine: Any, theirs: NDArray[Any]) -> bool:
    if mine is None or np.shape(mine) != np.shape(theirs):
        return False
    array = np.asarray(mine)
    if array.dtype.kind not in "fciub" or theirs.dtype.kind not in "fciub":
        return bool(np.array_equal(array, theirs))
    scale = float(np.abs(theirs).max(initial=0.0))
    limit = 10 * noise_of({"": array}) * scale
    return bool((np.abs(array.astype(complex) - theirs) <= limit).all())
