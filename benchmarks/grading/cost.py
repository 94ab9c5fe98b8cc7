"""What a submission costs: CPU of the judge and of the sealed children, by level, pytest and page included.

    python -m benchmarks.grading.cost [--submissions 100] [--assignment planar]

One worker, in this process; start-up (pytest, zygote, the dictionary of mistakes) is measured apart, by a
first run over one submission. CPU time is that of this process and of all its waited-for children.
"""

import argparse
import json
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


def graded(assignment, some, isolation):
    """Grade, pages included, and return (CPU of the judge, CPU of the children, wall seconds)."""
    task = batch.Task(str(assignment.folder), 5, "hint", some, isolation)
    start, clock = cpu(), time.perf_counter()
    results = batch.grade_chunk(task)
    assert all(result.points == result.max_points for result, _ in results)
    end = cpu()
    return end[0] - start[0], end[1] - start[1], time.perf_counter() - clock


def measure(name, sandbox, assignment, count):
    """Print one line: milliseconds a submission at this level."""
    choice._offered = lambda _data: (sandbox, "")  # noqa: SLF001 - to choose the level here
    with tempfile.TemporaryDirectory() as folder:
        some = entries(assignment, folder, count)
        started = time.perf_counter()
        first = graded(assignment, some[:1], "best")
        started = time.perf_counter() - started
        judge, children, wall = graded(assignment, some, "best")
        if sandbox is not None:  # its children are the zygote's until it ends
            before = cpu()[1]
            sandbox.close()
            children += cpu()[1] - before
    each = 1000 / count
    print(
        f"{name:<34} {judge * each:8.1f} {children * each:8.1f} {(judge + children) * each:8.1f}"
        f" {wall * each:8.1f} {sum(first[:2]):8.2f}"
    )


def main():
    """Measure a plain child and each level of locks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--assignment", default="planar")
    asked = parser.parse_args()
    place = Path(asked.assignment)
    assignment = load_assignment(place) if place.is_dir() else find_assignment(asked.assignment)
    questions = len(batch.run_tests(assignment, [Entry("s", assignment.source, "s")], 5)[0].tests)
    print(f"{asked.assignment}: {questions} questions, {asked.submissions} submissions, one worker; ms each")
    print(f"{'':<34} {'judge':>8} {'children':>8} {'CPU':>8} {'wall':>8} {'first, s':>8}")
    for name, sandbox in [
        ("level 3: every lock", Sandbox(locks=Locks())),
        ("level 2: no namespaces", Sandbox(locks=Locks(namespaces=False))),
        ("zygote, no locks", Sandbox(locks=Locks(False, False, False))),
        ("level 1: a plain child each", None),
    ]:
        if sandbox is not None:
            found = sandbox.start()
            print(json.dumps({"locks": name, "found": str(found)}))
        measure(name, sandbox, assignment, asked.submissions)


if __name__ == "__main__":
    main()
