"""One submission judged with several seeds: a verdict that changes with the inputs is nobody's mark yet."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_symmetry.findings import Finding, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_symmetry.findings import Result


def further_seeds(seed: int, count: int) -> tuple[int, ...]:
    """Return the seeds beside ``seed`` with which a class is judged ``count`` times in all."""
    digests = (hashlib.sha256(f"{seed}/stability/{i}".encode()).digest() for i in range(1, count))
    return tuple(int.from_bytes(digest[:16], "little") for digest in digests)


def settled(runs: Sequence[Result]) -> Result:
    """Return the first of several results of one submission, its changing verdicts waiting for a person.

    A verdict changes when its outcome or its points do; which numbers a finding quotes may change.
    """
    first = runs[0]
    tests = tuple(_settled(verdicts) for verdicts in zip(*(r.tests for r in runs), strict=True))
    if tests == first.tests:
        return first
    waits = [v.name for v in tests if v.outcome is Outcome.WAITS]
    return replace(
        first,
        tests=tests,
        points=round(sum(v.points for v in tests), 6),
        status="waits for a person",
        reason=f"no verdict on {', '.join(waits)}",
    )


def _settled(verdicts: Sequence[Verdict]) -> Verdict:
    first = verdicts[0]
    if len({(v.outcome, v.points) for v in verdicts}) == 1:
        return first
    facts = {"seeds": len(verdicts), "passed": sum(v.outcome is Outcome.PASSED for v in verdicts)}
    said = (Finding("TST105", facts=facts), *(replace(f, severity="note") for f in first.findings))
    return replace(first, outcome=Outcome.WAITS, points=0.0, findings=said)
