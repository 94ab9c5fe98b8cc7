"""Coursera's feedback.json, one per student: the two fields that coursera_autograder asks for.

What was not judged is no file: the grader of a course then ends with an error, and nobody gets a 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.exports.files import one_each
from graders.exports.interface import Assignment, LeftOut, Written
from graders.exports.told import report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.marks import Mark


@dataclass(frozen=True, slots=True)
class Coursera:
    """``fractionalScore`` is the share of the points, lateness taken off."""

    name: str = "coursera"
    writes: str = "Coursera's feedback.json, one a student"
    fills_in: str = ""
    approved_only: bool = False

    def export(
        self,
        marks: Sequence[Mark],
        assignment: Assignment,
        out: Path,
        into: Path | None = None,  # noqa: ARG002 - part of the interface
    ) -> Written:
        """Write the files."""
        left_out = LeftOut()
        graded = left_out.graded(marks)
        for mark in graded:
            if not mark.max_points:
                left_out.add(mark, "no points can be earned, so that there is no share of them")
        graded = [mark for mark in graded if mark.max_points]
        return one_each(graded, out, lambda mark: _result(mark, assignment.reveal), left_out)


def _result(mark: Mark, reveal: str) -> dict[str, Any]:
    share = min(max(mark.points / mark.max_points, 0.0), 1.0)
    return {"fractionalScore": share, "feedback": report(mark, reveal)}


EXPORTS = (Coursera(),)
