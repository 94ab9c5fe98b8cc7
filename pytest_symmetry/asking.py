"""The assignment's questions over the functions of a running notebook: what ``check`` does.

The tests are the same as everywhere; only what ``submission`` stands for differs. First come the live
functions, as they are in memory; what passes is asked again of a fresh start, so that what works only
because of an earlier cell is said. Interrupting the kernel ends a loop that has no end.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_symmetry import apart
from pytest_symmetry.assignment import Assignment, assignment_above, find_assignment
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.feedback.inline import inline
from pytest_symmetry.feedback.remarks import remark
from pytest_symmetry.feedback.terminal import summary, wrapped
from pytest_symmetry.feedback.text import question_words, words_or_facts
from pytest_symmetry.findings import Outcome
from pytest_symmetry.points import is_manual
from pytest_symmetry.questions import functions_of, questions_on
from pytest_symmetry.remote.live import LiveProcess
from pytest_symmetry.remote.process import InProcess
from pytest_symmetry.remote.proxy import OpenedSubmission
from pytest_symmetry.session import Session, running_session
from pytest_symmetry.submission import Found, Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_symmetry.findings import Finding, Result, Verdict

    Main = Callable[[list[str], list[Any]], int]

_PATIENCE = 10.0
"""Seconds after which somebody who waits is told how to stop."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NAME = re.compile(r"name '(\w+)' is not defined")


@dataclass(frozen=True)
class Feedback:
    """What ``check`` returns: a notebook shows it as HTML, a terminal as text."""

    result: Result
    remarks: tuple[str, ...]
    reveal: str
    again: str

    @property
    def passed(self) -> bool:
        """Whether every question passed."""
        return all(v.outcome is Outcome.PASSED for v in self.result.tests if not is_manual(v))

    def _repr_html_(self) -> str:
        return inline(
            self.result.tests,
            points=self.result.points,
            max_points=self.result.max_points,
            reveal=self.reveal,
            remarks=self.remarks,
        )

    def __repr__(self) -> str:
        lines = summary(
            self.result.tests,
            student=self.result.student,
            points=self.result.points,
            max_points=self.result.max_points,
            reveal=self.reveal,
            again=self.again,
        )
        return "\n".join([*lines, "", *(line for text in self.remarks for line in wrapped(text))])


def ask(
    main: Main,
    names: dict[str, Any],
    function: str | None,
    assignment: str | Path | None,
    file: str | Path | None,
    seed: int,
) -> Feedback:
    """Run the questions on a function over the objects in ``names``; ``main`` is ``pytest.main``.

    The rest is as for :func:`pytest_symmetry.notebook.check`.
    """
    chosen = _assignment(assignment)
    questions = questions_on(chosen, function)
    given = None if file is None else Path(file).expanduser()
    session = running_session(names, chosen.notebook, given, chosen.aliases)
    supply = _Supply(chosen, session)
    stop = _told_how_to_stop()
    try:
        _run(main, chosen, questions, seed, supply)
    finally:
        stop.cancel()
    again = f'check("{function}")' if function else "check()"
    return Feedback(supply.live, tuple(supply.remarks(function)), supply.reveal, again)


def _assignment(where: str | Path | None) -> Assignment:
    if where is not None:
        return find_assignment(str(where))
    if (found := assignment_above(Path.cwd())) is None:
        problem = 'there is no assignment here or in a folder above; name it: check(…, assignment="planar")'
        raise AssignmentError(Path.cwd(), problem)
    return found


def _run(main: Main, assignment: Assignment, questions: Sequence[str], seed: int, supply: _Supply) -> None:
    """Run pytest over the live functions and a fresh start of them.

    Raises:
        AssignmentError: the tests could not be run.
        KeyboardInterrupt: the kernel was interrupted.
    """
    # The garbage collections of "unraisableexception" take longer than the questions.
    without = ("faulthandler", "unraisableexception", "threadexception", "junitxml", "pastebin", "debugging")
    options = [*questions, *apart.arguments(assignment.folder, seed)]
    options += [part for name in without for part in ("-p", f"no:{name}")]
    with apart.apart(assignment.folder), contextlib.redirect_stderr(io.StringIO()):
        code = main(options, [supply])
    if supply.interrupted is not None:
        raise KeyboardInterrupt(remark("interrupted", place=supply.interrupted)) from None
    if not supply.results:
        why = supply.trouble or f"exit code {int(code)}; run pytest in this folder to see why"
        raise AssignmentError(assignment.folder, f"its tests could not be run: {why}")


def _told_how_to_stop() -> threading.Timer:
    """Start the clock after which somebody who waits is told how to stop; printing goes to the cell."""
    stream = sys.stderr
    text = remark("still_running", seconds=int(_PATIENCE))
    timer = threading.Timer(_PATIENCE, lambda: print(text, file=stream, flush=True))
    timer.daemon = True
    timer.start()
    return timer


