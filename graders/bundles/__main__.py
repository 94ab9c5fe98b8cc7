"""What the run script of a bundle starts: ``python -I -m graders.bundles``.

Exit codes: 0 the platform has its file, 1 there is no mark, 2 the bundle cannot be used so.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_symmetry.feedback.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge one submission or a class of repositories, as the arguments say."""
    parser = argparse.ArgumentParser(prog="graders.bundles", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("one", help="the files of one student")
    one.add_argument("--submission", type=Path, required=True)
    many = commands.add_parser("class", help="a class of repositories, as collect.py brings them")
    many.add_argument("--collected", type=Path, required=True)
    many.add_argument("--roster", type=Path, required=True)
    for command in (one, many):
        command.add_argument("bundle", type=Path, help="the folder of bundle.json")
        command.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    for stream in (
        sys.stdout,
        sys.stderr,
    ):  # a container may have no locale, and a mark must not fail by that
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    return _one(chosen) if chosen.command == "one" else _class(chosen)


def _one(chosen: argparse.Namespace) -> int:
    from graders.bundles import one
    from graders.bundles.platforms import PLATFORMS

    try:
        bundle = one.open_bundle(chosen.bundle)
        platform = PLATFORMS[bundle.settings.platform]
        log = sys.stderr if platform.speaks else sys.stdout
        why = one.judge(bundle, chosen.submission, chosen.out, lambda line: _say(line, log))
        if why:
            _say(f"There is no mark: {why}", sys.stderr)
        if platform.speaks and not why:
            sys.stdout.write(chosen.out.read_text(encoding="utf-8"))
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not look like a mark
        one.no_mark(chosen.bundle, chosen.out)
        _say(f"The grader could not judge this work: {_reason(error)}", sys.stderr)
        return 1
    return 1 if why and not chosen.out.exists() else 0


def _class(chosen: argparse.Namespace) -> int:
    from graders.bundles import clones, one

    try:
        bundle = one.open_bundle(chosen.bundle)
        said = chosen.collected, chosen.roster, chosen.out
        lines = clones.judge(bundle, *said, lambda line: _say(line, sys.stdout))
    except Exception as error:  # noqa: BLE001 - as above
        _say(f"The grader could not judge this class: {_reason(error)}", sys.stderr)
        return 2
    for line in lines.said:
        _say(line, sys.stdout)
    return 1 if lines.unjudged else 0


def _reason(error: Exception) -> str:
    from pytest_symmetry.errors import SymmetryError

    known = isinstance(error, SymmetryError | OSError)
    return str(error) if known else f"{type(error).__name__}: {error}"


def _say(text: str, stream: TextIO) -> None:
    stream.write(f"{harmless(text)}\n")
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())
