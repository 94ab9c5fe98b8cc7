"""One ``symmetry grade``: from folders of submissions to a graded folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graders.batch import check_solution, fingerprint, grade, key_of
from graders.class_counts import class_csv
from graders.class_page import class_page
from graders.gradebook import Gradebook, open_gradebook, to_text
from graders.intake import Entry, take_in
from graders.sandbox.choice import establish
from pytest_symmetry.assignment import Assignment
from pytest_symmetry.feedback.html import page_file
from pytest_symmetry.findings import Result
from pytest_symmetry.grading import result_line
from pytest_symmetry.writing import write_atomically


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asked to be graded, checked: the assignment is sound and there are submissions."""

    assignment: Assignment
    entries: tuple[Entry, ...]
    out: Path
    isolation: str = "best"


@dataclass(slots=True)
class Progress:
    """How far a run is: ``todo`` entries had no result when it began, ``total`` is the class."""

    todo: int
    total: int
    result: Result | None = None


def take_order(
    assignment: Assignment, submissions: Sequence[Path], out: Path, isolation: str = "best"
) -> Order:
    """Check all that can be checked before anything is written.

    ``isolation`` is "strict" (a machine that cannot lock submissions in is refused) or "best".

    Raises:
        SubmissionError: there is nothing at one of the paths.
        SandboxError: this machine cannot lock submissions in as well as asked for.
        AssignmentError: the assignment's own solution fails its tests, or they cannot be run.
    """
    entries = take_in(submissions, assignment.notebook)
    establish(isolation, assignment)
    check_solution(assignment, 0, isolation)
    return Order(assignment, tuple(entries), out, isolation)


def carry_out(order: Order, *, seed: int | None, jobs: int, reveal: str) -> Iterator[Progress]:
    """Grade what has no result yet, and say how it goes: once at the start, then after each submission.

    Every result is kept in the gradebook as soon as it is there; what was kept is not graded again. At the
    end results.jsonl and the class pages are written from the gradebook.

    Raises:
        GradebookError: the folder holds a gradebook that cannot be used, or has another seed.
    """
    with open_gradebook(order.out) as book:
        settled = book.settle_seed(seed)
        assignment_hash = fingerprint(order.assignment)
        keys = {entry.student: key_of(entry, assignment_hash, settled) for entry in order.entries}
        known = {student: key for student, (key, _) in book.newest().items()}
        todo = [entry for entry in order.entries if known.get(entry.student) != keys[entry.student]]
        yield Progress(len(todo), len(order.entries))
        graded = grade(
            order.assignment, todo, seed=settled, jobs=jobs, reveal=reveal, isolation=order.isolation
        )
        for entry, result, page in graded:
            write_atomically(order.out / "feedback" / page_file(result.student), page)
            book.add(keys[entry.student], result_line(result))
            yield Progress(len(todo), len(order.entries), result)
        _write_class(order, book)


def _write_class(order: Order, book: Gradebook) -> None:
    """Write what concerns the whole class, from the newest results of those who are in it."""
    newest = book.newest()
    lines = [newest[entry.student][1] for entry in order.entries if entry.student in newest]
    results = [Result.from_json(line) for line in lines]
    write_atomically(order.out / "results.jsonl", "".join(f"{to_text(line)}\n" for line in lines))
    write_atomically(order.out / "class.csv", class_csv(results))
    for name, with_names in (("class.html", False), ("class-staff.html", True)):
        page = class_page(
            results, title=order.assignment.title, names=with_names, expected=len(order.entries)
        )
        write_atomically(order.out / name, page)


def class_results(out: Path) -> list[Result]:
    """Return the results that a graded folder holds, students in order."""
    with open_gradebook(out) as book:
        return [Result.from_json(line) for _, line in book.newest().values()]
