"""An nbgrader source notebook, by its documented metadata (schema versions 1 to 3).

A graded cell that holds a solution is marked by a person; one without is a test. ``### BEGIN HIDDEN TESTS``
are lines that students do not receive, and become a file that stays with staff.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graders.authoring.imported import Imported, Question, identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

_HIDDEN = re.compile(
    r"^[ \t]*### BEGIN HIDDEN TESTS[ \t]*\n(.*?)^[ \t]*### END HIDDEN TESTS[ \t]*\n?",
    re.MULTILINE | re.DOTALL,
)
_MARKS = re.compile(r"^[ \t]*### (?:BEGIN|END) MARK SCHEME[ \t]*\n?", re.MULTILINE)


def is_nbgrader(notebook: Mapping[str, Any]) -> bool:
    """Return whether a notebook carries nbgrader's metadata."""
    return any("nbgrader" in cell.get("metadata", {}) for cell in notebook["cells"])


def from_nbgrader(notebook: Mapping[str, Any]) -> Imported:
    """Return what an nbgrader source notebook comes to."""
    made = Imported()
    for number, cell in enumerate(notebook["cells"], start=1):
        text = "".join(cell["source"])
        about = cell.get("metadata", {}).get("nbgrader", {})
        if about.get("grade") and not about.get("solution") and cell["cell_type"] == "code":
            _test(made, number, about, text)
        else:
            _kept(made, number, cell, about, text)
    return made


def _test(made: Imported, number: int, about: Mapping[str, Any], text: str) -> None:
    """Take a cell of tests: what students see of it, and what they do not."""
    points = _points(made, number, about)
    name = identifier(str(about.get("grade_id", "")), [q.name for q in made.questions])
    hidden = "\n".join(part.rstrip("\n") for part in _HIDDEN.findall(text))
    seen = _HIDDEN.sub("", text)
    asks = [line for line in seen.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    setting = "\n".join(line for line in asks if not line.startswith(("assert", "np.testing", "from nose")))
    if not hidden:
        made.questions.append(Question(name, points, seen))
        return
    if any("assert" in line for line in asks):
        half = points / 2
        made.questions.append(Question(name, half, seen))
        made.decide.append(
            f"cell {number} ({about.get('grade_id')}): {points:g} points are for tests, some of them hidden; "
            f"test_{name} and the hidden test got {half:g} each, decide how they share them"
        )
        points = half
    text = f"{setting}\n{hidden}" if setting else hidden
    made.questions.append(Question(name, points, text, hidden=True))


def _kept(made: Imported, number: int, cell: dict[str, Any], about: Mapping[str, Any], text: str) -> None:
    """Take a cell that stays in the notebook, and the question that a person marks, where it is one."""
    solution = bool(about.get("solution") or about.get("task"))
    grade_id = str(about.get("grade_id", f"cell {number}"))
    if about.get("grade") or about.get("task"):
        made.manual[identifier(grade_id, list(made.manual))] = _points(made, number, about)
    if solution and "### BEGIN SOLUTION" not in text:
        if cell["cell_type"] == "code" and text.strip():
            made.decide.append(
                f"cell {number} ({grade_id}): it is a solution without '### BEGIN SOLUTION'; put the markers "
                "around the lines that students write"
            )
        elif text.strip():
            text = f"### BEGIN SOLUTION\n{text}\n### END SOLUTION"
    made.keep(cell, _MARKS.sub("", text))


def _points(made: Imported, number: int, about: Mapping[str, Any]) -> float:
    points = about.get("points")
    if isinstance(points, int | float) and not isinstance(points, bool) and points >= 0:
        return float(points)
    made.decide.append(
        f"cell {number} ({about.get('grade_id')}): its points are {points!r}; 1 was taken, decide how many"
    )
    return 1.0
