"""One mark explained: the stored work judged again with the stored seed, and all that was seen meanwhile.

What is replayed is compared with what is stored, byte for byte; where they differ it is said, with what has
changed since.
"""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.batch import run_tests
from graders.decisions import find_question, find_student
from graders.fingerprint import fingerprint
from graders.gradebook import GradebookError, to_text
from graders.intake import Entry
from graders.marks import counting, marks, question_of
from graders.sandbox.choice import establish
from graders.stability import further_seeds, settled
from graders.stored import stored
from pytest_symmetry.assignment import load_assignment, load_reference
from pytest_symmetry.context import current
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.feedback.text import environment, harmless, number, words_or_facts
from pytest_symmetry.findings import Outcome, Verdict
from pytest_symmetry.grading import result_line, versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graders.gradebook import Basis, Gradebook, Judged
    from graders.marks import Mark
    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.context import Call, Context
    from pytest_symmetry.findings import Finding, Result

_SHOWN_CALLS = 4
"""Functions whose first call is shown, per question."""


@dataclass(slots=True)
class Seen:
    """What one test did: its context, and the evidence of the check that failed in it."""

    context: Context
    evidence: list[Any] = field(default_factory=list)


@dataclass(eq=False)
class _Observer:
    """A pytest plugin that keeps what the checks of one submission saw, by test."""

    seen: dict[str, Seen] = field(default_factory=dict)

    def pytest_runtest_setup(self, item: Any) -> None:
        """Note the context of a test that begins."""
        if (context := current()) is not None:
            self.seen[item.nodeid] = Seen(context)

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        """Keep the evidence of a check that failed."""
        evidence = getattr(call.excinfo.value, "evidence", None)
        if evidence is not None and node.nodeid in self.seen:
            self.seen[node.nodeid].evidence.append(evidence)


@dataclass(frozen=True, slots=True)
class Replay:
    """A stored result beside the same work judged again; ``changes`` is what both depend on and differs."""

    mark: Mark
    judged: Judged
    result: Result
    seen: Mapping[str, Seen]
    changes: tuple[str, ...]
    assignment: Assignment

    @property
    def same(self) -> bool:
        """Whether the tests' verdicts and findings are the stored ones, byte for byte."""
        again = result_line(self.result)
        return to_text({"tests": self.judged.line["tests"]}) == to_text({"tests": again["tests"]})


def replay(book: Gradebook, student: str, *, isolation: str = "strict", folder: Path | None = None) -> Replay:
    """Judge the stored work of a student again, on the basis on which it was judged.

    ``folder`` is the assignment's, where it has been moved since.

    Raises:
        DecisionError: there is no such student.
        GradebookError: there is nothing to replay; the message says why.
        AssignmentError: the assignment is not where it was.
    """
    out = book.path.parent
    mark = find_student(marks(book), student, str(out))
    path = stored(out, mark.pseudonym, mark.result.sha256) if mark.result is not None else None
    if mark.result is None or not mark.result.tests or path is None:
        why = mark.reason or mark.status
        msg = f"{out}: there is no verdict of the tests on the work of {mark.student} ({why})"
        raise GradebookError(msg)
    judged = book.judged(counting(book.history())[mark.student])
    assignment = load_assignment(folder or Path(book.header("folder") or ""))
    changes = tuple(_changes(judged.basis, assignment, str(establish(isolation, assignment))))
    entry = Entry(mark.result.student, path, mark.result.submission, mark.result.sha256)
    observer = _Observer()
    seed, runs = int(judged.basis.seed), []
    for one in (seed, *further_seeds(seed, judged.basis.seeds)):
        watching = observer if one == seed else None
        names = {entry.student: book.pseudonym(entry.student)}
        runs += run_tests(assignment, [entry], one, isolation, names=names, observer=watching)
    return Replay(mark, judged, settled(runs), observer.seen, changes, assignment)


def _changes(basis: Basis, assignment: Assignment, isolation: str) -> Iterator[str]:
    """Say what a verdict depends on and is not as it was."""
    if basis.assignment != fingerprint(assignment):
        yield f"the files of the assignment in {assignment.folder}"
    now = versions()
    for name in sorted({*basis.versions, *now}):
        if basis.versions.get(name) != now.get(name):
            yield f"{name} {basis.versions.get(name)} -> {now.get(name)}"
    if basis.isolation != isolation:
        yield f"isolation {basis.isolation} -> {isolation}"


