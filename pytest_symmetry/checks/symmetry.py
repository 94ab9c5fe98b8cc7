"""check_symmetry: can the hidden units of a network ever become different?"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.arrays import rebuild
from pytest_symmetry.certificates import same, slices
from pytest_symmetry.checks.doubts import cannot_tell, doubt
from pytest_symmetry.checks.failing import fail
from pytest_symmetry.checks.parameters import (
    as_given,
    fail_unreadable,
    is_model,
    made_by,
    parameters_of,
    place_of,
    read_arrays,
    stepped,
    with_arrays,
)
from pytest_symmetry.context import record
from pytest_symmetry.findings import FIGURE_BYTES, Finding, LayerEvidence, Place, SymmetryEvidence
from pytest_symmetry.layouts import MIXED, Layout, readings
from pytest_symmetry.units import BlackBox, CannotFind, find_layout, is_homogeneous, is_odd, silent_units
from pytest_symmetry.verdicts import (
    PROBES,
    Known,
    LayerVerdict,
    copied_layers,
    judge,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_symmetry.findings import Severity
    from pytest_symmetry.partition import FloatArray

    Arrays = Mapping[str, FloatArray]

SEEDS = (1, 2, 3)
"""The seeds that an initialiser is judged with: a tie under one seed may be chance."""

ODD = frozenset({"tanh", "linear", "identity", "softsign", "arctan", "atan", "sin", "erf", "hardtanh"})
"""Activations with g(-z) = -g(z)."""

HOMOGENEOUS = frozenset({"relu", "leakyrelu", "prelu", "linear", "identity"})
"""Activations with g(cz) = c g(z) for every c > 0."""

GROWTH_STEPS = 60
"""Steps over which the growth of a small gap is measured: the first ones mostly show it closing."""

_SILENT_UNITS = 128

_CODES: dict[str, tuple[str, Severity]] = {
    "identical for ever": ("SYM201", "fail"),
    "group structure": ("SYM202", "fail"),
    "identical now, no gradient": ("SYM203", "fail"),
    "identical now, will differentiate": ("SYM204", "note"),
    "sign mirrored": ("SYM205", "warn"),
    "scaled copy": ("SYM206", "note"),
    "nearly identical": ("SYM207", "warn"),
    "dead": ("SYM208", "note"),
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
        network: ``network(parameters)`` returns the outputs on inputs of the caller's choice, without
            dropout; of a tuple (outputs, cache) the first part counts. The layers are then found in it,
            whatever the layout.
        step: ``step(parameters)`` returns the parameters after one training step (or changes them in place
            and returns None). It shows whether units that are equal now part.
        activation: name of the hidden activation ("tanh", "relu", …), where no network is given.

    Returns:
        The evidence: for every hidden layer its classes of units, its effective width and a verdict;
        ``notes`` hold the findings that are warnings and remarks.

    Raises:
        CheckFailed: units are identical for ever (SYM201, SYM202), or identical and no gradient reaches
            them (SYM203).
            SYM291: the arrays cannot be read as a network at all.
        SymmetryError: ``step`` returns something else than the parameters.

    The method is the coarsest equitable partition (see ``partition``): a proof, not a training run. Where
    shapes leave several readings, units are accused only if every reading agrees.
    """
    __tracebackhide__ = True
    finder = _Finder(network, step, activation)
    if callable(parameters) and not is_model(parameters):
        evidence, findings = _over_seeds([finder.examine(parameters(seed)) for seed in SEEDS])
    else:
        evidence, findings = finder.examine(parameters)
    worst = next((f for f in findings if f.severity == "fail"), None)
    if worst is not None:
        fail(worst, evidence)
    record(evidence)
    return evidence


_Examined = tuple[SymmetryEvidence, "list[Finding]"]


def _over_seeds(
    examined: Sequence[tuple[SymmetryEvidence, list[Finding]]],
) -> tuple[SymmetryEvidence, list[Finding]]:
    """Return the examination that stands for all seeds; a failure counts if most seeds have it."""
    failing = [(e, found) for e, found in examined if not e.passed]
    if len(failing) * 2 > len(examined):
        return failing[0]
    evidence, findings = next((e, found) for e, found in examined if e.passed)
    by_chance = [replace(f, severity="note") for _, found in failing for f in found[:1]]
    return replace(evidence, notes=(*evidence.notes, *by_chance)), findings


