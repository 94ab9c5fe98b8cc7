"""What a verdict adds to JUnit's XML, where CI systems look: points, outcome, code and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_symmetry.feedback.ordering import first_cause
from pytest_symmetry.feedback.text import harmless, number, words_or_facts

if TYPE_CHECKING:
    from pytest_symmetry.findings import Verdict


def properties(verdict: Verdict, *, reveal: str) -> list[tuple[str, str]]:
    """Return the properties of one test case: names that begin with "symmetry", plain text.

    What a student may not be told yet is not in it: the cause is there only where ``reveal`` is "cause".
    """
    found = [
        ("symmetry_points", number(verdict.points, 6)),
        ("symmetry_max_points", number(verdict.max_points, 6)),
        ("symmetry_outcome", verdict.outcome.value),
    ]
    if (finding := first_cause([verdict])) is not None:
        said = words_or_facts(finding, reveal=reveal)
        parts = {"code": said.code, "title": said.title, "place": said.place, "hint": said.hint}
        found += [(f"symmetry_{name}", harmless(text)) for name, text in parts.items() if text]
        if finding.cause and reveal == "cause":
            found.append(("symmetry_cause", finding.cause))
    return found