@dataclass(eq=False)  # pytest keeps its plugins in a set
class _Supply:
    """The pytest plugin of such a run: what ``submission`` stands for, and what came of it."""

    assignment: Assignment
    session: Session
    results: list[Result] = field(default_factory=list)
    passed: set[tuple[object, ...]] = field(default_factory=set)
    asked: tuple[object, ...] = ()
    trouble: str = ""
    reveal: str = "hint"
    interrupted: str | None = None

    def __post_init__(self) -> None:
        self.older, self.newer = self.session.differing(functions_of(self.assignment))
        self.file = self.session.file.name if self.session.file else ""
        stem = Path(self.file or self.assignment.notebook).stem
        self.fresh_cells = list(self.session.fresh_cells(from_file=not (self.older or self.newer)))
        self.found = [
            Found(stem, Path(f"{kind}.ipynb"), _submission(stem, Path(f"{kind}.ipynb"), cells))
            for kind, cells in (("live", self.session.cells), ("fresh", self.fresh_cells))
            if kind == "live" or cells  # a plain Python session has nothing to start afresh
        ]

    def pytest_symmetry_submissions(self) -> list[Found]:
        """Give the live functions, then the fresh start."""
        return self.found

    def pytest_symmetry_open_submission(self, submission: Submission) -> OpenedSubmission:
        """Open either in this process, which the student can interrupt."""
        live = submission is self.found[0].submission
        transport = LiveProcess(self.session.names, self.session.cells) if live else InProcess(quiet=True)
        return OpenedSubmission(submission, transport, aliases=self.assignment.aliases)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Put the live functions first; pytest 8.0 would begin with the fresh start."""
        items.sort(key=self._is_fresh)

    def pytest_runtest_protocol(self, item: Any) -> bool | None:
        """Ask a fresh start only what the live functions passed: one report of a mistake is enough."""
        cases = item.callspec.indices.items() if hasattr(item, "callspec") else ()
        several = sorted(case for case in cases if case[0] != "submission")
        self.asked = (item.path, getattr(item, "originalname", item.name), *several)
        return True if self._is_fresh(item) and self.asked not in self.passed else None

    def _is_fresh(self, item: Any) -> bool:
        subject = item.callspec.params.get("submission") if hasattr(item, "callspec") else None
        return subject is not None and subject.found is not self.found[0]

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note what passed, and how much may be said."""
        self.reveal = getattr(report, "symmetry", {}).get("reveal", self.reveal)
        if report.when == "call" and report.passed:
            self.passed.add(self.asked)

    def pytest_collectreport(self, report: Any) -> None:
        """Keep why the tests could not be read."""
        if report.failed and not self.trouble:
            last = _COLOURS.sub("", str(report.longrepr)).strip().splitlines()[-1]
            self.trouble = last.removeprefix("E ").strip()

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """Keep where the interrupt came."""
        self.interrupted = str(excinfo.value)

    def pytest_symmetry_results(self, results: Sequence[Result]) -> None:
        """Keep the results."""
        self.results = list(results)

    @property
    def live(self) -> Result:
        """What became of the live functions."""
        return self.results[0]

    def remarks(self, function: str | None) -> Iterator[str]:
        """Yield what is to be said of the file, and of what only this session can do."""
        fresh = {v.name: v for result in self.results[1:] for v in result.tests}
        for verdict in self.live.tests:
            if verdict.outcome is Outcome.PASSED and verdict.name in fresh:
                yield from self._compared(verdict, fresh[verdict.name])
        saved = {"file": self.file, "saved": self.session.saved}
        if self.session.cells and any(v.findings for v in self.live.tests):
            yield remark("cells")
        for kind, names in (("unsaved", self.older), ("not_run", self.newer)):
            if names := [n for n in names if function in (None, n)]:
                yield remark(kind, names=names, **saved)
        yield remark("saved" if self.file else "no_file", **saved)

    def _compared(self, live: Verdict, fresh: Verdict) -> Iterator[str]:
        """Say what a fresh start does to a question that passes here."""
        question = question_words(live.name).capitalize()
        facts: dict[str, Any] = {"question": question, "file": self.file}
        findings = [f for f in fresh.findings if f.severity == "fail"]
        if fresh.outcome is not Outcome.PASSED and findings:
            if missing := _missing_name(findings[0]):
                yield remark("needs_name", names=[missing], cell=self.session.binder_of(missing), **facts)
            else:
                yield remark("only_here", title=words_or_facts(findings[0]).title, **facts)
        for note in (f for f in fresh.findings if f.code == "SUB201"):
            number = self._number(int(note.facts["cell"]))
            yield remark("leans_on", names=list(note.facts["names"]), cell=number, **facts)

    def _number(self, cell: int) -> int | None:
        """Return the number in brackets of a cell of the fresh start."""
        return self.session.number_of(dict(self.fresh_cells)[cell])


def _missing_name(finding: Finding) -> str:
    """Return the global name that a finding says is not there, or ""."""
    found = _NAME.search(str(finding.facts.get("message", "")))
    return found[1] if found and finding.facts.get("type") == "NameError" else ""


def _submission(student: str, path: Path, cells: Sequence[tuple[int, str]]) -> Submission:
    digest = hashlib.sha256("\0".join(text for _, text in cells).encode("utf-8", "replace")).hexdigest()
    return Submission(student, path, digest, tuple(cells))
