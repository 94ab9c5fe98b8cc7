"""The same twenty questions and twenty submissions, graded by pytest-symmetry, nbgrader and otter.

    python -m benchmarks.grading.compare [--others /path/to/venv] [--write docs/grading-benchmark.md]
    python -m benchmarks.grading.compare --others VENV --only otter --keep costs.json  # a part at a time
    python -m benchmarks.grading.compare --others VENV --right --only ours nbgrader  # no loop, no mistake

``--others`` is an environment with nbgrader, otter-grader and numpy. Among the submissions are a loop
without end, a syntax error and a ``sys.exit()``. CPU and wall seconds are those of the commands that a course
would type, grading and feedback, all processes included; each tool runs once, one after the other.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.grading.plain_questions import QUESTIONS, SETUP

HERE = Path(__file__).parent
LONGEST = 120
OTTER_LONGEST = 60
CHANGES = {
    "loop": ("for _ in range(steps):", "while True:"),
    "syntax": ("def normalize(X):", "def normalize(X:"),
    "exit": ("return A * (1 - A)", "import sys; sys.exit()"),
    "sign": ("parameters.items()}", "parameters.items()} if rate < 0 else parameters"),
    "mean": ("/ (2 * Y.shape[1])", "/ 2"),
    "same_units": ("0.01 * rng.normal(", "0 * rng.normal("),
}
"""Submissions with one change to the solution; the others are copies of it."""


PAGE = """\
# Grading: what a class costs

Twenty questions about a network with one hidden layer, the same for each tool, and the same submissions: the
solution, and the solution with one change (`loop`: a loop without end in one function; `syntax`: one cell
that is no Python; `exit`: a function that leaves by `sys.exit()`; three wrong formulas). Times are CPU and
wall seconds of the commands a course would type, grading and feedback pages, all processes, one worker.

    {command}

Versions: {versions}.
"""
NOT_RUN = """\
What is not in the table: `otter grade`, the way otter recommends, starts a Docker container for each
submission; without Docker it cannot run, so `otter run` stands for it, which grades without one. nbgrader
and `otter run` execute submissions with the rights of the person who grades.

Not every question is asked alike: pytest-symmetry compares with the solution at random inputs and says what
is wrong and why; the others assert expected values. The `units_differ` question of the others looks at equal
rows, ours at what training keeps."""


@dataclass
class Cost:
    """What a tool took for the class, and the points it gave, or None for a submission without any."""

    name: str
    cpu: float
    wall: float
    points: dict[str, float | None]
    note: str = ""


def solution_cells():
    """Return the sources of the solution's code cells, without the markers."""
    notebook = json.loads((HERE / "twenty" / "net.ipynb").read_text(encoding="utf-8"))
    cells = [c["source"] for c in notebook["cells"] if c["cell_type"] == "code"]
    return ["\n".join(line for line in c.split("\n") if "### " not in line) for c in cells]


def submissions(count, changes=CHANGES):
    """Return the cells of each submission by student; every one is different by a comment."""
    made = {}
    for name in [*changes, *(f"copy{n}" for n in range(count))][:count]:
        cells = [*solution_cells()]
        cells[0] += f"\n# {name}"
        if name in changes:
            old, new = changes[name]
            assert any(old in c for c in cells), name
            cells = [c.replace(old, new) for c in cells]
        made[name] = cells
    return made


def notebook(cells, metadata=None):
    """Return the text of a notebook."""
    made = [
        {"cell_type": "code", "id": f"c{i}", "metadata": (metadata or {}).get(i, {}), "source": text,
         "outputs": [], "execution_count": None}
        for i, text in enumerate(cells)
    ]  # fmt: skip
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": made})


