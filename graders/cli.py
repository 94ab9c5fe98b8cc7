"""The command ``symmetry``: parses, calls, prints, exits.

Exit codes: 0 done, 2 usage or bad input, 3 interrupted (run the same command again to go on).
"""

from __future__ import annotations

import enum
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

import pytest_symmetry
from graders import doctor as examination
from graders import grading_run
from graders.demo_class import demo_class
from graders.sandbox.choice import establish
from graders.specimens import write_specimens
from pytest_symmetry.assignment import Assignment, bundled_assignments, find_assignment
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.feedback.ordering import first_cause
from pytest_symmetry.feedback.terminal import class_summary
from pytest_symmetry.feedback.text import harmless, number, words_or_facts
from pytest_symmetry.findings import Result
from pytest_symmetry.grading import DEFAULT_SEED

app = typer.Typer(
    name="symmetry",
    help="Grade backprop assignments: gradients, symmetry of hidden units, and the name of each mistake.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_WRITTEN = {
    "Class pages": ("class.html", "class-staff.html", "class.csv"),
    "Student pages": ("feedback",),
    "Results": ("results.jsonl", "gradebook.sqlite"),
}
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

_AssignmentName = Annotated[
    str, typer.Argument(metavar="ASSIGNMENT", help="A folder, or a bundled assignment.")
]
_Jobs = Annotated[int, typer.Option(min=1, help="Worker processes (as many as there are processors).")]


class _Isolation(enum.StrEnum):
    """How well submissions must be locked in."""

    strict = "strict"
    best = "best"


_PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Say which version this is, where that is asked."""
    if version:
        console.print(f"pytest-symmetry {pytest_symmetry.__version__}")
        raise typer.Exit


@app.command(epilog="Example: symmetry demo --out /tmp/demo")
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("symmetry-demo"),
    jobs: _Jobs = _PROCESSORS,
) -> None:
    """Grade a class of 40 made-up students: the whole of grading with no input."""
    assignment = find_assignment("planar")
    demo_class(assignment.folder, out / "submissions")
    _grade(assignment, [out / "submissions"], out / "graded", DEFAULT_SEED, jobs, "best")


@app.command(epilog="Example: symmetry grade planar --submissions inbox/ --out graded/")
def grade(
    assignment: _AssignmentName,
    submissions: Annotated[list[Path], typer.Option(help="A notebook, a .py file, or a folder of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the gradebook and the feedback.")],
    jobs: _Jobs = _PROCESSORS,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of the inputs (128 secret bits, drawn once, if not given)."),
    ] = None,
    isolation: Annotated[
        _Isolation,
        typer.Option(help="Refuse to run submissions that cannot be sealed (strict), or run them anyway."),
    ] = _Isolation.strict,
) -> None:
    """Grade submissions: a gradebook, one page per student, two pages about the class."""
    _grade(find_assignment(assignment), submissions, out, seed, jobs, isolation.value)


@app.command(epilog="Example: symmetry doctor")
def doctor() -> None:
    """Say what this machine can keep from a submission's code, and what is missing."""
    for line in examination.report():
        console.print(escape(line))


@app.command(epilog="Example: symmetry specimens planar --out specimens/")
def specimens(
    assignment: _AssignmentName,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
) -> None:
    """Write an assignment's planted mistakes and correct variants as notebooks."""
    written = write_specimens(find_assignment(assignment).folder, out)
    console.print(f"{len(written)} notebooks in {escape(str(out))}")


@app.command(epilog="Example: symmetry assignments")
def assignments() -> None:
    """List the bundled assignments."""
    for name, folder in bundled_assignments().items():
        console.print(f"{name}  {escape(find_assignment(str(folder)).title)}")


def _grade(
    assignment: Assignment, submissions: list[Path], out: Path, seed: int | None, jobs: int, isolation: str
) -> None:
    order = grading_run.take_order(assignment, submissions, out, isolation)
    console.print(f"Submissions run at isolation {establish(isolation, assignment)}.")
    steps = grading_run.carry_out(order, seed=seed, jobs=jobs, reveal=assignment.reveal)
    start = next(steps)
    if start.todo < start.total:
        console.print(f"{start.total - start.todo} of {start.total} were graded before and are kept.")
    try:
        (_with_bar if console.is_terminal else _with_lines)(steps, start.todo)
    except KeyboardInterrupt:
        errors.print("symmetry: interrupted; what is graded is kept. Run the same command again to go on.")
        raise typer.Exit(3) from None
    _print_class(grading_run.class_results(out))
    for what, files in _WRITTEN.items():
        console.print(f"{what:<14}{escape(', '.join(str(out / name) for name in files))}")


def _with_bar(steps: Iterable[grading_run.Progress], todo: int) -> None:
    columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=todo)
        for _ in steps:
            bar.advance(task)


def _with_lines(steps: Iterable[grading_run.Progress], todo: int) -> None:
    for count, step in enumerate(steps, start=1):
        if step.result is not None:
            (line,) = class_summary([step.result])
            console.print(escape(f"[{count}/{todo}] {line}"))


def _print_class(results: list[Result]) -> None:
    """Print the class in a few lines: how many, what status, which causes."""
    graded = [r for r in results if r.status == "graded"]
    full = sum(r.points >= r.max_points for r in graded)
    console.print(f"{len(results)} submissions: {len(graded)} graded ({full} with full marks)", end="")
    for status in ("not gradable", "waits for a person"):
        if count := sum(r.status == status for r in results):
            console.print(
                f", {count} {'wait for a person' if status.startswith('waits') else status}", end=""
            )
    console.print(".")
    if causes := _causes(graded):
        table = Table("Students", "Code", "First cause", box=None, pad_edge=False, header_style="")
        for (code, title), count in causes:
            table.add_row(str(count), code, escape(title))
        console.print(table)
    if graded:
        mean = sum(r.points for r in graded) / len(graded)
        console.print(f"Mean: {number(mean)} of {number(max(r.max_points for r in graded))} points.")


def _causes(graded: list[Result]) -> list[tuple[tuple[str, str], int]]:
    """Return the first causes with the number of submissions that have each, commonest first."""
    counts: Counter[tuple[str, str]] = Counter()
    for result in graded:
        if (finding := first_cause(result.tests)) is not None:
            counts[finding.code, harmless(words_or_facts(finding).title)] += 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def run() -> None:
    """Run the command line; what a person can mend ends with one sentence and exit code 2."""
    try:
        app()
    except SymmetryError as error:
        errors.print(f"symmetry: {escape(harmless(str(error)))}")
        sys.exit(2)
