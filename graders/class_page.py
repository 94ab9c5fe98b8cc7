"""What a class got wrong, on one self-contained page: for staff, and for the projector.

Without names (the default) the page holds nothing that tells who: no student, no file, no link, and no
text that only one or two submissions share; it may be projected. With ``names=True`` it links every
student's page and lists them all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pytest_symmetry.diagnosis.causes import all_causes, code_page
from pytest_symmetry.feedback.html import page_file, pages
from pytest_symmetry.feedback.ordering import first_cause
from pytest_symmetry.feedback.text import fill, number, printable, question_words, words_or_facts
from pytest_symmetry.findings import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_symmetry.findings import Finding, Result

_FEW = 3
"""A text that fewer submissions share could tell who wrote it."""

_BARS = 20
_EXAMPLES = 3
_SHOWN_CAUSES = 60
_OUTCOMES = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the distribution of points."""

    label: str
    count: int
    x: float
    height: float


@dataclass(slots=True)
class Question:
    """How one question went."""

    name: str
    max_points: float = 0.0
    points: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        """Of how many submissions it was asked."""
        return sum(self.outcomes.values())

    @property
    def success(self) -> float:
        """The share of submissions that passed it, in percent."""
        return 100 * self.outcomes[Outcome.PASSED] / max(self.asked, 1)


@dataclass(slots=True)
class CauseGroup:
    """All submissions with one cause, or one code where no cause is known."""

    code: str
    title: str
    students: list[Result] = field(default_factory=list)
    first_for: int = 0
    places: Counter[str] = field(default_factory=Counter)
    questions: Counter[str] = field(default_factory=Counter)


def class_page(
    results: Sequence[Result], *, title: str, names: bool = False, expected: int | None = None
) -> str:
    """Return the page about a class.

    ``names`` adds who: links to ``feedback/<student>.html`` (:func:`page_file`) and the list of students;
    ``expected`` is the number of submissions there should be, for a class that is still being graded.
    """
    graded = [r for r in results if r.status == "graded"]
    causes = _causes(graded)
    everybody = _FEW if len(graded) > _FEW and not names else 1
    questions = [q for q in _questions(graded) if q.asked >= everybody]
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
        outcomes=_OUTCOMES,
        causes=[_cause_row(group, asked, names=names) for group in causes[:_SHOWN_CAUSES]],
        more_causes=max(len(causes) - _SHOWN_CAUSES, 0),
        stopped=_stopped(results, names=names),
        isolation=_counted(r.isolation for r in results),
        versions=_counted(
            ", ".join(f"{k} {v}" for k, v in sorted(r.versions.items())) for r in results
        ),
        students=[_student_row(r) for r in results] if names else [],
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


def _questions(graded: Sequence[Result]) -> list[Question]:
    """Return the questions in the assignment's order."""
    found: dict[str, Question] = {}
    for result in graded:
        for verdict in result.tests:
            question = found.setdefault(verdict.name, Question(verdict.name))
            question.max_points = max(question.max_points, verdict.max_points)
            question.points += verdict.points
            question.outcomes[verdict.outcome] += 1
    return list(found.values())


def _causes(graded: Sequence[Result]) -> list[CauseGroup]:
    """Group the failures that nothing else explains by their cause; a student counts once in each group."""
    groups: dict[tuple[str, str | None], CauseGroup] = {}
    for result in graded:
        first = first_cause(result.tests)
        seen: set[tuple[str, str | None]] = set()
        for verdict in result.tests:
            for finding in verdict.findings:
                if finding.severity != "fail" or finding.consequence_of is not None:
                    continue
                key = (finding.code, finding.cause)
                group = groups.setdefault(key, CauseGroup(finding.code, general_title(*key)))
                if key not in seen:
                    seen.add(key)
                    group.students.append(result)
                    group.first_for += first is not None and (first.code, first.cause) == key
                    group.places[_where(finding)] += 1
                    group.questions[verdict.name] += 1
    return sorted(groups.values(), key=lambda g: (-len(g.students), g.code, g.title))


def _where(finding: Finding) -> str:
    parts = (finding.place.function, finding.place.array)
    return printable(": ".join(part for part in parts if part))


@cache
def general_title(code: str, cause: str | None) -> str:
    """Return what a cause or code is about, for all submissions at once: every fact stands as "…"."""
    import jinja2

    from pytest_symmetry.findings import Finding

    if cause is not None and cause in all_causes():
        source = all_causes()[cause].title
    else:
        try:
            source = code_page(code).title
        except LookupError:
            return cause or code
    if "{{" not in source and "{%" not in source:
        return source
    try:
        return fill(source, Finding(code))
    except jinja2.UndefinedError:
        return _blanked(source, code)


def _blanked(source: str, code: str) -> str:
    """Fill a title's template with "…" for every fact."""
    import jinja2

    class Blank(jinja2.ChainableUndefined):
        """A fact that differs from student to student."""

        def __str__(self) -> str:
            return "a function" if self._undefined_name == "function" else "…"

    env = jinja2.Environment(autoescape=False, undefined=Blank)  # noqa: S701 - escaped where the page shows it
    env.filters.update(dict.fromkeys(("number", "shape", "listed"), str))
    try:
        title = printable(env.from_string(source).render(place=Blank()).strip())
        return title[:1].upper() + title[1:]
    except (TypeError, ValueError, jinja2.TemplateError):
        return code


def _cause_row(group: CauseGroup, shown: Collection[str], *, names: bool) -> dict[str, Any]:
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
        "examples": [(r.student, page_file(r.student)) for r in examples],
    }


def _stopped(results: Sequence[Result], *, names: bool) -> list[dict[str, Any]]:
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
            "students": [(r.student, page_file(r.student)) for r in members] if names else [],
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


def _counted(values: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))


def _student_row(result: Result) -> tuple[str, str, str, str]:
    """Return a student's row: name, file of the page, points or status, first cause."""
    if result.status != "graded":
        return (result.student, page_file(result.student), result.status, "")
    finding = first_cause(result.tests)
    return (
        result.student,
        page_file(result.student),
        number(result.points),
        f"{finding.code} {words_or_facts(finding).title}"[:80] if finding else "",
    )