def write(path, text):
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def clock():
    """Return CPU seconds of the commands that have ended so far, and the time."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, time.perf_counter()


def run(command, folder, longest=LONGEST * 10):
    """Run a command quietly; return its output, whatever became of it."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled, as the others are
    environment["PATH"] = f"{Path(command[0]).parent}{os.pathsep}{environment['PATH']}"
    try:
        done = subprocess.run(
            command, check=False, cwd=folder, env=environment, timeout=longest, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "timed out"
    return done.stdout


def ours(folder, class_):
    """Grade with pytest-symmetry; also a class of one, and one of right copies, to tell the parts apart."""
    alone = {"copy0": class_["copy0"]}
    _ours(folder / "compiling", alone)
    one = min(_ours(folder / f"one{n}", alone).cpu for n in range(3))
    right = min(_ours(folder / f"right{n}", submissions(len(class_), {})).cpu for n in range(2))
    whole = _ours(folder / "whole", class_)
    more = [1000 * (cpu - one) / (len(class_) - 1) for cpu in (right, whole.cpu)]
    whole.note += f"; {one:.2f} s for a class of one, {more[0]:.0f} ms for each right copy more"
    whole.note += f", {more[1]:.0f} ms for each more of this class"
    return whole


def _ours(folder, class_):
    """Grade a class. The first time Python compiles our files: that one does not count."""
    for name, cells in class_.items():
        write(folder / "inbox" / f"{name}.ipynb", notebook(cells))
    start = clock()
    command = [sys.executable, "-m", "graders", "grade", str(HERE / "twenty"), "--submissions", "inbox"]
    said = run([*command, "--out", "out", "--jobs", "1", "--seed", "1"], folder)
    end = clock()
    lines = (folder / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    results = {r["student"]: r for r in map(json.loads, lines)}
    assert set(results) == set(class_), said
    passed = {n: [t["outcome"] == "passed" for t in results[n]["tests"]] for n in class_}
    points = {name: float(sum(found)) for name, found in passed.items()}
    level = next(iter(results.values()))["isolation"]
    return Cost("pytest-symmetry", end[0] - start[0], end[1] - start[1], points, level)


def nbgrader(folder, class_, others):
    """Grade with nbgrader: autograde and feedback."""
    cells = [*solution_cells(), SETUP, *QUESTIONS.values()]
    first = len(solution_cells())
    metadata = {}
    for i in range(len(cells)):
        question = i > first
        common = {"schema_version": 3, "task": False, "grade": question, "locked": question or i == first}
        name = list(QUESTIONS)[i - first - 1] if question else f"cell{i}"
        points = {"points": 1} if question else {}
        metadata[i] = {"nbgrader": {**common, "grade_id": name, "solution": i < first, **points}}
    write(folder / "source" / "twenty" / "net.ipynb", notebook(cells, metadata))
    write(folder / "nbgrader_config.py", "c = get_config()\nc.CourseDirectory.course_id = 'c'\n")
    tool = str(others / "bin" / "nbgrader")
    made = run([tool, "generate_assignment", "twenty", "--create"], folder)
    released = folder / "release" / "twenty" / "net.ipynb"
    if not released.is_file():
        return Cost("nbgrader", 0, 0, dict.fromkeys(class_), f"could not run: {made.strip()[-300:]}")
    release = json.loads(released.read_text(encoding="utf-8"))
    for name, own in class_.items():
        for i, text in enumerate(own):
            release["cells"][i]["source"] = text
        write(folder / "submitted" / name / "twenty" / "net.ipynb", json.dumps(release))
    start = clock()
    run([tool, "autograde", "twenty"], folder)
    run([tool, "generate_feedback", "twenty"], folder)
    end = clock()
    pages = {name: (folder / "feedback" / name / "twenty" / "net.html").is_file() for name in class_}
    run([tool, "export"], folder)
    marks = {}
    for line in (folder / "grades.csv").read_text(encoding="utf-8").splitlines()[1:]:
        fields = line.split(",")
        marks[fields[3]] = float(fields[-2])
    points = {name: marks.get(name) if pages[name] else None for name in class_}
    return Cost(
        "nbgrader", end[0] - start[0], end[1] - start[1], points, "no isolation; 30 s a cell, its default"
    )


def otter(folder, class_, others):
    """Grade with ``otter run``, a process for each submission; ``otter grade`` needs Docker."""
    for name, code in QUESTIONS.items():
        lines = [line for line in (SETUP + code).split("\n") if line]
        shown = [("... " if line[:1].isspace() else ">>> ") + line for line in lines]
        case = {"code": "\n".join(shown) + "\n", "hidden": False, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": name, "points": 1, "suites": [suite]}
        write(folder / "tests" / f"{name}.py", f"OK_FORMAT = True\n\ntest = {test!r}\n")
    tool = str(others / "bin" / "otter")
    made = run([tool, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"], folder)
    if not (folder / "autograder.zip").is_file():
        return Cost("otter", 0, 0, dict.fromkeys(class_), f"could not run: {made.strip()[-300:]}")
    points = {}
    start = clock()
    for name, cells in class_.items():
        place = folder / name
        write(place / "net.ipynb", notebook(cells))
        (place / "out").mkdir()
        command = [tool, "run", "-a", "../autograder.zip", "-o", "out", "net.ipynb"]
        run(command, place, OTTER_LONGEST)
        points[name] = _otter_points(place / "out" / "results.json")
    end = clock()
    note = f"no isolation, no time limit of its own: stopped after {OTTER_LONGEST} s"
    return Cost("otter run", end[0] - start[0], end[1] - start[1], points, note)


def _otter_points(path):
    if not path.is_file():
        return None
    tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
    return sum(t.get("score", 0.0) for t in tests if t.get("name") != "Public Tests")


OTHERS = {"nbgrader": nbgrader, "otter": otter}


def table(costs, count):
    """Yield the lines of the result."""
    best = costs[0].cpu
    yield "| tool | CPU s, class | CPU ms each | times | wall s, class | graded | isolation |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | --- |"
    for cost in costs:
        graded = sum(points is not None for points in cost.points.values())
        yield (
            f"| {cost.name} | {cost.cpu:.1f} | {1000 * cost.cpu / count:.0f} | {cost.cpu / best:.1f} |"
            f" {cost.wall:.1f} | {graded} of {count} | {cost.note} |"
        )
    yield ""
    yield f"| submission, of {len(QUESTIONS)} questions | " + " | ".join(c.name for c in costs) + " |"
    yield "| --- |" + " ---: |" * len(costs)
    for name in [*CHANGES, "copy0"]:
        if all(name not in c.points for c in costs):
            continue
        cells = ["no result" if c.points.get(name) is None else f"{c.points[name]:g}" for c in costs]
        yield f"| {name} | " + " | ".join(cells) + " |"


def _versions(others):
    """Return the versions that were measured."""
    from pytest_symmetry.grading import versions

    found = [f"{name} {version}" for name, version in versions().items()]
    if others is not None:
        listed = run([str(others / "bin" / "python"), "-m", "pip", "freeze"], HERE).split()
        names = ("nbgrader==", "otter-grader==", "nbconvert==", "ipykernel==", "numpy==")
        found += [f"{line.replace('==', ' ')} (others)" for line in listed if line.startswith(names)]
    return ", ".join(found)


def main():
    """Run all three and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", type=Path)
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument(
        "--right", action="store_true", help="copies of the solution only: no loop, no mistake"
    )
    parser.add_argument("--only", nargs="*", default=["ours", "nbgrader", "otter"])
    parser.add_argument("--write", type=Path, help="write the page here as well")
    parser.add_argument("--keep", type=Path, help="add to what was measured before, kept in this file")
    asked = parser.parse_args()
    class_ = submissions(asked.submissions, {} if asked.right else CHANGES)
    kept = {}
    if asked.keep is not None and asked.keep.is_file():
        kept = {name: Cost(**c) for name, c in json.loads(asked.keep.read_text(encoding="utf-8")).items()}
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.only:
            if name != "ours" and asked.others is None:
                continue
            place = Path(folder, name)
            place.mkdir()
            cost = ours(place, class_) if name == "ours" else OTHERS[name](place, class_, asked.others)
            kept[cost.name] = cost
            if asked.keep is not None:  # after each: the next may be interrupted
                write(asked.keep, json.dumps({name: asdict(cost) for name, cost in kept.items()}))
    costs = [kept[name] for name in ("pytest-symmetry", "nbgrader", "otter run") if name in kept]
    lines = list(table(costs, asked.submissions))
    print("\n".join(lines))
    if asked.write is not None:
        kept_in = f" --keep {asked.keep.name}" if asked.keep is not None else ""
        given = f"--submissions {asked.submissions} --others VENV{kept_in} --write {asked.write}"
        command = f"python -m benchmarks.grading.compare {given}"
        absent = [name for name in ("nbgrader", "otter run") if name not in kept]
        missing = [f"Not measured for this page: {', '.join(absent)}.\n"] if absent else []
        page = PAGE.format(command=command, versions=_versions(asked.others))
        text = "\n".join([page, *lines, "", *missing, NOT_RUN, ""])
        asked.write.write_text(text + _further_sections(asked.write), encoding="utf-8")


def _further_sections(page):
    """Return what was added to the page by hand: its sections with a heading of their own."""
    _, heading, rest = page.read_text(encoding="utf-8").partition("\n## ") if page.is_file() else ("", "", "")
    return heading + rest


if __name__ == "__main__":
    main()
