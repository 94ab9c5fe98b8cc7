"""Commands that only look: report, explain, doctor, specimens, assignments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from graders import doctor as examination
from graders import suspicions
from graders.batch import CHUNK
from graders.class_counts import compared
from graders.class_files import effective_results, refresh, write_comparison, write_suspicions
from graders.commands.terminal import (
    AssignmentName,
    Graded,
    Isolation,
    IsolationOption,
    Names,
    Student,
    say,
)
from graders.explain import explanation, replay
from graders.gradebook import Gradebook, GradebookError
from graders.grading_run import class_results
from graders.intake import Entry, in_chunks
from graders.marks import marks
from graders.opening import open_gradebook, read_gradebook
from graders.report import called, open_csv, report_csv, report_lines
from graders.sandbox.choice import establish
from graders.specimens import write_specimens
from graders.stored import stored
from pytest_symmetry.assignment import bundled_assignments, find_assignment, load_assignment
from pytest_symmetry.feedback.text import number
from pytest_symmetry.findings import Result
from pytest_symmetry.writing import write_atomically

_Csv = Annotated[Path | None, typer.Option("--csv", help="Write the marks to this file too.")]
_Open = Annotated[
    Path | None,
    typer.Option("--open", help="Write what waits for a person to this file, to be filled in for override."),
]
_Before = Annotated[
    Path | None,
    typer.Option(metavar="OLD_DIR", help="Write a class page that compares with this earlier run."),
]
_Pages = Annotated[
    bool, typer.Option("--pages", help="Write pages again that may say more since their due time.")
]
_Suspicious = Annotated[
    bool,
    typer.Option("--suspicious", help="Run all again and tell staff what a person should look at."),
]
_Moved = Annotated[Path | None, typer.Option(help="The assignment's folder, where it has been moved since.")]


def report(
    folder: Graded,
    table: _Csv = None,
    undecided: _Open = None,
    before: _Before = None,
    pages: _Pages = False,
    suspicious: _Suspicious = False,
    assignment: _Moved = None,
    isolation: IsolationOption = Isolation.strict,
    names: Names = False,
) -> None:
    """Say how a class stands: points, what is not graded and why, what waits for a person."""
    with read_gradebook(folder) as book:
        found, title = marks(book), book.header("title") or ""
    earlier = class_results(before) if before is not None else None
    for line in report_lines(title, found, names=names):
        say(line)
    if table is not None:
        write_atomically(table, report_csv(found, names=names))
    if undecided is not None:
        write_atomically(undecided, open_csv(found, names=names))
    if earlier is not None:
        compare_with(folder, earlier)
    if pages:
        with open_gradebook(folder) as book:
            say(f"Pages written again: {refresh(book, datetime.now(UTC))}")
    if suspicious:
        _look_again(folder, assignment, isolation.value, names=names)


def compare_with(folder: Path, before: Sequence[Result]) -> None:
    """Write the class page that compares a graded folder with an earlier run's results.

    Raises:
        GradebookError: no student is graded in both, so that there is nothing to compare.
    """
    with open_gradebook(folder) as book:
        change = compared(before, effective_results(book))
        if change is None:
            msg = f"{folder}: nobody in it was graded in the earlier run; give the folder of the same class"
            raise GradebookError(msg)
        written = write_comparison(book, before)
    say(
        f"{change.students} students are in both runs: mean {number(change.mean_before, 3)} points then, "
        f"{number(change.mean_now, 3)} now. {change.risen} rose, {change.fallen} fell. See {written}"
    )


def _look_again(folder: Path, moved: Path | None, isolation: str, *, names: bool) -> None:
    """Run the stored submissions once more, and tell staff alone what looks like a cheat."""
    with read_gradebook(folder) as book:
        found, who = _stored_entries(book), called(marks(book), names=names)
        assignment = load_assignment(moved or Path(book.header("folder") or ""))
        seed = suspicions.another_seed(book.seed or 0)
    establish(isolation, assignment)
    records = suspicions.records(
        [
            one
            for chunk in in_chunks(found, CHUNK)
            for one in suspicions.look(assignment, chunk, seed, isolation)
        ]
    )
    with open_gradebook(folder) as book:
        written = write_suspicions(book, records)
    for record in records:
        say(f"{who[record['student']]}: {record['kind']}. {record['measured']}")
        say(f"    It may be honest: {' '.join(record['explanations'])}")
    students = len({record["student"] for record in records})
    say(
        f"For a person to look at: {students} of {len(found)} submissions. No mark has changed. See {written}"
    )


def _stored_entries(book: Gradebook) -> list[Entry]:
    """Return the submissions that the tests judged, from the copies that are kept."""
    entries = []
    for mark in marks(book):
        result = mark.result
        path = stored(book.path.parent, mark.pseudonym, result.sha256) if result is not None else None
        if result is not None and result.tests and path is not None:
            entries.append(Entry(mark.student, path, result.submission, result.sha256))
    return entries


def explain(
    folder: Graded,
    student: Student,
    question: Annotated[
        str,
        typer.Argument(metavar="[QUESTION]", help="A test's name (all that were not passed, if not given)."),
    ] = "",
    assignment: _Moved = None,
    isolation: IsolationOption = Isolation.strict,
) -> None:
    """Replay a verdict and show why: inputs, the student's value, the expected one, the cause."""
    with read_gradebook(folder) as book:
        found = replay(book, student, isolation=isolation.value, folder=assignment)
        text = explanation(found, question)
    for line in text.splitlines():
        say(line)


def doctor() -> None:
    """Say what this machine can keep from a submission's code, and what is missing."""
    for line in examination.report():
        say(line)


def specimens(
    assignment: AssignmentName,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
) -> None:
    """Write an assignment's planted mistakes and correct variants as notebooks."""
    written = write_specimens(find_assignment(assignment).folder, out)
    say(f"{len(written)} notebooks in {out}")


def assignments() -> None:
    """List the bundled assignments."""
    for name, folder in bundled_assignments().items():
        say(f"{name}  {find_assignment(str(folder)).title}")
