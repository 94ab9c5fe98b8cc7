"""Submissions x assignment -> results: pytest runs over chunks of a class, in worker processes.

Each worker runs ``pytest.main`` over a chunk; the fixture ``submission`` stands for one file after another,
each in a child process of its own. Nothing of a submission's folder configures these runs.

Whoever only hands out the work has no use for numpy and pytest: what judges is imported where it judges.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graders.intake import Entry, in_chunks
from graders.sandbox.watchdog import patience
from graders.stability import settled
from graders.workers import Workers
from pytest_symmetry import apart
from pytest_symmetry.assignment import Assignment, load_assignment, load_reference
from pytest_symmetry.context import current
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.feedback.html import student_page
from pytest_symmetry.feedback.text import words_or_facts
from pytest_symmetry.findings import Outcome, Result
from pytest_symmetry.grading import versions
from pytest_symmetry.points import is_manual
from pytest_symmetry.submission import Found, Submission, read_submission

if TYPE_CHECKING:
    import pytest

    from graders.sandbox.levels import Isolation
    from pytest_symmetry.remote.proxy import OpenedSubmission

CHUNK = 50
"""Submissions per pytest run: longer runs only grow."""

# What an assignment's tests have no use for, and every test of every submission would pay for.
_WITHOUT = (
    *("faulthandler", "logging", "setuponly", "setupplan", "threadexception", "unraisableexception"),
    "warnings",
)

CALLS_WORTH = 120
"""All calls of one submission together may take as long as this many that use up their limit."""

NO_ISOLATION = "none: the code was not run"


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is told: plain data only, so that it can travel to any executor."""

    assignment: str
    seed: int
    reveal: str
    entries: tuple[Entry, ...]
    isolation: str = "best"
    patience: float = 600.0
    """Seconds that one test of one submission may take before its worker is given up."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What stands for each student in test ids, where it is not their own name."""
    seed_mark: str = ""
    """What pages show instead of a secret seed."""
    more_seeds: tuple[int, ...] = ()
    """Seeds with which every verdict must come out the same, or waits for a person."""
    dictionaries: str = ""
    """The folder that keeps what planted mistakes give, so that each is planted once for a class."""


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in a set
class _Supply:
    """The pytest plugin of a batch run: says who is graded, locks their code in, and keeps the results."""

    entries: Sequence[Entry]
    isolation: str
    patience: float = 0.0
    names: Mapping[str, str] = field(default_factory=dict)
    dictionaries: Path | None = None
    results: list[Result] = field(default_factory=list)
    _locations: dict[tuple[Path, str], tuple[str, int | None]] = field(default_factory=dict)

    def pytest_symmetry_dictionaries(self) -> Path | None:
        """Say where planted mistakes are kept; None leaves it to the plugin."""
        return self.dictionaries

    def pytest_symmetry_submissions(self) -> list[Found]:
        """Give the chunk's submissions."""
        return [Found(self.names.get(e.student, e.student), e.path) for e in self.entries]

    def pytest_symmetry_open_submission(
        self, submission: Submission, assignment: Assignment
    ) -> OpenedSubmission:
        """Open a submission in the sandbox; of its own folder nothing is read but the notebook."""
        from graders.sandbox.choice import transport_for
        from pytest_symmetry.remote.proxy import Limits, OpenedSubmission

        seconds = assignment.seconds_per_call
        return OpenedSubmission(
            submission,
            transport_for(assignment, self.isolation),
            Limits(seconds, assignment.memory_mb << 20, CALLS_WORTH * seconds),
            aliases=assignment.aliases,
            paths=[str(assignment.data)] if assignment.data is not None else [],
        )

    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Give up this worker when the judge itself is stuck in a test; believe no loss that changes."""
        from graders.constancy import require_constancy

        functions: Any = pyfuncitem.funcargs.get("submission")
        context = current()
        with patience(self.patience):
            if functions is None or context is None:
                return (yield)
            functions._opened.log = []  # noqa: SLF001 - what the fixture stands for
            result = yield
            require_constancy(functions._opened, context)  # noqa: SLF001 - as above
        return result

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a test as pytest does, but report only what decides: its call, or what kept it from one.

        The reports of set-ups and tear-downs that went well cost as much as the tests of a small question.
        """
        hook = item.ihook
        item.location = self._location(item)  # found once, not for each submission
        call = _called("setup", lambda: hook.pytest_runtest_setup(item=item))
        if call.excinfo is None:
            call = _called("call", lambda: hook.pytest_runtest_call(item=item))
        hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=item, call=call))
        call = _called("teardown", lambda: hook.pytest_runtest_teardown(item=item, nextitem=nextitem))
        if call.excinfo is not None:
            hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=item, call=call))
        return True

    def _location(self, item: pytest.Item) -> tuple[str, int | None, str]:
        """Return where a test stands: looked up once for all submissions that it is run over."""
        key = (item.path, getattr(item, "originalname", item.name))
        if key not in self._locations:
            self._locations[key] = item.location[:2]
        return (*self._locations[key], item.name)

    def pytest_symmetry_results(self, results: Sequence[Result]) -> None:
        """Keep the results."""
        self.results = list(results)


