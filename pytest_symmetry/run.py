"""The state of one pytest run over submissions: which ones, opened how, graded so far.

The plugin's hooks call this; it does not know pytest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_symmetry.assignment import Assignment, assignment_above, is_hidden
from pytest_symmetry.context import Context
from pytest_symmetry.errors import AssignmentError, SubmissionError
from pytest_symmetry.feedback.remarks import remark, saved_at
from pytest_symmetry.feedback.terminal import class_summary, summary
from pytest_symmetry.findings import Outcome, Result, Verdict
from pytest_symmetry.grading import DEFAULT_SEED, Graded, check_prices, derive_seed, share_points
from pytest_symmetry.packs import answers_for
from pytest_symmetry.submission import Found, Submission, copies_of, find_submissions, read_submission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pytest_symmetry.answers import Answers
    from pytest_symmetry.remote.proxy import OpenedSubmission

    Supplied = Callable[[Assignment], Sequence[Found]]


@dataclass(frozen=True, eq=False)
class Subject:
    """One submission under one assignment: what the fixture ``submission`` is parametrised with."""

    assignment: Assignment
    found: Found
    identifier: str


@dataclass(slots=True)
class Question:
    """One test item as a question: its name without the submission, its place in the run, its points."""

    name: str
    order: int
    points: float
    shared: bool = False


@dataclass(slots=True)
class Run:
    """What one run knows; ``where`` are the paths that the user gave, read from the folder ``start``."""

    where: list[str]
    start: Path
    seed: int | None = None
    reveal: str | None = None
    inprocess: bool = False
    subjects: dict[Path, list[Subject]] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    graded: dict[tuple[str, str], Graded] = field(default_factory=dict)
    opened: OpenedSubmission | None = None
    pages: list[Path] = field(default_factory=list)
    notebooks: list[Path] = field(default_factory=list)
    trouble: str = ""

    @property
    def seed_used(self) -> int:
        """The seed of this run: the given one, or the fixed one."""
        return DEFAULT_SEED if self.seed is None else self.seed

    def subjects_of(
        self, test_file: Path, supplied: Callable[[Assignment], Sequence[Found]]
    ) -> list[Subject]:
        """Return the submissions that a test file is run over; the same objects each time.

        ``supplied`` says which, for an assignment met for the first time.

        Raises:
            AssignmentError: the test file belongs to no assignment, or to one that is not right.
            PackError: its pack cannot be read.
            SubmissionError: there is nothing to run over.
        """
        assignment = assignment_above(test_file.resolve().parent)
        if assignment is None:
            problem = "the fixture `submission` needs an assignment.toml in this folder or one above it"
            raise AssignmentError(test_file, problem)
        if assignment.folder not in self.subjects:
            answers_for(assignment)  # a reference that cannot be loaded is told here, once
            check_prices(assignment)
            found = supplied(assignment)
            identifiers = _unique(f.student for f in found)
            self.subjects[assignment.folder] = [
                Subject(assignment, f, i) for f, i in zip(found, identifiers, strict=True)
            ]
        return self.subjects[assignment.folder]

    def default_submissions(self, assignment: Assignment) -> list[Found]:
        """Return the submissions that were asked for, or the notebook beside the tests.

        Raises:
            SubmissionError: there is none.
        """
        if self.where:
            return [
                found
                for path in self.where
                for found in find_submissions(self.start / Path(path).expanduser(), assignment.notebook)
            ]
        if assignment.source.is_file():
            return [Found(assignment.source.stem, assignment.source)]
        msg = f"{assignment.source}: there is no such notebook{self.copies_hint(assignment)}"
        raise SubmissionError(msg)

    def copies_hint(self, assignment: Assignment) -> str:
        """Return the commands that run over the copies of the notebook that lie beside it, or ""."""
        copies = copies_of(assignment.source) if not self.where else []
        commands = [f'pytest --symmetry-submission "{c.name}"' for c in copies]
        return f"; there are copies of it, to be run with {' or '.join(commands)}" if commands else ""

    def is_hidden(self, nodeid: str) -> bool:
        """Return whether a question stays with staff."""
        return is_hidden(nodeid)

    def note_questions(self, items: Iterable[tuple[str, str, str, float]]) -> None:
        """Take in the test items as (nodeid, question without its cases, name with its case, points)."""
        rows = list(items)
        shares = share_points([(question, points) for _, question, _, points in rows])
        for order, ((nodeid, _, name, _), share) in enumerate(zip(rows, shares, strict=True)):
            self.questions[nodeid] = Question(name, order, share)

    def open(self, subject: Subject, opener: Callable[[Submission, Assignment], Any]) -> OpenedSubmission:
        """Open a submission through ``opener``.

        Raises:
            SubmissionError: its file cannot be read.
        """
        found = subject.found
        submission = found.submission or read_submission(found.path, found.student)
        opened: OpenedSubmission = opener(submission, subject.assignment)
        self.opened = opened
        return opened

    def open_plainly(self, submission: Submission, assignment: Assignment) -> OpenedSubmission:
        """Open a submission in a child process of this machine, or in this one if that was asked for."""
        from pytest_symmetry.remote.process import InProcess, PlainProcess
        from pytest_symmetry.remote.proxy import Limits, OpenedSubmission

        return OpenedSubmission(
            submission,
            InProcess() if self.inprocess else PlainProcess(),
            Limits(assignment.seconds_per_call, assignment.memory_mb << 20),
            aliases=assignment.aliases,
            paths=[str(submission.path.resolve().parent)],
        )

    def close(self, opened: OpenedSubmission) -> None:
        """End the process of a submission."""
        opened.close()
        self.opened = None

    def begin(self, subject: Subject, nodeid: str, test_file: Path) -> Context:
        """Return the context of a test that begins."""
        if self.opened is not None:
            self.opened.printed.clear()
            self.opened.cells_run.clear()
        answers = answers_for(subject.assignment)
        test = f"{test_file.name}::{self.questions[nodeid].name}"
        return Context(
            seed=derive_seed(self.seed_used, subject.assignment.name, test),
            assignment=subject.assignment,
            reference=answers.solution,
            reference_source=answers.source,
            answers=answers,
            test=test,
            reveal=self._reveal(subject.assignment, answers),
            shares=self.questions[nodeid].shared,
        )

    def _reveal(self, assignment: Assignment, answers: Answers) -> str:
        """Return how much is said: what was asked for, as far as whoever answers may say it."""
        asked = self.reveal or assignment.reveal
        return asked if asked in answers.reveals else answers.reveals[0]

    def report(
        self, subject: Subject, nodeid: str, verdict: Verdict, *, crosses: bool = True
    ) -> dict[str, Any]:
        """Return a verdict as plain data that can cross to the controller of a parallel run.

        One that says nothing and does not cross goes as it is: most of a class passes most of its tests.
        """
        plain = crosses or bool(verdict.findings)
        opened = self.opened
        return {
            "assignment": subject.assignment.name,
            "title": subject.assignment.title,
            "reveal": self._reveal(subject.assignment, answers_for(subject.assignment)),
            "student": subject.found.student,
            "path": str(subject.found.path),
            "order": self.questions[nodeid].order,
            "sha256": opened.submission.sha256 if opened else "",
            "isolation": opened.transport.isolation if opened else "",
            "verdict": verdict.to_json() if plain else verdict,
            "manual": dict(subject.assignment.points.manual),
        }

    def receive(self, data: dict[str, Any]) -> None:
        """Take in what :meth:`report` made, here or on another worker."""
        graded = self.graded.setdefault(
            (data["assignment"], data["path"]),
            Graded(
                data["student"], data["path"], data["assignment"], title=data["title"], reveal=data["reveal"]
            ),
        )
        graded.manual = data["manual"]
        graded.sha256 = graded.sha256 or data["sha256"]
        graded.isolation = graded.isolation or data["isolation"]
        said = data["verdict"]
        graded.verdicts[data["order"]] = said if isinstance(said, Verdict) else Verdict.from_json(said)

    def results(self) -> list[Result]:
        """Return what became of each submission so far, in the order in which they were met."""
        return [graded.result(self.seed_used) for graded in self.graded.values()]

    def summary_lines(self) -> list[str]:
        """Return what the terminal shows at the end."""
        graded = list(self.graded.values())
        results = [g.result(self.seed_used) for g in graded]
        if len(results) != 1:
            return class_summary(results)
        (result,) = results
        return summary(
            result.tests,
            student=result.student,
            points=result.points,
            max_points=result.max_points,
            reveal=graded[0].reveal,
            again=self._again(result),
        )

    def closing_lines(self) -> list[str]:
        """Return what is said after the summary: copies that were not run, and where the pages are."""
        hints = [
            f"{assignment.notebook} was run{hint}"
            for subjects in self.subjects.values()
            if subjects and (hint := self.copies_hint(assignment := subjects[0].assignment))
        ]
        trouble = [self.trouble] if self.trouble else []
        pages = [f"Feedback page: {path}" for path in self.pages]
        pages += [f"Annotated notebook: {path}" for path in self.notebooks]
        return self._saved() + hints + pages + trouble + self._decided()

    def _decided(self) -> list[str]:
        """Return how many points are decided here, for assignments of which staff keep a part."""
        verdicts = [verdict for graded in self.graded.values() for verdict in graded.verdicts.values()]
        waiting = {verdict.name for verdict in verdicts if verdict.outcome is Outcome.WAITS}
        packs = [answers_for(subjects[0].assignment) for subjects in self.subjects.values() if subjects]
        shares = [share for pack in packs if (share := pack.share(waiting)) is not None]
        return [remark("decided", here=here, total=total) for here, total in shares]

    def _saved(self) -> list[str]:
        """Return which file was read, and when it was saved: an unsaved change is the commonest puzzle."""
        if len(self.graded) != 1:
            return []
        (graded,) = self.graded.values()
        saved = saved_at(Path(graded.path))
        return [remark("saved", file=self._shown(graded.path), saved=saved)] if saved else []

    def _again(self, result: Result) -> str:
        """Return the command that runs the first question that is not passed once more."""
        failed = [v.name for v in result.tests if v.outcome not in (Outcome.PASSED, Outcome.WAITS)]
        parts = ["pytest", "-k", failed[0].partition("[")[0] if failed else ""]
        if self.where:
            parts.append(f'--symmetry-submission "{self._shown(result.submission)}"')
        return " ".join([*parts, f"--symmetry-seed={self.seed_used}"])

    def _shown(self, path: str) -> str:
        """Return a path as one would type it from where the run was started."""
        file, start = Path(path).resolve(), self.start.resolve()
        return str(file.relative_to(start)) if file.is_relative_to(start) else path

    def check_target(self, option: str, target: str) -> str:
        """Return what is wrong with the place asked for the pages, or ""."""
        count = sum(len(subjects) for subjects in self.subjects.values())
        if count > 1 and target.endswith(".html"):
            return f"{option} {target}: one file cannot hold {count} pages; give a folder"
        return ""

    def write_pages(self, target: Path) -> None:
        """Write the feedback pages to a file (one submission) or into a folder.

        Raises:
            OSError: they cannot be written.
        """
        from pytest_symmetry.feedback.html import student_page
        from pytest_symmetry.writing import write_atomically

        for graded, result, path in self._targets(target):
            file = Path(graded.path)
            page = student_page(
                result, title=graded.title, reveal=graded.reveal, source=_cells(file), saved=saved_at(file)
            )
            write_atomically(path, page)
            self.pages.append(path)

    def write_notebooks(self, target: Path) -> None:
        """Write the notebooks with their findings beside the cells, to the same kinds of places.

        Raises:
            OSError: they cannot be written.
            ImportError: nbconvert is not installed.
        """
        from pytest_symmetry.feedback.annotated import write_annotated

        for graded, result, path in self._targets(target):
            try:
                write_annotated(path, Path(graded.path), result, title=graded.title, reveal=graded.reveal)
            except SubmissionError:
                continue  # what is no notebook has that for its finding
            self.notebooks.append(path)

    def _targets(self, target: Path) -> Iterator[tuple[Graded, Result, Path]]:
        """Yield each submission's result, and the file for it."""
        from pytest_symmetry.feedback.html import page_file

        for graded in self.graded.values():
            result = graded.result(self.seed_used)
            yield graded, result, target if target.suffix == ".html" else target / page_file(result.student)


