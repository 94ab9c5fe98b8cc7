"""The networks of the gradient benchmark: the right ones are right, by another formula than the check's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.gradients import bad_inputs, suites  # noqa: E402 - the benchmarks are beside the package, not in it
from benchmarks.gradients.__main__ import kept_rows  # noqa: E402 - as above
from pytest_symmetry import CheckFailed, check_gradients  # noqa: E402 - as above

STEP = 2e-5
PLACES = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
"""Fourth-order differences: another formula, at another step, entry by entry."""

OTHER_CODES = {"accumulates": "GRD105", "noise": "GRD105", "NaN entry": "GRD104", "updates W": "PUR102"}


def slope(problem: Any, name: str, index: tuple[int, ...]) -> float:
    total = 0.0
    for place, weight in PLACES:
        moved = {n: v.copy() for n, v in problem.parameters.items()}
        moved[name][index] += place * STEP
        total += weight * float(problem.loss(moved))
    return total / STEP


def generic(problem: Any, seed: int) -> Any:
    random = np.random.default_rng(seed)
    problem.parameters = {n: v + 0.1 * random.normal(size=v.shape) for n, v in problem.parameters.items()}
    return problem


def right_entries(problem: Any, seed: int, count: int = 12) -> tuple[int, int]:
    """Return how many of some entries agree, and how many were looked at."""
    random = np.random.default_rng(seed)
    gradients = problem.gradients({n: v.copy() for n, v in problem.parameters.items()})
    agree = looked = 0
    for name, array in problem.parameters.items():
        size = np.abs(gradients[f"d{name}"]).max()
        for flat in random.choice(array.size, min(count, array.size), replace=False):
            index = tuple(int(i) for i in np.unravel_index(flat, array.shape))
            looked += 1
            agree += abs(slope(problem, name, index) - gradients[f"d{name}"][index]) <= 1e-7 * size + 1e-10
    return agree, looked


@pytest.mark.parametrize("name", suites.correct())
def test_right_networks_are_right(name: str) -> None:
    """Nearly every entry agrees with fourth-order differences; a kink may lie on the way of a few."""
    problem = generic(suites.correct()[name](3), 3)

    agree, looked = right_entries(problem, seed=5)

    assert agree >= 0.97 * looked


@pytest.mark.parametrize("name", suites.small_faults())
def test_mistakes_are_mistakes_and_are_found(name: str) -> None:
    """Each planted mistake changes the gradient or breaks the contract, and the check says so."""
    make = suites.small_faults()[name]
    problem = make(1)
    with pytest.raises(CheckFailed) as caught:
        check_gradients(problem.loss, problem.gradients, problem.parameters, seed=1)
    code = caught.value.finding.code

    assert code == OTHER_CODES.get(name, "GRD101")
    if code == "GRD101":
        agree, looked = right_entries(generic(make(1), 2), seed=5, count=100)
        assert agree < looked


@pytest.mark.parametrize("name", suites.default_faults())
def test_mistakes_at_the_default_start_are_found(name: str) -> None:
    """Zero biases and tiny symmetric weights hide nothing."""
    problem = suites.default_faults()[name](2)

    with pytest.raises(CheckFailed):
        check_gradients(problem.loss, problem.gradients, problem.parameters, seed=2)


BROKEN = {
    "NaN entry": "GRD104", "infinite entry": "GRD104", "db of shape (1, h)": "GRD102 keepdims-extra",
    "dW transposed": "GRD102 transposed", "missing key": "GRD103", "noisy backward": "GRD105",
    "accumulates": "GRD105 accumulates", "backward updates W": "PUR102",
    "backward overwrites its cache": "PUR104", "float32 gradients": "GRD128",
    "forward scales X in place": "PUR103", "forward scales W in place": "PUR101", "float32 forward": "GRD122",
    "noisy loss": "GRD112", "NaN loss": "GRD111",
}  # fmt: skip


@pytest.mark.parametrize("name", bad_inputs.BAD_INPUTS)
def test_broken_contracts_have_a_sentence_each(name: str) -> None:
    """A code, with a cause where one code has several; a note where the gradient is right all the same."""
    build, should_fail = bad_inputs.BAD_INPUTS[name]
    case = build(1)
    with np.errstate(all="ignore"):
        try:
            evidence = check_gradients(case.loss, case.gradients, case.parameters, seed=1)
        except CheckFailed as failed:
            said, passed = {f"{failed.finding.code} {failed.finding.cause or ''}".strip()}, False
        else:
            said, passed = {note.code for note in evidence.notes}, True

    assert {BROKEN[name]} == said
    assert passed is not should_fail


def test_rows_of_the_page_can_be_kept() -> None:
    """The tables of the page are found by their heads."""
    rows = kept_rows(["checker", "seeds", "caught of 21", "right programs rejected"])

    assert rows["pytest-symmetry"][2] == "21.0"
    assert kept_rows(["no such table"]) == {}
