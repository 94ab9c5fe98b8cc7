"""From verdicts on arrays to the evidence, the notes, and the one finding of a failed gradient check."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.checks.contract import Contract, read_gradients
from pytest_symmetry.checks.localization import (
    ENTRIES,
    PROPORTIONAL,
    Located,
    Locator,
    error_map,
    lines_wrong,
)
from pytest_symmetry.checks.naming import gradient_name
from pytest_symmetry.checks.points import backward_order
from pytest_symmetry.differences import EPS
from pytest_symmetry.findings import ArrayEvidence, Finding, GradientEvidence, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_symmetry.arrays import FloatArray
    from pytest_symmetry.checks.agreement import ArrayVerdict, Judge
    from pytest_symmetry.checks.program import Program

SINGLE = 1e-12
"""Rounding noise of a loss, relative to its value, above which it was not computed in float64."""

SMALL = 20_000
"""Parameters up to which a complex step costs no more than two real ones and entries are cheap."""

BLIND = 1e-2
"""An error bar this large beside an array's gradient deserves a note."""


@dataclass(slots=True)
class Report:
    """Makes the records of one check."""

    program: Program
    at: str
    seed: int
    started: float
    given: Mapping[str, FloatArray]
    method: str = "central differences"

    def locator(self, judge: Judge, verdict: ArrayVerdict) -> Locator:
        """Return what measures the entries of one array, by complex steps where these can be trusted."""
        gradient = judge.gradients[verdict.name]
        locator = Locator(judge.near, verdict.name, gradient, judge.tolerance(verdict.name))
        if sum(array.size for array in judge.near.point.values()) <= SMALL:
            locator.trust_complex()
        if locator.exact:
            self.method = "complex step"
        return locator

    def evidence(
        self, verdicts: list[ArrayVerdict], notes: list[Finding], *, passed: bool, floor: float = 0.0
    ) -> GradientEvidence:
        """Return the evidence so far."""
        return GradientEvidence(
            passed=passed,
            arrays=tuple(self._array(v, floor) for v in verdicts),
            method=self.method,
            at=self.at,
            seed=self.seed,
            evaluations=self.program.evaluations,
            seconds=time.perf_counter() - self.started,
            notes=tuple(notes),
        )

    def _array(self, verdict: ArrayVerdict, floor: float) -> ArrayEvidence:
        return ArrayEvidence(
            name=verdict.name,
            shape=verdict.shape,
            passed=verdict.state != "differs",
            relative_error=verdict.relative(verdict.residual, floor),
            error_bar=verdict.relative(verdict.bar, floor),
            directions=verdict.directions,
            evaluations=verdict.evaluations,
            kinks=verdict.kinks,
            entries_wrong=verdict.entries_wrong,
            settled=verdict.state in ("agrees", "differs"),
        )


def notes_on(judge: Judge, verdicts: list[ArrayVerdict]) -> list[Finding]:
    """Return what a reader should know of arrays that were not found wrong."""
    notes = []
    for v in verdicts:
        label = gradient_name(v.name)
        facts: dict[str, Any] = {"array": label, "parameter": v.name}
        if v.state in ("kink", "unclear", "dead"):
            facts |= {"kink": v.state == "kink", "dead": v.state == "dead"}
            notes.append(Finding("GRD127", severity="note", place=Place(array=label), facts=facts))
        elif v.state == "agrees" and v.coarse > 0 and judge.precision[v.name] <= EPS:
            facts |= {"relative_error": v.coarse}
            notes.append(Finding("GRD121", severity="note", place=Place(array=label), facts=facts))
        elif v.state == "agrees" and v.scale > judge.floor and v.bar > BLIND * v.scale:
            facts |= {"error_bar": v.bar / v.scale}
            notes.append(Finding("GRD108", severity="note", place=Place(array=label), facts=facts))
    noise = judge.near.noise / max(abs(judge.near.value), 1e-300)
    if judge.near.measured and noise > SINGLE:
        notes.append(Finding("GRD122", severity="note", facts={"noise": noise}))
    return notes


