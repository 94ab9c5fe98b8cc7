"""Runs every engine on every suite and writes the tables: ``python -m benchmarks.gradients [--quick]``."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gradients import suites
from benchmarks.gradients.bad_inputs import BAD_INPUTS
from benchmarks.gradients.engines import ENGINES, LARGE_ENGINES, available, case_of, verdict

OUT = Path(__file__).parents[2] / "docs" / "gradient-benchmark.md"
OURS = "pytest-symmetry"


KEPT = " The first two tables were counted anew for {} alone (`--only`): an earlier run left the other rows."

MOST_CALLS = 3000
"""In the large network: torch's fast_mode, once it has found an error, runs the slow mode for its message."""


def share(
    name: str, makers: dict[str, Any], seeds: range, wanted: str, most: float = float("inf")
) -> tuple[float, list[str]]:
    """Return how many of the makers get the wanted verdict, averaged over seeds, and which ever do not."""
    good, misses = 0, []
    for label, make in makers.items():
        hits = 0
        for seed in seeds:
            case = case_of(make(seed), seed)
            case.most = most
            hits += _is(verdict(name, case), wanted)
        good += hits
        if hits < len(seeds):
            misses.append(f"{label} ({hits}/{len(seeds)})")
    return good / len(seeds), misses


def _is(said: str, wanted: str) -> bool:
    return said == wanted or (wanted == "fails" and said == "raises")


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def kept_rows(head: list[str]) -> dict[str, list[str]]:
    """Return the rows of a table on the page as it is, by their first cell."""
    lines = OUT.read_text(encoding="utf-8").splitlines() if OUT.exists() else []
    tables = [i for i, line in enumerate(lines) if line == "| " + " | ".join(head) + " |"]
    rows = {}
    for line in lines[tables[0] + 2 :] if tables else ():
        if not line.startswith("| "):
            break
        cells = line.strip("| ").split(" | ")
        rows[cells[0]] = cells
    return rows


def detection(names: list[str], quick: bool, only: str | None = None) -> str:
    """Faults caught and right programs rejected, per engine."""
    rows = []
    head = ["checker", "seeds", "caught of 48", "caught of 14 at the default start",
            "right programs rejected there, of 3", "right programs rejected"]  # fmt: skip
    for name in names:
        if only not in (None, name) and name in (kept := kept_rows(head)):
            rows.append(kept[name])
            continue
        seeds = range(20 if name == OURS and not quick else 2)
        small, missed = share(name, suites.small_faults(), seeds, "fails")
        default, missed_default = share(name, suites.default_faults(), seeds, "fails")
        rejected = 3 - share(name, suites.default_correct(), seeds, "passes")[0]
        total = len(suites.correct())
        right, accused = share(name, suites.correct(), seeds, "passes")
        rows.append(
            [
                name,
                str(len(seeds)),
                f"{small:.1f}",
                f"{default:.1f}",
                f"{rejected:.1f}",
                f"{total - right:.1f} of {total}",
            ]
        )
        print(rows[-1], "missed:", missed, missed_default, "accused:", accused, flush=True)
    return table(head, rows)


def large(names: list[str], quick: bool, only: str | None = None) -> str:
    """The 21 small faults in 784-128-10."""
    rows = []
    head = ["checker", "seeds", "caught of 21", "right programs rejected"]
    for name in names:
        if name not in LARGE_ENGINES:
            continue
        if only not in (None, name) and name in (kept := kept_rows(head)):
            rows.append(kept[name])
            continue
        seeds = range(1 if quick else 3)
        caught, missed = share(name, suites.large_faults(), seeds, "fails", MOST_CALLS)
        rejected, _ = share(name, suites.large_correct(), seeds, "fails", MOST_CALLS)
        rows.append([name, str(len(seeds)), f"{caught:.1f}", f"{rejected:.1f} of 2"])
        print(rows[-1], "missed:", missed, flush=True)
    return table(head, rows)


