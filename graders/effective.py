"""A result as it counts: what the tests said, with the points that people and lateness left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graders.marks import EXCUSED, question_of
from pytest_symmetry.feedback.html import Correction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graders.marks import Mark, QuestionMark
    from pytest_symmetry.findings import Result, Verdict


def effective_result(mark: Mark) -> Result | None:
    """Return the result of a mark with the points that count; None where there is no result.

    What a person gave for a question is shared over its cases in proportion to what they are worth.
    Findings and outcomes stay what the tests found.
    """
    result = mark.result
    if result is None:
        return None
    decided = {q.question: q for q in mark.corrected}
    return replace(
        result,
        student=mark.student,
        status=result.status if mark.status == EXCUSED else mark.status,
        reason=mark.reason,
        points=mark.points,
        max_points=mark.max_points if result.tests or mark.final else result.max_points,
        tests=tuple(_shared(v, decided.get(question_of(v.name))) for v in result.tests),
    )


def _shared(verdict: Verdict, decided: QuestionMark | None) -> Verdict:
    if decided is None or decided.points is None:
        return verdict
    share = decided.points / decided.max_points if decided.max_points else 0.0
    return replace(verdict, points=round(share * verdict.max_points, 6))


def effective_line(mark: Mark, line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of results.jsonl: the words of the stored line, the points that count.

    ``pseudonym`` names the student's page; ``deduction`` is what lateness took; ``corrections`` are the
    questions that a person decided.
    """
    result = effective_result(mark)
    if result is None:
        return dict(line)
    tests = [
        {**test, "points": verdict.points} for test, verdict in zip(line["tests"], result.tests, strict=True)
    ]
    return {
        **line,
        "student": result.student,
        "status": result.status,
        "reason": result.reason,
        "points": result.points,
        "max_points": result.max_points,
        "pseudonym": mark.pseudonym,
        "deduction": mark.deduction,
        "corrections": [
            {"question": q.question, "by": q.by, "judged": q.judged, "points": q.points, "reason": q.reason}
            for q in mark.corrected
        ],
        "tests": tests,
    }


def corrections_shown(mark: Mark) -> tuple[Correction, ...]:
    """Return what a student's page says about the questions that a person decided."""
    return tuple(
        Correction(q.question, q.by == "a void", q.judged, q.points or 0.0, q.max_points, q.reason)
        for q in mark.corrected
    )
