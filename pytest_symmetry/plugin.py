"""The pytest plugin: options, marker, fixtures and hooks. What they do is elsewhere; here is only when.

Nothing heavy is imported here: a pytest run that has nothing to do with assignments does not pay for them.
"""

from __future__ import annotations

import argparse
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import numpy as np

    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.context import Context
    from pytest_symmetry.remote.proxy import OpenedSubmission, StudentFunctions
    from pytest_symmetry.run import Run, Subject
    from pytest_symmetry.submission import Found, Submission

_RUN: pytest.StashKey[Run] = pytest.StashKey()
_CONTEXT: pytest.StashKey[Context] = pytest.StashKey()
_ITEM: ContextVar[pytest.Item] = ContextVar("pytest_symmetry_item")


# Options

_SUBMISSION_HELP = """\
Submission to run an assignment's tests over: a notebook, a .py file, a folder of them or a pattern; can be
given more than once"""
_SEED_HELP = "Seed of the inputs that the tests draw (a fixed one if not given)"
_HTML_HELP = """\
Write the feedback page to this .html file, or one page per submission into this folder"""
_NOTEBOOK_HELP = """\
Write the notebook, with each finding beside its cell, to this .html file, or one per submission into this
folder"""
_REVEAL_HELP = """\
How much to say: the kind of mistake (hint) or its name (cause); the assignment decides if not given"""
_INPROCESS_HELP = "Run submissions inside pytest's own process, without limits: for a debugger"
_POINTS_HELP = """\
points(n, parts=False): what the question is worth in an assignment (1 if not given); with parts=True each
array that is right earns a share"""