@dataclass(slots=True)
class _Finder:
    """Examines one set of parameters, with what the caller gave beside them."""

    network: Callable[[Any], Any] | None
    step: Callable[[Any], Any] | None
    activation: str | None

    def examine(self, parameters: Any) -> tuple[SymmetryEvidence, list[Finding]]:
        """Return the evidence and all findings, the gravest first."""
        container = parameters_of(parameters)
        if self.network is None and self.step is None:
            container = with_arrays(container)
        arrays = read_arrays(container)
        layouts, remarks = self._layouts(arrays, container)
        layout = layouts[0]
        wired = self.network is not None and not remarks
        known = self._known(arrays, container, layout, wired=wired)
        verdicts = judge(arrays, layout, known)
        if self.step is not None and any(v.name in _MEASURED for v in verdicts):
            near = any(v.name == "nearly identical" for v in verdicts)
            history = self._history(arrays, container, GROWTH_STEPS if near else len(layout.layers) + 2)
            known = [replace(k, history=history) for k in known]
            verdicts = judge(arrays, layout, known)
        call = made_by(parameters, arrays) if any(v.name != "ok" for v in verdicts) or remarks else None
        findings = [*_judged(arrays, layouts, verdicts, wired=wired), *remarks]
        findings = [f.at(**place_of(call)) for f in findings]
        return _evidence(layout, verdicts, findings), findings

    def _layouts(self, arrays: Arrays, container: Any) -> tuple[list[Layout], list[Finding]]:
        read = readings({name: values.shape for name, values in arrays.items()})
        remarks = []
        if self.network is not None:
            network = as_given(self.network, container)
            network(rebuild(container, arrays))  # what it raises on the caller's own parameters is theirs
            try:
                found = find_layout(arrays, container, network)
            except CannotFind as reason:
                remarks.append(cannot_tell("network", detail=str(reason)))
            else:
                if not found.layers and any(layout.layers for layout in read):
                    remarks.append(cannot_tell("network", detail="has no hidden layer that could be found"))
                # What the network does not tie to its units cannot tell them apart: nothing is left unread.
                said = "found by permutation" if found.orientation == MIXED else found.orientation
                return [replace(found, unread=(), orientation=said)], remarks
            read = read or [Layout((), "not read")]
        if not read:
            fail_unreadable(arrays)
        return read, remarks

    def _known(self, arrays: Arrays, container: Any, layout: Layout, *, wired: bool) -> list[Known]:
        if not wired or self.network is None:
            name = (self.activation or "").lower().replace("_", "").replace(" ", "")
            return [Known(odd=name in ODD, homogeneous=name in HOMOGENEOUS) for _ in layout.layers]
        box = BlackBox(as_given(self.network, container), container, seed=1)
        return [
            Known(
                odd=is_odd(box, arrays, layer),
                homogeneous=is_homogeneous(box, arrays, layer),
                silent=silent_units(box, arrays, layout, n, PROBES) if layer.units <= _SILENT_UNITS else (),
            )
            for n, layer in enumerate(layout.layers)
        ]

    def _history(self, arrays: Arrays, container: Any, steps: int) -> tuple[Arrays, ...]:
        """Return the parameters before and after each of some training steps."""
        history: list[Arrays] = [arrays]
        for _ in range(steps):
            history.append(stepped(self.step, container, history[-1]))
        return tuple(history)


_MEASURED = frozenset({"identical now, will differentiate", "nearly identical"})


def layer_findings(arrays: Arrays, layouts: Sequence[Layout]) -> list[Finding]:
    """Return what there is to say about the layers, the gravest first.

    It is told of the first layout. The others are the further readings of the same arrays: failures stand
    only where all agree.
    """
    return _judged(arrays, layouts, judge(arrays, layouts[0]), wired=False)


def _judged(
    arrays: Arrays, layouts: Sequence[Layout], verdicts: Sequence[LayerVerdict], *, wired: bool
) -> list[Finding]:
    findings = [_finding(arrays, v, verdicts) for v in verdicts if v.name != "ok"]
    findings += _copied(arrays, layouts[0])
    findings.sort(key=lambda f: ("fail", "warn", "note").index(f.severity))
    accused = [v for v in verdicts if _fails(v)]
    if remark := doubt(arrays, layouts, accused, wired=wired):
        findings = [remark, *(f for f in findings if f.severity != "fail")]
    return findings


def _fails(verdict: LayerVerdict) -> bool:
    return verdict.name != "ok" and _CODES[verdict.name][1] == "fail"


