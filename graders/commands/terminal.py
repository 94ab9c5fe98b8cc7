"""The terminal: two consoles, progress, and the options that several commands share."""

from __future__ import annotations

import enum
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pytest_symmetry.feedback.terminal import class_summary
from pytest_symmetry.feedback.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graders import grading_run

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

AssignmentName = Annotated[
    str, typer.Argument(metavar="ASSIGNMENT", help="A folder, or a bundled assignment.")
]
Graded = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `symmetry grade` wrote.")]
Student = Annotated[str, typer.Argument(metavar="STUDENT", help="An identifier, or a pseudonym.")]
Jobs = Annotated[int, typer.Option(min=1, help="Worker processes (as many as there are processors).")]
Names = Annotated[bool, typer.Option("--names", help="Name students; they are called by pseudonyms if not.")]
Author = Annotated[str, typer.Option(help="Who decides this (your login name, if not given).")]
Wait = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="Wait for another run that writes to the folder.")
]


class Isolation(enum.StrEnum):
    """How well submissions must be locked in."""

    strict = "strict"
    best = "best"


IsolationOption = Annotated[
    Isolation,
    typer.Option(help="Refuse to run submissions that cannot be sealed (strict), or run them anyway."),
]


def say(text: str) -> None:
    """Print a line in which nothing is markup and nothing drives the terminal."""
    console.print(escape(harmless(text)))


def warn(text: str) -> None:
    """The same on the error stream, as the command's own."""
    errors.print(f"symmetry: {escape(harmless(text))}")


def show_progress(steps: Iterator[grading_run.Progress], *, names: bool) -> None:
    """Show how a run goes: a bar on a terminal, a line for each submission in a log."""
    start = next(steps)
    if console.is_terminal:
        _with_bar(steps, start.todo)
    else:
        _with_lines(steps, start.todo, names=names)


def _with_bar(steps: Iterable[grading_run.Progress], todo: int) -> None:
    columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=todo)
        for _ in steps:
            bar.advance(task)


def _with_lines(steps: Iterable[grading_run.Progress], todo: int, *, names: bool) -> None:
    """Print a line for each; logs are kept and shared, so that students stand in them by pseudonym."""
    for count, step in enumerate(steps, start=1):
        if step.result is not None:
            result = step.result if names else replace(step.result, student=step.pseudonym)
            (line,) = class_summary([result])
            say(f"[{count}/{todo}] {line}")
