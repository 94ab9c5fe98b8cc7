"""Gradescope's results.json, one per student.

Fields as in the autograder specification (gradescope-autograders.readthedocs.io, "Output format"). A mark
that waits for a person is no file: Gradescope then says that the autograder failed, and records no score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.exports.files import one_each
from graders.exports.interface import Assignment, LeftOut, Written
from graders.exports.told import Question, questions, summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.marks import Mark


@dataclass(frozen=True, slots=True)
class Gradescope:
    """``score`` is the points that count, lateness taken off; it overrides the sum of the tests."""

    name: str = "gradescope"
    writes: str = "Gradescope's results.json, one a student"
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
        return one_each(graded, out, lambda mark: _result(mark, assignment.reveal), left_out)


def _result(mark: Mark, reveal: str) -> dict[str, Any]:
    told = questions(mark, reveal)
    return {
        "score": mark.points,
        "output": summary(mark),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(q, number) for number, q in enumerate(told, start=1)],
        "extra_data": {"sha256": mark.result.sha256 if mark.result is not None else ""},
    }


def _test(question: Question, number: int) -> dict[str, Any]:
    return {
        "name": question.words,
        "number": str(number),
        "score": question.points,
        "max_score": question.max_points,
        "status": "passed" if question.full else "failed",
        "output": question.text,
    }


EXPORTS = (Gradescope(),)