@dataclass(slots=True)
class Blame:
    """Makes the finding of wrong gradients: the first one in backward order, and where it is wrong."""

    judge: Judge
    kept: Contract
    report: Report
    code: str
    seed: int
    known: Mapping[str, Located | None]
    measured: dict[str, FloatArray] = field(default_factory=dict)
    accuracy: float = 0.0
    left: int = ENTRIES

    def finding(self, verdicts: list[ArrayVerdict]) -> Finding | None:
        """Return the finding, or None where no wrong entry can be shown after all."""
        wrong = {v.name: v for v in verdicts if v.state == "differs"}
        order = [n for n in backward_order(self.judge.near.point) if n in wrong]
        places = {name: self._locate(wrong[name]) for name in order}
        for name in order:
            if places[name] is None and name in self.measured:
                wrong.pop(name).state = "unclear"
        order = [n for n in order if n in wrong]
        if not order:
            return None
        # A loss that never reads an array explains why the gradients of other arrays do not fit it either.
        order.sort(key=lambda n: not self._ignored(n))
        return self._explained(self._finding(wrong[order[0]], places[order[0]], order[1:]))

    def _locate(self, verdict: ArrayVerdict) -> Located | None:
        gradient = self.judge.gradients[verdict.name]
        located = self.known.get(verdict.name)
        if located is None:
            locator = self.report.locator(self.judge, verdict)
            every = sum(array.size for array in self.judge.near.point.values())
            if gradient.size > self.left or gradient.size * every > ENTRIES * SMALL:
                return self._searched(verdict, locator)
            self.left -= gradient.size
            located = locator.all_entries()
        self.measured[verdict.name] = gradient
        if located is not None and located.numerical is not None and located.wrong is not None:
            self.measured[verdict.name] = located.numerical
            verdict.entries_wrong = int(located.wrong.sum())
            size = max(float(np.abs(located.numerical).max()), 1e-300)
            self.accuracy = max(self.accuracy, min(located.error_bar / size, 1.0))
        return located

    def _searched(self, verdict: ArrayVerdict, locator: Locator) -> Located | None:
        """Search a large array; where the gradient is the right one times a number, all of it is known."""
        located = locator.search()
        factor = locator.factor() if located is not None and located.widespread else None
        if located is not None and factor is not None:
            self.measured[verdict.name] = factor * locator.gradient
            self.accuracy = max(self.accuracy, PROPORTIONAL)
            verdict.entries_wrong = locator.gradient.size
        return located

    def _finding(self, verdict: ArrayVerdict, located: Located | None, others: list[str]) -> Finding:
        label = gradient_name(verdict.name)
        facts: dict[str, Any] = {
            "array": label,
            "parameter": verdict.name,
            "entries": self.judge.gradients[verdict.name].size,
            "shape": list(self.judge.gradients[verdict.name].shape),
            "relative_error": verdict.relative(verdict.residual, self.judge.floor),
            "also_wrong": [gradient_name(n) for n in others],
            "seed": self.seed,
            "index": None,
            "entries_wrong": verdict.entries_wrong,
            "rows": [],
            "columns": [],
        }
        place = replace(self.kept.place, array=label)
        if located is None:
            return Finding(self.code, place=place, facts={**facts, **self._along(verdict)})
        facts |= {
            "index": list(located.index),
            "student": located.student,
            "numerical": located.numerical_value,
            "error_bar": located.error_bar,
            "rows": list(located.rows),
            "columns": list(located.columns),
        }
        figure = None
        if located.wrong is not None and located.numerical is not None:
            rows, columns = lines_wrong(located.wrong)
            facts |= {"entries_wrong": int(located.wrong.sum()), "rows": rows, "columns": columns}
            if located.numerical.size > 1:
                figure = error_map(label, self.judge.gradients[verdict.name], located.numerical)
        return Finding(self.code, place=replace(place, index=located.index), facts=facts, figure=figure)

    def _along(self, verdict: ArrayVerdict) -> dict[str, Any]:
        """Return the claimed and the measured slope along one direction, where no entry stands out."""
        near, name = self.judge.near, verdict.name
        along = {name: verdict.direction if verdict.direction is not None else np.ones(())}
        slope = near.difference(along, near.base_step(along), {name: self.judge.gradients[name]})
        return {"student": slope.claimed, "numerical": slope.slope, "error_bar": verdict.bar}

    def _explained(self, finding: Finding) -> Finding:
        """Ask for the cause; it is not known where the loss never reads the array."""
        from pytest_symmetry.diagnosis.explain import explain

        parameter = finding.facts["parameter"]
        if parameter not in self.measured:
            return self._unmoved(finding)
        try:
            explained = explain(
                finding,
                student=self.judge.gradients,
                expected=self.measured,
                parameters=self.judge.near.point,
                noise=max(self.accuracy, 1e-13),
            )
        except Exception:  # noqa: BLE001 - a diagnosis that fails must not cost the verdict
            return finding
        if self._ignored(parameter):
            every = all(self._ignored(name) for name in self.judge.gradients)
            return replace(explained, cause="loss-ignores-everything" if every else "loss-ignores-array")
        return self._unmoved(explained)

    def _unmoved(self, finding: Finding) -> Finding:
        """Name the cause of a gradient that is the same at two points to the last bit, and right at one."""
        name, point = finding.facts["parameter"], self.judge.near.point
        here = self.judge.gradients[name]
        if self.report.at == "given" or not here.any():
            return finding
        there = {n: self.report.given.get(n, array) for n, array in point.items()}
        again = Contract(place=self.kept.place)
        try:
            raw = self.report.program.ask(self.report.program.gradients, there).value
            read_gradients(again, raw, there, [name], self.report.program)
            if not np.array_equal(again.gradients[name], here):
                return finding
            near = replace(self.judge.near, point=there, value=float(self.report.program.loss_at(there)))
            judge = replace(self.judge, near=near)
            right = judge.judge_one(name).state == "agrees"
        except Exception:  # noqa: BLE001 - what cannot be asked at another point stays without a cause
            return finding
        return replace(finding, cause="same-everywhere") if right else finding

    def _ignored(self, name: str) -> bool:
        """Return whether the measured gradient of an array is zero to the last bit."""
        return name in self.measured and not self.measured[name].any()
