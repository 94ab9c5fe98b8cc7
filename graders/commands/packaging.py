"""The command package: an autograder in the one file that a platform takes."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from graders.bundles.making import make
from graders.bundles.platforms import PLATFORMS, accepts
from graders.commands.terminal import AssignmentName, Isolation, say
from pytest_symmetry.assignment import find_assignment


class PlatformName(enum.StrEnum):
    """The names of ``graders.bundles.platforms.PLATFORMS``."""

    gradescope = "gradescope"
    prairielearn = "prairielearn"
    github = "github"
    gitlab = "gitlab"
    coursera = "coursera"


def package(
    platform: Annotated[PlatformName, typer.Argument(metavar="PLATFORM", help="Where it is to grade.")],
    assignment: AssignmentName,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The zip to write.")],
    wheelhouse: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Wheels to take the grader's from, to package offline.")
    ] = None,
    isolation: Annotated[
        Isolation,
        typer.Option(
            help="On machines that cannot seal submissions: give no marks (strict), or grade (best)."
        ),
    ] = Isolation.strict,
    reveal: Annotated[
        str,
        typer.Option(
            metavar="LEVEL", help="hint, or cause to name mistakes too (the assignment's, if not given)."
        ),
    ] = "",
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of the inputs (one made from the assignment, if not given)."),
    ] = None,
) -> None:
    """Write a whole autograder for a platform: scripts, wheels and the assignment in one zip, for staff."""
    made = make(
        platform.value,
        find_assignment(assignment),
        out,
        wheels=wheelhouse,
        isolation=isolation.value,
        level=reveal,
        seed=seed,
    )
    wheels = sum(name.endswith(".whl") for name in made.names)
    say(
        f"{made.path}: {len(made.names)} files, {wheels} of them wheels, {made.size / 1e6:.1f} MB. "
        "Its README.md says what to do with it."
    )
    say(f"sha256 {made.sha256}")
    say(f"{PLATFORMS[platform.value].gives} Here, {accepts(isolation.value)}.")
    say("The solution is in it: keep it where staff are.")
