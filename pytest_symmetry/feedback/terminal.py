"""Verdicts to the lines of a terminal: points per question, then the first cause. 80 columns, plain text."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING

from pytest_symmetry.feedback.ordering import first_cause
from pytest_symmetry.feedback.text import harmless, number, words_or_facts
from pytest_symmetry.findings import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_symmetry.findings import Finding, Result, Verdict

COLUMNS = 80
_LABEL = 11
_OUTCOME = 30
_NO_WIDTH = {"Mn", "Me", "Cf"}


def summary(
    verdicts: Sequence[Verdict], *, student: str, points: float, max_points: float, reveal: str, again: str
) -> list[str]:
    """Return what a run of one submission prints: a line per question, the first cause, how to run it again.

    ``reveal`` is "hint" or "cause"; ``again`` is the command that runs the same again, seed included.
    """
    widest = max((_columns(_mark(v)) for v in verdicts), default=0)
    room = COLUMNS - _OUTCOME - widest - 2
    lines = [f"{_cut(student, 50)}: {number(points)} of {number(max_points)} points"]
    lines += [f"  {_fit(v.name, room - 1)} {_mark(v):>{widest}}   {_outcome(v)}{_codes(v)}" for v in verdicts]
    if (finding := first_cause(verdicts)) is not None:
        lines += ["", *finding_lines(finding, reveal=reveal)]
        lines += textwrap.wrap(
            again, COLUMNS, initial_indent="  Run again  ", subsequent_indent=" " * (_LABEL + 2),
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    return [harmless(line) for line in lines]


def finding_lines(finding: Finding, *, reveal: str) -> list[str]:
    """Return one finding as short lines of at most 80 columns: head, I see, Expected, Hint."""
    said = words_or_facts(finding, reveal=reveal)
    head = f"{said.code}  {said.title}"
    on_head = bool(said.place) and _columns(head) + _columns(said.place) + 4 <= COLUMNS
    lines = textwrap.wrap(f"{head}  ({said.place})" if on_head else head, COLUMNS, subsequent_indent=" " * 8)
    place = "" if on_head else said.place
    parts = (("Place", place), ("I see", said.seen), ("Expected", said.expected), ("Cause", said.cause),
             ("Hint", said.hint))  # fmt: skip
    for label, text in parts:
        lines += textwrap.wrap(
            text, COLUMNS, initial_indent=f"  {label:<{_LABEL}}", subsequent_indent=" " * (_LABEL + 2)
        )
    return [harmless(line) for line in lines]


def wrapped(text: str) -> list[str]:
    """Return a sentence as lines of at most 80 columns."""
    return [harmless(line) for line in textwrap.wrap(text, COLUMNS)]


def class_summary(results: Sequence[Result]) -> list[str]:
    """Return one line per submission: who, points, and the first cause or the reason."""
    lines = []
    for result in results:
        mark = f"{number(result.points)} / {number(result.max_points)}"
        lines.append(harmless(f"{_fit(result.student, 26)}{mark:>9}   {_cut(_verdict(result), 42)}"))
    return lines


def _verdict(result: Result) -> str:
    """Return the first cause in a few words, or why there is none."""
    if result.status != "graded":
        return f"{result.status}: {result.reason}" if result.reason else result.status
    finding = first_cause(result.tests)
    if finding is None:
        failed = sum(v.outcome not in (Outcome.PASSED, Outcome.WAITS) for v in result.tests)
        if failed:
            return f"{failed} of {len(result.tests)} questions not passed"
        waits = sum(v.outcome is Outcome.WAITS for v in result.tests)
        return f"all others passed, {waits} open" if waits else "all passed"
    return f"{finding.code}  {words_or_facts(finding).title}"


def _mark(verdict: Verdict) -> str:
    given = "?" if verdict.outcome is Outcome.WAITS else number(verdict.points)
    return f"{given} / {number(verdict.max_points)}"


def _outcome(verdict: Verdict) -> str:
    """Return the outcome in words; a question that only staff can decide has words of its own."""
    staff = any(finding.code == "TST103" for finding in verdict.findings)
    return "decided after hand-in" if staff else verdict.outcome.value


def _codes(verdict: Verdict) -> str:
    codes = dict.fromkeys(f.code for f in verdict.findings if f.severity == "fail")
    return f" {next(iter(codes))}" if codes else ""


def _columns(text: str) -> int:
    """Return how many columns ``text`` takes: two for wide characters, none for combining ones."""
    return sum(
        0 if unicodedata.category(c) in _NO_WIDTH else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _cut(text: str, room: int) -> str:
    """Return ``text`` on one line, cut to ``room`` columns."""
    text = harmless(" ".join(text.split()))
    if _columns(text) <= room:
        return text
    while _columns(text) > room - 3:
        text = text[:-1]
    return f"{text}..."


def _fit(text: str, room: int) -> str:
    """Return ``text`` cut and padded to exactly ``room`` columns."""
    text = _cut(text, room)
    return text + " " * (room - _columns(text))
