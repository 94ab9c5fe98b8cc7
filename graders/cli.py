"""The command ``symmetry``: the list of its commands. Each is a function of ``graders.commands``.

Exit codes: 0 done, 1 something is wrong (``check``) or did not arrive (``push``), 2 usage or bad input,
3 interrupted (run the same command again to go on).
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import Annotated

import typer

import pytest_symmetry
from graders.commands.terminal import console, warn
from pytest_symmetry.errors import SymmetryError

COMMANDS = {
    "grading.demo": "symmetry demo --out /tmp/demo",
    "grading.grade": "symmetry grade planar --submissions inbox/ --out graded/",
    "looking.report": "symmetry report graded/ --csv marks.csv",
    "looking.explain": "symmetry explain graded/ s0412 gradients",
    "deciding.override": 'symmetry override graded/ s0412 gradients 3 --reason "the test was too strict"',
    "deciding.void": 'symmetry void graded/ gradients --reason "the text was unclear"',
    "deciding.approve": "symmetry approve graded/ --all",
    "deciding.forget": "symmetry forget graded/ s0412",
    "exporting.export": "symmetry export graded/ --format gradescope --out results/",
    "sending.push": "symmetry push graded/ --config lti.toml --send",
    "authoring.new": "symmetry new softmax",
    "authoring.check": "symmetry check softmax",
    "releasing.release": "symmetry release planar --out handout/",
    "packaging.package": "symmetry package gradescope planar --out planar-gradescope.zip",
    "looking.specimens": "symmetry specimens planar --out specimens/",
    "looking.assignments": "symmetry assignments",
    "looking.doctor": "symmetry doctor",
}
"""Every command by its place in ``graders.commands``, in the order of `symmetry --help`, with an example."""


def main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Say which version this is, where that is asked."""
    if version:
        console.print(f"pytest-symmetry {pytest_symmetry.__version__}")
        raise typer.Exit


@functools.cache
def command_line(wanted: str = "") -> typer.Typer:
    """Return the command line, or its command ``wanted`` alone: to load all takes longer than most take."""
    line = typer.Typer(
        name="symmetry",
        help="Grade backprop assignments: gradients, symmetry of hidden units, and the name of each mistake.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    line.callback(invoke_without_command=True)(main)
    places = [place for place in COMMANDS if place.rpartition(".")[2] == wanted] or COMMANDS
    for place in places:
        module, _, name = place.partition(".")
        command = getattr(importlib.import_module(f"graders.commands.{module}"), name)
        line.command(epilog=f"Example: {COMMANDS[place]}")(command)
    return line


def __getattr__(name: str) -> typer.Typer:
    """Give ``app``, the whole command line, to whoever calls it from Python."""
    if name == "app":
        return command_line()
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def run() -> None:
    """Run the command line; what a person can mend ends with one sentence and exit code 2."""
    try:
        command_line(sys.argv[1] if len(sys.argv) > 1 else "")()
    except SymmetryError as error:
        warn(str(error))
        sys.exit(2)
