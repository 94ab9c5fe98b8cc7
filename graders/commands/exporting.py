"""The command export: marks into the files of learning platforms and CI systems."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graders.commands.terminal import Names, say
from graders.decisions import find_student
from graders.exports.choosing import find_format, formats
from graders.exports.graded import assignment_of
from graders.exports.interface import Written, carry_out
from graders.marks import marks
from graders.names import some_of
from graders.opening import read_gradebook
from graders.report import called


def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="A folder that `symmetry grade` wrote.")
    ] = None,
    kind: Annotated[str, typer.Option("--format", metavar="NAME", help="Which format; see --list.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where to write.")] = None,
    into: Annotated[
        Path | None, typer.Option(help="The teacher's file to fill in; it stays as it is.")
    ] = None,
    column: Annotated[str, typer.Option(help="Which column of it, where the title does not tell.")] = "",
    student: Annotated[str, typer.Option(help="Only this student: an identifier, or a pseudonym.")] = "",
    names: Names = False,
    listed: Annotated[bool, typer.Option("--list", help="List the formats.")] = False,
) -> None:
    """Write the marks in the format of a learning platform or CI system."""
    if listed:
        _list()
        return
    if folder is None or not kind or out is None:
        msg = "give DIR, --format and --out, or --list"
        raise typer.BadParameter(msg)
    chosen = find_format(kind)
    with read_gradebook(folder) as book:
        everyone = marks(book)
        wanted = [find_student(everyone, student, str(folder))] if student else everyone
        written = carry_out(chosen, wanted, assignment_of(book, column), out, into)
    _tell(written, out, called(everyone, names=names))


def _tell(written: Written, out: Path, who: dict[str, str]) -> None:
    said = f" ({'; '.join(written.said)})" if written.said else ""
    say(f"{written.students} {'student' if written.students == 1 else 'students'} in {out}{said}")
    reasons: dict[str, list[str]] = {}
    for name, why in written.left_out:
        reasons.setdefault(why, []).append(who[name])
    for why, people in reasons.items():
        say(f"left out, {why}: {some_of(people)}")


def _list() -> None:
    found, broken = formats()
    for name, one in found.items():
        into = f"; --into {one.fills_in}" if one.fills_in else ""
        approved = "; approved marks only" if one.approved_only else ""
        say(f"{name:<16} {one.writes}{into}{approved}")
    for name, why in broken.items():
        say(f"{name:<16} cannot be used: {why}")
