"""From what a test did to what it earns: verdicts, points, results. Pure functions; pytest is elsewhere."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest_symmetry
from pytest_symmetry import errors
from pytest_symmetry.assignment import reference_place
from pytest_symmetry.context import pay
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.consequences import attribute
from pytest_symmetry.feedback.terminal import finding_lines
from pytest_symmetry.feedback.text import harmless, words_or_facts
from pytest_symmetry.findings import Finding, Outcome, Place, Result, Verdict
from pytest_symmetry.points import check_costs, earned, manual_verdicts, partial_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.context import Context

DEFAULT_SEED = 20
"""The seed of a student's local run and of the demo; a class is graded with a secret one."""

_OUTCOMES: dict[type[errors.StudentTrouble], Outcome] = {
    errors.NotAttempted: Outcome.NOT_ATTEMPTED,
    errors.FunctionMissing: Outcome.NOT_ATTEMPTED,
    errors.NotLoaded: Outcome.COULD_NOT_RUN,
    errors.RaisedError: Outcome.FAILED,
    errors.TimedOut: Outcome.TIMED_OUT,
    errors.ProcessDied: Outcome.DIED,
}

DECIDED_BY_STAFF = "TST103"
"""The code of a question to which the pack has no answer."""

HIDDEN_TEST = "TST106"
"""The code of a question whose test is not handed out."""

MARKED_BY_A_PERSON = "TST104"
"""The code of a question that no test can decide."""


@functools.lru_cache(maxsize=4096)
def derive_seed(seed: int, assignment: str, test: str) -> int:
    """Return the seed of one test's probes: the same for every student, other for every test."""
    digest = hashlib.sha256(f"{seed}/{assignment}/{test}".encode()).digest()
    return int.from_bytes(digest[:16], "little")


def outcome_of(error: BaseException | None) -> tuple[Outcome, Finding | None]:
    """Return what an exception (or none) of a test means for the submission.

    An exception that is neither a check's nor the student's own is an accident of the test: it waits for a
    person and is never a mark.
    """
    if error is None:
        return Outcome.PASSED, None
    if isinstance(error, errors.CheckFailed):
        return Outcome.FAILED, error.finding
    if isinstance(error, errors.StudentTrouble):
        return _OUTCOMES[type(error)], error.finding
    if isinstance(error, errors.SubmissionError):
        return Outcome.COULD_NOT_RUN, Finding("SUB108", facts={"message": str(error)})
    if isinstance(error, AssertionError) or _is_fail_of_pytest(error):
        return Outcome.FAILED, Finding("TST101", facts=_said_by_the_course(error))
    if isinstance(error, errors.DecidedByStaff):
        return Outcome.WAITS, Finding(DECIDED_BY_STAFF, severity="note")
    facts = {"type": type(error).__name__, "message": _first_lines(error), "where": reference_place(error)}
    return Outcome.WAITS, Finding("TST102", facts=facts)


def _is_fail_of_pytest(error: BaseException) -> bool:
    """Return whether a test called ``pytest.fail``; told by name, because nothing here imports pytest."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return kinds[0] == "Failed" and "OutcomeException" in kinds


def _said_by_the_course(error: BaseException) -> dict[str, Any]:
    """Return what a test says: its own sentence alone, or else what pytest made of it."""
    sentence, _, _ = str(error).strip().partition("\nassert ")
    written = bool(sentence) and not sentence.startswith("assert ")
    return {"message": _shortened(sentence if written else str(error)), "written": written}


def _first_lines(error: BaseException) -> str:
    return _shortened(str(error))


def _shortened(text: str) -> str:
    return "\n".join(text.strip().splitlines()[:6])[:600]


def verdict_of(
    name: str,
    nodeid: str,
    max_points: float,
    error: BaseException | None,
    context: Context,
    *,
    shared: bool = False,
) -> Verdict:
    """Return the verdict of one test: its outcome, its points, its finding and the notes of its checks.

    ``shared`` is whether the question gives points for each array that is right.
    """
    outcome, finding = outcome_of(error)
    printed = "".join(context.submission.printed) if context.submission is not None else ""
    findings = [f for f in (finding,) if f is not None] + _notes(context)
    assignment = context.assignment
    own = [cause.name for cause in assignment.causes] if assignment is not None else []
    verdict = Verdict(
        name=name,
        nodeid=nodeid,
        outcome=outcome,
        points=0.0,
        max_points=max_points,
        findings=tuple(findings),
        printed=printed,
        partial=partial_of(error, shared=shared, ways=context.ways, own=own),
    )
    verdict = replace(verdict, points=earned(verdict, assignment.points.costs if assignment else {}))
    if finding is not None and "convention" in finding.facts and verdict.points < max_points:
        pay(context.submission, finding.facts["convention"], name)
    return verdict


def topic_only(verdict: Verdict, topic: str) -> Verdict:
    """Return the verdict of a test that stays with staff, as students may read it: points and topic."""
    if verdict.outcome is Outcome.PASSED:
        return replace(verdict, findings=(), printed="")
    facts = {"topic": topic, "outcome": verdict.outcome.value}
    return replace(verdict, findings=(Finding(HIDDEN_TEST, facts=facts),), printed="")


def said_instead_of_traceback(error: BaseException | None, verdict: Verdict, reveal: str) -> str:
    """Return the finding that a failing test shows; "" where pytest's own traceback is the better answer."""
    mine = errors.CheckFailed | errors.StudentTrouble | errors.SubmissionError
    if not isinstance(error, mine) or not verdict.findings:
        return ""
    return "\n".join(finding_lines(verdict.findings[0], reveal=reveal))


