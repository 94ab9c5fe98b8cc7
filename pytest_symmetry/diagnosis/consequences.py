"""One mistake shows in several tests: which finding is the cause, and which follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_symmetry.findings import Finding


def attribute(findings: Mapping[str, Sequence[Finding]]) -> dict[str, tuple[Finding, ...]]:
    """Return the findings of each test, those that follow from an earlier one marked with its code.

    A failed finding follows from an earlier one where both name the same cause in the same quantity (the
    forward pass without its bias, seen again in the training that calls it). Findings without a cause, notes,
    and relations that only describe an array are left as they are: that two of them look alike proves
    nothing.

    Args:
        findings: the findings by test, in the order in which the tests ran.
    """
    first: dict[tuple[str, str], str] = {}
    marked: dict[str, tuple[Finding, ...]] = {}
    for test, found in findings.items():
        marked[test] = tuple(_marked(finding, first) for finding in found)
        for finding in found:
            if (key := _mistake(finding)) is not None:
                first.setdefault(key, finding.code)
    return marked


def _marked(finding: Finding, first: Mapping[tuple[str, str], str]) -> Finding:
    key = _mistake(finding)
    if key is None or key not in first or finding.consequence_of:
        return finding
    return replace(finding, consequence_of=first[key])


def _mistake(finding: Finding) -> tuple[str, str] | None:
    """Return what tells one mistake from another: its cause and the quantity of the reference it is in."""
    target = str(finding.facts.get("quantity", finding.facts.get("target", "")))
    where = str(finding.facts.get("where", ""))
    if finding.severity != "fail" or not finding.cause or not target or not where:
        return None
    return finding.cause, f"{where}: {target}"
