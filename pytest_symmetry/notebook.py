"""``check("backward")`` in a cell: the assignment's questions over the functions of the running notebook.

Importing this module imports nothing: a notebook that is handed in imports it in every grader's child.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_symmetry.asking import Feedback


def check(
    function: str | Callable[..., Any] | None = None,
    *,
    assignment: str | Path | None = None,
    file: str | Path | None = None,
    seed: int | None = None,
) -> Feedback | None:
    """Run the questions on one function, or all of them, over the functions of this notebook.

    ``function`` is its name, or the function itself. ``assignment`` is a folder with an assignment.toml, or
    the name of a bundled assignment; the one of the working directory if not given. ``file`` is the saved
    notebook, where the front end does not tell which it is. Nothing needs to be saved first.

    Returns:
        The report, which a notebook shows. None in a notebook that is being graded: it asks nothing there.

    Raises:
        AssignmentError: there is no such assignment, no question on the function, or the tests cannot run.
        SubmissionError: ``file`` is no notebook.
        KeyboardInterrupt: the kernel was interrupted; the message says where.
    """
    caller = inspect.currentframe()
    names = caller.f_back.f_globals if caller and caller.f_back else {}
    if names.get("__name__") == "submission":  # as namespace.Namespace calls what it runs
        return None
    from pytest_symmetry.asking import ask
    from pytest_symmetry.grading import DEFAULT_SEED

    name = function if function is None else str(getattr(function, "__name__", function))
    return ask(_main, names, name, assignment, file, DEFAULT_SEED if seed is None else seed)


def _main(options: list[str], plugins: list[Any]) -> int:
    import pytest

    return int(pytest.main(options, plugins=plugins))