def sections(error: BaseException | None, verdict: Verdict) -> list[tuple[str, str]]:
    """Return what is shown under a failing test: the student's own traceback, and what was printed."""
    found = []
    if isinstance(error, errors.StudentTrouble) and error.detail:
        found.append(("Traceback in the submission", harmless(error.detail)))
    if verdict.printed:
        found.append(("Printed by the submission", harmless(verdict.printed)))
    return found


def _notes(context: Context) -> list[Finding]:
    """Return what is worth a note: the checks' own notes, and cells that had to be run."""
    found = list({(f.code, f.place): f for f in context.notes}.values())
    if context.submission is not None:
        for cell, names in context.submission.cells_run.items():
            facts = {"cell": cell, "names": sorted(set(names))}
            found.append(Finding("SUB201", severity="note", place=Place(cell=cell), facts=facts))
    return found


def check_prices(assignment: Assignment) -> None:
    """See that ``[costs]`` of an assignment names only causes that there are, the course's own among them.

    Raises:
        AssignmentError: it names another.
    """
    own = (cause.name for cause in assignment.causes)
    check_costs(assignment.file, assignment.points, {*all_causes(), *own})


def share_points(questions: Sequence[tuple[str, float]]) -> list[float]:
    """Return the points of each test: those of a question, shared equally by its parametrised cases."""
    cases = Counter(question for question, _ in questions)
    return [points / cases[question] for question, points in questions]


def versions() -> dict[str, str]:
    """Return the versions that a verdict depends on."""
    import numpy as np

    return {
        "pytest-symmetry": pytest_symmetry.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


@dataclass(slots=True)
class Graded:
    """The verdicts of one submission as they come in, in any order."""

    student: str
    path: str
    assignment: str
    isolation: str = ""
    sha256: str = ""
    title: str = ""
    reveal: str = "hint"
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    manual: dict[str, float] = field(default_factory=dict)

    def result(self, seed: int) -> Result:
        """Return the whole result, tests in their own order, consequences marked as such."""
        ordered = [self.verdicts[key] for key in sorted(self.verdicts)]
        told = attribute({str(number): verdict.findings for number, verdict in enumerate(ordered)})
        verdicts = tuple(replace(v, findings=told[str(number)]) for number, v in enumerate(ordered))
        by_hand = manual_verdicts(self.manual, Finding(MARKED_BY_A_PERSON, severity="note"))
        waits = [v.name for v in verdicts if v.outcome is Outcome.WAITS]
        return Result(
            student=self.student,
            submission=self.path,
            sha256=self.sha256,
            status="waits for a person" if waits else "graded",
            reason=f"no verdict on {', '.join(waits)}" if waits else "",
            points=round(sum(v.points for v in verdicts), 6),
            max_points=round(sum(v.max_points for v in (*verdicts, *by_hand)), 6),
            assignment=self.assignment,
            versions=versions(),
            seed=str(seed),
            isolation=self.isolation,
            tests=(*verdicts, *by_hand),
        )


def result_line(result: Result, *, reveal: str = "cause") -> dict[str, Any]:
    """Return a result as one line of results.jsonl: the record, and each finding's words."""
    line = result.to_json()
    del line["kind"]
    for test, verdict in zip(line["tests"], result.tests, strict=True):
        test["findings"] = [_with_words(f, reveal) for f in verdict.findings]
    return line


def _with_words(finding: Finding, reveal: str) -> dict[str, Any]:
    said = words_or_facts(finding, reveal=reveal)
    data = finding.to_json()
    del data["schema"], data["kind"]
    return {**data, "title": said.title, "seen": said.seen, "expected": said.expected, "hint": said.hint}
