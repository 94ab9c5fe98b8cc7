"""The nine assignments in figures: what is in them, how well their tests look, what grading one costs.

    python benchmarks/course.py                       # a minute to a quarter of an hour for each assignment
    python benchmarks/course.py deep conv             # these alone; the other rows of the page stay
    python benchmarks/course.py --quick               # without mutation scores and releases; prints only

Writes docs/course-benchmark.md. Seconds are of CPU: one solution, judged in this process with a plain child,
the least of three.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
from pathlib import Path

from graders.batch import run_tests
from graders.checkup.examination import examine
from graders.intake import Entry
from graders.release import release
from graders.specimens import load_specimens, notebook_bytes, source_notebook
from pytest_symmetry.assignment import Assignment, load_assignment

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "course-benchmark.md"
HEAD = """# The course in figures

Written by `python benchmarks/course.py`; `python benchmarks/course.py NAME` repeats one row.

| assignment | questions | points | planted mistakes | correct variants | mutation score | decided at the \
students' | release, MB | CPU seconds to grade one |
| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |
"""
FOOT = """
**Mutation score**: how many changed solutions some test fails, of those tried, as `symmetry check` counts
them. Changes that give the same numbers are left out, and changes of functions with several right answers
that a correct variant may make too. **Decided at the students'**: points that the handed-out folder decides
by itself. **Seconds** are of the solution, whose checks all run to their end. Each variant is graded
under 20 seeds, each planted mistake under three (`python -m pytest -m sweep tests/specimens tests/honest`).
"""


def graded(assignment: Assignment, folder: Path) -> tuple[int, float, float]:
    """Return the number of questions, the points, and the least CPU seconds that the solution takes."""
    path = folder / "solution.ipynb"
    path.write_bytes(notebook_bytes(source_notebook(assignment.folder)))
    seconds = []
    for _ in range(3):
        before = sum(os.times()[:4])
        (result,) = run_tests(assignment, [Entry("solution", path, path.name)], 20)
        seconds.append(sum(os.times()[:4]) - before)
        assert result.points == result.max_points, assignment.name
    return len(result.tests), result.max_points, min(seconds)


def scored(folder: Path) -> str:
    """Return the mutation score in words; what is wrong with the assignment stops the run."""
    report = examine(folder)
    assert not report.wrong, report.wrong
    assert report.score is not None
    seen = report.score.tried - len(report.score.survivors)
    return f"{report.score.share:.1%} ({seen} of {report.score.tried})"


def row(folder: Path, *, quick: bool) -> str:
    """Return the row of an assignment."""
    assignment = load_assignment(folder)
    specimens = load_specimens(folder)
    correct = sum(s.correct for s in specimens)
    with tempfile.TemporaryDirectory() as scratch:
        questions, points, seconds = graded(assignment, Path(scratch))
        score, here, size = "", "", ""
        if not quick:
            made = release(assignment, Path(scratch) / "handout")
            size = f"{sum(p.stat().st_size for p in made.folder.rglob('*') if p.is_file()) / 1e6:.2f}"
            here, score = f"{made.here:g}", scored(folder)
    cells = [f"`{assignment.name}`", questions, f"{points:g}", len(specimens) - correct, correct]
    return "| " + " | ".join(map(str, [*cells, score, here, size, f"{seconds:.2f}"])) + " |"


def written(rows: dict[str, str]) -> None:
    """Write the page: new rows, and the other rows as they were."""
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    kept = {m[1]: m[0] for m in re.finditer(r"^\| `(\w+)` .*$", old, re.MULTILINE)}
    lines = [{**kept, **rows}[name] for name in sorted({**kept, **rows})]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n" + FOOT, encoding="utf-8")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="assignments; all if none is given")
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    folders = sorted(p.parent for p in ROOT.glob("assignments/*/assignment.toml"))
    for folder in folders:
        if chosen.names and folder.name not in chosen.names:
            continue
        start = time.perf_counter()
        found = row(folder, quick=chosen.quick)
        print(found, f"({time.perf_counter() - start:.0f} s)", flush=True)
        if not chosen.quick:
            written({folder.name: found})


if __name__ == "__main__":
    main()
