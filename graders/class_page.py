"""What a class got wrong, on one self-contained page: for staff, and for the projector.

Without names (the default) the page holds nothing that tells who: no student, no file, no link, and no
text that only one or two submissions share; it may be projected. With ``names=True`` it links every
student's page and lists them all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from graders.class_counts import OUTCOMES, CauseGroup, causes_of, compared, questions_of
from pytest_symmetry.feedback.html import page_file, pages
from pytest_symmetry.feedback.ordering import first_cause
from pytest_symmetry.feedback.text import number, question_words, title_words
from pytest_symmetry.findings import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pytest_symmetry.findings import Result

_FEW = 3
"""A text that fewer submissions share could tell who wrote it."""

_BARS = 20
_EXAMPLES = 3
_SHOWN_CAUSES = 60
_SORTED = 2000
"""The most students whose list is there in three orders."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the distribution of points."""

    label: str
    count: int
    x: float
    height: float


@dataclass(frozen=True, slots=True)
class Row:
    """One student in the list for staff; ``file`` is the student's page, ``notebook`` the notebook or ""."""

    student: str
    file: str
    points: str
    cause: str
    notebook: str = ""


def class_page(
    results: Sequence[Result],
    *,
    title: str,
    names: bool = False,
    expected: int | None = None,
    before: Sequence[Result] | None = None,
    suspicious: Sequence[Mapping[str, Any]] = (),
    page_of: Callable[[str], str] = page_file,
    notebook_of: Callable[[str], str] = lambda _: "",
) -> str:
    """Return the page about a class.

    ``names`` adds who: links to the students' pages, whose files ``page_of`` names, and the list of students,
    with the annotated notebooks that ``notebook_of`` names ("" for none);
    ``expected`` is the number of submissions there should be, for a class that is still being graded;
    ``before`` are the results of an earlier run, to compare with (before a hint was published, say).
    ``suspicious`` is shown to staff only, with ``names``: records of ``student``, ``question``, ``kind`` (a
    few words), ``measured`` (a sentence) and ``explanations`` (sentences: what else looks like this).
    """
    graded = [r for r in results if r.status == "graded"]
    causes = causes_of(graded)
    everybody = _FEW if len(graded) > _FEW and not names else 1
    questions = [q for q in questions_of(graded) if q.asked >= everybody]
    asked = {q.name for q in questions}
    return pages().get_template("class.html").render(
        title=title,
        names=names,
        total=len(results),
        expected=expected,
        graded=len(graded),
        bars=_bars(graded),
        mean=sum(r.points for r in graded) / max(len(graded), 1),
        median=_median([r.points for r in graded]),
        most=max((r.max_points for r in graded), default=0.0),
        full=sum(r.points >= r.max_points for r in graded),
        questions=questions,
        outcomes=[words for outcome, words in OUTCOMES.items() if outcome is not Outcome.PASSED],
        causes=[_cause_row(group, asked, page_of, names=names) for group in causes[:_SHOWN_CAUSES]],
        more_causes=max(len(causes) - _SHOWN_CAUSES, 0),
        stopped=_stopped(results, page_of, names=names),
        isolation=_counted(r.isolation for r in results),
        versions=_counted(
            ", ".join(f"{k} {v}" for k, v in sorted(r.versions.items())) for r in results
        ),
        views=_views(results, page_of, notebook_of) if names else [],
        change=compared(before, results) if before is not None else None,
        suspicious=_suspicious(suspicious, page_of) if names else [],
        asked=asked,
    )  # fmt: skip


