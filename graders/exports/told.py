"""What students may read of a mark, in plain text: the questions, their points, the finding to mend.

It is the student's level, as on the student's page: one hint, for the first cause; what a test that stays
with staff expects is in no finding (it was taken out when the test was judged).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.marks import question_of
from pytest_symmetry.feedback.ordering import first_cause
from pytest_symmetry.feedback.text import harmless, question_words, words_or_facts
from pytest_symmetry.findings import Outcome

if TYPE_CHECKING:
    from graders.marks import Mark, QuestionMark
    from pytest_symmetry.findings import Finding, Verdict

_BROKE = (Outcome.DIED, Outcome.TIMED_OUT, Outcome.COULD_NOT_RUN)


@dataclass(frozen=True, slots=True)
class Question:
    """One question as a student is told of it.

    ``points`` is None where nobody has decided; ``broke`` is whether the code did not come to an end;
    ``finding`` is the first one that failed it, ``head`` that one's code, title and place.
    """

    name: str
    words: str
    points: float | None
    max_points: float
    text: str = ""
    broke: bool = False
    finding: Finding | None = None
    head: str = ""

    @property
    def full(self) -> bool:
        """Whether it has all its points."""
        return self.points is not None and self.points >= self.max_points


def plain(value: float) -> str:
    """Return a number of points with a point, at most six digits behind it, and no needless zero."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def summary(mark: Mark) -> str:
    """Return the mark in a sentence: points and what lateness took, or why there is none."""
    if not mark.final:
        return harmless(f"{mark.status}: {mark.reason}" if mark.reason else mark.status)
    said = f"{plain(mark.points)} of {plain(mark.max_points)} points"
    if mark.deduction:
        said += f", {plain(mark.deduction)} less for lateness"
    return harmless(f"{said}. {mark.lateness.line}" if mark.lateness.line else f"{said}.")


def questions(mark: Mark, reveal: str) -> list[Question]:
    """Return the questions of a mark, in the order of the tests."""
    tests = mark.result.tests if mark.result is not None else ()
    first = first_cause(tests)
    return [
        _question(q, [v for v in tests if question_of(v.name) == q.question], first, reveal)
        for q in mark.questions
    ]


def report(mark: Mark, reveal: str) -> str:
    """Return all that a student is told, as text."""
    lines = [summary(mark)]
    for q in questions(mark, reveal):
        points = "waits for a person" if q.points is None else f"{plain(q.points)} of {plain(q.max_points)}"
        lines += ["", f"{q.words}: {points}", *([q.text] if q.text else [])]
    return "\n".join(lines)


def _question(mark: QuestionMark, verdicts: list[Verdict], first: Finding | None, reveal: str) -> Question:
    found = [
        f for v in verdicts if v.outcome is not Outcome.WAITS for f in v.findings if f.severity == "fail"
    ]
    lines = [_decided(mark)] if mark.by in ("an override", "a void") else []
    lines += dict.fromkeys(_told(f, first, reveal) for f in found)
    if not found and verdicts and mark.points is not None:
        silent = (v.outcome for v in verdicts if v.outcome not in (Outcome.PASSED, Outcome.WAITS))
        lines += dict.fromkeys(outcome.value for outcome in silent)
    return Question(
        name=mark.question,
        words=harmless(question_words(mark.question)),
        points=mark.points,
        max_points=mark.max_points,
        text=harmless("\n".join(lines)),
        broke=any(v.outcome in _BROKE for v in verdicts),
        finding=found[0] if found else None,
        head=_head(found[0], reveal) if found else "",
    )


def _decided(mark: QuestionMark) -> str:
    who = "Decided by the course team" + (" for everyone" if mark.by == "a void" else "")
    return f"{who}. Reason: {mark.reason}" if mark.reason else f"{who}."


def _head(finding: Finding, reveal: str) -> str:
    said = words_or_facts(finding, reveal=reveal)
    return harmless(f"{said.code}  {said.title}" + (f"  ({said.place})" if said.place else ""))


def _told(finding: Finding, first: Finding | None, reveal: str) -> str:
    """Return a finding as lines; hints of later causes wait until the first is mended, as on the page."""
    said = words_or_facts(finding, reveal=reveal)
    hint = said.hint if finding == first or (reveal == "cause" and not finding.consequence_of) else ""
    parts = (("I see", said.seen), ("Expected", said.expected), ("Cause", said.cause), ("Hint", hint))
    return "\n".join([_head(finding, reveal), *(f"  {label:<9}{text}" for label, text in parts if text)])