def _called(when: Literal["setup", "call", "teardown"], action: Callable[[], None]) -> pytest.CallInfo[None]:
    import pytest

    return pytest.CallInfo.from_call(action, when, reraise=(pytest.exit.Exception, KeyboardInterrupt))


def run_tests(
    assignment: Assignment,
    entries: Sequence[Entry],
    seed: int,
    isolation: str = "best",
    *,
    patience: float = 0.0,
    names: Mapping[str, str] | None = None,
    observer: object = None,
    dictionaries: str = "",
) -> list[Result]:
    """Run an assignment's tests over ``entries`` in this process and return a result for each.

    The tests run here, the submissions' code in children, as well locked as ``isolation`` asks for.
    ``names`` are what stands for students in test ids; ``observer`` is one more pytest plugin;
    ``dictionaries`` is the folder of planted mistakes, or "".

    Raises:
        AssignmentError: pytest could not run the tests at all.
    """
    import pytest

    pytest.hookimpl(wrapper=True)(_Supply.pytest_pyfunc_call)  # here, because pytest is imported late
    kept = Path(dictionaries) if dictionaries else None
    supply = _Supply(entries, isolation, patience, names or {}, kept)
    arguments = [*map(str, assignment.tests), *apart.arguments(assignment.folder, seed)]
    arguments += ["--capture=no", *(f"-pno:{name}" for name in _WITHOUT)]
    with apart.apart(assignment.folder), _silence(), _names_not_kept():
        code = pytest.main(arguments, plugins=[supply, *([observer] if observer is not None else [])])
    if len(supply.results) != len(entries):
        problem = f"its tests could not be run (exit code {int(code)}); run pytest in this folder to see why"
        raise AssignmentError(assignment.folder, problem)
    by_path = {result.submission: result for result in supply.results}
    return [replace(by_path[str(e.path)], student=e.student, submission=e.label) for e in entries]


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Show nothing of what tests print or warn of: for the whole run, as for each test it would cost more."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, warnings.catch_warnings():  # noqa: PTH123
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            yield


@contextlib.contextmanager
def _names_not_kept() -> Iterator[None]:
    """Keep the name of the running test, which pytest puts into the environment, from the C library.

    glibc's ``setenv`` never frees a value that it has seen: seven kilobytes for each submission.
    """
    kept = os.putenv

    def put(name: bytes, value: bytes) -> None:
        if name != b"PYTEST_CURRENT_TEST":
            kept(name, value)

    os.putenv = put  # type: ignore[assignment] # what os.environ calls
    try:
        yield
    finally:
        os.putenv = kept


def grade_chunk(task: Task) -> list[tuple[Result, str]]:
    """Grade a chunk in this process; return each result with its feedback page."""
    assignment = load_assignment(Path(task.assignment))
    run = functools.partial(
        run_tests, patience=task.patience, names=task.names, dictionaries=task.dictionaries
    )
    seeds = (task.seed, *task.more_seeds)
    runs = [run(assignment, task.entries, seed, task.isolation) for seed in seeds]
    gc.collect()  # a run leaves rings behind
    _keep_what_is_loaded()
    results = [settled(of_one) for of_one in zip(*runs, strict=True)]
    return [(r, _page(r, e, assignment, task)) for r, e in zip(results, task.entries, strict=True)]


@functools.cache
def _keep_what_is_loaded() -> None:
    """Look no more for garbage among what the first chunk has loaded; for other, after each."""
    gc.freeze()
    gc.set_threshold(70_000)


def _page(result: Result, entry: Entry, assignment: Assignment, task: Task) -> str:
    cells = dict(read_submission(entry.path, entry.student).cells)
    return student_page(
        result, title=assignment.title, reveal=task.reveal, source=cells, seed_mark=task.seed_mark
    )


