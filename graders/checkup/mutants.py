"""The planted mistakes of the fault dictionary, each as a notebook: which of them can the tests see?

Mutation score: the share of changed solutions, different from the solution on the probes, that some test
fails (R. DeMillo, R. Lipton, F. Sayward, "Hints on test data selection", 1978). The probes are the tests' own
calls and the same calls with other numbers, so that a mistake that only the tests cannot see still counts.
"""

from __future__ import annotations

import ast
import copy
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graders.batch import run_tests
from graders.checkup.variants import several_answers
from graders.checkup.watching import question_of
from graders.intake import Entry
from graders.specimens import Patch, notebook_bytes, notebook_with, source_notebook
from pytest_symmetry.answers import Answers, answered_by
from pytest_symmetry.assignment import load_reference
from pytest_symmetry.diagnosis.dictionary import measure, print_of
from pytest_symmetry.diagnosis.mutations import Mutation, mutations
from pytest_symmetry.diagnosis.replay import Program, Step, is_tick, steps_of
from pytest_symmetry.findings import Outcome, Verdict
from pytest_symmetry.grading import DEFAULT_SEED
from pytest_symmetry.namespace import parse_leniently
from pytest_symmetry.remote.process import InProcess
from pytest_symmetry.remote.proxy import Limits, OpenedSubmission

if TYPE_CHECKING:
    import pytest

    from graders.checkup.watching import Asked
    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.context import Call
    from pytest_symmetry.submission import Submission

CALLS = 2
"""Calls of one function in one test that become probes."""

OTHER_NUMBERS = 2
"""How often each probe is tried again with other numbers."""