# --- findings --------------------------------------------------------------------------------------------


def _evidence(
    layout: Layout, verdicts: Sequence[LayerVerdict], findings: Sequence[Finding]
) -> SymmetryEvidence:
    passed = all(f.severity != "fail" for f in findings)
    layers = tuple(
        LayerEvidence(
            name=v.layer.name,
            units=v.layer.units,
            effective_width=_width(v),
            classes=v.classes,
            verdict="cannot tell" if passed and _fails(v) else _named(v, findings),
            incoming=tuple(m.array for m in v.layer.incoming),
            outgoing=tuple(m.array for m in v.layer.outgoing),
            reason="; ".join(v.certificate),
        )
        for v in verdicts
    )
    notes = tuple(f for f in findings if f.severity != "fail")
    return SymmetryEvidence(passed, layers, layout.orientation, notes)


def _named(verdict: LayerVerdict, findings: Sequence[Finding]) -> str:
    """Return the verdict's name; a layer with nothing of its own to say may be alike with another."""
    copies = {name for f in findings if f.code == "SYM209" for name in f.facts["arrays"]}
    alike = any(m.array in copies for m in verdict.layer.incoming)
    return "layers alike" if verdict.name == "ok" and alike else verdict.name


def _width(verdict: LayerVerdict) -> int:
    return int(verdict.facts.get("mirrored_width", len(verdict.classes)))


def _finding(arrays: Arrays, verdict: LayerVerdict, verdicts: Sequence[LayerVerdict]) -> Finding:
    code, severity = _CODES[verdict.name]
    facts = {
        "layer": verdict.layer.name,
        "units": list(verdict.groups[0]),
        "groups": [list(group) for group in verdict.groups],
        "width": verdict.layer.units,
        "effective_width": _width(verdict),
        "certificate": list(verdict.certificate),
        **verdict.facts,
    }
    return Finding(
        code=code,
        cause=_cause(arrays, verdict),
        severity=severity,
        place=Place(array=verdict.layer.incoming[0].array if verdict.layer.incoming else None),
        facts=facts,
        figure=_figure(verdict, verdicts),
    )


def _figure(verdict: LayerVerdict, verdicts: Sequence[LayerVerdict]) -> dict[str, Any] | None:
    """Return the picture of all layers; of this layer where that is too much; None where even that is."""
    for shown in (verdicts, [verdict]):
        layers = [
            {"name": v.layer.name, "units": v.layer.units, "classes": [list(c) for c in v.classes]}
            for v in shown
        ]
        figure = {"kind": "units", "layers": layers}
        if len(json.dumps(figure)) <= FIGURE_BYTES:
            return figure
    return None


def _copied(arrays: Arrays, layout: Layout) -> list[Finding]:
    """Return the warning that two layers start from the same numbers."""
    code, severity = _CODES["layers alike"]
    found = []
    for one, other, factor in copied_layers(arrays, layout):
        same_shape = arrays[one].shape == arrays[other].shape
        entries = min(arrays[one].size, arrays[other].size)
        times = "" if abs(factor - 1) < 1e-9 else f"{factor:.4g} times "
        line = (
            f"{other} is {times}{one}"
            if same_shape
            else f"the first {entries} entries of {other} are {times}those of {one}"
        )
        facts = {"arrays": [one, other], "certificate": [line], "factor": factor}
        found.append(Finding(code, severity=severity, place=Place(array=other), facts=facts))
    return found


def _cause(arrays: Arrays, verdict: LayerVerdict) -> str | None:
    """Name the kind of start that makes units identical for ever, where the numbers tell it.

    "copied-units" says no more than that the units are copies: after training, a constant looks the same.
    """
    if verdict.name not in ("identical for ever", "group structure"):
        return None
    group = list(verdict.groups[0])
    incoming = slices(arrays, verdict.layer, verdict.layer.incoming)[group]
    if not same(incoming, incoming[:1]):
        return "equal-sums"
    whole = len(group) == verdict.layer.units
    known = verdict.layer.incoming or verdict.layer.members
    largest = max(arrays[m.array].size for m in known)
    members = [m for m in known if arrays[m.array].size == largest]
    weights = slices(arrays, verdict.layer, members)[group]
    if not np.any(weights):
        return "zero-start" if whole else None
    if np.ptp(weights[:, weights.any(axis=0)]) == 0:
        return "constant-start" if whole else None
    return "copied-units"
