"""Does a student's own run, with the pack and no solution, say what staff's grading says?

Releases an assignment, writes its planted mistakes and correct variants, and judges them twice: with the
solution, in this environment, and with the pack, by the Python given with --python, in a folder outside the
checkout. That Python needs nothing but the built wheel:

    python -m build --wheel && python -m venv /tmp/fresh && /tmp/fresh/bin/pip install dist/*.whl
    python benchmarks/release/same_verdicts.py assignments/planar --python /tmp/fresh/bin/python

At the level "cause" the names of causes are compared, at the level "hint" the words that a student reads.
Exit code 1 where a verdict, a code or a cause differs.
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


def main() -> int:
    """Compare, print, and say by the exit code whether all is the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("assignment", type=Path)
    parser.add_argument("--python", default=sys.executable, help="The student's Python.")
    parser.add_argument("--level", default="cause", choices=["hint", "cause"])
    parser.add_argument("--released", type=Path, help="A released folder (made anew if not given).")
    given = parser.parse_args()

    from graders.release import release
    from graders.specimens import write_specimens
    from pytest_symmetry.assignment import load_assignment

    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = Path(scratch_name)
        assignment = load_assignment(given.assignment)
        folder = given.released or scratch / "released"
        if given.released is None:
            start = time.perf_counter()
            made = release(assignment, folder, level=given.level)
            print(f"released in {time.perf_counter() - start:.0f} s: {made}")
        print(f"pack: {(folder / 'pack.npz').stat().st_size / 1e6:.2f} MB")
        submissions = scratch / "submissions"
        write_specimens(assignment.folder, submissions)
        staff, staff_seconds = judged(sys.executable, assignment.folder, submissions, scratch, "staff")
        student, seconds = judged(given.python, folder, submissions, scratch, "student")
    different = waiting = words = 0
    for name in staff:
        mine, theirs = (strip(said[name], given.level) for said in (student, staff))
        if mine != theirs:
            different += 1
            print(f"{name}:\n  pack  {mine}\n  staff {theirs}")
        waiting += any(outcome == "waits for a person" for _, outcome, _, _ in student[name])
        words += student[name] != staff[name]
    print(
        f"{len(staff)} submissions: {len(staff) - different} the same, {different} different, {waiting} with "
        f"a question decided by staff; other words in {words}. "
        f"Staff {staff_seconds:.0f} s, pack {seconds:.0f} s."
    )
    return 1 if different else 0


def strip(tests: list, level: str) -> list:
    """Return what must be the same: outcomes, points, codes, and causes where the pack may name them."""
    return [
        [name, outcome, points, [finding[: 2 if level == "cause" else 1] for finding in findings]]
        for name, outcome, points, findings in tests
    ]


if __name__ == "__main__":
    raise SystemExit(main())
