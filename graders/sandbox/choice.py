"""How well a submission's code is to be locked in, and what this machine offers: strict or best."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from graders.sandbox.levels import ENOUGH, Isolation, SandboxError, refusal, thin
from graders.sandbox.transport import Sandbox, SealedProcess, sandbox_of_this_process
from pytest_symmetry.remote.process import PlainProcess

if TYPE_CHECKING:
    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.remote.process import Transport

ISOLATIONS = ("strict", "best")


@functools.cache
def _offered(data: str | None) -> tuple[Sandbox | None, str]:
    """Return the sandbox of this process, or None and why there is none."""
    sandbox = sandbox_of_this_process(data)
    try:
        sandbox.start()
    except SandboxError as error:
        return None, str(error)
    return sandbox, ""


def establish(isolation: str, assignment: Assignment | None = None) -> Isolation:
    """Return how well code is locked in here, tried out in a child.

    Raises:
        SandboxError: ``isolation`` is strict and this machine cannot keep code from what it must not reach.
    """
    sandbox, why = _offered(_data_of(assignment))
    offered = thin() if sandbox is None else sandbox.isolation
    if isolation == "strict" and offered.level < ENOUGH:
        raise refusal(offered, why)
    return offered


def transport_for(assignment: Assignment, isolation: str) -> Transport:
    """Return a process for one submission, sealed wherever that is possible.

    Raises:
        SandboxError: as :func:`establish`.
    """
    establish(isolation, assignment)
    data = _data_of(assignment)
    sandbox, _ = _offered(data)
    if sandbox is None:
        return PlainProcess(data)  # where a sealed one is too: a right program must not fail by where it runs
    return SealedProcess(sandbox, assignment.memory_mb << 20)


def why_not(assignment: Assignment | None = None) -> str:
    """Return why no sandbox can be had here, or ""."""
    return _offered(_data_of(assignment))[1]


def _data_of(assignment: Assignment | None) -> str | None:
    data = assignment.data if assignment is not None else None
    return str(data) if data is not None else None
