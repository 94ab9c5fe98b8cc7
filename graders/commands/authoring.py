"""Commands that make an assignment and look it over: new, check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graders.authoring.new import write_new
from graders.commands.terminal import say

Out = Annotated[Path | None, typer.Option(help="New folder to write to (one called NAME, if not given).")]


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Lower-case letters, digits and _: it names files.")
    ],
    out: Out = None,
) -> None:
    """Write a working assignment with two questions, to start from."""
    folder = out or Path(name)
    for path in write_new(name, folder):
        say(str(path))
    say(f"Next: symmetry check {folder}")
