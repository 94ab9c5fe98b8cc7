"""How a check ends: its evidence is left with the context, and a failure is raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pytest_symmetry.context import blame, record
from pytest_symmetry.errors import CheckFailed
from pytest_symmetry.feedback.text import render

if TYPE_CHECKING:
    from pytest_symmetry.findings import Evidence, Finding


def fail(finding: Finding, evidence: Evidence | None) -> NoReturn:
    """Leave ``evidence`` with the context and raise the failure that ``finding`` describes.

    Raises:
        CheckFailed: always.
    """
    __tracebackhide__ = True
    if evidence is not None:
        record(evidence)
    blame(finding)
    raise CheckFailed(finding, evidence, render)
