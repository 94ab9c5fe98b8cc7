"""Verdicts to a piece of HTML for the output of a notebook cell: the first cause, with no page around it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pytest_symmetry.feedback.html import pages, printed, told_block
from pytest_symmetry.feedback.ordering import tell
from pytest_symmetry.findings import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_symmetry.findings import Verdict


def inline(
    verdicts: Sequence[Verdict],
    *,
    points: float,
    max_points: float,
    reveal: str = "hint",
    remarks: Sequence[str] = (),
) -> str:
    """Return what a notebook shows for ``verdicts``: points, outcomes, first cause with its hint and figure.

    It needs no script, and its style stays within it; it follows the theme of JupyterLab, VS Code and Colab.
    ``remarks`` are said at the end: which file, saved when, what works only because of an earlier cell.
    Text-only front ends show :func:`pytest_symmetry.feedback.terminal.summary` instead.
    """
    story = tell(verdicts)
    # Outputs of many cells share one document: the ids of their pictures must differ.
    identifier = f"symmetry-{hashlib.sha256(repr(verdicts).encode('utf-8', 'replace')).hexdigest()[:12]}"
    return pages().get_template("inline.html").render(
        verdicts=list(verdicts),
        points=points,
        max_points=max_points,
        first=told_block(story.first, identifier, reveal) if story.first else None,
        others=len(story.others),
        passed=sum(v.outcome is Outcome.PASSED for v in verdicts),
        printed=printed(verdicts),
        remarks=list(remarks),
    )  # fmt: skip
