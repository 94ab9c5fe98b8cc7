"""check_specialization: do the hidden units take different roles while the network trains?"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_symmetry.arrays import rebuild
from pytest_symmetry.checks.doubts import doubt
from pytest_symmetry.checks.failing import fail
from pytest_symmetry.checks.parameters import (
    as_given,
    fail_unreadable,
    made_by,
    parameters_of,
    place_of,
    read_arrays,
    stepped,
)
from pytest_symmetry.context import record
from pytest_symmetry.findings import (
    FIGURE_BYTES,
    Finding,
    PairingEvidence,
    Place,
    SpecializationEvidence,
    WidthEvidence,
)
from pytest_symmetry.layouts import Layout, readings
from pytest_symmetry.matching import best_matching, correlations
from pytest_symmetry.partition import FloatArray, classes
from pytest_symmetry.units import CannotFind, find_layout
from pytest_symmetry.verdicts import effective_classes, judge

Arrays = Mapping[str, FloatArray]
Step = Callable[[Any], Any]
Activations = Callable[[Any], Any]

WATCHED = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
"""Numbers of steps after which the units are looked at."""

TOGETHER = 1e-6
"""Units count as one while they differ by less than this part of the size of their weights. Rounding parts
exact copies by 1e-16 or so per step; what starts different differs by more."""

SAME_ROLE = 0.999
"""Units whose activations correlate this much, over the caller's examples, play the same role."""

ALIKE = 0.8
"""Two runs found the same features where matched units correlate this much on average."""


def check_specialization(
    parameters: Any,
    step: Step,
    *,
    steps: int = 200,
    activations: Activations | None = None,
    other: Any = None,
    network: Callable[[Any], Any] | None = None,
) -> SpecializationEvidence:
    """Train with the caller's own step, and watch which hidden units can be told apart.

    Args:
        parameters: what training starts from, in any container of arrays.
        step: ``step(parameters)`` returns the parameters after one training step.
        steps: number of training steps.
        activations: ``activations(parameters)`` returns the values of the hidden units, shape (units,
            examples), or a list of such arrays, one per hidden layer; (examples, units) is understood where
            the number of units decides. With it the rank and the roles of the units are reported.
        other: a second start; both runs are then compared unit by unit. Needs ``activations``.
        network: finds the layers where shapes do not decide, as in ``check_symmetry``.

    Returns:
        Effective width and rank over training for every layer, and the matching of two runs.

    Raises:
        CheckFailed: SYM301, where units that start as one unit for ever are still one at the end.
        SymmetryError: ``step`` returns something else than the parameters.
    """
    __tracebackhide__ = True
    run = _trained(parameters, step, steps, activations, network)
    layers = tuple(_width_evidence(run, number) for number in range(len(run.layout.layers)))
    pairings: tuple[PairingEvidence, ...] = ()
    if other is not None and activations is not None:
        second = _trained(other, step, steps, activations, network)
        pairings = tuple(_pairing(run, second, number) for number in range(len(run.layout.layers)))
    notes = tuple(_pairing_note(p) for p in pairings)
    lost = _lost_width(run, layers, place_of(made_by(parameters, run.seen[0])))
    evidence = SpecializationEvidence(lost is None, layers, pairings, notes)
    if lost is not None:
        fail(lost, evidence)
    record(evidence)
    return evidence


@dataclass(frozen=True, slots=True)
class _Run:
    """One training run, seen at the steps of ``at``; ``values`` holds the activations there, by layer.

    ``layouts`` are the readings of the parameters; ``wired`` says that a network function showed the layout.
    """

    layouts: tuple[Layout, ...]
    wired: bool
    at: tuple[int, ...]
    seen: tuple[Arrays, ...]
    values: tuple[tuple[FloatArray, ...], ...]

    @property
    def layout(self) -> Layout:
        """The most usual reading."""
        return self.layouts[0]


def _trained(
    parameters: Any,
    step: Step,
    steps: int,
    activations: Activations | None,
    network: Callable[[Any], Any] | None,
) -> _Run:
    container = parameters_of(parameters)
    arrays = read_arrays(container)
    layouts, wired = _layouts(arrays, container, network)
    at = tuple(sorted({n for n in WATCHED if n < steps} | {steps}))
    seen, values = [], []
    for number in range(steps + 1):
        if number:
            arrays = stepped(step, container, arrays)
        if number in at:
            seen.append(arrays)
            values.append(_values(activations, container, arrays, layouts[0]))
    return _Run(tuple(layouts), wired, at, tuple(seen), tuple(values))


def _layouts(
    arrays: Arrays, container: Any, network: Callable[[Any], Any] | None
) -> tuple[list[Layout], bool]:
    """Return the readings of the arrays, and whether the network showed the first to be right."""
    if network is not None:
        with contextlib.suppress(CannotFind):
            return [find_layout(arrays, container, as_given(network, container))], True
    found = readings({name: values.shape for name, values in arrays.items()})
    if not found:
        fail_unreadable(arrays)
    return found, False


