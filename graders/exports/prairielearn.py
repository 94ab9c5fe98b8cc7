"""PrairieLearn's results.json, one per student.

Fields as in PrairieLearn's documentation of external grading. What was not judged is ``gradable: false``: it
costs no attempt and gives no points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.exports.files import as_json, one_each
from graders.exports.interface import Assignment, LeftOut, Written
from graders.exports.told import Question, questions, summary
from graders.marks import NOT_GRADABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.marks import Mark

_MOST_BYTES = 1_000_000
"""PrairieLearn takes at most 1 MB."""
_SHORT = 200


@dataclass(frozen=True, slots=True)
class PrairieLearn:
    """``score`` is the share of the points, lateness taken off."""

    name: str = "prairielearn"
    writes: str = "PrairieLearn's results.json, one a student"
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
        told = left_out.tellable(marks)
        return one_each(told, out, lambda mark: _result(mark, assignment.reveal), left_out)


def _result(mark: Mark, reveal: str) -> dict[str, Any]:
    if not mark.final or not mark.max_points:
        key = "format_errors" if mark.status == NOT_GRADABLE else "message"
        return {"gradable": False, key: summary(mark)}
    tests = [_test(question) for question in questions(mark, reveal)]
    if len(as_json(tests).encode()) > _MOST_BYTES // 2:
        tests = [{**test, "output": test["output"][:_SHORT]} for test in tests]
    return {
        "gradable": True,
        "score": min(max(mark.points / mark.max_points, 0.0), 1.0),
        "message": summary(mark),
        "tests": tests,
    }


def _test(question: Question) -> dict[str, Any]:
    return {
        "name": question.words,
        "points": question.points,
        "max_points": question.max_points,
        "output": question.text,
    }


EXPORTS = (PrairieLearn(),)
