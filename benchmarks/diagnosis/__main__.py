"""Write docs/diagnosis-benchmark.md, the figures of the diagnosis: ``python -m benchmarks.diagnosis``.

It takes some ten minutes. ``--only held-out`` measures the parts of that name and keeps them; the
page is written once every part has been measured on the same code.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pytest_symmetry.assignment import load_assignment, load_reference
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


DIFFERS = frozenset({"GRD101", "MAT101"})
"""Codes that say only that numbers differ; every other one says more, or shows an exception."""

Outcome = tuple[Any, Any, str, Any]


def outcomes(subjects: Sequence[Any]) -> list[Outcome]:
    """Return (subject, fault, style, finding) for every program of some subjects."""
    from specimens.rehearsal import first_finding
    from specimens.subjects import planted

    return [
        (subject, fault, style, first_finding(subject.REFERENCE, source, subject.tests)[1])
        for subject in subjects
        for fault in subject.FAULTS
        for style in fault.patches
        for source in [planted(subject, fault, style)]
    ]


def tallied(found: Sequence[Outcome]) -> list[int]:
    """Return how many programs there are, caught, as promised, told by the code, quiet, by another cause."""
    counts = {"promised": 0, "code": 0, "quiet": 0, "other": 0}
    for _, fault, _, finding in found:
        if finding is None:
            continue
        if finding.cause in fault.causes:
            counts["promised"] += 1
        elif not fault.causes and finding.cause is None and finding.code not in DIFFERS:
            counts["code"] += 1
        else:
            counts["quiet" if (finding.cause or "located").startswith("located") else "other"] += 1
    return [len(found), sum(counts.values()), *counts.values()]


def table(found: Sequence[Outcome]) -> list[tuple[int, str]]:
    """Return row of the list, mistake, reference, style, code and first cause of every program."""
    rows = []
    for subject, fault, style, finding in found:
        name = subject.__name__.rpartition(".")[2]
        code, cause = (finding.code, finding.cause or "-") if finding else ("-", "-")
        rows.append(
            (fault.row or 999, f"{fault.row or '-'} | {fault.name} | {name}, {style} | {code} | {cause}")
        )
    return rows


def groups() -> dict[str, Sequence[Any]]:
    """Return the programs that were written to be measured, by what the page calls them."""
    from specimens.fresh import first, fourth, second, third
    from specimens.subjects import SUBJECTS

    own = {f"{s.__name__.rpartition('.')[2]}, {len(s.STYLES)} styles": [s] for s in SUBJECTS}
    fresh = {
        "**fresh set 1**, six styles": first.SETS,
        "**fresh set 2**, five styles": second.SETS,
        "**fresh set 3**, eight styles": third.SETS,
        "**fresh set 4**, four styles": fourth.SETS,
    }
    return {**own, **fresh}


def programs(name: str) -> dict[str, Any]:
    """Return how many of the mistakes in other styles are named, and every first cause."""
    found = outcomes(groups()[name])
    return {"counts": tallied(found), "table": table(found)}


def of_programs(kept: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the table of counts, with their sum, and the table of first causes."""
    counts = {name: kept[f"programs-{i}"]["counts"] for i, name in enumerate(groups())}
    counts["all"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    rows = [f"| {name} | {' | '.join(map(str, numbers))} |" for name, numbers in counts.items()]
    causes = sorted(tuple(row) for i in range(len(groups())) for row in kept[f"programs-{i}"]["table"])
    return rows, [f"| {row} |" for _, row in causes]


def correct() -> dict[str, list[str]]:
    """Return how many correct programs there are, and how many of them something was said about."""
    from specimens.fresh import first, fourth, second, third
    from specimens.rehearsal import first_finding
    from specimens.subjects import SUBJECTS

    tried = accused = 0
    for subject in (*SUBJECTS, *first.SETS, *second.SETS, *third.SETS, *fourth.SETS):
        for style, source in subject.STYLES.items():
            changes = ("", *(third.RIGHT.get(style, ()) if subject in third.SETS else ()))
            for change in changes:
                old, _, new = change.partition(" => ")
                text = source.replace(old, new) if change else source
                tried += 1
                accused += first_finding(subject.REFERENCE, text, subject.tests) != (-1, None)
    return {
        "correct": [f"{tried} correct programs were run in the same way; {accused} of them were accused."]
    }


def held_out(split: int) -> dict[str, int]:
    """Return what is said of mistakes that the dictionary does not know, for one split of the operators."""
    from specimens import test_held_out as module

    counts = module.held_out(split, Patch())
    return {key: len(value) if isinstance(value, list) else value for key, value in counts.items()}


def pairs(part: int) -> dict[str, int]:
    """Return how often both of two mistakes are named, for some of the pairs."""
    from specimens import test_held_out as module

    both, wrong = module.pair_outcomes(part + 1, PAIRS_PER_PART, Patch())
    return {"both": both, "wrong": len(wrong)}


def messages(assignment: str) -> dict[str, list[str]]:
    """Return the findings of some of an assignment's planted mistakes, as their students read them."""
    from graders.batch import run_tests
    from graders.intake import Entry
    from graders.specimens import write_specimens
    from pytest_symmetry.feedback.terminal import finding_lines

    found = []
    folder = ROOT / "assignments" / assignment
    with tempfile.TemporaryDirectory() as place:
        entries = [Entry(p.stem, p, p.name) for p in write_specimens(folder, Path(place))]
        chosen = [entry for entry in entries if entry.student in SHOWN[assignment]]
        for result in run_tests(load_assignment(folder), chosen, 20):
            finding = next(f for v in result.tests for f in v.findings if f.severity == "fail")
            lines = finding_lines(finding, reveal=load_assignment(folder).reveal)
            found.append(f"# {assignment}: {result.student}\n" + "\n".join(lines))
    return {"messages": found}


SPLITS, PAIR_PARTS, PAIRS_PER_PART = 20, 20, 30

SHOWN = {
    "planar": {
        "tanh-derivative-missing",
        "mean-never-taken",
        "bias-gradient-without-keepdims",
        "bias-gradient-from-weight-gradient",
        "weights-updated-before-used",
        "start-constant",
    },
    "demand": {"biases-stay", "mean-not-subtracted"},
    "blobs": {"target-not-subtracted", "softmax-over-examples"},
}
"""Ten of the course's planted mistakes: the commonest, a located one, a start, some without a gradient."""


def parts() -> dict[str, Callable[[], Any]]:
    """Return what is measured, by name."""
    every: dict[str, Callable[[], Any]] = {"dictionary": planar, "correct": correct}
    every |= {f"programs-{i}": partial(programs, name) for i, name in enumerate(groups())}
    every |= {f"messages-{name}": partial(messages, name) for name in SHOWN}
    every |= {f"held-out-{split}": partial(held_out, split) for split in range(SPLITS)}
    return every | {f"pairs-{part}": partial(pairs, part) for part in range(PAIR_PARTS)}


def summed(kept: Mapping[str, Any], prefix: str) -> dict[str, int]:
    """Return the sum of the counts of all parts whose names begin so."""
    total: dict[str, int] = {}
    for name, counts in kept.items():
        for key, value in counts.items() if name.startswith(prefix) else ():
            total[key] = total.get(key, 0) + value
    return total


def unknown(kept: Mapping[str, Any]) -> list[str]:
    """Return the table of held-out mistakes and of pairs."""
    out, two = summed(kept, "held-out-"), summed(kept, "pairs-")
    tried, every = out["tried"], PAIR_PARTS * PAIRS_PER_PART

    def share(count: int, whole: int) -> str:
        return f"{count} ({100 * count / whole:.1f} %)"

    rows = [
        (f"mistakes of one half of the operators, {SPLITS} random splits", str(tried)),
        ("named by what holds on other inputs too", share(out["named"], tried)),
        ("located at the step", share(out["located"], tried)),
        ("nothing said", share(out["nothing"], tried)),
        ("led to the right array, of all", share(out["placed"], tried)),
        ("said what does not hold on other inputs (wrong)", str(out["wrong"])),
        ("pairs of independent mistakes: both named", f"{share(two['both'], every)} of {every}"),
        ("pairs: wrong", str(two["wrong"])),
    ]
    return [f"| {what} | {value} |" for what, value in rows]


PAGE = Path(__file__).with_name("page.md")


def code_digest() -> str:
    """Return a digest of all that the figures depend on."""
    found = hashlib.sha256()
    folders = [
        "pytest_symmetry/diagnosis",
        "pytest_symmetry/checks",
        "tests/specimens",
        "benchmarks/diagnosis",
    ]
    for folder in [*folders, *(f"assignments/{name}" for name in SHOWN)]:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".py", ".toml", ".ipynb", ".md"):
                found.update(file.read_bytes())
    return found.hexdigest()[:12]


def main() -> None:
    """Measure what is missing, and write the page once nothing is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part, or the words its name begins with")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    folder = Path(tempfile.gettempdir()) / f"symmetry-diagnosis-{code_digest()}"
    folder.mkdir(exist_ok=True)
    for name, measure_part in parts().items():
        file = folder / f"{name}.json"
        asked = f"{name}-".startswith(f"{options.only}-" if options.only else "")
        if asked and not file.exists():
            file.write_text(json.dumps(measure_part()), encoding="utf-8")
    kept = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")}
    if missing := [name for name in parts() if name not in kept]:
        print("not measured yet:", ", ".join(missing))
        return
    told = [text for name in SHOWN for text in kept[f"messages-{name}"]["messages"]]
    rows, causes = of_programs(kept)
    text = PAGE.read_text(encoding="utf-8").format(
        planar="\n".join(kept["dictionary"]),
        specimens="\n".join(rows),
        correct="\n".join(kept["correct"]["correct"]),
        table="\n".join(causes),
        held_out="\n".join(unknown(kept)),
        messages="```text\n" + "\n\n".join(told) + "\n```",
    )
    (ROOT / "docs" / "diagnosis-benchmark.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
