"""What a submission costs: CPU of the judge and of the sealed children, by level, pytest and page included.

    python -m benchmarks.grading.cost [--submissions 100] [--assignment planar] [--rounds 3] [--sealed]

One worker, in this process, warm: two submissions before have paid for starting (pytest, zygote). CPU
time is that of this process, of the zygote and of the children; of several rounds the least counts.
``--sealed`` measures with every lock only.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

from graders import batch
from graders.intake import Entry
from graders.sandbox import choice
from graders.sandbox.transport import Locks, Sandbox
from pytest_symmetry.assignment import find_assignment, load_assignment


def cpu():
    """Return the CPU seconds of this process, and of the children that it has waited for."""
    mine, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return mine.ru_utime + mine.ru_stime, theirs.ru_utime + theirs.ru_stime


def entries(assignment, folder, count):
    """Return ``count`` copies of the solution as submissions."""
    notebook = assignment.source.read_text(encoding="utf-8")
    made = []
    for i in range(count):
        path = Path(folder, f"s{i}.ipynb")
        path.write_text(notebook, encoding="utf-8")
        made.append(Entry(f"s{i}", path, path.name))
    return tuple(made)


def spent(sandbox):
    """Return the CPU seconds of the zygote and of the children that it has ended, or of plain children."""
    if sandbox is None:
        return cpu()[1]
    zygote = outside = sandbox._process.pid  # noqa: SLF001 - nobody else asks
    if sandbox.locks.namespaces:
        zygote = Path(f"/proc/{outside}/task/{outside}/children").read_text(encoding="ascii").split()[0]
    fields = Path(f"/proc/{zygote}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def graded(assignment, some, sandbox):
    """Grade, pages included, and return (CPU of the judge, CPU of the children, wall seconds)."""
    task = batch.Task(str(assignment.folder), 5, "hint", some, "best")
    judge, children, clock = cpu()[0], spent(sandbox), time.perf_counter()
    results = batch.grade_chunk(task)
    assert all(result.points == result.max_points for result, _ in results)
    return cpu()[0] - judge, spent(sandbox) - children, time.perf_counter() - clock


def measure(name, sandbox, assignment, count, rounds):
    """Print one line: milliseconds a submission at this level, least of several rounds, each warm."""
    choice._offered = lambda _data: (sandbox, "")  # noqa: SLF001 - to choose the level here
    with tempfile.TemporaryDirectory() as folder:
        some = entries(assignment, folder, count)
        graded(assignment, some[:2], sandbox)
        judge, children, wall = min(
            (graded(assignment, some, sandbox) for _ in range(rounds)), key=lambda took: took[0] + took[1]
        )
    each = 1000 / count
    print(
        f"{name:<34} {judge * each:8.1f} {children * each:8.1f} {(judge + children) * each:8.1f}"
        f" {wall * each:8.1f}",
        flush=True,
    )


def main():
    """Measure a plain child and each level of locks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--assignment", default="planar")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sealed", action="store_true")
    asked = parser.parse_args()
    place = Path(asked.assignment)
    assignment = load_assignment(place) if place.is_dir() else find_assignment(asked.assignment)
    questions = len(batch.run_tests(assignment, [Entry("s", assignment.source, "s")], 5)[0].tests)
    print(f"{asked.assignment}: {questions} questions, {asked.submissions} submissions, one worker; ms each")
    print(f"{'':<34} {'judge':>8} {'children':>8} {'CPU':>8} {'wall':>8}")
    levels = [
        ("level 3: every lock", Sandbox(locks=Locks())),
        ("level 2: no namespaces", Sandbox(locks=Locks(namespaces=False))),
        ("zygote, no locks", Sandbox(locks=Locks(False, False, False))),
        ("level 1: a plain child each", None),
    ]
    for name, sandbox in levels[:1] if asked.sealed else levels:
        if sandbox is not None:
            found = sandbox.start()
            print(json.dumps({"locks": name, "found": str(found)}))
        measure(name, sandbox, assignment, asked.submissions, asked.rounds)
        if sandbox is not None:
            sandbox.close()


if __name__ == "__main__":
    main()