MOST = 500
"""Mutants that are run; of more, every second or third is taken, from the whole solution."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed solution, as it is told: ``cost, line 2: X / m -> X``.

    ``tests`` are those that reach the changed function; no other can fail.
    """

    name: str
    function: str
    line: int
    text: str
    cause: str
    definition: ast.FunctionDef
    tests: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Score:
    """How many mutants were tried and how many some test failed.

    ``equal`` gave the solution's numbers on every probe, or another mutant's; ``broken`` raised, ran on for
    ever or gave no number. Neither is tried. ``failed_by`` are the mutants that each test failed, as
    far as it was asked; ``stopped`` are tests that met a mutant with an error of their own, and that mutant.
    ``open`` are functions with several right answers; ``unsettled`` survivors of theirs may be right and do
    not count.
    """

    tried: int
    survivors: tuple[Mutant, ...]
    equal: int = 0
    broken: int = 0
    left_out: int = 0
    open: tuple[str, ...] = ()
    unsettled: tuple[Mutant, ...] = ()
    failed_by: Mapping[str, int] = field(default_factory=dict)
    stopped: Mapping[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The mutation score, from 0 to 1."""
        return 1 - len(self.survivors) / self.tried if self.tried else 1.0


class NoMutants(Exception):
    """The solution cannot be run again on the tests' calls; the message says why."""


def planted(assignment: Assignment, asked: Mapping[str, Asked]) -> tuple[list[Mutant], Score]:
    """Return the mutants worth running, and a score that knows only what was not tried.

    Args:
        assignment: whose solution.
        asked: what each test asked of the solution.

    Raises:
        NoMutants: the solution cannot be run again on those calls.
    """
    program, probes, sizes = _probes(assignment, asked)
    try:
        base = [measure(program.run(steps)) for steps in probes]
        every = list(mutations(program, probes[0], sizes))
    except Exception as error:  # noqa: BLE001 - staff's own code; that it cannot be repeated is said
        raise NoMutants(str(error) or type(error).__name__) from None
    found: list[Mutant] = []
    seen, equal, broken = {_print(base, base)}, 0, 0
    reach = _reach(program, asked)
    for mutation in every:
        try:
            results = [measure(mutation.run(program, steps)) for steps in probes]
        except Exception:  # noqa: BLE001 - a changed program may raise anything
            broken += 1
            continue
        if not all(np.isfinite(a).all() for a in results[0].values()):
            broken += 1
        elif (print_ := _print(results, base)) in seen:
            equal += 1
        else:
            seen.add(print_)
            tests = frozenset(test for test, names in reach.items() if mutation.function in names)
            found.append(replace(_mutant(mutation, len(found)), tests=tests))
    kept = found[:: -(-len(found) // MOST)] if found else []
    several = several_answers(assignment, {mutant.function for mutant in kept}, probes[0])
    return kept, Score(len(kept), (), equal, broken, len(found) - len(kept), tuple(sorted(several)))


def _probes(
    assignment: Assignment, asked: Mapping[str, Asked]
) -> tuple[Program, list[list[Step]], dict[int, str]]:
    """Return the solution as a program, its probes (the tests' own first), and what lengths mean."""
    try:
        program = Program(load_reference(assignment.folder).source)
    except ValueError as error:
        raise NoMutants(str(error)) from None
    calls: list[Call] = []
    for one in asked.values():
        count: dict[str, int] = {}
        for call in one.calls:
            count[call.function] = count.get(call.function, 0) + 1
            if call.function in program.functions and count[call.function] <= CALLS:
                calls.append(call)
    sizes: dict[int, str] = {}
    for one in asked.values():
        sizes |= one.sizes
    steps, _ = steps_of(calls, range(len(calls)))
    if not steps:
        msg = "no test calls a function of the source notebook"
        raise NoMutants(msg)
    probes = [steps]
    try:
        program.rounds_of(steps)
    except Exception as error:  # noqa: BLE001 - as above
        raise NoMutants(str(error) or f"{type(error).__name__} when the tests' calls are repeated") from None
    for number in range(OTHER_NUMBERS):
        rng = np.random.default_rng(number)
        other = [replace(s, args=_others(s.args, rng), kwargs=_others(dict(s.kwargs), rng)) for s in steps]
        try:
            program.rounds_of(other)
            probes.append(other)
        except Exception:  # noqa: BLE001, S112 - other numbers may be none for this program
            continue
    return program, probes, sizes


def _reach(program: Program, asked: Mapping[str, Asked]) -> dict[str, set[str]]:
    """Return the functions that each test calls on the solution, directly or not."""
    return {
        test: set(program.reachable([Step(name) for name in {call.function for call in one.calls}]))
        for test, one in asked.items()
    }


def _others(value: Any, rng: np.random.Generator) -> Any:
    """Return arguments near the given ones; classes and counts stay, and so does what lies in (0, 1)."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isin(value, (0.0, 1.0)).all():
        return value * rng.uniform(0.8, 1.0, size=value.shape)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not value.any():
        return rng.normal(scale=0.1, size=value.shape)  # biases that start at zero
    if isinstance(value, float):
        return value * rng.uniform(0.8, 1.0)
    if isinstance(value, dict):
        return {key: _others(member, rng) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_others(member, rng) for member in value)
    return value


def _print(results: Sequence[Mapping[Any, Any]], base: Sequence[Mapping[Any, Any]]) -> tuple[Any, ...]:
    """Return numbers that two programs share where they give the same to nine digits."""
    found: list[Any] = []
    for mine, right in zip(results, base, strict=True):
        for leaf in right:
            array = np.asarray(mine[leaf], dtype=np.float64) if leaf in mine else None
            if array is None:
                found.append(None)
                continue
            made = print_of({leaf: array}, [leaf])
            size = 10.0 ** np.ceil(np.log10(max(float(made.norms[0]), 1e-300)))
            found += [array.shape, *np.round(made.prints / size, 9).tolist()]
        found.append(tuple(sorted(map(repr, set(mine) - set(right)))))
    return tuple(found)


def _mutant(mutation: Mutation, number: int) -> Mutant:
    """Return a mutation as a definition of its own, and in words."""
    before = _without_ticks(mutation.scope.function)
    for site, node in mutation.parts:
        site.put(node)
    after = _without_ticks(mutation.scope.function)
    for site, _ in reversed(mutation.parts):
        site.put(site.node)
    old, new = ast.unparse(before).splitlines(), ast.unparse(after).splitlines()
    changed = [(a.strip(), b.strip()) for a, b in zip(old, new, strict=False) if a != b]
    first, then = changed[0] if changed else ("", "a line left out")
    text = f"{first} -> {then}" if len(old) == len(new) else f"{first} left out"
    line = mutation.line - mutation.scope.function.lineno + 1
    name = f"m{number:04d}"
    return Mutant(name, mutation.function, line, text, mutation.cause, after)


def _without_ticks(function: ast.FunctionDef) -> ast.FunctionDef:
    made = copy.deepcopy(function)
    for node in ast.walk(made):
        for slot in ("body", "orelse"):
            if isinstance(body := getattr(node, slot, None), list):
                kept = [part for part in body if not is_tick(part)]
                setattr(node, slot, kept if kept or slot == "orelse" else [ast.Pass()])
    return ast.fix_missing_locations(made)


def write_mutant(source: Mapping[str, Any], mutant: Mutant, folder: Path) -> Entry:
    """Write a mutant as a notebook, beside the others."""
    notebook = notebook_with(source, Patch())
    owner, _, name = mutant.function.rpartition(".")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and (new := _replaced("".join(cell["source"]), owner, name, mutant)):
            cell["source"] = new.splitlines(keepends=True)
    path = folder / f"{mutant.name}.ipynb"
    path.write_bytes(notebook_bytes(notebook))
    return Entry(mutant.name, path, path.name)


def _replaced(text: str, owner: str, name: str, mutant: Mutant) -> str:
    """Return a cell with a function (or a method of ``owner``) replaced, or "" where it is not there."""
    tree, _, _ = parse_leniently(text, 0, "cell")
    holders = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == owner] if owner else [tree]
    nodes = [n for h in holders for n in h.body if isinstance(n, ast.FunctionDef) and n.name == name]
    if not nodes:
        return ""
    node, lines = nodes[-1], text.split("\n")
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    indent = " " * node.col_offset
    lines[first - 1 : node.end_lineno] = [
        indent + line for line in ast.unparse(mutant.definition).split("\n")
    ]
    return "\n".join(lines)


class _Undiagnosed(Answers):
    """The solution answers, and no cause is looked for: here it only matters that a test fails."""

    @property
    def source(self) -> str:
        return ""

    def dictionary(self, *_: Any) -> None:
        return None


@dataclass(slots=True, eq=False)
class _Hurry:
    """A pytest plugin: a mutant that one test failed need not be failed by tests that have failed others."""

    worth: Mapping[str, frozenset[str]] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    failed_by: dict[str, int] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)

    def pytest_symmetry_open_submission(
        self, submission: Submission, assignment: Assignment
    ) -> OpenedSubmission:
        """Open a mutant here: it is the staff's own, and it came to an end on these calls before."""
        data = [str(assignment.data)] if assignment.data is not None else []
        limits = Limits(assignment.seconds_per_call)
        return OpenedSubmission(
            submission, InProcess(quiet=True), limits, aliases=assignment.aliases, paths=data
        )

    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Leave out the body of a test that would tell nothing new; its fixtures come and go as ever."""
        callspec = getattr(pyfuncitem, "callspec", None)
        if callspec is None or (subject := callspec.params.get("submission")) is None:
            return None
        test, mutant = pyfuncitem.originalname, subject.found.path.stem
        settled = test in self.failed_by and mutant in self.dead
        return True if settled or test not in (self.worth.get(mutant) or {test}) else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which mutant was failed, and by which test."""
        data = getattr(report, "symmetry", None)
        if data is None:
            return
        said = data["verdict"]
        verdict = said if isinstance(said, Verdict) else Verdict.from_json(said)
        if verdict.outcome is Outcome.PASSED:
            return
        mutant, test = Path(data["path"]).stem, question_of(verdict.name)
        self.dead.add(mutant)
        self.failed_by[test] = self.failed_by.get(test, 0) + 1
        if verdict.outcome is Outcome.WAITS:
            self.stopped.setdefault(test, mutant)


def tried(assignment: Assignment, mutants: Sequence[Mutant], score: Score) -> Score:
    """Run the tests over the mutants and return the score.

    Raises:
        AssignmentError: the tests could not be run.
    """
    if not mutants:
        return score
    hurry = _Hurry({mutant.name: mutant.tests for mutant in mutants})
    source = source_notebook(assignment.folder)
    with tempfile.TemporaryDirectory() as scratch, answered_by(_Undiagnosed(assignment)):
        entries = [write_mutant(source, mutant, Path(scratch)) for mutant in mutants]
        for first in range(0, len(entries), 50):
            run_tests(assignment, entries[first : first + 50], DEFAULT_SEED, observer=hurry)
    alive = [m for m in mutants if m.name not in hurry.dead]
    unsettled = tuple(m for m in alive if m.function in score.open)
    words = {m.name: f"{m.function}, line {m.line}: {m.text}" for m in mutants}
    stopped = {test: words[name] for test, name in hurry.stopped.items()}
    return replace(
        score,
        tried=len(mutants) - len(unsettled),
        survivors=tuple(m for m in alive if m.function not in score.open),
        unsettled=unsettled,
        failed_by=hurry.failed_by,
        stopped=stopped,
    )
