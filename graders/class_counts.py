"""What a class got wrong, counted: questions, causes, and how two runs differ. Pages and CSV show it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from pytest_symmetry.diagnosis.causes import COURSE, all_causes, code_page
from pytest_symmetry.feedback.ordering import first_cause
from pytest_symmetry.feedback.text import fill, printable
from pytest_symmetry.findings import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_symmetry.findings import Finding, Result

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell starts that a spreadsheet would run (OWASP, "CSV Injection")."""


OUTCOMES = {o: "decided by a person" if o is Outcome.WAITS else o.value for o in Outcome}
"""What is counted of the verdicts, in words. In a graded result nothing waits: a person decided it."""


@dataclass(slots=True)
class Question:
    """How one question went; ``full`` are the submissions to which a person gave all of its points."""

    name: str
    max_points: float = 0.0
    points: float = 0.0
    full: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def asked(self) -> int:
        """Of how many submissions it was asked."""
        return sum(self.outcomes.values())

    @property
    def success(self) -> float:
        """The share of submissions that passed it or were given all its points by a person, in percent."""
        return 100 * (self.outcomes[OUTCOMES[Outcome.PASSED]] + self.full) / max(self.asked, 1)


@dataclass(slots=True)
class CauseGroup:
    """All submissions with one cause, or one code where no cause is known."""

    code: str
    title: str
    students: list[Result] = field(default_factory=list)
    first_for: int = 0
    places: Counter[str] = field(default_factory=Counter)
    questions: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Change:
    """How one thing is counted in two runs, over the students who are in both."""

    title: str
    code: str
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one class: the students in both, their mean points, and what changed."""

    students: int
    mean_before: float
    mean_now: float
    risen: int
    fallen: int
    causes: tuple[Change, ...]
    questions: tuple[Change, ...]


def questions_of(graded: Sequence[Result]) -> list[Question]:
    """Return the questions in the assignment's order."""
    found: dict[str, Question] = {}
    for result in graded:
        for verdict in result.tests:
            question = found.setdefault(verdict.name, Question(verdict.name))
            question.max_points = max(question.max_points, verdict.max_points)
            question.points += verdict.points
            question.full += verdict.outcome is Outcome.WAITS and verdict.points >= verdict.max_points
            question.outcomes[OUTCOMES[verdict.outcome]] += 1
    return list(found.values())


def causes_of(graded: Sequence[Result]) -> list[CauseGroup]:
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
                    group.places[where_of(finding)] += 1
                    group.questions[verdict.name] += 1
    return sorted(groups.values(), key=lambda g: (-len(g.students), g.code, g.title))


def where_of(finding: Finding) -> str:
    """Return the function and the array of a finding."""
    parts = (finding.place.function, finding.place.array)
    return printable(": ".join(part for part in parts if part))


@cache
def general_title(code: str, cause: str | None) -> str:
    """Return what a cause or code is about, for all submissions at once: every fact stands as "…"."""
    import jinja2

    from pytest_symmetry.findings import Finding

    if cause is not None and cause.startswith(COURSE):
        return cause.removeprefix(COURSE).replace("-", " ").capitalize()
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
        return f"A value{title[1:]}" if title.startswith("…") else title[:1].upper() + title[1:]
    except (TypeError, ValueError, jinja2.TemplateError):
        return code


def compared(before: Sequence[Result], now: Sequence[Result]) -> Comparison | None:
    """Return how two runs differ, over the students graded in both; None where there are none."""
    earlier = {r.student: r for r in before if r.status == "graded"}
    later = [r for r in now if r.status == "graded" and r.student in earlier]
    if not later:
        return None
    former = [earlier[r.student] for r in later]
    steps = [new.points - old.points for old, new in zip(former, later, strict=True)]
    return Comparison(
        students=len(later),
        mean_before=sum(r.points for r in former) / len(later),
        mean_now=sum(r.points for r in later) / len(later),
        risen=sum(step > 0 for step in steps),
        fallen=sum(step < 0 for step in steps),
        causes=_changes(
            {(g.title, g.code): len(g.students) for g in causes_of(former)},
            {(g.title, g.code): len(g.students) for g in causes_of(later)},
        ),
        questions=_changes(
            {(q.name, ""): q.success for q in questions_of(former)},
            {(q.name, ""): q.success for q in questions_of(later)},
        ),
    )


def _changes(before: dict[tuple[str, str], float], now: dict[tuple[str, str], float]) -> tuple[Change, ...]:
    """Return both counts of everything, the largest change first."""
    keys = list(dict.fromkeys([*before, *now]))
    found = [Change(*key, before.get(key, 0.0), now.get(key, 0.0)) for key in keys]
    return tuple(sorted(found, key=lambda c: (-abs(c.now - c.before), c.title)))


def class_csv(results: Sequence[Result]) -> str:
    """Return the counts of the class page as CSV, without names: questions, then causes."""
    graded = [r for r in results if r.status == "graded"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["what", "name", "code", *OUTCOMES.values(), "students", "of", "mean points"])
    for question in questions_of(graded):
        outcomes = [question.outcomes[words] for words in OUTCOMES.values()]
        mean = round(question.points / question.asked, 4)
        writer.writerow(["question", cell(question.name), "", *outcomes, question.asked, len(graded), mean])
    for group in causes_of(graded):
        empty = [""] * len(OUTCOMES)
        writer.writerow(
            ["cause", cell(group.title), cell(group.code), *empty, len(group.students), len(graded), ""]
        )
    return out.getvalue()


def cell(text: str) -> str:
    """Return text that a spreadsheet shows and does not run."""
    return f"'{text}" if text.startswith(_FORMULA) else text