def bad_inputs(names: list[str]) -> str:
    """What each says of functions that break their contract."""
    rows = []
    for label, (build, should_fail) in BAD_INPUTS.items():
        row = [label, "fail" if should_fail else "say so", _our_words(build)]
        rows.append(row + [verdict(name, build(1)) for name in names if name != OURS])
    return table(["case", "wanted", OURS, *(n for n in names if n != OURS)], rows)


def _our_words(build: Any) -> str:
    from pytest_symmetry import CheckFailed, check_gradients
    from pytest_symmetry.diagnosis.causes import all_causes
    from pytest_symmetry.feedback.text import words

    case = build(1)
    try:
        with np.errstate(all="ignore"):
            evidence = check_gradients(case.loss, case.gradients, case.parameters, seed=1)
    except CheckFailed as failed:
        said = words(failed.finding)
        cause = all_causes().get(failed.finding.cause or "")
        return f"fails: {said.code} {said.title}" + (f" ({cause.title})" if cause else "")
    notes = sorted({f"{note.code} {words(note).title}" for note in evidence.notes})
    return "passes; " + (notes[0] if notes else "nothing")


def cost(names: list[str], repeats: int = 15) -> str:
    """Evaluations and CPU seconds of one pass on 784-128-10, all engines in turn, several times."""
    problem = suites.large_correct()["tanh"](0)
    problem.l2 = 0.0
    chosen = [n for n in names if n in LARGE_ENGINES]
    times: dict[str, list[float]] = {n: [] for n in chosen}
    calls = {}
    for _ in range(repeats):
        for name in chosen:
            case = case_of(problem, 0)
            started = time.process_time()
            verdict(name, case)
            times[name].append(time.process_time() - started)
            calls[name] = case.calls
    rows = [
        [n, str(calls[n]), f"{1e3 * min(times[n]):.1f}", f"{1e3 * float(np.median(times[n])):.1f}"]
        for n in chosen
    ]
    return table(["checker", "evaluations", "CPU ms, least", "CPU ms, median"], rows)


def one_entry(repeats: int = 7) -> str:
    """One wrong entry of 100,352: found, and where."""
    from pytest_symmetry import CheckFailed, check_gradients

    times, places, calls = [], set(), 0
    for seed in range(repeats):
        problem = suites.large_faults()["one entry, tanh"](seed)
        started = time.process_time()
        try:
            check_gradients(problem.loss, problem.gradients, problem.parameters, seed=seed)
        except CheckFailed as failed:
            times.append(time.process_time() - started)
            places.add(f"{failed.finding.place.array}{list(failed.finding.place.index or ())}")
            calls = failed.evidence.evaluations
    seconds = float(np.median(times))
    return (
        f"One wrong entry of 100,352 (dW1[392, 64]): found in {len(times)} of {repeats} runs, located at "
        f"{', '.join(sorted(places))}; {calls} evaluations, {seconds:.2f} CPU seconds (median)."
    )


def versions() -> str:
    found = []
    for package in ("numpy", "torch", "jax", "autograd", "scipy", "numdifftools"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"Python {platform.python_version()}, {', '.join(found)}; {platform.machine()}, one BLAS thread."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="Few seeds, to see that it runs")
    parser.add_argument(
        "--only",
        choices=list(ENGINES),
        help="Count mistakes for this checker, and keep the page's other rows",
    )
    parser.add_argument("--out", type=Path, default=OUT, help="The file to write")
    options = parser.parse_args()
    names, missing = available()
    started = time.perf_counter()
    text = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")
    parts = {
        "versions": versions(),
        "cost": cost(names),
        "one_entry": one_entry(),
        "large": large(names, options.quick, options.only),
        "bad_inputs": bad_inputs(names),
        "detection": detection(names, options.quick, options.only),
        "missing": "".join(f"- {n} could not run: {why}\n" for n, why in missing.items())
        or "Everything ran.",
        "kept": KEPT.format(options.only) if options.only else "",
        "minutes": f"{(time.perf_counter() - started) / 60:.1f}",
    }
    for key, value in parts.items():
        text = text.replace(f"{{{{ {key} }}}}", value)
    options.out.write_text(text, encoding="utf-8")
    print(f"wrote {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
