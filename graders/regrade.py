"""A class judged anew: first who would change and by how much, then, if somebody agrees, what counts.

Results that nobody agreed to are kept but count for nobody; asked again, they need not be made again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from graders.grading_run import Progress, work_of
from graders.history import Event, Kind
from graders.marks import counting, fold
from pytest_symmetry.grading import result_line
from pytest_symmetry.points import repriced

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from graders.grading_run import Run
    from graders.intake import Entry
    from graders.marks import Mark


@dataclass(frozen=True, slots=True)
class Kept:
    """A question whose override or void stays although the verdict under it would change."""

    question: str
    by: str
    points: float
    judged_before: float | None
    judged_now: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """One student whose work was judged anew: the mark that counts, and the one that would."""

    student: str
    result: int
    before: Mark
    now: Mark
    kept: tuple[Kept, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything that counts would change."""
        return (self.before.points, self.before.status) != (self.now.points, self.now.status)

    @property
    def lowers(self) -> bool:
        """Whether the student would lose points, or a mark."""
        lost = self.before.final and not self.now.final
        return lost or self.now.points < self.before.points


def rejudge(run: Run) -> Iterator[Progress]:
    """Judge anew what was judged on another basis, and say how it goes; nothing counts yet."""
    asked = [e for e in run.stale() if run.book.find(e.student, work_of(e), run.basis) is None]
    priced = reprice(run, asked)
    stale = [e for e in asked if e.student not in priced]
    yield Progress(len(stale), len(run.order.entries))
    for entry, result, _ in run.judge(stale):
        run.book.add(entry.student, work_of(entry), run.basis, result_line(result))
        yield Progress(len(stale), len(run.order.entries), result)


def reprice(run: Run, entries: Sequence[Entry]) -> set[str]:
    """Work out the points of those for whom only prices of causes changed, and return who they are.

    No test is run: what was found stays, what it costs is new.
    """
    numbers, done = run.standing(), set()
    for entry in entries:
        old = run.book.judged(numbers[entry.student])
        same = old.basis.assignment.partition("/")[0] == run.basis.assignment.partition("/")[0]
        if same and replace(old.basis, assignment="") == replace(run.basis, assignment=""):
            result = repriced(old.result, run.order.assignment.points.costs)
            run.book.add(entry.student, work_of(entry), run.basis, result_line(result))
            done.add(entry.student)
    return done


def proposed(run: Run) -> list[Change]:
    """Return what would change for everyone who was judged anew."""
    numbers = {e.student: run.book.find(e.student, work_of(e), run.basis) for e in run.stale()}
    new = {student: number for student, number in numbers.items() if number is not None}
    history, students = run.book.history(), run.book.students()
    last = history[-1].number if history else 0
    then = [
        *history,
        *(
            Event(last + i, Kind.GRADED, student=student, data={"result": number})
            for i, (student, number) in enumerate(new.items(), start=1)
        ),
    ]
    known = run.book.results({*counting(history).values(), *new.values()})
    before = {mark.student: mark for mark in fold(history, known, students)}
    now = {mark.student: mark for mark in fold(then, known, students)}
    return [
        Change(s, number, before[s], now[s], _kept(before[s], now[s])) for s, number in sorted(new.items())
    ]


def accept(run: Run, changes: Sequence[Change], *, never_lower: bool = False) -> list[Change]:
    """Let the new results count; with ``never_lower`` only those that take nothing. Return these."""
    taken = [change for change in changes if not (never_lower and change.lowers)]
    rose = sum(c.now.points > c.before.points for c in taken)
    fell = sum(c.now.points < c.before.points for c in taken)
    counts = {"rose": rose, "fell": fell, "judged": len(changes), "never_lower": never_lower}
    run.book.record(
        *(Event(0, Kind.GRADED, student=c.student, data={"result": c.result}) for c in taken),
        Event(0, Kind.REGRADED, data=counts),
    )
    run.finish({change.student for change in taken})
    return taken


def _kept(before: Mark, now: Mark) -> tuple[Kept, ...]:
    judged = {q.question: q.judged for q in before.questions}
    return tuple(
        Kept(q.question, q.by, q.points, judged.get(q.question), q.judged)
        for q in now.corrected
        if q.points is not None and q.judged != judged.get(q.question)
    )


def regrade_lines(changes: Sequence[Change], called: dict[str, str]) -> list[str]:
    """Return who would change and by how much, one line each; ``called`` says how to call a student."""
    lines = []
    for change in changes:
        name = called[change.student]
        if change.differs:
            lines.append(f"{name}: {_said(change.before)} -> {_said(change.now)}")
        lines += [
            f"{name}: {k.question} stays {k.points:g} by {k.by}; its verdict would be "
            f"{_points(k.judged_now)} instead of {_points(k.judged_before)}"
            for k in change.kept
        ]
    return lines


def summary(changes: Collection[Change]) -> str:
    """Return in a sentence how many would rise, fall and stay."""
    rose = sum(c.now.points > c.before.points for c in changes)
    fell = sum(c.now.points < c.before.points for c in changes)
    same = sum(not c.differs for c in changes)
    return f"Judged anew: {len(changes)}. Rise: {rose}, fall: {fell}, same: {same}."


def _said(mark: Mark) -> str:
    points = f"{mark.points:g} of {mark.max_points:g}"
    return points if mark.final else f"{points} ({mark.status})"


def _points(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
