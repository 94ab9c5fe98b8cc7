"""One local worker and two on the same class: seconds of the clock, and whose CPU they were.

    python -m benchmarks.cluster.scaling [--submissions 600] [--assignment planar] [--workers 1 2]

Each run is ``symmetry grade --cluster local`` in this process. Two clocks run: from the command on, and from
when the first worker has tried the solution. The client's CPU is that of this process, dask's scheduler
included; the workers' is that of their processes and of all below them. Every run gives the same bytes. With
``--write`` FILE the figures are kept for ``benchmarks.cluster.simulate``. On a machine that others use too,
the clock says little: the CPU of the busiest worker is what it would say on a free one.
"""

import argparse
import collections
import hashlib
import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.cluster.client import cpu, written
from graders import grading_run
from graders.cluster.connecting import cluster_workers
from graders.workers import PROCESSORS
from pytest_symmetry.assignment import find_assignment

TICKS = os.sysconf("SC_CLK_TCK")


def below(pid):
    """Return the CPU seconds of each process below one, with all that are below it or were waited for."""
    found = collections.Counter()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            try:
                fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                found[child] = sum(int(ticks) for ticks in fields[11:15]) / TICKS + below(child).total()
            except FileNotFoundError:
                continue
    return found


def graded(assignment, folder, workers):
    """Grade the class on so many local workers; return what it took, with a hash of all that was written."""
    out, begun = folder / f"graded-{workers}", time.perf_counter()
    with cluster_workers("local", workers, print) as crew:
        order = grading_run.take_order(assignment, [folder / "inbox"], out, "strict", None, crew)
        order = replace(order, key=bytes(32))
        with grading_run.started(order, seed=5, jobs=crew.jobs, reveal="hint", workers=crew) as run:
            ready, mine, theirs = time.perf_counter(), cpu(), below(os.getpid())
            steps = sum(step.result is not None for step in run.grade_new())
            took = {
                "workers": workers,
                "submissions": steps,
                "start s": ready - begun,
                "wall s": time.perf_counter() - ready,
                "client CPU s": cpu() - mine,
            }
            spent = below(os.getpid()) - theirs
            took |= {"workers CPU s": spent.total(), "busiest worker CPU s": max(spent.values())}
    shown = sorted(p for p in out.rglob("*") if p.is_file() and p.suffix in {".html", ".jsonl", ".csv"})
    print(json.dumps({name: round(value, 2) for name, value in took.items()}), flush=True)
    return {**took, "bytes": hashlib.sha256(b"".join(p.read_bytes() for p in shown)).hexdigest()}


def main():
    """Print a line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=600)
    parser.add_argument("--assignment", default="planar")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    assignment = find_assignment(asked.assignment)
    load = f"The {PROCESSORS} processors had a load of {os.getloadavg()[0]:.1f} when this began."
    with tempfile.TemporaryDirectory() as folder:
        few, all_of_them = Path(folder, "few"), Path(folder, "all")
        for place, count in ((few, asked.submissions // 4), (all_of_them, asked.submissions)):
            place.mkdir()
            written(place, assignment, count)
        rows = [graded(assignment, few, 1), *(graded(assignment, all_of_them, n) for n in asked.workers)]
    assert len({row.pop("bytes") for row in rows[1:]}) == 1, "not the same bytes"
    first, last = rows[1], rows[-1]
    print(
        f"{first['wall s'] / last['wall s']:.2f} times as fast on {last['workers']} as on {first['workers']}"
    )
    times = first["busiest worker CPU s"] / last["busiest worker CPU s"]
    print(f"{times:.2f} times, by the CPU of the busiest worker: what processors of their own would give")
    each = (first["workers CPU s"] - rows[0]["workers CPU s"]) / (
        first["submissions"] - rows[0]["submissions"]
    )
    warm = max(0.0, rows[0]["workers CPU s"] - each * rows[0]["submissions"])
    print(f"a worker: {each:.3f} CPU seconds for each submission, {warm:.1f} to warm up")
    if asked.write is not None:
        kept = json.loads(asked.write.read_text()) if asked.write.is_file() else {}
        kept |= {"load": load, "scaling": rows, "worker": {"worker": each, "warm up": warm}}
        asked.write.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
