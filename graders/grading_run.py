"""One ``symmetry grade``: from folders of submissions to a graded folder."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from graders import stored
from graders.batch import Judge, examine, grade
from graders.class_files import (
    Count,
    count,
    effective_results,
    has_notebooks,
    notebook_path,
    page_path,
    refresh,
    write_class,
)
from graders.fingerprint import fingerprint
from graders.forgetting import finish
from graders.gradebook import Basis, Gradebook, GradebookError
from graders.history import Event, Kind
from graders.intake import Entry, Intake, Rules, receive
from graders.marks import Mark, counting, marks
from graders.opening import open_gradebook, read_gradebook
from graders.pseudonyms import seed_mark
from graders.sandbox.levels import Isolation
from graders.stability import further_seeds
from graders.telling import policy_of, reveal_for, see_to_all_pages, settle_policy
from graders.workers import Workers
from pytest_symmetry.assignment import Assignment
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.findings import Result
from pytest_symmetry.grading import result_line
from pytest_symmetry.records import plain
from pytest_symmetry.reveal import Policy
from pytest_symmetry.submission import FILE_BYTES
from pytest_symmetry.writing import write_atomically


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asked to be graded, checked: the assignment is sound and there are submissions.

    ``seeds`` is with how many seeds each submission is judged (None: as before); ``key`` makes the
    pseudonyms, where several folders are to have the same; ``patience`` is how long to wait for another
    writer, in seconds. ``due`` is when it was due, where neither roster nor assignment says; ``notebooks``
    asks for an annotated notebook beside each page. ``judge`` is who judges them.
    """

    assignment: Assignment
    intake: Intake
    out: Path
    isolation: str = "best"
    seeds: int | None = None
    key: bytes | None = None
    patience: float = 0.0
    due: datetime | None = None
    notebooks: bool = False
    judge: Judge | None = None

    @property
    def policy(self) -> Policy:
        """How much pages say, and from when."""
        policy = self.assignment.policy
        return replace(policy, due=self.due or policy.due)

    @property
    def offered(self) -> Isolation | None:
        """How well submissions are locked in, where that was found out."""
        return self.judge.isolation if self.judge is not None else None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was handed in."""
        return self.intake.entries


@dataclass(slots=True)
class Progress:
    """How far a run is: ``todo`` entries had no result when it began, ``total`` is the class."""

    todo: int
    total: int
    result: Result | None = None
    pseudonym: str = ""


def take_order(
    assignment: Assignment,
    submissions: Sequence[Path],
    out: Path,
    isolation: str = "best",
    rules: Rules | None = None,
    workers: Workers | None = None,
) -> Order:
    """Check all that can be checked before anything is written.

    ``isolation`` is "strict" (a machine that cannot lock submissions in is refused) or "best"; ``rules``
    are how to read what came in. The solution is run in one of the ``workers``, or in this process.

    Raises:
        SubmissionError: there is nothing at one of the paths, or it cannot be read by the rules.
        SandboxError: this machine cannot lock submissions in as well as asked for.
        AssignmentError: the assignment's own solution fails its tests, or they cannot be run.
    """
    intake = receive(submissions, assignment.notebook, rules)
    return order_of(assignment, intake, out, isolation, workers)


def order_of(
    assignment: Assignment, intake: Intake, out: Path, isolation: str = "best", workers: Workers | None = None
) -> Order:
    """The same for what has been taken in already.

    Raises:
        SandboxError, AssignmentError: as :func:`take_order`.
    """
    what = str(assignment.folder), isolation
    try:
        judge = workers.ask(examine, *what) if workers is not None else examine(*what)
    except BrokenExecutor:
        problem = "the process that ran its solution ended; run pytest in this folder to see why"
        raise AssignmentError(assignment.folder, problem) from None
    return Order(assignment, intake, out, isolation, judge=judge)


@dataclass
class Run:
    """A run over an open gradebook, the only one that writes to it."""

    order: Order
    book: Gradebook
    seed: int
    seeds: int
    workers: Workers
    now: datetime

    @cached_property
    def basis(self) -> Basis:
        """What the verdicts of this run depend on beside the submissions."""
        judge = self.order.judge or Judge.here(self.order.assignment, self.order.isolation)
        return Basis(
            assignment=fingerprint(self.order.assignment),
            versions=dict(judge.versions),
            seed=str(self.seed),
            isolation=str(judge.isolation),
            seeds=self.seeds,
        )

    def standing(self) -> dict[str, int]:
        """Return the number of the result that counts, by student."""
        return counting(self.book.history())

    def new(self) -> list[Entry]:
        """Return the entries without a result: who or whose work is new."""
        return self._compared()[0]

    def stale(self) -> list[Entry]:
        """Return the entries whose result counts, but was made on another basis than this run has."""
        return self._compared()[1]

    def _compared(self) -> tuple[list[Entry], list[Entry]]:
        """Return the entries that are new, and those judged on another basis."""
        bases, now = self.book.bases(), self.basis.text()
        stands = {student: bases[number] for student, number in self.standing().items()}
        new, stale = [], []
        for entry in self.order.entries:
            work, basis = stands.get(entry.student, ("", ""))
            if not _is_work_of(entry, work):
                new.append(entry)
            elif basis != now:
                stale.append(entry)
        return new, stale

    def grade_new(self) -> Iterator[Progress]:
        """Grade what has no result yet, and say how it goes: once at the start, then after each submission.

        A result counts as soon as it is there.
        """
        before = _decided(marks(self.book))
        self._note_intake()
        todo = self.new()
        total = len({*self.book.students(), *(entry.student for entry in self.order.entries)})
        if todo:
            self.book.expect(entry.student for entry in self.order.entries)
            write_class(self.book)  # an earlier class page must not look complete while this goes on
        yield Progress(len(todo), total)
        with self.book.in_a_hurry():  # what is lost with the power is graded again
            for entry, result, page in self.judge(todo):
                name = self.book.pseudonym(entry.student)
                notebook_path(self.book.path.parent, name).unlink(missing_ok=True)  # it is of earlier work
                write_atomically(page_path(self.book.path.parent, name), page, durable=False)
                self.book.add_standing(entry.student, work_of(entry), self.basis, result_line(result))
                yield Progress(len(todo), total, result, name)
        found = marks(self.book)
        self.finish(before | _decided(found), found)

    def overridden_before(self) -> list[Mark]:
        """Return the marks with an override of those who handed in again: somebody should look at them."""
        new = {entry.student for entry in self.new()}
        found = (mark for mark in marks(self.book) if mark.student in new and mark.result is not None)
        return [mark for mark in found if any(q.by == "an override" for q in mark.corrected)]

    def _note_intake(self) -> None:
        """Add to the history what the roster and the times of handing in say, where that is new."""
        known = {mark.student: mark for mark in marks(self.book)}
        nobody = Mark("", "")
        people = self.order.intake.people
        if any(m.result and m.person.due != people.get(s, m.person).due for s, m in known.items()):
            see_to_all_pages(self.book)
        events = [
            Event(0, Kind.ENROLLED, student=student, data=plain(person))
            for student, person in people.items()
            if known.get(student, nobody).person != person or student not in known
        ]
        events += [
            Event(0, Kind.LATE, student=student, data=plain(late))
            for student, late in self.order.intake.lateness.items()
            if known.get(student, nobody).lateness != late
        ]
        self.book.record(*events)

    def finish(self, changed: set[str], found: list[Mark] | None = None) -> list[Mark]:
        """Write what concerns the class, and the pages that ``changed``, are missing or may say more.

        ``found`` are the marks, where they have been worked out already.
        """
        found = marks(self.book) if found is None else found
        refresh(self.book, self.now, changed, found)  # first: the page about the class links what is there
        return write_class(self.book, found)

    def judge(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Result, str]]:
        """Judge entries from the copies that are kept of them; each page says what its student may read."""
        out, names = self.book.path.parent, {e.student: self.book.pseudonym(e.student) for e in entries}
        kept = [replace(e, path=stored.keep(out, names[e.student], e)) if e.sha256 else e for e in entries]
        due = {mark.student: mark.person.due for mark in marks(self.book)}
        levels = [reveal_for(policy_of(self.book), due.get(e.student, ""), self.now) for e in kept]
        for level in dict.fromkeys(levels):
            yield from grade(
                self.order.assignment,
                [entry for entry, own in zip(kept, levels, strict=True) if own == level],
                seed=self.seed,
                workers=self.workers,
                reveal=level,
                isolation=self.order.isolation,
                names=names,
                seed_mark=seed_mark(self.book.settle_key(), str(self.seed)),
                more_seeds=further_seeds(self.seed, self.seeds),
                dictionaries=str((out / "dictionaries").resolve()),
            )


@contextlib.contextmanager
def started(
    order: Order, *, seed: int | None, jobs: int, reveal: str = "", workers: Workers | None = None
) -> Iterator[Run]:
    """Open the gradebook of an order and settle what holds for the whole class.

    ``workers`` are those that the order was taken with, still warm; if None, ``jobs`` new ones grade.

    ``reveal`` is how much every page says, "" for what the assignment's policy and everyone's due time say.

    Raises:
        FolderLocked: somebody else writes to the folder.
        GradebookError: the folder holds a gradebook that cannot be used, has another seed, or holds the
            grades of another assignment; or it cannot be written to.
    """
    with open_gradebook(order.out, patience=order.patience) as book:
        name = book.header("assignment")
        if name not in (None, order.assignment.name):
            msg = f"{order.out}: it holds the grades of {name!r}; grade this assignment into another folder"
            raise GradebookError(msg)
        settled = book.settle_seed(seed)
        seeds = order.seeds or int(book.header("seeds") or 1)
        book.settle_key(order.key)
        book.set_headers(
            seeds=str(seeds),
            assignment=order.assignment.name,
            title=order.assignment.title,
            folder=str(order.assignment.folder),
            notebooks="yes" if order.notebooks or has_notebooks(book) else "no",
        )
        now = datetime.now(UTC)
        settle_policy(book, Policy(reveal, reveal) if reveal else order.policy, now)
        stored.tidy(order.out)
        finish(book)
        with contextlib.nullcontext(workers) if workers is not None else Workers(jobs) as those:
            yield Run(order, book, settled, seeds, those, now)


def carry_out(order: Order, *, seed: int | None, jobs: int, reveal: str = "") -> Iterator[Progress]:
    """Grade what has no result yet into the folder of an order, and say how it goes.

    Every result is kept in the gradebook as soon as it is there; what was kept is not graded again. At the
    end results.jsonl and the class pages are written from the gradebook.

    Raises:
        FolderLocked, GradebookError: as :func:`started`.
    """
    with started(order, seed=seed, jobs=jobs, reveal=reveal) as run:
        yield from run.grade_new()


def _decided(found: Sequence[Mark]) -> set[str]:
    """Return the students on whose pages a decision stands."""
    return {m.student for m in found if m.corrected or m.deduction}


def work_of(entry: Entry) -> str:
    """Return what identifies the work of an entry: its bytes, or why they are not to be had."""
    if entry.gradable:
        return entry.sha256
    return "\0".join((raw, entry.status) if (raw := _bytes_of(entry)) else ("", entry.status, entry.reason))


def _is_work_of(entry: Entry, work: str) -> bool:
    """Return whether an entry is the work that was judged, also where this version reads it no more."""
    return work in (work_of(entry), _bytes_of(entry) or None)


def _bytes_of(entry: Entry) -> str:
    """Return the hash of an entry's file, "" where there is none that could be read."""
    try:
        if entry.sha256 or entry.path.stat().st_size > FILE_BYTES:
            return entry.sha256
        return hashlib.sha256(entry.path.read_bytes()).hexdigest()
    except OSError:
        return ""


def class_results(out: Path) -> list[Result]:
    """Return the results that a graded folder holds, as they count, students in order."""
    with read_gradebook(out) as book:
        return effective_results(book)


def class_count(out: Path) -> Count:
    """Return how far the class of a graded folder is."""
    with read_gradebook(out) as book:
        return count(book)
