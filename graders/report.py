"""A graded folder in numbers: how far it is, the points, what is not graded and why, what waits, for whom."""

from __future__ import annotations

import csv
import io
from collections import Counter
from statistics import mean, median
from typing import TYPE_CHECKING

from graders.class_counts import cell
from graders.marks import EXCUSED, MISSING, NOT_GRADABLE, NOT_YET, WAITS
from pytest_symmetry.feedback.text import number, question_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graders.marks import Mark

_BARS = 10
_WIDTH = 40


def called(found: Sequence[Mark], *, names: bool) -> dict[str, str]:
    """Return how each student is called: by pseudonym, and by name only where somebody asks for it."""
    return {m.student: (m.person.name or m.student) if names else m.pseudonym for m in found}


def report_lines(title: str, found: Sequence[Mark], *, names: bool = False) -> list[str]:
    """Return the report for a terminal."""
    who = called(found, names=names)
    handed_in = [m for m in found if m.status not in (MISSING, EXCUSED) or m.result is not None]
    done = [m for m in handed_in if m.status != NOT_YET]
    final = [m for m in found if m.final]
    lines = [f"{title}: {len(done)} of {len(handed_in)} graded"]
    lines += [f"  {status}: {n}" for status, n in Counter(m.status for m in found).items()]
    lines += _points(final)
    lines += _stopped("Not gradable", [m for m in found if m.status == NOT_GRADABLE], who)
    lines += _stopped("Waiting for a person", [m for m in found if m.status == WAITS], who)
    lines += _decided(found)
    results = [m.result for m in found if m.result is not None]
    lines += _counted("Isolation", [r.isolation for r in results])
    said = [", ".join(f"{k} {v}" for k, v in sorted(r.versions.items())) for r in results]
    return [*lines, *_counted("Versions", said)]


def _points(final: Sequence[Mark]) -> Iterator[str]:
    if not final:
        return
    points, most = [m.points for m in final], max(m.max_points for m in final)
    yield f"Points: mean {number(mean(points), 3)}, median {number(median(points), 3)} of {number(most)}"
    step = most / _BARS if most > 0 else 1.0
    bars = Counter(min(int(p / step + 1e-9), _BARS) for p in points)
    highest = max(bars.values())
    for i in range(_BARS + 1):
        bar = "#" * round(_WIDTH * bars[i] / highest)
        yield f"  {number(i * step, 3):>6}  {bars[i]:>5}  {bar}".rstrip()
    yield "Questions:"
    for question, worth in {q.question: q.max_points for m in final for q in m.questions}.items():
        given = [
            q.points for m in final for q in m.questions if q.question == question and q.points is not None
        ]
        full = sum(p >= worth for p in given)
        said = f"mean {number(mean(given), 3)} of {number(worth)}, {full} with all"
        yield f"  {question_words(question)}: {said}"


def _stopped(head: str, stopped: Sequence[Mark], who: dict[str, str]) -> Iterator[str]:
    if stopped:
        yield f"{head}: {len(stopped)}"
        yield from (f"  {who[m.student]}: {m.reason or 'no reason was recorded'}" for m in stopped)


def _decided(found: Sequence[Mark]) -> Iterator[str]:
    by = Counter(q.by for m in found for q in m.corrected)
    late = sum(m.deduction > 0 for m in found)
    approved = sum(m.approved for m in found)
    yield (
        f"Decided by people: {by['an override']} overridden, {by['a void']} by a void, {late} late, "
        f"{approved} of {len(found)} approved"
    )


def _counted(head: str, values: Sequence[str]) -> Iterator[str]:
    if values:
        yield f"{head}:"
        yield from (f"  {value}: {n}" for value, n in sorted(Counter(values).items(), key=lambda i: -i[1]))


def report_csv(found: Sequence[Mark], *, names: bool = False) -> str:
    """Return the marks as CSV, a row per student; a question that nobody decided is empty, never 0."""
    who = called(found, names=names)
    questions = list(dict.fromkeys(q.question for m in found for q in m.questions))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "student",
            "status",
            "reason",
            *questions,
            "raw",
            "deduction",
            "points",
            "of",
            "approved",
            "isolation",
        ]
    )
    for m in found:
        points = {q.question: q.points for q in m.questions}
        given = ["" if points.get(q) is None else points[q] for q in questions]
        total = [m.raw, m.deduction, m.points] if m.final else ["", "", ""]
        isolation = m.result.isolation if m.result is not None else ""
        writer.writerow(
            [cell(who[m.student]), m.status, cell(m.reason), *given, *total, m.max_points,
             "yes" if m.approved else "no", isolation]
        )  # fmt: skip
    return out.getvalue()


def open_csv(found: Sequence[Mark], *, names: bool = False) -> str:
    """Return the questions that nobody has decided as a table to be filled in and handed to ``override``."""
    who = {m.student: m.student if names else m.pseudonym for m in found}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", "question", "points", "reason", "of"])
    for m in found:
        asked = [q for q in m.questions if q.points is None and m.result is not None]
        writer.writerows([cell(who[m.student]), q.question, "", "", q.max_points] for q in asked)
    return out.getvalue()
