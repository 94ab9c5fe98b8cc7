"""The command ``symmetry``; says how to install what it needs where that is missing."""

from __future__ import annotations

import importlib.util
import sys

_NEEDED = ("typer", "rich")


def main() -> None:
    """Run the command line, or name the one command that makes it run."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(  # noqa: T201 - there is no rich to print with
            f"symmetry needs {' and '.join(missing)}. Install it with\n"
            '  python -m pip install "pytest-symmetry[grade]"',
            file=sys.stderr,
        )
        sys.exit(2)
    from graders.cli import run

    run()


if __name__ == "__main__":
    main()