def _seed(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        msg = f"{text!r} is not a seed: give a whole number from 0 up"
        raise argparse.ArgumentTypeError(msg)
    return value


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and their ini twins."""
    group = parser.getgroup("symmetry", "Backprop gradient and symmetry checks")
    options: list[tuple[str, Any, dict[str, Any]]] = [
        ("submission", "args", {"action": "append", "metavar": "PATH", "help": _SUBMISSION_HELP}),
        ("seed", "string", {"type": _seed, "metavar": "N", "help": _SEED_HELP}),
        ("html", "string", {"metavar": "PATH", "help": _HTML_HELP}),
        ("notebook", "string", {"metavar": "PATH", "help": _NOTEBOOK_HELP}),
        ("reveal", "string", {"choices": ["hint", "cause"], "help": _REVEAL_HELP}),
        ("inprocess", "bool", {"action": "store_true", "default": None, "help": _INPROCESS_HELP}),
    ]
    for name, ini_type, settings in options:
        group.addoption(f"--symmetry-{name}", dest=f"symmetry_{name}", **settings)
        parser.addini(f"symmetry_{name}", f"The same as --symmetry-{name}", type=ini_type, default=None)


def _option(config: pytest.Config, name: str) -> Any:
    """Return an option, or its ini twin, or None."""
    given = config.getoption(f"symmetry_{name}")
    return given if given is not None else (config.getini(f"symmetry_{name}") or None)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks of this plugin."""
    from pytest_symmetry import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; refuse values of the ini file that the command line would refuse."""
    config.addinivalue_line("markers", _POINTS_HELP.replace("\n", " "))
    try:
        _seed(str(_option(config, "seed") or 0))
    except argparse.ArgumentTypeError as error:
        msg = f"symmetry_seed: {error}"
        raise pytest.UsageError(msg) from None
    if (reveal := _option(config, "reveal")) not in (None, "hint", "cause"):
        msg = f"symmetry_reveal: {reveal!r} is neither 'hint' nor 'cause'"
        raise pytest.UsageError(msg)
    config.pluginmanager.register(_Reports(config), "symmetry-reports")


# The run and what it is run over


def _run_of(config: pytest.Config) -> Run:
    """Return the state of this run, made at the first test that belongs to an assignment."""
    if _RUN not in config.stash:
        from pytest_symmetry.run import Run

        seed = _option(config, "seed")
        config.stash[_RUN] = Run(
            where=[str(path) for path in _option(config, "submission") or ()],
            start=config.invocation_params.dir,
            seed=None if seed is None else int(seed),
            reveal=_option(config, "reveal"),
            inprocess=bool(_option(config, "inprocess")),
        )
    return config.stash[_RUN]


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.hookimpl(trylast=True)
def pytest_symmetry_submissions(assignment: Assignment, config: pytest.Config) -> Sequence[Found]:
    """Answer last: what the command line names, or the notebook beside the tests."""
    return _run_of(config).default_submissions(assignment)


@pytest.hookimpl(trylast=True)
def pytest_symmetry_open_submission(
    submission: Submission, assignment: Assignment, config: pytest.Config
) -> OpenedSubmission:
    """Answer last: a plain child process."""
    return _run_of(config).open_plainly(submission, assignment)


@pytest.hookimpl(trylast=True)
def pytest_symmetry_dictionaries(config: pytest.Config) -> Path | None:
    """Answer last: a folder in pytest's own cache, where there is one that can be written."""
    cache = getattr(config, "cache", None)
    try:
        return cache.mkdir("symmetry-dictionaries") if isinstance(cache, pytest.Cache) else None
    except OSError:
        return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for ``submission`` once per submission."""
    if "submission" not in metafunc.fixturenames:
        return
    from pytest_symmetry.errors import SymmetryError

    config = metafunc.config

    def supplied(assignment: Assignment) -> Sequence[Found]:
        found: Sequence[Found] = config.hook.pytest_symmetry_submissions(assignment=assignment, config=config)
        return found

    try:
        subjects = _run_of(config).subjects_of(metafunc.definition.path, supplied)
    except SymmetryError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    ids = [subject.identifier for subject in subjects]
    metafunc.parametrize("submission", subjects, ids=ids, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Work out what each question is worth, before anything is deselected."""
    if not any(_subject(item) for item in items):
        return
    run = _run_of(config)
    # Hidden questions come last: what costs points once costs them where students can see it.
    items.sort(key=lambda item: run.is_hidden(item.nodeid))
    asked = [(item, subject) for item in items if (subject := _subject(item)) is not None]
    run.note_questions(
        (item.nodeid, f"{item.path}::{_original(item)}[{mine.identifier}]", _name(item, mine), _points(item))
        for item, mine in asked
    )
    for item, _ in asked:
        run.questions[item.nodeid].shared = _shares(item)
    for name in ("html", "notebook"):
        if problem := run.check_target(f"--symmetry-{name}", _option(config, name) or ""):
            raise pytest.UsageError(problem)


def _subject(item: pytest.Item) -> Subject | None:
    """Return the submission that an item is run over, if it is an assignment's test."""
    callspec = getattr(item, "callspec", None)
    subject = callspec.params.get("submission") if callspec is not None else None
    if subject is None:  # as in every project that has no assignments: it shall not pay for the import
        return None
    from pytest_symmetry.run import Subject

    return subject if isinstance(subject, Subject) else None


def _original(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", None) or item.name)


def _name(item: pytest.Item, subject: Subject) -> str:
    """Return the question's name: the test's, with its own cases but without the submission."""
    from pytest_symmetry.run import case_name

    callspec = item.callspec  # type: ignore[attr-defined] # items of assignments are parametrised functions
    return _original(item) + case_name(item.nodeid, callspec, subject)


def _points(item: pytest.Item) -> float:
    marker = item.get_closest_marker("points")
    if marker is None:
        return 1.0
    worth = marker.args[0] if marker.args else marker.kwargs.get("n")
    if isinstance(worth, bool) or not isinstance(worth, int | float) or not 0 <= worth < float("inf"):
        msg = f"{item.nodeid}: points({worth!r}) is not a number; write for example @pytest.mark.points(2)"
        raise pytest.UsageError(msg)
    return float(worth)


def _shares(item: pytest.Item) -> bool:
    """Return whether the points of a question are shared over the arrays that are right."""
    marker = item.get_closest_marker("points")
    shares = marker.kwargs.get("parts", False) if marker is not None else False
    if not isinstance(shares, bool):
        msg = f"{item.nodeid}: points(…, parts={shares!r}) is neither True nor False"
        raise pytest.UsageError(msg)
    return shares


def _topic(item: pytest.Item, name: str) -> str:
    """Return what a question is about: what its marker says, or its name in words."""
    from pytest_symmetry.feedback.text import question_words

    marker = item.get_closest_marker("points")
    topic = marker.kwargs.get("topic") if marker is not None else None
    return str(topic) if topic is not None else question_words(name.partition("[")[0])


# Fixtures: without pytest's own `request`, which is made anew, signature and all, for every test of a class


@pytest.fixture(scope="session")
def submission() -> Generator[StudentFunctions, None, None]:
    """The student's functions: ``submission.backward(…)`` runs theirs, in a process of its own."""
    from pytest_symmetry.remote.proxy import StudentFunctions

    config = (item := _ITEM.get()).config
    if (subject := _subject(item)) is None:
        pytest.fail("ask for the fixture `submission` as an argument of the test", pytrace=False)

    def opener(submission: Submission, assignment: Assignment) -> Any:
        return config.hook.pytest_symmetry_open_submission(
            submission=submission, assignment=assignment, config=config
        )

    opened = _run_of(config).open(subject, opener)
    yield StudentFunctions(opened)
    _run_of(config).close(opened)


@pytest.fixture
def reference() -> Any:
    """The staff's functions, from the source notebook of the assignment, or their recorded answers."""
    from pytest_symmetry.context import current

    if (context := current()) is None:
        pytest.fail("the fixture `reference` goes with the fixture `submission`: ask for both", pytrace=False)
    return context.answers.reference(context.test)


@pytest.fixture
def probe_rng() -> np.random.Generator:
    """A random generator for inputs: the same for every student, another for every test and seed."""
    import numpy as np

    from pytest_symmetry.grading import DEFAULT_SEED, derive_seed

    item = _ITEM.get()
    if (context := item.stash.get(_CONTEXT, None)) is not None:
        generator: np.random.Generator = context.answers.generator(context.test, context.seed)
        return generator
    seed = _option(item.config, "seed")
    return np.random.default_rng(derive_seed(DEFAULT_SEED if seed is None else int(seed), "", item.name))


# One test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Give every test of an assignment its context."""
    running = _ITEM.set(item)
    try:
        return (yield from _in_its_context(item))
    finally:
        _ITEM.reset(running)


def _in_its_context(item: pytest.Item) -> Generator[None, object, object]:
    if (subject := _subject(item)) is None:
        return (yield)
    from pytest_symmetry.context import entered

    context = _run_of(item.config).begin(subject, item.nodeid, item.path)
    context.dictionaries = item.config.hook.pytest_symmetry_dictionaries(config=item.config)
    item.stash[_CONTEXT] = context
    with entered(context):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn what a test of an assignment did into a verdict, which travels on the report."""
    report = yield
    context = item.stash.get(_CONTEXT, None)
    decided = call.when == "call" or (call.when == "setup" and call.excinfo is not None)
    if context is None or not decided:
        return report
    from pytest_symmetry import grading

    run = _run_of(item.config)
    error = call.excinfo.value if call.excinfo is not None else None
    question = run.questions[item.nodeid]
    context.submission = run.opened
    verdict = grading.verdict_of(
        question.name, item.nodeid, question.points, error, context, shared=question.shared
    )
    if said := grading.said_instead_of_traceback(error, verdict, context.reveal):
        report.longrepr = said
    if verdict.findings and verdict.findings[0].code == grading.DECIDED_BY_STAFF:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, "Skipped: decided by staff, after hand-in")
    if item.config.getoption("xmlpath", None):
        from pytest_symmetry.feedback import junit

        item.user_properties += junit.properties(verdict, reveal=context.reveal)
    report.sections += grading.sections(error, verdict)
    subject = _subject(item)
    assert subject is not None
    if run.is_hidden(item.nodeid):
        verdict = grading.topic_only(verdict, _topic(item, question.name))
    crosses = _is_worker(item.config)
    report.symmetry = run.report(subject, item.nodeid, verdict, crosses=crosses)  # type: ignore[attr-defined] # extra attributes cross xdist
    return report


class _Reports:
    """Gathers the verdicts of this process and of xdist's workers; the hook below does not get the config."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the verdict that a report carries."""
        if (data := getattr(report, "symmetry", None)) is not None:
            _run_of(self.config).receive(data)


# The end


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand out the results and write the pages, also after Ctrl-C."""
    config = session.config
    if _RUN not in config.stash or _is_worker(config):
        return
    run = _run_of(config)
    if not run.graded:
        return
    config.hook.pytest_symmetry_results(results=run.results(), config=config)
    for name, write in (("html", run.write_pages), ("notebook", run.write_notebooks)):
        if target := _option(config, name):
            try:
                write(config.invocation_params.dir / Path(target).expanduser())
            except OSError as error:
                problem = f"the page could not be written: {error.strerror}"
            except ImportError:
                problem = 'it needs nbconvert: pip install "pytest-symmetry[grade]"'
            else:
                continue
            run.trouble = f"--symmetry-{name} {target}: {problem}"
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print points per question and the first cause."""
    if _RUN not in config.stash or not _run_of(config).graded:
        return
    run = _run_of(config)
    terminalreporter.section("symmetry")
    for line in (*run.summary_lines(), *run.closing_lines()):
        terminalreporter.line(line)
