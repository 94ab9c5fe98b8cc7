"""Which finding is told first, which follow from it, which come after: decided once, for every renderer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_symmetry.findings import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_symmetry.findings import Finding, Verdict


@dataclass(slots=True)
class Told:
    """One finding as it is told once: the questions that met it, and what follows from it."""

    finding: Finding
    questions: list[str] = field(default_factory=list)
    consequences: list[Told] = field(default_factory=list)


@dataclass(slots=True)
class Story:
    """All that one submission's verdicts say, in the order of telling."""

    first: Told | None
    others: list[Told]
    notes: list[Told]


def first_cause(verdicts: Sequence[Verdict]) -> Finding | None:
    """Return the finding that a student should look at first; None where nothing failed with a finding.

    It is the first failure, in test order, that no other finding explains. A question that was not
    attempted gives way to one that was: what somebody wrote is of more use to them than what they did not
    write. A question without a verdict (an accident of the course's own test) gives a note, not a cause:
    nothing in it is for the student to mend. Where every failure is a consequence of one that
    is not among ``verdicts`` (a run of one question only), the first of them is taken, so that nobody is
    left without a hint.
    """
    story = tell(verdicts)
    return story.first.finding if story.first else None


def tell(verdicts: Sequence[Verdict]) -> Story:
    """Put the findings of ``verdicts`` into the order of telling, each told once."""
    fails: dict[tuple[object, ...], Told] = {}
    follow: dict[tuple[object, ...], Told] = {}
    notes: dict[tuple[object, ...], Told] = {}
    for verdict, finding in _in_order(verdicts):
        shelf = fails if finding.consequence_of is None else follow
        if finding.severity != "fail" or verdict.outcome is Outcome.WAITS:
            shelf = notes
        told = shelf.setdefault(_same(finding), Told(finding))
        if verdict.name not in told.questions:
            told.questions.append(verdict.name)
    causes = list(fails.values())
    for told in follow.values():
        parent = next((c for c in causes if c.finding.code == told.finding.consequence_of), None)
        (parent.consequences if parent else causes).append(told)
    return Story(causes[0] if causes else None, causes[1:], list(notes.values()))


def _in_order(verdicts: Sequence[Verdict]) -> Iterator[tuple[Verdict, Finding]]:
    """Yield the findings of questions that were tried, then of those that were left alone."""
    for verdict in sorted(verdicts, key=lambda v: v.outcome is Outcome.NOT_ATTEMPTED):
        yield from ((verdict, finding) for finding in verdict.findings)


def _same(finding: Finding) -> tuple[object, ...]:
    """Return what two findings share when they say the same thing (in two cases of one question, say)."""
    place = finding.place
    return (finding.code, finding.cause, finding.consequence_of, place.function, place.cell, place.array)
