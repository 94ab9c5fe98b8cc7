"""The command push: approved marks as scores into a learning platform, over LTI 1.3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from graders import forgetting
from graders.commands.terminal import Author, Graded, Names, Wait, say, warn
from graders.gradebook import FILE, GradebookError
from graders.lti.clocks import SystemClock
from graders.lti.connection import open_client
from graders.lti.delivery import Row
from graders.lti.keys import read_signer
from graders.lti.pushing import Push
from graders.lti.settings import read_settings
from graders.marks import marks
from graders.opening import open_gradebook, read_gradebook
from graders.report import called
from pytest_symmetry.feedback.text import number


def push(
    folder: Graded,
    config: Annotated[Path, typer.Option(help="lti.toml: which platform, which column, which key.")],
    send: Annotated[
        bool, typer.Option("--send", help="Send; without it, only what would be sent is shown.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Send also where the platform has a score that is not from here."),
    ] = False,
    names: Names = False,
    author: Author = "",
    wait: Wait = 0.0,
) -> None:
    """Send approved marks to a learning platform, over LTI 1.3; each arrives once."""
    settings = read_settings(config)
    signer = read_signer(settings)
    if not send:
        with read_gradebook(folder) as book:
            found = marks(book)
            ready = Push.of(book, found, settings)
            _tell(ready.preview(), called(found, names=names))
        say("Nothing was sent; --send sends.")
        return
    if not (folder / FILE).is_file():
        msg = f"{folder}: there is no gradebook in it; give a folder that `symmetry grade` wrote"
        raise GradebookError(msg)
    with open_client() as client, open_gradebook(folder, author=author or None, patience=wait) as book:
        forgetting.finish(book)
        found = marks(book)
        ready = replace(Push.of(book, found, settings), again=again)
        try:
            arrived = _tell(ready.carry_out(signer, SystemClock(), client), called(found, names=names))
        except KeyboardInterrupt:
            warn("interrupted: what arrived is noted. Run the same command again to go on.")
            raise typer.Exit(3) from None
    for line in ready.said:
        say(f"note: {line}")
    if ready.stopped:
        warn(ready.stopped)
        raise typer.Exit(3)
    if not arrived:
        raise typer.Exit(1)


def _tell(rows: Iterator[Row], who: dict[str, str]) -> bool:
    """Print what becomes of each, and the counts; return whether all arrived that should."""
    width = max(map(len, who.values()), default=0)
    counts: Counter[str] = Counter()
    arrived = True
    for row in rows:
        counts[row.outcome] += 1
        arrived = arrived and row.arrived
        points = f"{number(row.score.points)} of {number(row.score.of)}" if row.score else "-"
        say(f"{who[row.student]:<{width}}  {row.outcome:<13}  {points:<10}  {row.why}".rstrip())
    say(", ".join(f"{n} {outcome}" for outcome, n in counts.items()) or "There are no marks.")
    return arrived
