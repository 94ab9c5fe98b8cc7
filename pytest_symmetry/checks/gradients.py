"""Is a hand-written gradient the slope of its loss? The check, and what it says when it is not.

The contract comes first (``contract``), then one slope per array at a generic point (``points``,
``differences``, ``agreement``), and only for a failure the place of the error (``localization``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pytest_symmetry import context
from pytest_symmetry.arrays import leaves
from pytest_symmetry.checks.accepted import settled
from pytest_symmetry.checks.agreement import ArrayVerdict, Judge
from pytest_symmetry.checks.contract import Broken, Contract, keep_contract, missing, read_gradients
from pytest_symmetry.checks.epsilon import excuse
from pytest_symmetry.checks.failing import fail
from pytest_symmetry.checks.naming import gradient_name
from pytest_symmetry.checks.points import blind_spots, generic_point
from pytest_symmetry.checks.program import Program, program_of, real
from pytest_symmetry.checks.report import Blame, Report, notes_on
from pytest_symmetry.checks.surroundings import Surroundings
from pytest_symmetry.differences import Neighbourhood
from pytest_symmetry.errors import StudentTrouble, SymmetryError
from pytest_symmetry.findings import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.arrays import FloatArray
    from pytest_symmetry.checks.localization import Located
    from pytest_symmetry.findings import GradientEvidence

At = Literal["generic", "given"]

REDRAWS = 4
"""Points tried before a kink or a dead unit is accepted as a property of the loss."""

SPREADS = (1.0, 0.1, 0.0)
"""How far a generic point moves: less where the loss cannot be evaluated there (a parameter that has to
stay positive)."""


def check_gradients(
    loss: Callable[[Any], Any],
    gradients: Callable[[Any], Any],
    parameters: Any,
    *,
    at: At = "generic",
    seed: int = 0,
    wrt: str | Iterable[str] | None = None,
    directions: int = 1,
    rtol: float = 1e-6,
    exhaustive: bool = False,
    progress: Callable[[int, int], None] | None = None,
    reseed: Callable[[], Any] | None = None,
) -> GradientEvidence:
    """Check that ``gradients(parameters)`` is the gradient of ``loss(parameters)``.

    Each array is compared with central differences along random directions, whose error is estimated from
    the function itself (see ``pytest_symmetry.differences``): a difference is reported only if it is
    outside the error bar and larger than ``rtol`` beside that array's own gradient. Each evaluation gets
    its own copy of the parameters. Right gradients are settled by moving all arrays at once: two
    evaluations, beside four that see whether both functions repeat themselves and change nothing. Complex
    steps, where the code takes them and a real difference confirms them, measure single entries.

    Args:
        loss: takes the parameters, returns a number (or a tuple that begins with it).
        gradients: takes the parameters, returns a gradient for each: named ``dW1``, ``grad_W1`` or ``W1``,
            or in the parameters' order; ``(loss, gradients)`` is understood as well.
        parameters: a dict, list, tuple, object or nested container of arrays, or one array; whatever has
            ``__array__`` is converted to numpy. It is not changed.
        at: "generic" moves to a random point near ``parameters``, where no zero, symmetry or kink hides a
            mistake; "given" checks exactly there and notes what that point cannot show.
        seed: of the point and the directions.
        wrt: the parameters to check; all by default.
        directions: random directions per array.
        rtol: the relative error of an array's gradient that counts as wrong.
        exhaustive: compare every entry (two evaluations each) instead of one slope per array.
        progress: called with (done, total) during an exhaustive check, the first time before it starts.
        reseed: called before every evaluation, for a loss that draws random numbers.

    Returns:
        What was measured, array by array, with notes. Where all arrays were moved at once, the residual
        of that one difference stands for each, beside its own gradient.

    Raises:
        CheckFailed: a gradient is wrong, or the functions break their contract.
        SymmetryError: the arguments of this call cannot be used.
        StudentTrouble: a call into a submission gave no answer.
    """
    __tracebackhide__ = True
    program = program_of(loss, gradients, parameters, reseed)
    check = GradientCheck(program, at, seed, wrt, directions, rtol, exhaustive, progress)
    evidence, finding = check.run()
    if finding is not None:
        evidence, finding = settled(check, evidence, finding)
    if finding is not None:
        fail(finding, evidence)
    context.record(evidence)
    return evidence


@dataclass(slots=True)
class GradientCheck:
    """One check under way."""

    program: Program
    at: str = "generic"
    seed: int = 0
    wrt: str | Iterable[str] | None = None
    directions: int = 1
    rtol: float = 1e-6
    exhaustive: bool = False
    progress: Callable[[int, int], None] | None = None
    code: str = "GRD101"
    random: np.random.Generator = field(init=False)
    names: list[str] = field(init=False)
    given: dict[str, FloatArray] = field(init=False)
    point: dict[str, FloatArray] = field(default_factory=dict)
    notes: list[Finding] = field(default_factory=list)
    claimed: dict[str, FloatArray] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.at not in ("generic", "given"):
            msg = f'at={self.at!r}: a check is made at="generic" or at="given"'
            raise SymmetryError(msg)
        if self.directions < 1 or not 0 < self.rtol < 1:
            msg = f"directions={self.directions} and rtol={self.rtol}: at least 1, and between 0 and 1"
            raise SymmetryError(msg)
        self.random = np.random.default_rng(self.seed)
        originals = {n: real(leaf) for n, leaf in leaves(self.program.parameters).items()}
        if not originals:
            msg = "the parameters hold no arrays of numbers: pass a dict such as {'W1': …, 'b1': …} or a list"
            raise SymmetryError(msg)
        self.names = self._asked(list(originals))
        self._sort_out(originals)

    def _asked(self, names: list[str]) -> list[str]:
        if self.wrt is None:
            return names
        asked = [self.wrt] if isinstance(self.wrt, str) else list(self.wrt)
        if unknown := [n for n in asked if n not in names]:
            msg = f"wrt={unknown}: the parameters are {names}"
            raise SymmetryError(msg)
        return asked

    def _sort_out(self, originals: dict[str, NDArray[Any]]) -> None:
        """Tell the parameters that move from those that stay: empty ones, and integers unless asked for."""
        whole = {n for n, a in originals.items() if a.dtype.kind in "iu"}
        if self.wrt is not None:
            whole -= set(self.names)
        elif len(whole) == len(originals):
            whole = set()
        fixed = whole | {n for n, a in originals.items() if a.size == 0}
        self.given = {n: np.asarray(a, np.float64) for n, a in originals.items() if n not in fixed}
        self.names = [n for n in self.names if n in self.given]
        self.program.order = list(originals)
        self.program.unmoved = {n: originals[n] for n in fixed}
        self.program.offers_fixed = self.wrt is None

    def run(self) -> tuple[GradientEvidence, Finding | None]:
        """Run the check: the evidence, and the finding of a failure."""
        started = time.perf_counter()
        report = Report(self.program, self.at, self.seed, started, self.given)
        around = Surroundings.of(self.program)
        try:
            kept = self._first_point(self.names, around)
            if kept.fixed or kept.numbers:
                self._move_too(kept.fixed, kept.numbers)
                kept = self._first_point(self.names, around)
        except Broken as broken:
            return report.evidence([], self.notes, passed=False), broken.finding
        try:
            self._drop_absent(kept, self.names)
        except Broken as broken:
            return report.evidence(self._present(kept), self.notes, passed=False), broken.finding
        self.notes += kept.notes
        if self.at == "given":
            spots = blind_spots({n: self.given[n] for n in self.names})
            self.notes += [Finding("GRD123", severity="note", facts=spot) for spot in spots]
        judge, verdicts = self._judge(kept, self.names)
        self.claimed = dict(judge.gradients)
        located = self._every_entry(judge, verdicts, report) if self.exhaustive else {}
        finding = self._conclude(judge, verdicts, kept, report, located)
        self.notes += notes_on(judge, verdicts)
        evidence = report.evidence(verdicts, self.notes, passed=finding is None, floor=judge.floor)
        return evidence, finding

    def _move_too(self, arrays: list[str], numbers: list[str]) -> None:
        """Let whole numbers move after all, as floats: there is a gradient for them."""
        parameters = self.program.parameters
        if numbers:
            self.program.parameters = {n: float(v) if n in numbers else v for n, v in parameters.items()}
        originals = {n: real(leaf) for n, leaf in leaves(self.program.parameters).items()}
        self.names = self._asked(list(originals))
        self._sort_out({n: np.asarray(a, np.float64) if n in arrays else a for n, a in originals.items()})
        self.program.offers_fixed = False

    def _every_entry(
        self, judge: Judge, verdicts: list[ArrayVerdict], report: Report
    ) -> dict[str, Located | None]:
        """Compare every entry of every array; the progress callback hears of the cost beforehand."""
        total = sum(judge.gradients[v.name].size for v in verdicts)
        count = 0

        def tick() -> None:
            nonlocal count
            count += 1
            if self.progress is not None:
                self.progress(count, total)

        if self.progress is not None:
            self.progress(0, total)
        located = {}
        for verdict in verdicts:
            locator = report.locator(judge, verdict)
            located[verdict.name] = found = locator.all_entries(tick, sure=verdict.state == "differs")
            verdict.entries_wrong = 0 if found is None or found.wrong is None else int(found.wrong.sum())
            if found is not None and verdict.state == "agrees":
                verdict.state = "differs"
                verdict.residual = max(verdict.residual, abs(found.student - found.numerical_value))
        return located

    def _conclude(
        self,
        judge: Judge,
        verdicts: list[ArrayVerdict],
        kept: Contract,
        report: Report,
        located: dict[str, Located | None],
    ) -> Finding | None:
        """Return the finding of a failure: wrong, or nothing that could have shown a mistake."""
        excuse(self.program, judge, verdicts)
        if any(v.state == "differs" for v in verdicts):
            blame = Blame(judge, kept, report, self.code, self.seed, located)
            if (finding := blame.finding(verdicts)) is not None:
                return finding
        if flat := [v.name for v in verdicts if v.state == "flat"]:
            facts = {
                "arrays": [gradient_name(n) for n in flat],
                "parameters": flat,
                "every": len(flat) == len(verdicts),
                "value": judge.near.value,
            }
            return Finding("GRD107", place=replace(kept.loss_place, array=flat[0]), facts=facts)
        if all(v.state in ("kink", "unclear", "dead") for v in verdicts):
            facts = {"array": gradient_name(verdicts[0].name), "parameter": verdicts[0].name}
            state = {"kink": verdicts[0].state == "kink", "dead": verdicts[0].state == "dead"}
            return Finding("GRD127", place=kept.loss_place, facts=facts | state)
        return None

    def _first_point(self, names: list[str], around: Surroundings) -> Contract:
        """Find a point where the functions can be evaluated, and hold them to their contract there."""
        spreads = SPREADS if self.at == "generic" else (0.0,)
        for spread in spreads:
            self.point = generic_point(self.given, self.random, spread) if spread else dict(self.given)
            try:
                return keep_contract(self.program, self.point, names, around)
            except Broken as broken:
                if not spread or broken.finding.code != "GRD111":
                    raise
            except StudentTrouble:
                raise
            except Exception:
                if not spread:
                    raise
        raise AssertionError  # pragma: no cover - the last spread is 0 and either returns or raises

    def _drop_absent(self, kept: Contract, names: list[str]) -> None:
        """Accept parameters without a gradient where the loss does not move with them (running averages).

        Raises:
            Broken: the loss moves with one of them.
        """
        if not kept.absent:
            return
        near = self._neighbourhood(kept)
        originals = leaves(self.program.parameters)
        for name in list(kept.absent):
            far = self.point[name] + 0.1 * self.random.standard_normal(self.point[name].shape)
            if isinstance(originals[name], np.ndarray) and float(near.at({name: far})) != near.value:
                raise missing(kept, names)
            names.remove(name)
            facts = {"array": gradient_name(name), "parameter": name}
            self.notes.append(Finding("GRD126", severity="note", place=kept.place, facts=facts))

    def _present(self, kept: Contract) -> list[ArrayVerdict]:
        """Return the verdicts on the gradients that are there, where points are given for each of them.

        One that is missing stands among them as one that differs.
        """
        surrounding = context.current()
        if surrounding is None or not surrounding.shares:
            return []
        absent = [n for n in self.names if n in kept.absent]
        try:
            _, verdicts = self._judge(kept, [n for n in self.names if n not in absent])
        except Exception:  # noqa: BLE001 - the finding is what is missing, whatever comes of the others
            return []
        return [*verdicts, *(ArrayVerdict(n, self.given[n].shape, "differs") for n in absent)]

    def _neighbourhood(self, kept: Contract) -> Neighbourhood:
        noise = 0.5 * kept.loss_precision * abs(kept.value)
        own = partial(self.program.loss_at, copied=False)
        near = Neighbourhood(own, self.point, kept.value, self.random, noise)
        near.copies = self.program.copies
        return near

    def _judge(self, kept: Contract, names: list[str]) -> tuple[Judge, list[ArrayVerdict]]:
        """Judge every array, at another point where this one lies on a kink or leaves units dead."""
        for attempt in range(REDRAWS):
            near = self._neighbourhood(kept)
            cautious = self.at == "given"
            judge = Judge(near, kept.gradients, kept.precision, self.rtol, self.directions, cautious)
            verdicts = judge.judge(names)
            settled = all(v.state in ("agrees", "differs") for v in verdicts)
            if settled or self.at == "given" or attempt == REDRAWS - 1:
                break
            if not self._move(kept, names):
                break
        for verdict in verdicts:
            if verdict.state == "dead" and judge.is_flat(verdict.name):
                verdict.state = "flat"
        return judge, verdicts

    def _move(self, kept: Contract, names: list[str]) -> bool:
        """Go to another generic point; return whether the functions can be evaluated there."""
        point = generic_point(self.given, self.random)
        try:
            value = self.program.loss_at(point)
            fresh = Contract(place=kept.place)
            returned = self.program.ask(self.program.gradients, point).value
            read_gradients(fresh, returned, point, names, self.program)
        except StudentTrouble:
            raise
        except Exception:  # noqa: BLE001 - a point where the loss has no value is no point to check at
            return False
        if not np.isfinite(value):
            return False
        self.point, kept.value, kept.gradients = point, float(value), fresh.gradients
        return True
