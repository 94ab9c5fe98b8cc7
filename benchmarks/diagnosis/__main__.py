"""Print the figures of the diagnosis: ``python -m benchmarks.diagnosis`` from the checkout.

``--splits N`` and ``--pairs N`` set how much is held out; the defaults take some minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pytest_symmetry.assignment import load_reference
from pytest_symmetry.context import Call, Context, entered
from pytest_symmetry.diagnosis import dictionary as module
from pytest_symmetry.diagnosis.dictionary import build, content_key, dictionary_for, measure, write
from pytest_symmetry.diagnosis.explain import explain
from pytest_symmetry.diagnosis.replay import Step, program_of
from pytest_symmetry.findings import Finding, Place

ROOT = Path(__file__).parents[2]
SIZES = {7: "m", 3: "the size of a layer", 5: "the size of a layer"}


class Patch:
    """Stands in for pytest's monkeypatch."""

    def setattr(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute and leave it so."""
        setattr(owner, name, value)


def best(function: Callable[[], Any], repeat: int) -> float:
    """Return the shortest of several runs, in seconds of CPU."""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def planar_steps() -> list[Step]:
    """Return one call of each function of planar, as its tests make them."""
    rng = np.random.default_rng(0)
    shapes = {"W1": (5, 3), "b1": (5, 1), "W2": (1, 5), "b2": (1, 1)}
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    X, Y = rng.normal(size=(3, 7)), rng.permutation([0.0, 0, 0, 1, 1, 1, 1]).reshape(1, 7)
    gradients = {f"d{name}": rng.normal(size=shape) for name, shape in shapes.items()}
    A2 = rng.uniform(0.05, 0.95, size=(1, 7))
    return [
        Step("forward", (X, parameters)),
        Step("cost", (A2, Y)),
        Step("backward", (X, Y, parameters)),
        Step("update", (parameters, gradients, 0.3)),
    ]


def planar() -> None:
    """Print how long a dictionary for planar takes to build, to read and to look up in."""
    source, steps = load_reference(ROOT / "assignments" / "planar").source, planar_steps()
    built = build(source, steps, SIZES)
    print(f"planar: {built.tried} mistakes planted, {len(built.entries)} change a result")
    print(f"  built in {best(lambda: build(source, steps, SIZES), 3):.2f} s")
    seen = built.print_of(measure(program_of(source).run(steps)))
    print(f"  one lookup {1e3 * best(lambda: built.matching(seen), 20):.2f} ms")
    print(f"  one explanation {1e3 * explaining(source, steps[2]):.2f} ms")
    with tempfile.TemporaryDirectory() as folder:
        write(built, Path(folder) / f"{content_key(source, steps, SIZES)}.npz")

        def read() -> None:
            module._MEMORY.clear()  # noqa: SLF001 - what a new process finds
            dictionary_for(source, steps, SIZES, Path(folder))

        print(f"  read from its folder in {1e3 * best(read, 10):.1f} ms")


def explaining(source: str, step: Step) -> float:
    """Return the time of one explanation of a backward pass, the dictionary being in memory."""
    right = program_of(source).run([step])[0]
    names = ("W1", "b1", "W2", "b2")
    call = Call("backward", step.args, result=dict(right, db1=np.ones_like(right["db1"])))
    finding = Finding("GRD101", facts={"array": "db1", "parameter": "b1"}, place=Place(array="db1"))

    def run() -> None:
        with entered(Context(calls=[call], reference_source=source)):
            explain(
                finding,
                student={n: call.result[f"d{n}"] for n in names},
                expected={n: right[f"d{n}"] for n in names},
                parameters=step.args[2],
            )

    run()
    return best(run, 10)


def specimens() -> None:
    """Print how many of the mistakes in other styles are named."""
    from specimens.rehearsal import first_finding
    from specimens.subjects import SUBJECTS, planted

    for subject in SUBJECTS:
        named = silent = 0
        wrong = []
        cases = [(fault, style) for fault in subject.FAULTS for style in fault.patches]
        for fault, style in cases:
            _, finding = first_finding(subject.REFERENCE, planted(subject, fault, style), subject.tests)
            cause = finding.cause if finding else None
            named += cause in fault.causes
            silent += cause is None
            if cause not in (*fault.causes, None):
                wrong.append(f"{fault.name} ({style}): {cause}")
        head = f"{subject.__name__.rpartition('.')[2]}: {len(cases)} programs of {len(subject.STYLES)} styles"
        print(f"{head}, {named} named as promised, {silent} not named, others {wrong}")


def table() -> None:
    """Print row of the list of mistakes, mistake, style, code and first cause, for every program."""
    from specimens.rehearsal import first_finding
    from specimens.subjects import SUBJECTS, planted

    cases = [(s, fault, style) for s in SUBJECTS for fault in s.FAULTS for style in fault.patches]
    for subject, fault, style in sorted(cases, key=lambda case: case[1].row):
        _, finding = first_finding(subject.REFERENCE, planted(subject, fault, style), subject.tests)
        name = subject.__name__.rpartition(".")[2]
        code, cause = (finding.code, finding.cause or "-") if finding else ("-", "-")
        print(f"{fault.row or '-':>3}  {name + ', ' + style:24} {fault.name:48} {code}  {cause}")


def held_out(splits: int, pairs: int) -> None:
    """Print what is said of mistakes that the dictionary does not know, and of two at once."""
    from specimens import test_held_out as module

    total = {"tried": 0, "named": 0, "located": 0, "nothing": 0, "wrong": 0}
    for split in range(splits):
        counts = module.held_out(split, Patch())
        for key in total:
            total[key] += len(counts[key]) if key == "wrong" else counts[key]
    print(f"held out, {splits} splits: {total}")
    both, wrong = module.pair_outcomes(1, pairs, Patch())
    print(f"pairs: both named in {both} of {pairs}, wrong {len(wrong)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=150)
    parser.add_argument(
        "--table", action="store_true", help="print the first cause of every program and stop"
    )
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    if options.table:
        table()
        return
    planar()
    specimens()
    held_out(options.splits, options.pairs)


if __name__ == "__main__":
    main()
