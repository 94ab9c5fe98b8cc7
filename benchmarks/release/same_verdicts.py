"""Does a student's own run, with the pack and no solution, say what staff's grading says?

Releases an assignment, writes its planted mistakes, correct variants and solution, and judges them twice:
with the solution, in this environment, and with the pack, by the Python given with --python, in a folder
outside the checkout. That Python needs nothing but the built wheel:

    python -m build --wheel && python -m venv /tmp/fresh && /tmp/fresh/bin/pip install dist/*.whl
    python benchmarks/release/same_verdicts.py assignments/* --python /tmp/fresh/bin/python

At the level "cause" the names of causes are compared, at the level "hint" the words that a student reads.
Exit code 1 where a verdict, a code or a cause differs, or the solution fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAYS = """
import json, os

def pytest_symmetry_results(results):
    from pytest_symmetry.feedback.text import words_or_facts
    said = {
        r.student: [
            [v.name, v.outcome.value, v.points,
             [[f.code, f.cause, words_or_facts(f).hint] for f in v.findings]]
            for v in r.tests
        ]
        for r in results
    }
    with open(os.environ["SAID"], "w") as file:
        json.dump(said, file)
"""


def judged(python: str, folder: Path, submissions: Path, scratch: Path, name: str) -> tuple[dict, float]:
    """Return what a run over the submissions says, by student, and how long it took."""
    (scratch / "says.py").write_text(SAYS)
    said = scratch / f"{name}.json"
    environment = {**os.environ, "SAID": str(said), "PYTHONPATH": str(scratch), "OPENBLAS_NUM_THREADS": "1"}
    options = ["-q", "-p", "says", "-p", "no:cacheprovider", f"--rootdir={folder}", "--no-header", "--tb=no"]
    command = [python, "-m", "pytest", *options, f"--symmetry-submission={submissions}", str(folder)]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
    if not said.is_file():
        sys.exit(f"the run said nothing:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(said.read_text()), time.perf_counter() - start


def compare(source: Path, python: str, level: str, released: Path | None) -> bool:
    """Judge an assignment's submissions twice, print what differs, and return whether all is well."""
    from graders.release import release
    from graders.specimens import notebook_bytes, source_notebook, write_specimens
    from pytest_symmetry.assignment import load_assignment

    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = Path(scratch_name)
        assignment = load_assignment(source)
        folder = released or scratch / "released"
        if released is None:
            start = time.perf_counter()
            made = release(assignment, folder, level=level)
            print(f"released in {time.perf_counter() - start:.0f} s: {made}")
        print(f"pack: {(folder / 'pack.npz').stat().st_size / 1e6:.2f} MB")
        submissions = scratch / "submissions"
        write_specimens(assignment.folder, submissions)
        (submissions / "solved.ipynb").write_bytes(notebook_bytes(source_notebook(assignment.folder)))
        staff, staff_seconds = judged(sys.executable, assignment.folder, submissions, scratch, "staff")
        student, seconds = judged(python, folder, submissions, scratch, "student")
    different = waiting = words = 0
    for name in staff:
        left = {test for test, outcome, _, _ in student[name] if outcome == "waits for a person"}
        mine, theirs = (strip(said[name], level, left) for said in (student, staff))
        if mine != theirs:
            different += 1
            print(f"{name}:\n  pack  {mine}\n  staff {theirs}")
        waiting += bool(left)
        words += student[name] != staff[name]
    solved = {outcome for _, outcome, _, _ in student["solved"]}
    print(
        f"{assignment.name}: {len(staff)} submissions: {len(staff) - different} the same, {different} "
        f"different, {waiting} with a question left to staff; other words in {words}. "
        f"The solution: {', '.join(sorted(solved))}. Staff {staff_seconds:.0f} s, pack {seconds:.0f} s.",
        flush=True,
    )
    return not different and solved <= {"passed", "waits for a person"}


def main() -> int:
    """Compare each assignment, and say by the exit code whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assignments", type=Path, nargs="+")
    parser.add_argument("--python", default=sys.executable, help="The student's Python.")
    parser.add_argument("--level", default="cause", choices=["hint", "cause"])
    parser.add_argument("--released", type=Path, help="A released folder (made anew if not given).")
    given = parser.parse_args()
    well = [compare(path, given.python, given.level, given.released) for path in given.assignments]
    return 0 if all(well) else 1


def strip(tests: list, level: str, left: set[str]) -> list:
    """Return what must be the same: outcomes, points, codes, and causes where the pack may name them.

    Questions that the pack ``left`` to staff say nothing that could differ; they are counted by themselves.
    """
    return [
        [name, outcome, points, [finding[: 2 if level == "cause" else 1] for finding in findings]]
        for name, outcome, points, findings in tests
        if name not in left
    ]


if __name__ == "__main__":
    raise SystemExit(main())
