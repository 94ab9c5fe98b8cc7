"""Commands that only look: report, explain, doctor, specimens, assignments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graders import doctor as examination
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
from graders.marks import marks
from graders.opening import read_gradebook
from graders.report import open_csv, report_csv, report_lines
from graders.specimens import write_specimens
from pytest_symmetry.assignment import bundled_assignments, find_assignment
from pytest_symmetry.writing import write_atomically


def report(
    folder: Graded,
    table: Annotated[Path | None, typer.Option("--csv", help="Write the marks to this file too.")] = None,
    undecided: Annotated[
        Path | None,
        typer.Option(
            "--open", help="Write what waits for a person to this file, to be filled in for override."
        ),
    ] = None,
    names: Names = False,
) -> None:
    """Say how a class stands: points, what is not graded and why, what waits for a person."""
    with read_gradebook(folder) as book:
        found, title = marks(book), book.header("title") or ""
    for line in report_lines(title, found, names=names):
        say(line)
    if table is not None:
        write_atomically(table, report_csv(found, names=names))
    if undecided is not None:
        write_atomically(undecided, open_csv(found, names=names))


def explain(
    folder: Graded,
    student: Student,
    question: Annotated[
        str,
        typer.Argument(metavar="[QUESTION]", help="A test's name (all that were not passed, if not given)."),
    ] = "",
    assignment: Annotated[
        Path | None, typer.Option(help="The assignment's folder, where it has been moved since.")
    ] = None,
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
