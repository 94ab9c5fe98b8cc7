"""The command that hands an assignment out: release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graders import release as releasing
from graders.commands.terminal import AssignmentName, say
from graders.single import release_single
from pytest_symmetry.assignment import find_assignment
from pytest_symmetry.feedback.text import listed, number

Reveal = Annotated[
    str,
    typer.Option(
        metavar="LEVEL", help="hint, or cause to name mistakes too (the assignment's, if not given)."
    ),
]


def release(
    assignment: AssignmentName,
    out: Annotated[Path, typer.Option(help="New folder for what students receive.")],
    reveal: Reveal = "",
    single: Annotated[
        bool, typer.Option("--single", help="One notebook for Colab or Kaggle, and a zip for its first cell.")
    ] = False,
    url: Annotated[str, typer.Option(metavar="URL", help="Where you will put that zip, for --single.")] = "",
) -> None:
    """Write what students receive: notebook with stubs, tests, data, recorded answers, no solution."""
    found = find_assignment(assignment)
    if single:
        made = release_single(found, out, url=url, level=reveal)
    else:
        made = releasing.release(found, out, level=reveal)
    say(f"Released to {made.folder}, at the level {made.level!r}.")
    after = f", {number(made.after)} after hand-in" if made.after else ""
    say(f"{number(made.here)} of {number(made.here + made.after)} points are decided there{after}.")
    if made.undecided:
        say(f"Decided by staff, as the answers cannot be recorded: {listed(list(made.undecided))}.")
    if made.free:
        say(f"Passed by a notebook without any work: {listed(list(made.free))}.")
