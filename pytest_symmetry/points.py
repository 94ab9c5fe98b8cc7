"""What a question earns: all its points, a share for arrays that are right, or all but what its cause costs.

Pure functions of a verdict, so that marks can be worked out again without running anything. Nothing is
earned for what was not seen to be right: an array counts only if its own comparison settled it, and a cause
has its price only where it accounts for everything that is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_symmetry.errors import AssignmentError, CheckFailed
from pytest_symmetry.findings import GradientEvidence, MatchEvidence, Outcome, Partial, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from pytest_symmetry.findings import Evidence, Finding

FILE = "assignment.toml"
WHOLE = ("one relation", "planted")
"""The ways of finding a cause that compare all arrays of all calls (``diagnosis.explain``)."""

_LATE = ("per", "percent", "grace", "floor", "cap")


@dataclass(frozen=True, slots=True)
class PointsPolicy:
    """What ``[costs]``, ``[questions.…]`` and ``[late]`` of assignment.toml say.

    ``costs`` are points that a question loses for a named cause; ``manual`` are questions that a person
    marks, with their points; ``late`` is as it stands there (``graders.lateness`` reads it).
    """

    costs: Mapping[str, float] = field(default_factory=dict)
    manual: Mapping[str, float] = field(default_factory=dict)
    late: Mapping[str, Any] = field(default_factory=dict)


def read_points(file: Path, data: Mapping[str, Any]) -> PointsPolicy:
    """Return the policy of an assignment.toml.

    Raises:
        AssignmentError: a value makes no sense; the message names ``file`` and the key.
    """
    costs = {name: _points(file, f"costs.{name}", cost) for name, cost in data.get("costs", {}).items()}
    manual = {}
    for name, table in data.get("questions", {}).items():
        key = f"questions.{name}"
        if not isinstance(table, dict) or table.get("manual") is not True:
            problem = "it must be a table with `manual = true`; other questions are test functions"
            raise AssignmentError(file, problem, key)
        if unknown := set(table) - {"manual", "points"}:
            problem = "there is no such key; known keys are manual, points"
            raise AssignmentError(file, problem, f"{key}.{min(unknown)}")
        if "points" not in table:
            raise AssignmentError(file, "it is missing; add a line points = …", f"{key}.points")
        manual[name] = _points(file, f"{key}.points", table["points"])
    late = data.get("late", {})
    if unknown := set(late) - set(_LATE):
        problem = f"there is no such key; known keys are {', '.join(_LATE)}"
        raise AssignmentError(file, problem, f"late.{min(unknown)}")
    return PointsPolicy(costs, manual, late)


def _points(file: Path, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise AssignmentError(file, f"it is {value!r}, but must be a number of points from 0 up", key)
    return float(value)


def check_costs(file: Path, policy: PointsPolicy, known: Collection[str]) -> None:
    """See that ``[costs]`` names only causes that there are.

    Raises:
        AssignmentError: one is not among ``known``.
    """
    for name in policy.costs:
        if name not in known:
            problem = 'there is no such cause; its name stands in results.jsonl as "cause"'
            raise AssignmentError(file, problem, f"costs.{name}")


def partial_of(
    error: BaseException | None, *, shared: bool, ways: Sequence[tuple[str, str]], own: Collection[str]
) -> Partial | None:
    """Return what can be said of a failed check's arrays one by one; None where nothing can.

    ``ways`` says how causes were found, ``own`` are the causes that the course planted itself: those are
    found only where everything fits.
    """
    if not isinstance(error, CheckFailed):
        return None
    arrays = arrays_of(error.evidence)
    cause = error.finding.cause
    one = sum(not right for right in arrays.values()) == 1
    explained = cause is not None and (cause in own or one or any((cause, way) in ways for way in WHOLE))
    return Partial(arrays, shared, explained, _causes(error.finding))


def arrays_of(evidence: Evidence | None) -> dict[str, bool]:
    """Return which arrays a check found right, by name; {} where it does not go by arrays.

    An array on a kink, or that a loss never reads, is not seen to be right. What nobody asked for counts
    neither way.
    """
    if isinstance(evidence, GradientEvidence):
        return {a.name: a.passed and a.settled for a in evidence.arrays}
    found: dict[str, bool] = {}
    if isinstance(evidence, MatchEvidence):
        for number, compared in enumerate(c for c in evidence.comparisons if c.kind != "extra"):
            for part in range(compared.stands_for):
                name = compared.path or "result"
                found[f"{name} ({number}.{part})" if name in found or part else name] = compared.passed
    return found


def earned(verdict: Verdict, costs: Mapping[str, float]) -> float:
    """Return the points of a verdict: the better of its share and of what the cause leaves."""
    if verdict.outcome is Outcome.PASSED:
        return verdict.max_points
    if verdict.outcome is not Outcome.FAILED or verdict.partial is None:
        return 0.0
    right = sum(verdict.partial.arrays.values())
    every = len(verdict.partial.arrays)
    # A check that failed though each array is right failed for a reason that no array shows.
    share = right / every if verdict.partial.shared and right < every else 0.0
    cost = _cost(verdict.partial, costs)
    left = verdict.max_points - cost if cost is not None else 0.0
    return round(max(share * verdict.max_points, left, 0.0), 6)


def _cost(partial: Partial, costs: Mapping[str, float]) -> float | None:
    """Return what the causes cost together; None where one of them has no price."""
    prices = [costs.get(cause) for cause in partial.causes]
    known = [price for price in prices if price is not None]
    return sum(known) if partial.explained and known and len(known) == len(prices) else None


def _causes(finding: Finding) -> tuple[str, ...]:
    """Return the causes of a finding, second mistakes that show elsewhere too; "" for one without a name."""
    also = [other for other in finding.facts.get("also", ()) if isinstance(other, Mapping)]
    return (finding.cause or "", *(str(other.get("cause", "")) for other in also))


def repriced(result: Result, costs: Mapping[str, float]) -> Result:
    """Return a result with the points that ``costs`` give, from its own findings; nothing is run."""
    tests = tuple(replace(v, points=earned(v, costs)) for v in result.tests)
    return replace(result, tests=tests, points=round(sum(v.points for v in tests), 6))


def points_of(line: Mapping[str, Any], costs: Mapping[str, float]) -> dict[str, float]:
    """Return the points of each test of a line of results.jsonl under ``costs``; nothing is run."""
    return {v.name: v.points for v in repriced(Result.from_json(line), costs).tests}


def manual_verdicts(manual: Mapping[str, float], waiting: Finding) -> tuple[Verdict, ...]:
    """Return the verdicts of questions that a person marks: each waits, with the finding that says so."""
    return tuple(
        Verdict(name, f"{FILE}::{name}", Outcome.WAITS, 0.0, points, (waiting,))
        for name, points in manual.items()
    )


def is_manual(verdict: Verdict) -> bool:
    """Return whether a question is marked by a person alone."""
    return verdict.nodeid.startswith(f"{FILE}::")
