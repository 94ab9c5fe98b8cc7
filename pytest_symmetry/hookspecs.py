"""The hooks that other plugins may implement: who is graded, where the code runs, who gets the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.findings import Result
    from pytest_symmetry.remote.proxy import OpenedSubmission
    from pytest_symmetry.submission import Found, Submission

hookspec = pluggy.HookspecMarker("pytest")


@hookspec(firstresult=True)
def pytest_symmetry_submissions(assignment: Assignment, config: pytest.Config) -> Sequence[Found] | None:
    """Return the submissions to run an assignment's tests over; the first answer counts."""


@hookspec(firstresult=True)
def pytest_symmetry_open_submission(
    submission: Submission, assignment: Assignment, config: pytest.Config
) -> OpenedSubmission | None:
    """Return ``submission`` opened in a process; the first answer counts.

    The plugin itself opens a plain child process. Graders answer before it with a sealed one.
    """


@hookspec(firstresult=True)
def pytest_symmetry_dictionaries(config: pytest.Config) -> Path | None:
    """Return a folder that keeps what planted mistakes give, for the runs to come; the first answer counts.

    The plugin itself answers with a folder in pytest's cache.
    """


@hookspec
def pytest_symmetry_results(results: Sequence[Result], config: pytest.Config) -> None:
    """Receive what became of each submission, at the end of the run (on the controller under xdist)."""
