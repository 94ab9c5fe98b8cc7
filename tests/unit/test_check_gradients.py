"""check_gradients: what it finds, and what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from networks import Network

from pytest_symmetry import CheckFailed, check_gradients
from pytest_symmetry.errors import FunctionMissing, SymmetryError
from pytest_symmetry.findings import Finding, GradientEvidence


@pytest.fixture
def net() -> Network:
    return Network.drawn((3, 5, 4), examples=7, seed=2)


def failure(*args: Any, **options: Any) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        check_gradients(*args, **options)
    return caught.value


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "softplus"])
def test_right_gradients_pass(activation: str) -> None:
    """A right backward pass agrees in every array."""
    net = Network.drawn((3, 5, 6, 4), examples=7, seed=1, activation=activation)

    evidence = check_gradients(net.loss, net.gradients, net.parameters)

    assert evidence.passed
    assert [a.name for a in evidence.arrays] == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert all(a.relative_error < 1e-6 for a in evidence.arrays)
    assert evidence.notes == ()


def test_wrong_gradient_is_named_with_both_values(net: Network) -> None:
    """The finding holds the entry, the student's value and the measured one."""
    failed = failure(net.loss, net.spoiled(dW1=lambda g: 2 * g), net.parameters)

    assert failed.finding.code == "GRD101"
    assert failed.finding.place.array == "dW1"
    facts = failed.finding.facts
    assert facts["student"] == pytest.approx(2 * facts["numerical"], rel=1e-6)
    assert facts["entries_wrong"] == 15
    assert "dW1" in str(failed)
    assert "15 of 15 entries differ" in str(failed)


@pytest.mark.parametrize("seed", range(5))
def test_dead_units_hide_no_missing_derivative(seed: int) -> None:
    """The loss stands still for every small step, and not because it is rounded."""
    random = np.random.default_rng(seed)
    X, y = np.abs(random.normal(size=(10, 3))), random.normal(size=10)
    start = {"W": -np.abs(random.normal(size=(3, 5))), "v": random.normal(size=5)}

    def hidden(p: Any) -> Any:
        return np.maximum(0, X @ p["W"])

    def gradients(p: Any) -> Any:
        error = 2 * (hidden(p) @ p["v"] - y) / 10
        return {"dW": X.T @ np.outer(error, p["v"]), "dv": hidden(p).T @ error}

    def loss(p: Any) -> Any:
        return ((hidden(p) @ p["v"] - y) ** 2).mean()

    for at in ("given", "generic"):
        assert failure(loss, gradients, start, seed=seed, at=at).finding.code == "GRD101"


def test_one_wrong_entry_is_located(net: Network) -> None:
    """A single entry is found by its index."""

    def spoil(gradient: Any) -> Any:
        gradient = gradient.copy()
        gradient[3, 1] += 0.01
        return gradient

    failed = failure(net.loss, net.spoiled(dW2=spoil), net.parameters)

    assert failed.finding.place.index == (3, 1)
    assert failed.finding.facts["entries_wrong"] == 1


def test_first_wrong_array_in_backward_order_is_accused(net: Network) -> None:
    """The last layer is accused, and the others are listed."""
    failed = failure(net.loss, net.spoiled(dW1=np.negative, dW2=np.negative, db1=np.negative), net.parameters)

    assert failed.finding.place.array == "dW2"
    assert failed.finding.facts["also_wrong"] == ["dW1", "db1"]


def test_trouble_in_a_submission_passes_through(net: Network) -> None:
    """What a submission's call raises is not turned into a finding about gradients."""

    def loss(parameters: Any) -> float:
        raise FunctionMissing(Finding("SUB103"))

    with pytest.raises(FunctionMissing):
        check_gradients(loss, net.gradients, net.parameters)


def test_unknown_names_are_refused(net: Network) -> None:
    """wrt must name parameters."""
    with pytest.raises(SymmetryError, match="dW9"):
        check_gradients(net.loss, net.gradients, net.parameters, wrt="dW9")


def test_evidence_survives_json(net: Network) -> None:
    """Evidence goes to JSON and back unchanged."""
    evidence = check_gradients(net.loss, net.gradients, net.parameters)

    assert evidence == GradientEvidence.from_json(evidence.to_json())
    assert "agrees" in str(evidence)
