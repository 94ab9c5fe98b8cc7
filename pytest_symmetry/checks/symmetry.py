"""check_symmetry: can the hidden units of a network ever become different?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.arrays import named_arrays
from pytest_symmetry.checks.failing import fail
from pytest_symmetry.context import record
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.findings import Finding, LayerEvidence, Place, SymmetryEvidence
from pytest_symmetry.layouts import Layout, readings
from pytest_symmetry.verdicts import LayerVerdict, judge, slices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_symmetry.findings import Severity
    from pytest_symmetry.partition import FloatArray

SEEDS = (1, 2, 3)
"""The seeds that an initialiser is judged with: a tie under one seed may be chance."""

_CODES: dict[str, tuple[str, Severity]] = {
    "identical for ever": ("SYM201", "fail"),
    "group structure": ("SYM202", "fail"),
    "identical now, no gradient": ("SYM203", "fail"),
    "identical now, will differentiate": ("SYM204", "note"),
    "sign mirrored": ("SYM205", "warn"),
    "scaled copy": ("SYM206", "note"),
    "nearly identical": ("SYM207", "warn"),
    "dead": ("SYM208", "warn"),
    "layers alike": ("SYM209", "warn"),
}


def check_symmetry(
    parameters: Any,
    *,
    network: Callable[[Any], Any] | None = None,
    step: Callable[[Any], Any] | None = None,
    activation: str | None = None,
) -> SymmetryEvidence:
    """Check that the hidden units of a network can become different.

    Args:
        parameters: the parameters that training starts from, in any container of arrays, (n_out, n_in) or
            (n_in, n_out); or a function of a seed that returns them, judged over several seeds.
        network: ``network(parameters)`` returns the outputs on inputs of the caller's choice.
        step: ``step(parameters)`` returns the parameters after one training step.
        activation: name of the hidden activation, where the caller knows it.

    Returns:
        The evidence: for every hidden layer its classes of units, its effective width and a verdict.

    Raises:
        CheckFailed: units are identical for ever, or identical and without gradient.
        SymmetryError: the arrays cannot be read as a network.

    The method is the coarsest equitable partition (see ``partition``); it is a proof, not a training run.
    """
    __tracebackhide__ = True
    if callable(parameters):
        judged = [_judged(parameters(seed)) for seed in SEEDS]
        failing = [e for e, findings in judged if findings and findings[0].severity == "fail"]
        evidence, findings = judged[0]
        if len(failing) * 2 <= len(SEEDS):
            findings = [f for f in findings if f.severity != "fail"]
    else:
        evidence, findings = _judged(parameters)
    worst = next((f for f in findings if f.severity == "fail"), None)
    if worst is not None:
        fail(worst, evidence)
    record(evidence)
    return evidence


def _judged(parameters: Any) -> tuple[SymmetryEvidence, list[Finding]]:
    arrays = named_arrays(parameters)
    layouts = readings({name: values.shape for name, values in arrays.items()})
    if not layouts:
        raise unreadable(arrays, " as layers")
    per_reading = [(layout, judge(arrays, layout)) for layout in layouts]
    layout, verdicts = per_reading[0]
    findings = [_finding(arrays, verdict) for verdict in verdicts if verdict.name != "ok"]
    findings.sort(key=lambda f: ("fail", "warn", "note").index(f.severity))
    unsure = any(_fails(v) != _fails(verdicts) for _, v in per_reading)
    if unsure:
        findings = [f for f in findings if f.severity != "fail"]
    return _evidence(layout, verdicts, findings), findings


def unreadable(arrays: Mapping[str, FloatArray], as_what: str) -> SymmetryError:
    """Return the error that says which arrays cannot be read."""
    shapes = ", ".join(f"{name or 'array'} {values.shape}" for name, values in arrays.items())
    return SymmetryError(
        f"no reading of these arrays{as_what} fits: {shapes}; pass network= to have it found"
    )


def layer_findings(arrays: Mapping[str, FloatArray], layout: Layout) -> list[Finding]:
    """Return what there is to say about the layers of one layout, in their order."""
    return [_finding(arrays, verdict) for verdict in judge(arrays, layout) if verdict.name != "ok"]


def _fails(verdicts: list[LayerVerdict]) -> bool:
    return any(v.name != "ok" and _CODES[v.name][1] == "fail" for v in verdicts)


def _evidence(layout: Layout, verdicts: list[LayerVerdict], findings: list[Finding]) -> SymmetryEvidence:
    passed = all(f.severity != "fail" for f in findings)
    layers = tuple(
        LayerEvidence(
            name=v.layer.name,
            units=v.layer.units,
            effective_width=len(v.classes),
            classes=v.classes,
            verdict=v.name,
            incoming=tuple(m.array for m in v.layer.incoming),
            outgoing=tuple(m.array for m in v.layer.outgoing),
            reason="; ".join(v.certificate),
        )
        for v in verdicts
    )
    notes = tuple(f for f in findings if f.severity != "fail")
    return SymmetryEvidence(passed, layers, layout.orientation, notes)


def _finding(arrays: Mapping[str, FloatArray], verdict: LayerVerdict) -> Finding:
    code, severity = _CODES[verdict.name]
    facts = {
        "layer": verdict.layer.name,
        "units": list(verdict.groups[0]),
        "groups": [list(group) for group in verdict.groups],
        "width": verdict.layer.units,
        "effective_width": len(verdict.classes),
        "certificate": list(verdict.certificate),
    }
    figure = {
        "kind": "units",
        "layers": [
            {
                "name": verdict.layer.name,
                "units": verdict.layer.units,
                "classes": [list(c) for c in verdict.classes],
            }
        ],
    }
    return Finding(
        code=code,
        cause=_cause(arrays, verdict),
        severity=severity,
        place=Place(array=verdict.layer.incoming[0].array if verdict.layer.incoming else None),
        facts=facts,
        figure=figure,
    )


def _cause(arrays: Mapping[str, FloatArray], verdict: LayerVerdict) -> str | None:
    """Name the kind of start that makes units identical for ever."""
    if verdict.name not in ("identical for ever", "group structure"):
        return None
    if not verdict.same_entries:
        return "equal-sums"
    values = [slices(arrays, verdict.layer, m)[list(verdict.groups[0])] for m in verdict.layer.incoming]
    weights = max(values, key=np.size) if values else np.zeros(0)
    if not np.any(weights):
        return "zero-start"
    return "constant-start" if np.ptp(weights) == 0 else "copied-units"
