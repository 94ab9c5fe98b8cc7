"""Commands that make an assignment and look it over: new, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graders.authoring.importing import import_notebook
from graders.authoring.new import write_new
from graders.checkup.examination import Report, examine
from graders.commands.terminal import AssignmentName, say
from pytest_symmetry.assignment import FILE, bundled_assignments, find_assignment

Out = Annotated[Path | None, typer.Option(help="New folder to write to (one called NAME, if not given).")]


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and _: it names files.")
    ],
    out: Out = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="NOTEBOOK", help="A source notebook of nbgrader or otter-grader."),
    ] = None,
) -> None:
    """Write a working assignment with two questions, or one made from another grader's notebook."""
    folder = out or Path(name)
    written, decide = (
        (write_new(name, folder), []) if source is None else import_notebook(name, folder, source)
    )
    for path in written:
        say(str(path))
    for sentence in decide:
        say(f"To decide: {sentence}.")
    say(f"Next: symmetry check {folder}")


def check(
    assignment: AssignmentName,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the mutation score.")] = False,
) -> None:
    """Say all that is wrong with an assignment (exit code 1), before a class meets it."""
    folder = Path(assignment)
    if not (folder / FILE).is_file():
        folder = bundled_assignments().get(assignment) or find_assignment(assignment).folder
    report = examine(folder, quick=quick)
    for sentence in report.wrong:
        say(sentence)
    for line in (*report.notes, *_score_lines(report, quick=quick)):
        say(line)
    if report.wrong:
        say(f"{len(report.wrong)} to mend." if len(report.wrong) > 1 else "One thing to mend.")
        raise typer.Exit(1)
    say("Nothing to mend was found.")


def _score_lines(report: Report, *, quick: bool) -> list[str]:
    """Return the mutation score in words, with the mutants that no test fails."""
    score = report.score
    if score is None:
        return ["Whether each test can fail was not looked at (--quick)."] if quick else []
    killed = score.tried - len(score.survivors)
    lines = [f"Mutation score {score.share:.1%}: the tests see {killed} of {score.tried} changed solutions."]
    lines += [f"  not seen: {m.function}, line {m.line}: {m.text}" for m in score.survivors]
    lines += [
        f"  not seen, perhaps right (a variant answers otherwise too): {m.function}, line {m.line}: {m.text}"
        for m in score.unsettled
    ]
    if score.left_out:
        lines.append(f"  {score.left_out} more were left out: one in so many was tried.")
    return lines
