"""Measures what check_symmetry and check_initialization promise, and writes docs/symmetry-benchmark.md.

    python benchmarks/symmetry/run.py                     the full bar, about half an hour on one core
    python benchmarks/symmetry/run.py --only trained      some rows; the others stay as the page has them
    python benchmarks/symmetry/run.py --quick             a fiftieth of it, printed and not written

The cases are those of the test suite (tests/unit), which runs a part of them each time and all of them
behind the marker "sweep".
"""

from __future__ import annotations

import argparse
import functools
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "unit"))

import numpy as np
import small_nets
import test_check_initialization as initialization
import test_check_symmetry as symmetry
import test_partition as partition
import test_units as units

from pytest_symmetry.checks.initialization import check_initialization
from pytest_symmetry.checks.symmetry import check_symmetry
from pytest_symmetry.errors import CheckFailed

Row = tuple[str, str, str]


def planted(share: float, hidden: int) -> Row:
    """Every verdict of the table on planted cases, in nets of one depth."""
    seeds = range(max(1, round(20 * share)))
    wrong = units.wrong_verdicts((hidden,), small_nets.CONTAINERS, seeds)
    kinds = sum(len(a) for v, a in small_nets.PLANTED.items() if hidden > 1 or v != "layers alike")
    cases = kinds * len(small_nets.CONTAINERS) * len(seeds)
    _list(wrong)
    return (
        f"planted verdicts given, {hidden} hidden layer{'s' * (hidden > 1)}",
        "100 %",
        f"{cases - len(wrong)} of {cases}",
    )


def trained(share: float) -> Row:
    """The partition of the start against the units after 300 steps."""
    nets = range(round(2000 * share))
    wrong, early = partition.disagreements(nets)
    _list(wrong)
    said = [f"net {seed} read after {steps}" for seed, steps in early]
    return (
        "structured nets whose partition is what 300 steps of GD, momentum or Adam leave",
        "all of 2,000",
        "; ".join([f"{len(nets) - len(wrong)} of {len(nets)}", *said]),
    )


def random_starts(share: float) -> Row:
    """Findings of any severity about random starts."""
    starts = range(round(10_000 * share))
    wrong = symmetry.false_alarms(starts)
    _list(wrong)
    return (
        "random starts about which anything is said (widths 1 to 512)",
        "0 of 10,000",
        f"{len(wrong)} of {len(starts)}",
    )


def mutations(share: float) -> Row:
    """One weight of a planted class off by a millionth of itself."""
    wrong, cases = [], 0
    for seed in range(round(200 * share)):
        rng = np.random.default_rng(seed)
        sizes = [int(n) for n in rng.integers(2, 30, size=3)]
        weights, biases = small_nets.random_start(rng, sizes)
        small_nets.plant("identical for ever", weights, biases, 0)
        for place, changed in symmetry.mutations(symmetry.PACK(weights, biases), rng):
            cases += 1
            verdict = check_symmetry(changed).layers[0].verdict
            if verdict != "nearly identical":
                wrong.append((seed, sizes, place, verdict))
    _list(wrong)
    return ('single weights off by 1e-6: "nearly identical"', "all", f"{cases - len(wrong)} of {cases}")


def initialisers(share: float) -> Row:
    """Correct initialisers, and planted mistakes."""
    wrong, checks = [], round(10_000 * share)
    draws = (initialization.normal, initialization.uniform, initialization.truncated)
    for seed in range(checks):
        rng = np.random.default_rng(seed)
        law, draw = list(initialization.SCALES)[seed % 4], draws[seed % 3]
        sizes = [int(n) for n in rng.choice(60, size=int(rng.integers(2, 5)), replace=False) + 1]
        try:
            check_initialization(
                initialization.scaled(law, draw), sizes=[sizes], law=law, seeds=(seed, seed + 1)
            )
        except CheckFailed as failure:
            wrong.append((seed, law, draw.__name__, sizes, failure.finding.code))
    _list(wrong)
    return (
        "correct initialisers accused (4 laws, 3 distributions)",
        "0 of 10,000",
        f"{len(wrong)} of {checks}",
    )


def speed(_share: float) -> Row:
    """784-3x512-10, static."""
    rng = np.random.default_rng(0)
    weights, biases = small_nets.random_start(rng, (784, 512, 512, 512, 10), 0.05)
    parameters = symmetry.PACK(weights, [b * 0 for b in biases])
    seconds = []
    for _ in range(5):
        begun = time.process_time()
        check_symmetry(parameters)
        seconds.append(time.process_time() - begun)
    return ("784-3x512-10, CPU seconds (least of 5)", "well under 1", f"{min(seconds):.2f}")


SECTIONS: dict[str, Callable[[float], Row]] = {
    **{f"planted-{n}": functools.partial(planted, hidden=n) for n in range(1, 6)},
    "trained": trained,
    "random": random_starts,
    "mutations": mutations,
    "initialisers": initialisers,
    "speed": speed,
}


def _list(wrong: list[tuple[object, ...]]) -> None:
    for case in wrong[:20]:
        print("   ", case, file=sys.stderr)


HEAD = "| what | bar | measured | CPU seconds | run with `--only` |\n| --- | --- | --- | ---: | --- |"


def written(rows: dict[str, str]) -> str:
    """Return the page with the rows of this run; rows that were not run stay as they are."""
    template = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")
    if PAGE.exists():
        kept = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| "))
        found = {line.rsplit("`", 2)[1]: line for line in kept if line.count("`") == 2}
        rows = {name: row for name in SECTIONS if (row := rows.get(name) or found.get(name))}
    table = "\n".join([HEAD, *rows.values()])
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}"
    return template.format(table=table, versions=versions)


PAGE = Path(__file__).parents[2] / "docs" / "symmetry-benchmark.md"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the cases; the page stays")
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=list(SECTIONS), help="parts to run")
    given = parser.parse_args()
    rows = {}
    print(HEAD)
    for name in given.only:
        started = time.process_time()
        what, bar, measured = SECTIONS[name](0.02 if given.quick else 1.0)
        rows[name] = f"| {what} | {bar} | {measured} | {time.process_time() - started:.0f} | `{name}` |"
        print(rows[name], flush=True)
        if not given.quick:
            PAGE.write_text(written(rows), encoding="utf-8")
