"""Write docs/diagnosis-benchmark.md, the figures of the diagnosis: ``python -m benchmarks.diagnosis``.

``--splits N`` and ``--pairs N`` set how much is held out; the defaults take some minutes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
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


def planar() -> list[str]:
    """Return how long a dictionary for planar takes to build, to read and to look up in, as table rows."""
    source, steps = load_reference(ROOT / "assignments" / "planar").source, planar_steps()
    built = build(source, steps, SIZES)
    seen = built.print_of(measure(program_of(source).run(steps)))
    with tempfile.TemporaryDirectory() as folder:
        write(built, Path(folder) / f"{content_key(source, steps, SIZES)}.npz")

        def read() -> None:
            module._MEMORY.clear()  # noqa: SLF001 - what a new process finds
            dictionary_for(source, steps, SIZES, Path(folder))

        rows = [
            ("mistakes planted", f"{built.tried}", ""),
            ("of these, change a result", f"{len(built.entries)}", ""),
            ("built, one core", f"{best(lambda: build(source, steps, SIZES), 3):.2f} s", "5 s"),
            ("one lookup", f"{1e3 * best(lambda: built.matching(seen), 20):.2f} ms", "2 ms"),
            ("read from its folder", f"{1e3 * best(read, 10):.1f} ms", "50 ms"),
            ("one explanation, dictionary in memory", f"{1e3 * explaining(source, steps[2]):.1f} ms", ""),
        ]
    return [f"| {what} | {value} | {bar} |" for what, value, bar in rows]


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


_OUTCOMES: dict[int, list[tuple[Any, Any, str, Any]]] = {}


def outcomes(subjects: Sequence[Any]) -> Iterator[tuple[Any, Any, str, Any]]:
    """Yield (subject, fault, style, finding) for every program of some subjects, each run once."""
    from specimens.rehearsal import first_finding
    from specimens.subjects import planted

    for subject in subjects:
        if id(subject) not in _OUTCOMES:
            _OUTCOMES[id(subject)] = [
                (subject, fault, style, first_finding(subject.REFERENCE, source, subject.tests)[1])
                for fault in subject.FAULTS
                for style in fault.patches
                for source in [planted(subject, fault, style)]
            ]
        yield from _OUTCOMES[id(subject)]


def counted(name: str, subjects: Sequence[Any]) -> str:
    """Return a table row: programs, caught, first cause as promised, located or silent, another cause."""
    caught = right = quiet = total = 0
    for _, fault, _, finding in outcomes(subjects):
        total += 1
        caught += finding is not None
        promised = finding is not None and finding.cause in fault.causes
        right += promised
        located = finding is not None and (finding.cause or "located").startswith("located")
        quiet += located and not promised
    return f"| {name} | {total} | {caught} | {right} | {quiet} | {caught - right - quiet} |"


def specimens() -> list[str]:
    """Return how many of the mistakes in other styles are named, per reference."""
    from specimens.fresh import first, second, third
    from specimens.subjects import SUBJECTS

    rows = [counted(f"{s.__name__.rpartition('.')[2]}, {len(s.STYLES)} styles", [s]) for s in SUBJECTS]
    rows.append(counted("**fresh set 1**, six styles", first.SETS))
    rows.append(counted("**fresh set 2**, five styles", second.SETS))
    rows.append(counted("**fresh set 3**, eight styles", third.SETS))
    return rows


def table() -> list[str]:
    """Return row of the list, mistake, reference, style, code and first cause of every program."""
    from specimens.fresh import first, second, third
    from specimens.subjects import SUBJECTS

    rows = []
    for subject, fault, style, finding in outcomes([*SUBJECTS, *first.SETS, *second.SETS, *third.SETS]):
        name = subject.__name__.rpartition(".")[2]
        code, cause = (finding.code, finding.cause or "-") if finding else ("-", "-")
        rows.append(
            (fault.row or 999, f"{fault.row or '-'} | {fault.name} | {name}, {style} | {code} | {cause}")
        )
    return [f"| {row} |" for _, row in sorted(rows)]


def messages() -> list[str]:
    """Return the words of ten causes as a student reads them; the numbers around them are a rehearsal's."""
    from specimens.subjects import SUBJECTS

    from pytest_symmetry.feedback.text import words

    found = []
    for _, fault, _, finding in outcomes(SUBJECTS):
        if finding is not None and fault.row:
            said = words(finding, reveal="cause")
            found.append(f"{fault.name}\n  Cause  {said.cause}\n  Hint   {said.hint}")
    return ["```text", "\n\n".join(found[:: max(1, len(found) // 10)][:10]), "```"]


def held_out(splits: int, pairs: int) -> list[str]:
    """Return what is said of mistakes that the dictionary does not know, and of two at once."""
    from specimens import test_held_out as module

    total = {"tried": 0, "named": 0, "located": 0, "nothing": 0, "wrong": 0}
    for split in range(splits):
        counts = module.held_out(split, Patch())
        for key in total:
            total[key] += len(counts[key]) if key == "wrong" else counts[key]
    both, wrong = module.pair_outcomes(1, pairs, Patch())
    return [
        f"| mistakes of one half of the operators, {splits} random splits | {total['tried']} |",
        f"| named by what holds on other inputs too | {total['named']} |",
        f"| located at the step | {total['located']} |",
        f"| nothing said | {total['nothing']} |",
        f"| said what does not hold on other inputs (wrong) | {total['wrong']} |",
        f"| pairs of independent mistakes: both named | {both} of {pairs} |",
        f"| pairs: wrong | {len(wrong)} |",
    ]


PAGE = Path(__file__).with_name("page.md")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=150)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    text = PAGE.read_text(encoding="utf-8").format(
        planar="\n".join(planar()),
        specimens="\n".join(specimens()),
        messages="\n".join(messages()),
        table="\n".join(table()),
        held_out="\n".join(held_out(options.splits, options.pairs)),
    )
    (ROOT / "docs" / "diagnosis-benchmark.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
