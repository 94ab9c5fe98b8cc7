"""Is a function asked alone the one that was asked in a question? A loss that changes fits any gradients.

A question about gradients may take the student's own loss for granted: right gradients of a wrong loss earn
their points. A loss that is right where it is tested and another one later would earn them for nothing. So
a loss that was not the solution's in such a question is asked again, in a process that was asked nothing
before. If there it *is* the solution's, nobody can tell what the gradients were compared with, and the
question waits for a person.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.arrays import leaves
from pytest_symmetry.context import Call, Context
from pytest_symmetry.errors import StudentTrouble, SymmetryError
from pytest_symmetry.findings import GradientEvidence

if TYPE_CHECKING:
    from pytest_symmetry.remote.proxy import OpenedSubmission

_ASKED_AGAIN = 3
"""Calls of one function that are asked again: each takes a new process."""


class Inconstant(SymmetryError):
    """A function gave another answer when it was asked alone: no check can say what it is."""


def require_constancy(opened: OpenedSubmission, context: Context) -> None:
    """Ask the functions of a question about gradients again where they were not the solution's.

    Raises:
        Inconstant: one of them is the solution's when it is asked alone.
    """
    if not any(isinstance(evidence, GradientEvidence) for evidence in context.evidence):
        return
    log, opened.log = opened.log, None
    with unseen(opened, context):
        name = _inconstant(opened, context, log or [])
    if name is not None:
        msg = f"{name} gave another value when it was asked the same alone"
        raise Inconstant(msg)


def _inconstant(opened: OpenedSubmission, context: Context, log: Sequence[tuple[Call, int]]) -> str | None:
    """Return a function that gave another answer than alone, by the log of all that it was asked."""
    asked: dict[str, int] = {}
    for call, seed in log:
        right = getattr(context.reference, call.function, None)
        if not callable(right) or asked.get(call.function, 0) >= _ASKED_AGAIN:
            continue
        expected = answer_of(right, call.args, call.kwargs)
        if expected is None or _alike(call.result, expected):
            continue
        asked[call.function] = asked.get(call.function, 0) + 1
        opened.transport.close()
        again = answer_again(opened, call.function, call.args, call.kwargs, seed=seed)
        if _alike(again, expected):
            return call.function
    return None


@contextlib.contextmanager
def unseen(opened: OpenedSubmission, context: Context) -> Iterator[None]:
    """Leave no trace of what is asked here in what the test reports."""
    calls, printed = len(context.calls), list(opened.printed)
    cells_run = {cell: list(names) for cell, names in opened.cells_run.items()}
    try:
        yield
    finally:
        del context.calls[calls:]
        opened.printed[:] = printed
        opened.cells_run.clear()
        opened.cells_run.update(cells_run)


def answer_again(
    opened: OpenedSubmission,
    name: str,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    seed: int | None = None,
) -> Any:
    """Return what a submission's function gives, or None where it has no answer."""
    try:
        return opened.call(name, args, dict(kwargs), seed=seed)
    except StudentTrouble:
        return None


def answer_of(right: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return what the reference gives, or None for arguments that it was not made for."""
    try:
        return right(*args, **kwargs)
    except Exception:  # noqa: BLE001 - what a submission passes on may raise anything
        return None


def _alike(one: Any, other: Any) -> bool:
    """Return whether two answers are the same up to rounding."""
    a, b = leaves(one), leaves(other)
    if not b or set(a) != set(b):
        return False
    return all(np.shape(a[n]) == np.shape(b[n]) and _close(a[n], b[n]) for n in b)


def _close(a: Any, b: Any) -> bool:
    return np.array_equal(a, b) or np.allclose(a, b, 1e-9, 1e-12)  # the first is the rule, and cheaper
