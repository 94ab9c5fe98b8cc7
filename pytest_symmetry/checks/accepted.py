"""Gradients that fail only because the loss, or all of them, follow another convention.

What fails is checked once more with the convention undone: so it is taken for one only where every gradient
is then right, within the same error bars.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.checks.program import Program
from pytest_symmetry.context import current
from pytest_symmetry.diagnosis.conventions import BY_RELATION, excused, of_gradients
from pytest_symmetry.diagnosis.explain import the_call_sizes

if TYPE_CHECKING:
    from pytest_symmetry.checks.gradients import GradientCheck
    from pytest_symmetry.findings import Finding, GradientEvidence

    Undo = Callable[[Any, bool], Any]

_BIAS = re.compile(r"^(d|grad)?_?b")
_FACTORS = {"twice-the-loss": 2.0, "half-the-loss": 0.5}


def settled(
    check: GradientCheck, evidence: GradientEvidence, finding: Finding
) -> tuple[GradientEvidence, Finding | None]:
    """Return what became of a failed check: passed with a note where a convention costs nothing.

    Where it does cost, the finding says in its facts which ``convention`` it is.
    """
    context = current()
    if context is None or context.assignment is None:
        return evidence, finding
    try:
        convention = _convention(check, finding)
    except Exception:  # noqa: BLE001 - a convention that cannot be looked for must not cost the verdict
        convention = None
    if convention is None:
        return evidence, finding
    note = excused(convention, str(finding.facts.get("array", "")), finding.place)
    if note is None:
        return evidence, replace(finding, facts={**finding.facts, "convention": convention})
    return replace(evidence, passed=True, notes=(*evidence.notes, note)), None


def _convention(check: GradientCheck, finding: Finding) -> str | None:
    """Return the convention under which every gradient is right, or None."""
    planted, by_loss = of_gradients(check.claimed)
    if planted is not None and finding.code == check.code:
        return planted
    for convention, cause in BY_RELATION.items():
        scaled = cause != "transposed" and by_loss
        if finding.cause != cause and not scaled:
            continue
        if any(_passes(check, undo) for undo in _undone(convention, check.given, by_loss=scaled)):
            return convention
    return None


def _undone(convention: str, parameters: Mapping[str, Any], *, by_loss: bool) -> Iterator[Undo]:
    """Yield ways to undo a convention in one returned array, told whether it is a bias's."""
    if convention == "transposed-results":
        yield lambda array, _: np.transpose(array) if np.ndim(array) == 2 else array
        yield lambda array, bias: np.transpose(array) if np.ndim(array) == 2 and not bias else array
        return
    sizes = the_call_sizes(parameters)
    m = next((float(n) for n, meaning in sizes.items() if meaning == "m"), None)
    factor = _FACTORS.get(convention, m)
    if factor is not None:
        scale = factor if by_loss else 1 / factor
        yield lambda array, _: scale * array


def _passes(check: GradientCheck, undo: Undo) -> bool:
    program = check.program
    own = program.gradients
    again = Program(
        program.loss, lambda p: _mapped(own(p), undo, bias=False), program.parameters, program.reseed
    )
    try:
        evidence, _ = replace(check, program=again, exhaustive=False, progress=None, notes=[]).run()
    except Exception:  # noqa: BLE001 - gradients that cannot be changed so follow no such convention
        return False
    return evidence.passed


def _mapped(value: Any, undo: Undo, *, bias: bool) -> Any:
    """Return what a gradient function returned, with each of its arrays changed."""
    if isinstance(value, Mapping):
        return {key: _mapped(member, undo, bias=bool(_BIAS.match(str(key)))) for key, member in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_mapped(member, undo, bias=bias) for member in value)
    return undo(np.asarray(value), bias) if isinstance(value, np.ndarray | float | int) else value