def _values(
    activations: Activations | None, container: Any, arrays: Arrays, layout: Layout
) -> tuple[FloatArray, ...]:
    """Return the activations of every hidden layer as (units, examples)."""
    if activations is None:
        return ()
    given = activations(rebuild(container, arrays))
    parts = [given] if isinstance(given, np.ndarray) else list(given)
    sized = zip(parts, layout.layers, strict=True)
    return tuple(_units_first(np.asarray(part, dtype=np.float64), layer.units) for part, layer in sized)


def _units_first(values: FloatArray, units: int) -> FloatArray:
    return values if values.shape[0] == units else values.T


# --- one run ---------------------------------------------------------------------------------------------


def _width_evidence(run: _Run, number: int) -> WidthEvidence:
    layer = run.layout.layers[number]
    widths = tuple(len(effective_classes(arrays, run.layout, near=TOGETHER)[number]) for arrays in run.seen)
    values = [at_step[number] for at_step in run.values if at_step]
    return WidthEvidence(
        name=layer.name,
        units=layer.units,
        steps=run.at,
        widths=widths,
        ranks=tuple(int(np.linalg.matrix_rank(v, tol=_rank_limit(v))) for v in values),
        roles=_roles(values[-1]) if values else (),
    )


def _rank_limit(values: FloatArray) -> float:
    """Singular values below a millionth of the largest are counted as 0, as :data:`TOGETHER` does."""
    return TOGETHER * float(np.linalg.norm(values, 2)) if values.size else 0.0


def _roles(values: FloatArray) -> tuple[tuple[int, ...], ...]:
    """Return the groups of units that compute the same up to scale and sign."""
    same = np.abs(correlations(values, values)) >= SAME_ROLE
    labels = np.arange(len(values))
    for unit in range(len(values)):
        alike = np.flatnonzero(same[unit])
        if alike.size:
            labels[alike] = labels[alike].min()
    return tuple(group for group in classes(labels.astype(np.intp)) if len(group) > 1)


def _lost_width(run: _Run, layers: Sequence[WidthEvidence], made: Mapping[str, Any]) -> Finding | None:
    """Return the failure of a layer that starts, by proof, with too few units and ends so.

    ``made`` says which function made the start.
    """
    accused = [
        v for v in judge(run.seen[0], run.layout) if v.name in ("identical for ever", "group structure")
    ]
    if not accused or doubt(run.seen[0], run.layouts, accused, wired=run.wired) is not None:
        return None
    for verdict in accused:
        layer = next(x for x in layers if x.name == verdict.layer.name)
        if layer.widths[-1] == layer.units:
            continue
        facts = {
            "layer": layer.name,
            "width": layer.units,
            "start": len(verdict.classes),
            "final": layer.widths[-1],
            "steps": layer.steps[-1],
        }
        held = verdict.layer.incoming or verdict.layer.members
        place = Place(array=held[0].array, **made)
        return Finding("SYM301", place=place, facts=facts, figure=width_figure(layers))
    return None


def width_figure(layers: Sequence[WidthEvidence]) -> dict[str, Any]:
    """Return the data of the picture of effective width over training."""
    return {
        "kind": "width-over-training",
        "steps": list(layers[0].steps),
        "layers": [{"name": x.name, "units": x.units, "widths": list(x.widths)} for x in layers],
    }


# --- two runs --------------------------------------------------------------------------------------------


def _pairing(first: _Run, second: _Run, number: int) -> PairingEvidence:
    found = correlations(first.values[-1][number], second.values[-1][number])
    partners = best_matching(np.abs(found))
    matched = found[np.arange(len(found)), partners]
    before = np.abs(correlations(first.values[0][number], second.values[0][number]))
    return PairingEvidence(
        name=first.layout.layers[number].name,
        partners=tuple(int(p) for p in partners),
        signs=tuple(1 if c >= 0 else -1 for c in matched),
        same_number=float(np.abs(np.diag(found)).mean()),
        matched=float(np.abs(matched).mean()),
        matched_before=float(before[np.arange(len(before)), best_matching(before)].mean()),
        correlations=tuple(float(c) for c in np.abs(matched)),
    )


def _pairing_note(pairing: PairingEvidence) -> Finding:
    """Return the remark that says in words how two runs compare."""
    moved = any(partner != unit for unit, partner in enumerate(pairing.partners))
    match = pairing.matched >= ALIKE
    # Few inputs leave few directions, and then random units match as well as trained ones.
    learned = 1 - pairing.matched <= max((1 - pairing.matched_before) / 2, 1 - SAME_ROLE)
    facts = {
        "layer": pairing.name,
        "partners": list(pairing.partners),
        "signs": list(pairing.signs),
        "same_number": pairing.same_number,
        "matched": pairing.matched,
        "matched_before": pairing.matched_before,
        "alike": match and learned,
        "by_chance": match and not learned,
        "moved": moved,
    }
    figure = {
        "kind": "pairing",
        "name": pairing.name,
        "partners": list(pairing.partners),
        "signs": list(pairing.signs),
        "correlations": [round(c, 3) for c in pairing.correlations],
    }
    small = len(json.dumps(figure)) <= FIGURE_BYTES
    return Finding("SYM302", severity="note", facts=facts, figure=figure if small else None)
