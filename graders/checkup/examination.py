"""All that is looked at when an assignment is checked, in the order in which it is said."""

from __future__ import annotations

import os
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from graders.batch import run_tests
from graders.checkup.mutants import NoMutants, Score, planted, tried
from graders.checkup.reading import read_over
from graders.checkup.slopes import doubtful_gradients
from graders.checkup.watching import Watcher, question_of
from graders.intake import Entry
from graders.release import release
from graders.specimens import FILE as SPECIMENS
from graders.specimens import Specimen, load_specimens, write_specimens
from pytest_symmetry.assignment import FILE, load_assignment, load_reference
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.feedback.text import listed, number, words_or_facts
from pytest_symmetry.findings import Outcome
from pytest_symmetry.grading import DEFAULT_SEED
from pytest_symmetry.points import is_manual

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.findings import Result, Verdict

BAR = 0.95
"""The mutation score that an assignment must reach."""

SEEDS = (DEFAULT_SEED, 1, 2)
"""Seeds under which the solution must pass; the first two also for planted mistakes and variants."""


@dataclass(slots=True)
class Report:
    """What an examination found: sentences about what is wrong, and others about what staff should know."""

    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    score: Score | None = None


def examine(folder: Path, *, quick: bool = False) -> Report:
    """Look an assignment over and return what was found.

    Args:
        folder: the assignment's folder.
        quick: leave out the mutation score, the planted mistakes under a second seed, and with them whether
            each test can fail.

    Raises:
        SymmetryError: this machine cannot run submissions at all.
    """
    report = Report()
    _look_over(folder, report, quick=quick)
    for said in (report.wrong, report.notes):
        said[:] = dict.fromkeys(_short(sentence, folder) for sentence in said)
    return report


def _short(sentence: str, folder: Path) -> str:
    """Return a sentence in which files of the assignment go by their names alone."""
    for prefix in (f"{folder.resolve()}{os.sep}", f"{folder}{os.sep}"):
        sentence = sentence.replace(prefix, "")
    return sentence


def _look_over(folder: Path, report: Report, *, quick: bool) -> None:
    """Read what can be read, then run what can be run."""
    try:
        assignment = load_assignment(folder)
    except AssignmentError as error:
        report.wrong.append(str(error))
        report.notes.append("Nothing else was looked at: mend that first.")
        return
    report.wrong += read_over(assignment)
    if not assignment.tests:
        return
    try:
        load_reference(assignment.folder)
    except AssignmentError as error:
        report.wrong.append(str(error))
        return
    _examine(assignment, report, quick=quick)


def _examine(assignment: Assignment, report: Report, *, quick: bool) -> None:
    """Run what can be run, as far as the solution allows."""
    first = Watcher()
    try:
        results = [_solution(assignment, seed, first if seed == DEFAULT_SEED else None) for seed in SEEDS]
    except AssignmentError as error:
        report.wrong += first.problems or ([] if report.wrong else [str(error)])  # reading has told why
        return
    report.wrong += _failures(assignment, results)
    report.wrong += _points(assignment, results[0])
    report.wrong += _by_seed(results)
    report.wrong += _by_run(assignment, first, results[0])
    report.wrong += doubtful_gradients(assignment, first.asked)
    if any(_lost(v) for v in results[0].tests):
        report.notes.append(
            "Planted mistakes, release and mutants were not tried: the solution must pass first."
        )
        return
    failed_by = _specimens(assignment, report, SEEDS[:1] if quick else SEEDS[:2])
    _release(assignment, report)
    if not quick:
        _mutants(assignment, report, first, results[0], failed_by)


def _solution(assignment: Assignment, seed: int, observer: Watcher | None = None) -> Result:
    entry = Entry("solution", assignment.source, assignment.notebook)
    (result,) = run_tests(assignment, [entry], seed, observer=observer)
    return result


def _lost(verdict: Verdict) -> bool:
    return verdict.outcome is not Outcome.PASSED and not is_manual(verdict)


def _failures(assignment: Assignment, results: list[Result]) -> Iterator[str]:
    """Yield what the solution fails, whatever the seed."""
    result, *others = results
    luck = {v.name for other in others for v in other.tests if v.outcome is Outcome.PASSED}
    if not [v for v in result.tests if not is_manual(v)]:
        yield f"{assignment.name}: its tests ask nothing; give a test the argument `submission`"
    for verdict in (v for v in result.tests if _lost(v) and v.name not in luck):
        said = [words_or_facts(f) for f in verdict.findings]
        why = f": {said[0].code} {said[0].seen or said[0].title}" if said else ""
        yield f"{verdict.name}: the solution itself fails it{why}"


def _points(assignment: Assignment, result: Result) -> Iterator[str]:
    """Yield a sentence where the points do not make the total that assignment.toml gives."""
    total = tomllib.loads(assignment.file.read_text(encoding="utf-8")).get("total")
    if total is not None and abs(float(total) - result.max_points) > 1e-9:
        yield (
            f"{FILE}: total: it is {number(float(total))}, but the questions are worth "
            f"{number(result.max_points)} points together; change a points marker or the total"
        )
    if not result.max_points:
        yield f"{assignment.name}: its questions are worth no points; give one @pytest.mark.points(1)"


def _by_seed(results: list[Result]) -> Iterator[str]:
    """Yield each test whose verdict on the solution hangs on the seed."""
    base = {v.name: v for v in results[0].tests}
    for seed, result in zip(SEEDS[1:], results[1:], strict=True):
        for verdict in result.tests:
            before = base.get(verdict.name)
            if before is not None and before.outcome is not verdict.outcome:
                yield (
                    f"{verdict.name}: it depends on the seed: the solution has {before.outcome.value} with "
                    f"seed {SEEDS[0]} and {verdict.outcome.value} with seed {seed}; ask what holds for any"
                )


