"""Right programs are never accused: all kinds of networks, many seeds, float64 and float32, and kinks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.gradients import suites
from pytest_symmetry import CheckFailed, check_gradients

FEW = range(8)
MANY = range(10_000, 10_400)
"""400 seeds of 13 programs in two types are 10,400 runs."""


def accusations(make: Any, seeds: range) -> list[str]:
    found = []
    for seed in seeds:
        problem = make(seed)
        try:
            with np.errstate(all="ignore"):
                check_gradients(problem.loss, problem.gradients, problem.parameters, seed=seed)
        except CheckFailed as failed:
            found.append(f"seed {seed}: {failed}\n{failed.evidence}")
    return found


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", suites.correct())
def test_right_programs_are_not_accused(name: str, dtype: type) -> None:
    """A few seeds of each, on every run."""
    assert accusations(suites.correct(dtype)[name], FEW) == []


@pytest.mark.sweep
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", suites.correct())
def test_right_programs_are_not_accused_in_ten_thousand_runs(name: str, dtype: type) -> None:
    """The same, 10,400 times."""
    assert accusations(suites.correct(dtype)[name], MANY) == []


@pytest.mark.parametrize("name", suites.default_correct())
def test_right_programs_at_the_default_start_are_not_accused(name: str) -> None:
    """Zero biases and tiny symmetric weights make nothing look wrong."""
    assert accusations(suites.default_correct()[name], FEW) == []


@pytest.mark.parametrize("name", suites.large_correct())
def test_right_large_networks_are_not_accused(name: str) -> None:
    """784-128-10, where kinks are everywhere and gradients are small."""
    assert accusations(suites.large_correct()[name], range(3)) == []
