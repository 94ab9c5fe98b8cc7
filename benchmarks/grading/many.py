"""A large class: is the time a line in the number of submissions, and does the worker stay small?

    python -m benchmarks.grading.many [--submissions 10000] [--assignment benchmarks/grading/twenty]

One worker's work, done in this process: chunks as in a batch, sealed, pages included. After each part of the
class: CPU so far of the judge, and of the zygote with its children; and the memory (resident, from /proc) of
this process and of its zygote. The fit is least squares; its residual is the largest distance of a measured
point from the line.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.grading.cost import spent
from graders import batch
from graders.intake import Entry, in_chunks
from graders.sandbox import choice
from graders.sandbox.transport import Sandbox
from pytest_symmetry.assignment import load_assignment


def resident(pid):
    """Return the resident memory of a process in MB, and that of its first child if it has one."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    size = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return size / 1024, children


def written(assignment, folder, count):
    """Write ``count`` copies of the solution, each with bytes of its own."""
    notebook = json.loads(assignment.source.read_text(encoding="utf-8"))
    first = next(c for c in notebook["cells"] if c["cell_type"] == "code")
    source = "".join(first["source"])
    entries = []
    for i in range(count):
        first["source"] = f"{source}\n# {i}"
        path = Path(folder, f"s{i}.ipynb")
        path.write_text(json.dumps(notebook), encoding="utf-8")
        entries.append(Entry(f"s{i}", path, path.name))
    return entries


def main():
    """Grade the class chunk by chunk and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--assignment", default=str(Path(__file__).parent / "twenty"))
    asked = parser.parse_args()
    assignment = load_assignment(Path(asked.assignment))
    sandbox = Sandbox()
    sandbox.start()
    choice._offered = lambda _data: (sandbox, "")  # noqa: SLF001 - to see its memory
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        entries = written(assignment, folder, asked.submissions)
        batch.grade_chunk(batch.Task(str(assignment.folder), 5, "hint", tuple(entries[:1])))
        start, done = (time.process_time(), spent(sandbox), time.perf_counter()), 0
        for chunk in in_chunks(entries, batch.CHUNK):
            graded = batch.grade_chunk(batch.Task(str(assignment.folder), 5, "hint", tuple(chunk)))
            assert all(result.points == result.max_points for result, _ in graded)
            done += len(chunk)
            mine, _ = resident(os.getpid())
            outside, inside = resident(sandbox._process.pid)  # noqa: SLF001
            zygote = resident(inside[0])[0] if inside else outside
            now = (time.process_time(), spent(sandbox), time.perf_counter())
            rows.append((done, *(a - b for a, b in zip(now, start, strict=True)), mine, zygote))
    report(np.array(rows))


def report(rows):
    """Print ten of the rows, the fit, and the growth of memory."""
    print("| submissions | judge's CPU s | children's CPU s | wall s | worker MB | zygote MB |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in [*rows[:: max(1, len(rows) // 10)], rows[-1]]:
        print("| {:.0f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} |".format(*row))
    for name, column in (("judge's CPU", 1), ("children's CPU", 2), ("wall", 3)):
        slope, base = np.polyfit(rows[:, 0], rows[:, column], 1)
        off = np.abs(rows[:, column] - slope * rows[:, 0] - base).max() / rows[-1, column]
        print(f"{name}: {1000 * slope:.1f} ms each and {base:.2f} s; at most {100 * off:.1f} % off the line")
    early = rows[len(rows) // 5]
    growth = 1024 * (rows[-1, 4] - early[4]) / max(1.0, rows[-1, 0] - early[0])
    print(f"worker: {rows[:, 4].max():.0f} MB at most, {growth:.2f} KB more with each submission")


if __name__ == "__main__":
    main()