def _by_run(assignment: Assignment, first: Watcher, result: Result) -> Iterator[str]:
    """Yield each test that asks something else, or judges otherwise, when it is run a second time."""
    again = Watcher()
    second = _solution(assignment, DEFAULT_SEED, again)
    outcomes = {v.name: v.outcome for v in result.tests}
    for verdict in second.tests:
        if outcomes.get(verdict.name, verdict.outcome) is not verdict.outcome:
            yield f"{verdict.name}: two runs with one seed come to different verdicts on the solution"
    for name, asked in first.asked.items():
        other = again.asked.get(name)
        if other is not None and asked.digest and other.digest and asked.digest != other.digest:
            yield (
                f"{name}: two runs with one seed ask different things, so it depends on time or on numbers "
                "of its own; draw what it asks from the fixture probe_rng"
            )


def _specimens(assignment: Assignment, report: Report, seeds: tuple[int, ...]) -> set[str]:
    """Try the planted mistakes and the variants; return the tests that one of them fails."""
    if not (assignment.folder / SPECIMENS).is_file():
        report.notes.append(f"There is no {SPECIMENS}: no mistake is promised to be caught by its name.")
        return set()
    failed_by: set[str] = set()
    try:
        specimens = load_specimens(assignment.folder)
        with tempfile.TemporaryDirectory() as scratch:
            written = write_specimens(assignment.folder, Path(scratch))
            entries = [Entry(p.stem, p, p.name) for p in written]
            graded = {seed: run_tests(assignment, entries, seed) for seed in seeds} if entries else {}
    except AssignmentError as error:
        report.wrong.append(str(error))
        return set()
    for seed, results in graded.items():
        by_name = {r.student: r for r in results}
        failed_by |= {question_of(v.name) for r in results for v in r.tests if v.outcome is Outcome.FAILED}
        report.wrong += _stopped(results)
        for specimen in specimens:
            said = _accused(specimen, by_name[specimen.name]) if specimen.correct else ""
            said = said or ("" if specimen.correct else _missed(specimen, by_name[specimen.name]))
            if said:
                known = any(said == w.partition(" (seed")[0] for w in report.wrong)
                report.wrong += [] if known else [f"{said} (seed {seed})"]
    return failed_by


def _stopped(results: list[Result]) -> Iterator[str]:
    """Yield each test that ends with an error of its own on a planted mistake."""
    for result in results:
        for verdict in result.tests:
            if verdict.outcome is Outcome.WAITS and not is_manual(verdict):
                yield _stops(verdict.name, f"the entry {result.student!r} of {SPECIMENS}")


def _stops(test: str, on: str) -> str:
    return (
        f"{test}: it stops with an error of its own, and waits for a person, on {on}; let it look first at "
        "what it is given"
    )


def _accused(specimen: Specimen, result: Result) -> str:
    lost = [v for v in result.tests if _lost(v)]
    if not lost:
        return ""
    code = lost[0].findings[0].code if lost[0].findings else lost[0].outcome.value
    return f"{SPECIMENS}: the variant {specimen.name!r} is correct work, but {lost[0].name} answers {code}"


def _missed(specimen: Specimen, result: Result) -> str:
    """Return what a specimen got instead of what it was promised, or ""."""
    found = [(v.name, f) for v in result.tests for f in v.findings if f.severity == "fail"]
    promised = [specimen.test, specimen.code, *([specimen.cause] if specimen.cause else [])]
    if not found:
        return f"{SPECIMENS}: the specimen {specimen.name!r} passes every test; {promised[0]} should fail it"
    test, finding = found[0]
    got = [test, finding.code, *([finding.cause or "no cause"] if specimen.cause else [])]
    if got == promised:
        return ""
    words = f"is promised {' '.join(promised)}, but gets {' '.join(got)}"
    return f"{SPECIMENS}: the specimen {specimen.name!r} {words}"


def _release(assignment: Assignment, report: Report) -> None:
    """Release into a folder of no consequence, and say what that shows."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            made = release(assignment, Path(scratch) / "out")
        except AssignmentError as error:
            report.wrong.append(str(error))
            return
    for name in made.free:
        report.wrong.append(
            f"{name}: a notebook without any work passes it; ask for something that has to be written"
        )
    after = f", {number(made.after)} after hand-in" if made.after else ""
    report.notes.append(f"{number(made.here)} points are decided at the students'{after}.")
    if made.hidden:
        report.notes.append(f"Kept by staff: {listed(list(made.hidden))}.")
    if made.undecided:
        report.notes.append(
            f"Decided by staff, as the answers cannot be recorded: {listed(list(made.undecided))}."
        )


def _mutants(
    assignment: Assignment, report: Report, watcher: Watcher, result: Result, failed_by: set[str]
) -> None:
    """Work out the mutation score; name the tests that nothing fails."""
    try:
        mutants, score = planted(assignment, watcher.asked)
    except NoMutants as why:
        report.notes.append(f"No mutants could be made, so whether each test can fail is not known: {why}.")
        return
    score = report.score = tried(assignment, mutants, score)
    if score.share < BAR:
        report.wrong.append(
            f"{assignment.name}: the tests see {score.share:.1%} of {score.tried} changed solutions, fewer "
            f"than {BAR:.0%}; ask for more, or show with a [[variant]] where another answer is right too"
        )
    for name in dict.fromkeys(question_of(v.name) for v in result.tests if not is_manual(v)):
        if name not in failed_by and name not in score.failed_by:
            report.wrong.append(
                f"{name}: no planted mistake and none of {score.tried} changed solutions fails it; ask for "
                "more, or take it away"
            )
    for name, change in sorted(score.stopped.items()):
        report.wrong.append(_stops(name, f"the changed solution {change}"))