def explanation(found: Replay, question: str = "") -> str:
    """Return the explanation of all questions that were not passed, or of the one that is asked for.

    Raises:
        DecisionError: there is no such question.
    """
    tests = found.result.tests
    if question:
        asked = find_question(list(dict.fromkeys(question_of(v.name) for v in tests)), question)
        chosen = [v for v in tests if question_of(v.name) == asked]
    else:
        chosen = [v for v in tests if v.outcome is not Outcome.PASSED]
    mark, basis = found.mark, found.judged.basis
    text = _template().render(
        student=mark.student,
        points=mark.points,
        max_points=mark.max_points,
        status=mark.status,
        reason=mark.reason,
        submission=found.result.submission,
        sha256=found.result.sha256,
        isolation=basis.isolation,
        versions=", ".join(f"{name} {version}" for name, version in sorted(basis.versions.items())),
        seed=basis.seed if basis.seeds == 1 else f"{basis.seed} and {basis.seeds - 1} made from it",
        changes=found.changes,
        same=found.same,
        questions=[_question(found, verdict) for verdict in chosen],
    )
    return "\n".join(harmless(line) for line in text.splitlines())


def _template() -> Any:
    from importlib.resources import files

    source = files("pytest_symmetry") / "feedback" / "templates" / "explain.txt"
    return environment().from_string(source.read_text(encoding="utf-8"))


def _question(found: Replay, verdict: Verdict) -> dict[str, Any]:
    seen = found.seen.get(verdict.nodeid)
    decided = {q.question: q for q in found.mark.corrected}.get(question_of(verdict.name))
    shown = [str(one) for one in (*seen.evidence, *seen.context.evidence)] if seen is not None else []
    return {
        "name": verdict.name,
        "outcome": verdict.outcome.value,
        "points": verdict.points,
        "max_points": verdict.max_points,
        "decided": f"{number(decided.points)} by {decided.by}: {decided.reason}" if decided else "",
        "calls": _calls(seen.context.calls, found.assignment) if seen is not None else [],
        "findings": [_finding(f, seen) for f in verdict.findings],
        "evidence": [line for one in dict.fromkeys(shown) for line in one.splitlines()],
    }


def _calls(calls: Sequence[Call], assignment: Assignment) -> list[dict[str, Any]]:
    """Return the first call of each function, with what it was given and what it returned."""
    times = Counter(call.function for call in calls)
    first = {call.function: call for call in reversed(calls)}
    given: dict[tuple[str, ...], str] = {}
    shown = []
    for name in list(times)[:_SHOWN_CALLS]:
        inputs = tuple(_inputs(first[name], assignment))
        same = given.setdefault(inputs, name)
        result = list(_values("", first[name].result))
        told = inputs if same == name else [f"what {same} was given"]
        shown.append({"function": name, "times": times[name], "inputs": told, "result": result})
    return shown


def _inputs(call: Call, assignment: Assignment) -> Iterator[str]:
    """Yield what a call was given, under the names that the reference gives its arguments."""
    reference = getattr(load_reference(assignment.folder), call.function, None)
    try:
        names = list(inspect.signature(reference).parameters) if callable(reference) else []
    except (TypeError, ValueError):
        names = []
    for i, value in enumerate(call.args):
        yield from _values(names[i] if i < len(names) else f"argument {i + 1}", value)
    for name, value in call.kwargs.items():
        yield from _values(name, value)


def _values(name: str, value: Any) -> Iterator[str]:
    """Yield the lines of a value: arrays with shape and numbers, long ones shortened in the middle."""
    import numpy as np

    if isinstance(value, dict):
        for key, part in value.items():
            yield from _values(f"{name}[{key!r}]" if name else str(key), part)
    elif isinstance(value, list | tuple) and any(
        isinstance(part, np.ndarray | dict | list) for part in value
    ):
        for i, part in enumerate(value):
            yield from _values(f"{name}[{i}]", part)
    elif isinstance(value, np.ndarray) and value.ndim:
        shape = "x".join(map(str, value.shape))
        yield f"{name} ({shape}, {value.dtype})".strip()
        shown = np.array2string(value, precision=6, threshold=60, edgeitems=3, max_line_width=100)
        yield from (f"  {line}" for line in shown.splitlines())
    else:
        text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
        yield f"{name} = {text[:200]}" if name else text[:200]


def _finding(finding: Finding, seen: Seen | None) -> dict[str, Any]:
    said = words_or_facts(finding, reveal="cause")
    ways = seen.context.ways if seen is not None else []
    facts = finding.facts
    return {
        "code": finding.code,
        "title": said.title,
        "place": said.place,
        "seen": said.seen,
        "expected": said.expected,
        "cause": said.cause,
        "hint": said.hint,
        "value": _fact(facts, "student"),
        "wanted": _fact(facts, "numerical", "reference", "expected"),
        "bar": _fact(facts, "error_bar", "tolerance"),
        "named": finding.cause in all_causes(),
        "consequence_of": finding.consequence_of,
        "way": next((way for cause, way in reversed(ways) if cause == finding.cause), ""),
        "facts": ", ".join(f"{key} = {value}" for key, value in facts.items()) or "none",
    }


def _fact(facts: Mapping[str, Any], *names: str) -> str:
    """Return the first of some facts that is there, at full precision: all digits count here."""
    found = next((facts[name] for name in names if facts.get(name) is not None), "")
    return repr(float(found)) if isinstance(found, float) else str(found)
