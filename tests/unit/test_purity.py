"""check_purity tells a function that changes its arguments from one that makes new arrays."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_symmetry.checks.purity import check_purity
from pytest_symmetry.errors import CheckFailed


def new_arrays(parameters, rate):
    return {name: value - rate for name, value in parameters.items()}


def in_place(parameters, rate):
    for value in parameters.values():
        np.subtract(value, rate, out=value)
    return parameters


def same_dict(parameters, rate):
    for name in parameters:
        parameters[name] = parameters[name] - rate
    return parameters


def one_entry(parameters, rate):
    parameters["b"][1, 0] += 1e-15
    return new_arrays(parameters, rate)


def loses_a_key(parameters, rate):
    return {"W": parameters.pop("W") - rate, "b": parameters["b"] - rate}


@pytest.fixture
def parameters():
    return {"W": np.ones((3, 2)), "b": np.ones((3, 1))}


def test_new_arrays_pass(parameters):
    """The evidence names both arguments."""
    evidence = check_purity(new_arrays, parameters, rate=0.5)

    assert [(c.path, c.passed) for c in evidence.comparisons] == [("args[0]", True), ("kwargs['rate']", True)]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (in_place, ["args[0].W", "args[0].b", "hold other values"]),
        (same_dict, ["args[0].W", "args[0].b"]),
        (one_entry, ["args[0].b holds other values"]),
        (loses_a_key, ["args[0]"]),
    ],
)
def test_a_change_in_place_is_found_with_its_place(function, words, parameters):
    """Whole arrays, members of a dict, and a single entry in its last bits."""
    with pytest.raises(CheckFailed) as raised:
        check_purity(function, parameters, 0.5)

    assert raised.value.finding.code == "PUR105"
    assert function.__name__ in str(raised.value)
    assert all(word in str(raised.value) for word in words)


def test_the_callers_arrays_are_safe(parameters):
    """The function only ever gets a copy."""
    with pytest.raises(CheckFailed):
        check_purity(in_place, parameters, 0.5)

    assert all((value == 1).all() for value in parameters.values())
