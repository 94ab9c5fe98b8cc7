"""The client's half of a class: everything but the judging, with answers that are ready at once.

A few submissions of the assignment (its solution, and the solution with planted mistakes) are graded for
good; every other one of the class gets the answer of one of them under its own name. So a class of any size
costs what the client of a cluster pays: taking in, keeping, packing, reading answers, gradebook, pages, class
files.

    python -m benchmarks.cluster.client --sizes 500 5000 --write benchmarks/cluster/costs.json
"""

import argparse
import collections
import contextlib
import json
import operator
import os
import resource
import tempfile
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path

from distributed import Client

from graders import batch, grading_run
from graders.cluster import answers, orders, parcels
from graders.cluster.connecting import local_cluster
from graders.cluster.kinds import kind_here
from graders.intake import Entry
from graders.specimens import write_specimens
from graders.workers import Workers
from pytest_symmetry.assignment import find_assignment

MODELS = 12
"""Submissions that are graded for good."""


def cpu():
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def written(folder, assignment, count):
    """Write a class: copies of a few models, each with bytes of its own; return the models' paths."""
    made = write_specimens(assignment.folder, folder / "specimens")
    models = [assignment.source, *(path for path in made if path.suffix == ".ipynb")][:MODELS]
    texts = [json.loads(path.read_text(encoding="utf-8")) for path in models]
    inbox = folder / "inbox"
    inbox.mkdir()
    for i in range(count):
        notebook = texts[i % len(texts)]
        notebook["metadata"]["copy"] = i
        (inbox / f"s{i}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return models


class Canned(Executor):
    """Workers that know all answers: ``models`` are results and pages, ``spent`` the seconds of each step."""

    def __init__(self, models, spent):
        self.models, self.spent = models, spent
        self.terms = None

    def submit(self, function, *arguments):
        outcome = Future()
        if function is batch.examine:
            self.terms = orders.Terms.of(*arguments)
            judge = function(*arguments)
            self.by = answers.Examined(kind_here(), judge)
            outcome.set_result(judge)
            return outcome
        (task,) = arguments
        with self.timed("packing"):
            sent = self.terms.chunk(task)
        with self.timed("nobody's"):
            parcel = self.answer(task)
        with self.timed("reading answers"):
            outcome.set_result(answers.graded(parcel, task, self.by, self.terms.name))
        self.spent["bytes sent"] += len(sent)
        self.spent["bytes received"] += len(parcel)
        return outcome

    def answer(self, task):
        """Return what a worker would say to a chunk."""
        chosen = [self.models[int(e.student[1:]) % len(self.models)] for e in task.entries]
        results = [
            replace(
                result, student=e.student, submission=e.label, sha256=e.sha256, seed=str(task.seed)
            ).to_json()
            for e, (result, _) in zip(task.entries, chosen, strict=True)
        ]
        pages = [page.encode() for _, page in chosen]
        return parcels.pack({"kind": self.by.kind.to_json(), "results": results}, pages)

    @contextlib.contextmanager
    def timed(self, step):
        """Add the CPU seconds of a block to those of a step."""
        before = cpu()
        yield
        self.spent[step] += cpu() - before


def run(folder, name, count):
    """Return CPU seconds and bytes for each submission, by step of the client, for a class of ``count``."""
    assignment = find_assignment(name)
    spent = collections.Counter()
    models = written(folder, assignment, count)
    entries = tuple(Entry(f"m{i}", path, path.name) for i, path in enumerate(models))
    canned = Canned(
        batch.grade_chunk(batch.Task(str(assignment.folder), 5, "hint", entries, "strict")), spent
    )
    with Workers(100, lambda _: canned) as workers:
        base = memory()
        with canned.timed("taking in"):
            inbox = [folder / "inbox"]
            order = grading_run.take_order(assignment, inbox, folder / "out", "strict", None, workers)
        with grading_run.started(order, seed=5, jobs=100, workers=workers) as graded:
            finish = graded.finish

            def finished(*changed):
                with canned.timed("class files"):
                    return finish(*changed)

            graded.finish = finished
            with canned.timed("all of grading"):
                for _ in graded.grade_new():
                    pass
    apart = ("packing", "nobody's", "reading answers", "class files")
    spent["keeping and writing"] = spent.pop("all of grading") - sum(spent[step] for step in apart)
    del spent["nobody's"]
    spent["bytes of memory"] = memory() - base
    return {step: value / count for step, value in spent.items()}


def memory():
    """Return the most bytes of memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def passing(sent, received, chunks=200):
    """Return the CPU seconds that dask takes here, with its scheduler, for a chunk and its answer."""
    with local_cluster(1) as cluster, Client(cluster, set_as_default=False) as client:
        executor = client.get_executor(pure=False)
        parcel, answer = os.urandom(round(sent)), round(received)
        list(executor.map(pow, [1], [1]))
        before = cpu()
        for _ in range(chunks // 2):
            for outcome in [executor.submit(operator.getitem, parcel * 2, slice(answer)) for _ in range(2)]:
                outcome.result()
        return (cpu() - before) / chunks


def main():
    """Print what a submission costs the client, step by step, for classes of several sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--assignment", default="planar")
    parser.add_argument("--write", type=Path, help="file to keep the figures of the last size in")
    parser.add_argument("--name", default="client", help="under which name")
    asked = parser.parse_args()
    for count in asked.sizes:
        with tempfile.TemporaryDirectory() as folder:
            each = run(Path(folder), asked.assignment, count)
        print(f"{count} submissions; for each:")
        for step, value in each.items():
            unit = f"{value:.0f}" if step.startswith("bytes") else f"{1000 * value:.2f} ms"
            print(f"  {step:<22}{unit}", flush=True)
    chunk = passing(batch.CHUNK * each["bytes sent"], batch.CHUNK * each["bytes received"])
    print(f"dask, for each chunk of {batch.CHUNK}: {1000 * chunk:.1f} ms")
    if asked.write is not None:
        kept = json.loads(asked.write.read_text()) if asked.write.is_file() else {}
        kept[asked.name] = {"submissions": count, "each": each, "dask for a chunk": chunk}
        asked.write.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