def _cells(path: Path) -> dict[int, str]:
    try:
        return dict(read_submission(path).cells)
    except SubmissionError:
        return {}


def case_name(nodeid: str, callspec: Any, subject: Subject) -> str:
    """Return what tells a test's cases apart, in brackets, without the submission; "" where it has none.

    ``callspec`` is pytest's: the id of a case, and the number of each parameter in it.
    """
    others = {name: index for name, index in callspec.indices.items() if name != "submission"}
    if not others:
        return ""
    if is_hidden(nodeid):  # the ids of its cases may tell what they expect
        return f"[{'-'.join(str(index) for _, index in sorted(others.items()))}]"
    escaped = subject.identifier.encode("unicode_escape").decode("ascii")  # as pytest writes ids
    for mine in (f"{escaped}-", f"{subject.identifier}-"):
        if callspec.id.startswith(mine):
            return f"[{callspec.id.removeprefix(mine)}]"
    # The ids of the cases stand before the student's, or look alike: their numbers never do.
    return f"[{'-'.join(f'{name}{index}' for name, index in sorted(others.items()))}]"


def _unique(students: Iterable[str]) -> list[str]:
    """Return test ids that are all different, and in which the brackets of a test's name cannot be lost."""
    seen: dict[str, int] = {}
    identifiers = []
    for student in students:
        plain = student.replace("[", "(").replace("]", ")")
        seen[plain] = seen.get(plain, 0) + 1
        identifiers.append(plain if seen[plain] == 1 else f"{plain}~{seen[plain]}")
    return identifiers