def _bars(graded: Sequence[Result]) -> list[Bar]:
    """Return the distribution of points: a bar per point for small totals, else twenty of equal width."""
    most = max((r.max_points for r in graded), default=0.0)
    if most <= 0:
        return []
    step = 1.0 if most <= _BARS and most == int(most) else most / _BARS
    last = round(most / step)
    counts = Counter(min(max(int(r.points / step + 1e-9), 0), last) for r in graded)
    highest = max(counts.values())
    return [
        Bar(
            number(i * step, 3),
            counts[i],
            round(34 + 560 * i / (last + 1), 1),
            round(140 * counts[i] / highest, 1),
        )
        for i in range(last + 1)
    ]


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if not ordered:
        return 0.0
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _cause_row(
    group: CauseGroup, shown: Collection[str], page_of: Callable[[str], str], *, names: bool
) -> dict[str, Any]:
    """Return one cause as the page lists it; examples are the submissions with the most points.

    ``shown`` are the questions that may be named.
    """
    least = 1 if names else _FEW
    examples = sorted(group.students, key=lambda r: (-r.points, r.student))[:_EXAMPLES] if names else []
    return {
        "code": group.code,
        "title": group.title,
        "count": len(group.students),
        "first_for": group.first_for,
        "places": [(w, n) for w, n in group.places.most_common(4) if w and n >= least],
        "questions": [question_words(name) for name, _ in group.questions.most_common(4) if name in shown],
        "examples": [(r.student, page_of(r.student)) for r in examples],
    }


def _stopped(
    results: Sequence[Result], page_of: Callable[[str], str], *, names: bool
) -> list[dict[str, Any]]:
    """Return the submissions without a grade, by status and reason."""
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        if result.status != "graded":
            groups[(result.status, _reason(result))].append(result)
    if not names:
        groups = _merged(groups)
    return [
        {
            "status": status,
            "reason": reason,
            "count": len(members),
            "students": [(r.student, page_of(r.student)) for r in members] if names else [],
        }
        for (status, reason), members in sorted(groups.items(), key=lambda g: (g[0][0], -len(g[1]), g[0][1]))
    ]


def _merged(groups: dict[tuple[str, str], list[Result]]) -> dict[tuple[str, str], list[Result]]:
    """Put the reasons that only a few share together, as what they could quote is not for the projector."""
    merged: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for (status, reason), members in groups.items():
        merged[(status, reason if len(members) >= _FEW else "")].extend(members)
    return merged


def _reason(result: Result) -> str:
    """Return why a submission has no grade, without its own name."""
    reason = result.reason
    for own in (result.submission, PurePath(result.submission).name, result.student):
        if len(own) > _FEW:
            reason = reason.replace(own, "the file")
    return reason


def _suspicious(records: Sequence[Mapping[str, Any]], page_of: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return what a person should look at, by student; what a record lacks is left empty."""
    found = [
        {
            "student": str(record["student"]),
            "file": page_of(str(record["student"])),
            "question": question_words(str(record.get("question", ""))),
            "kind": str(record.get("kind", "")),
            "measured": str(record.get("measured", "")),
            "explanations": [str(text) for text in record.get("explanations", ())],
        }
        for record in records
    ]
    return sorted(found, key=lambda r: (r["student"].casefold(), r["question"], r["kind"]))


def _counted(values: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))


def _views(
    results: Sequence[Result], page_of: Callable[[str], str], notebook_of: Callable[[str], str]
) -> list[tuple[str, list[Row]]]:
    """Return the list of students in several orders, since nothing sorts it; in one for a huge class."""
    rows = [_student_row(r, page_of(r.student), notebook_of(r.student)) for r in results]
    views = [("by name", sorted(rows, key=lambda row: row.student.casefold()))]
    if len(rows) <= _SORTED:
        points = {
            row.file: r.points if r.status == "graded" else -1.0 for row, r in zip(rows, results, strict=True)
        }
        views.append(
            ("by points, fewest first", sorted(rows, key=lambda row: (points[row.file], row.student)))
        )
        views.append(
            ("by first cause", sorted(rows, key=lambda row: (not row.cause, row.cause, row.student)))
        )
    return views


def _student_row(result: Result, file: str, notebook: str) -> Row:
    """Return a student's row: name, files, points or status, first cause."""
    if result.status != "graded":
        return Row(result.student, file, result.status, "", notebook)
    finding = first_cause(result.tests)
    cause = f"{finding.code} {title_words(finding)}"[:80] if finding else ""
    return Row(result.student, file, number(result.points), cause, notebook)