def grade(
    assignment: Assignment,
    entries: Sequence[Entry],
    *,
    seed: int,
    workers: Workers,
    reveal: str,
    isolation: str = "best",
    names: Mapping[str, str] | None = None,
    seed_mark: str = "",
    more_seeds: Sequence[int] = (),
    dictionaries: str = "",
) -> Iterator[tuple[Entry, Result, str]]:
    """Yield (entry, result, page) for every entry as they are done; results do not depend on ``workers``.

    ``names``, ``seed_mark``, ``more_seeds`` and ``dictionaries`` are those of :class:`Task`.
    """
    terms = Task(str(assignment.folder), seed, reveal, (), isolation, seed_mark=seed_mark)
    terms = replace(terms, names=names or {}, more_seeds=tuple(more_seeds), dictionaries=dictionaries)
    for entry in entries:
        if not entry.gradable:
            yield (entry, *refused(entry, assignment, terms))
    gradable = [entry for entry in entries if entry.gradable]
    size = max(1, min(CHUNK, -(-len(gradable) // (4 * workers.jobs))))
    tasks = [_only(terms, chunk) for chunk in in_chunks(gradable, size)]
    yield from graded(tasks, assignment, workers)


def graded(
    tasks: Sequence[Task], assignment: Assignment, workers: Workers
) -> Iterator[tuple[Entry, Result, str]]:
    """Yield (entry, result, page) for every entry of chunks that can be graded, as chunks are done."""
    for task, answers in _through_workers(tasks, workers):
        if answers is not None:
            yield from ((e, r, page) for e, (r, page) in zip(task.entries, answers, strict=True))
        else:
            yield from _again(task, assignment, workers)


def _again(task: Task, assignment: Assignment, workers: Workers) -> Iterator[tuple[Entry, Result, str]]:
    """Grade a chunk whose worker died, or that was lost with another's; find out on whose submission."""
    ((_, answers),) = _through_workers([task], workers)
    if answers is not None:  # the chunk was not the reason
        yield from ((e, r, page) for e, (r, page) in zip(task.entries, answers, strict=True))
        return
    for entry in task.entries:
        ((_, again),) = _through_workers([_only(task, [entry])], workers)
        result, page = again[0] if again else stopped(entry, assignment, task)
        yield entry, result, page


def _only(task: Task, entries: Sequence[Entry]) -> Task:
    """Return the task for these entries alone, with no other student's name in it."""
    names = {e.student: task.names[e.student] for e in entries if e.student in task.names}
    return replace(task, entries=tuple(entries), names=names)


def _through_workers(
    tasks: Sequence[Task], workers: Workers
) -> Iterator[tuple[Task, list[tuple[Result, str]] | None]]:
    """Yield each task with what it came to, or with None where its worker died."""
    return workers.through(grade_chunk, tasks)


def refused(entry: Entry, assignment: Assignment, task: Task) -> tuple[Result, str]:
    """Return the result and the page of a submission that cannot be graded."""
    result = Result(
        student=entry.student,
        submission=entry.label,
        sha256=entry.sha256,
        status=entry.status,
        reason=entry.reason,
        points=0.0,
        max_points=0.0,
        assignment=assignment.name,
        versions=versions(),
        seed=str(task.seed),
        isolation=NO_ISOLATION,
    )
    return result, student_page(result, title=assignment.title, reveal=task.reveal, seed_mark=task.seed_mark)


def stopped(entry: Entry, assignment: Assignment, task: Task) -> tuple[Result, str]:
    """Return the result of a submission on which the grader itself stopped: it waits for a person."""
    reason = "the grader itself stopped on this submission"
    return refused(replace(entry, status="waits for a person", reason=reason), assignment, task)


@dataclass(frozen=True, slots=True)
class Judge:
    """The process that judges: how well it locks submissions in, and the versions that verdicts depend on."""

    isolation: Isolation
    versions: Mapping[str, str]

    @classmethod
    def here(cls, assignment: Assignment, isolation: str) -> Judge:
        """Return this process as a judge.

        Raises:
            SandboxError: it cannot lock submissions in as well as ``isolation`` asks for.
        """
        from graders.sandbox.choice import establish

        return cls(establish(isolation, assignment), versions())


def examine(folder: str, isolation: str) -> Judge:
    """Return this process as a judge of an assignment that can be graded.

    Raises:
        SandboxError: as :meth:`Judge.here`.
        AssignmentError: as :func:`check_solution`.
    """
    assignment = load_assignment(Path(folder))
    judge = Judge.here(assignment, isolation)
    check_solution(assignment, 0, isolation)
    return judge


def check_solution(assignment: Assignment, seed: int, isolation: str = "best") -> Result:
    """Run the tests over the assignment's own solution and return its result: full marks.

    Raises:
        AssignmentError: the solution cannot be loaded, there are no tests, or it fails one of them.
    """
    if not assignment.tests:
        raise AssignmentError(assignment.folder, "there is no test file in it; add a test_….py")
    load_reference(assignment.folder)
    solution = Entry("solution", assignment.source, assignment.notebook)
    (result,) = run_tests(assignment, [solution], seed, isolation)
    if problem := _failure(result):
        raise AssignmentError(assignment.source, f"{problem}; mend the solution or the test before grading")
    return result


def _failure(result: Result) -> str:
    """Return what a solution fails, in a few words, or ""."""
    if not result.tests:
        return "its tests ask nothing of a submission"
    failed = [v for v in result.tests if v.outcome is not Outcome.PASSED and not is_manual(v)]
    if not failed:
        return ""
    said = [words_or_facts(finding) for finding in failed[0].findings]
    why = f": {said[0].code} {said[0].seen or said[0].title}" if said else ""
    return f"its own solution fails {failed[0].name}{why}"
