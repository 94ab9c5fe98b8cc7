"""Every finding and note of the gradient check can be said: its facts fill its page's sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from networks import Arrays, Network

from pytest_symmetry import CheckFailed, GradientEvidence, check_gradients
from pytest_symmetry.checks.backward import check_backward
from pytest_symmetry.diagnosis.causes import all_causes, all_codes
from pytest_symmetry.feedback.text import render
from pytest_symmetry.findings import FIGURE_BYTES, Finding

NET = Network.drawn((3, 5, 4), examples=7, seed=2)


def single(parameters: Arrays) -> float:
    low = Network(NET.parameters, NET.X.astype(np.float32), NET.y)
    return low.loss({n: v.astype(np.float32) for n, v in parameters.items()})


def tiny(parameters: Arrays) -> float:
    return 1.0 + 1e-9 * float(np.sin(parameters["w"]).sum()) + float((parameters["v"] ** 2).sum())


def overwrites(dout: Any, cache: Any) -> Any:
    cache *= dout
    return cache


V, ZERO = np.array([0.3, -0.7, 0.2]), np.zeros(3)

NOTES: dict[str, Callable[[], GradientEvidence]] = {
    "GRD108": lambda: check_gradients(
        tiny, lambda p: {"dw": 1e-9 * np.cos(p["w"]), "dv": 2 * p["v"]}, {"w": V, "v": V}
    ),
    "GRD121": lambda: check_gradients(
        lambda p: float(np.log(np.exp(p["w"]) + 1e-7).sum()), lambda p: {"dw": np.ones(3)}, {"w": V}
    ),
    "GRD122": lambda: check_gradients(single, NET.gradients, NET.parameters),
    "GRD123": lambda: check_gradients(NET.loss, NET.gradients, NET.parameters, at="given"),
    "GRD124": lambda: check_gradients(
        lambda p: np.array([[NET.loss(p)]]), NET.gradients, NET.parameters
    ),
    "GRD125": lambda: check_gradients(
        lambda p: float((p["b"] ** 2).sum()), lambda p: {"db": 2 * p["b"][0]}, {"b": np.ones((1, 4))}
    ),
    "GRD126": lambda: check_gradients(
        NET.loss_of_known, NET.gradients, {**NET.parameters, "running": np.ones(5)}
    ),
    "GRD127": lambda: check_gradients(
        lambda p: float(np.abs(p["w"]).sum() + (p["v"] ** 2).sum()),
        lambda p: {"dw": np.sign(p["w"]), "dv": 2 * p["v"]},
        {"w": ZERO, "v": V},
        at="given",
    ),
    "GRD128": lambda: check_gradients(
        NET.loss, NET.spoiled(dW1=lambda g: g.astype(np.float32)), NET.parameters
    ),
    "PUR104": lambda: check_backward(lambda x: (2 * x, np.full(3, 2.0)), overwrites, [V]),
}  # fmt: skip


@pytest.mark.parametrize("code", NOTES)
def test_notes_can_be_said(code: str) -> None:
    """A note has its sentences, and does not fail the check."""
    evidence = NOTES[code]()

    said = {note.code: note for note in evidence.notes}
    assert evidence.passed
    assert code in said
    assert code in render(said[code])


@pytest.mark.parametrize("severity", ["hint", "cause"])
@pytest.mark.parametrize("name", ["dW2", "db1"])
def test_wrong_gradient_can_be_said(name: str, severity: str) -> None:
    """With and without the cause; the figure is small and holds the errors."""
    with pytest.raises(CheckFailed) as caught:
        check_gradients(NET.loss, NET.spoiled(**{name: lambda g: -g}), NET.parameters)
    finding = caught.value.finding

    assert finding == Finding.from_json(json.loads(json.dumps(finding.to_json())))
    assert name in render(finding, reveal=severity)
    assert finding.figure is not None
    assert finding.figure["kind"] == "error-map"
    assert max(max(line) for line in finding.figure["errors"]) == 2


def test_figure_of_a_large_array_stays_small() -> None:
    """Blocks of a large array share a field."""
    random = np.random.default_rng(1)
    W, X = random.normal(size=(40, 50)), random.normal(size=(40, 50))
    with pytest.raises(CheckFailed) as caught:
        check_gradients(
            lambda p: float((X * np.sin(p["W"])).sum()),
            lambda p: {"dW": X * np.cos(p["W"]) + 0.1 * random_like(X)},
            {"W": W},
        )
    figure = caught.value.finding.figure

    assert figure is not None
    assert len(json.dumps(figure)) <= FIGURE_BYTES
    assert (figure["rows"], figure["cols"]) == (40, 50)


def random_like(array: Any) -> Any:
    return np.random.default_rng(3).normal(size=array.shape)


def test_rows_and_columns_are_named() -> None:
    """A mistake in one row is said to be in that row."""

    def spoil(gradient: Any) -> Any:
        gradient = gradient.copy()
        gradient[2] = 0
        return gradient

    with pytest.raises(CheckFailed, match="all in row 2") as caught:
        check_gradients(NET.loss, NET.spoiled(dW2=spoil), NET.parameters)
    assert caught.value.finding.facts["rows"] == [2]


@pytest.mark.parametrize("row", [0, 29])
def test_row_of_a_large_array_is_found_by_halving(row: int) -> None:
    """Arrays too large to measure whole are searched."""
    random = np.random.default_rng(1)
    X = random.normal(size=(30, 90))

    def gradients(parameters: Arrays) -> Arrays:
        found = X * np.cos(parameters["W"])
        found[row, 5:] *= 2
        return {"dW": found}

    with pytest.raises(CheckFailed) as caught:
        check_gradients(
            lambda p: float((X * np.sin(p["W"])).sum()), gradients, {"W": random.normal(size=(30, 90))}
        )
    finding = caught.value.finding

    assert finding.facts["rows"] == [row]
    assert finding.place.index is not None
    assert finding.place.index[0] == row
    assert finding.facts["student"] == pytest.approx(2 * finding.facts["numerical"], rel=1e-5)


def test_codes_and_causes_have_pages() -> None:
    """What the check can say is written down."""
    failures = {f"GRD{number}" for number in (101, 102, 103, 104, 105, 106, 107, 110, 111, 112, 131)}
    codes = {*failures, "PUR101", "PUR102", "PUR103", *NOTES}

    assert codes <= set(all_codes())
    assert {"accumulates", "keepdims-extra", "keepdims-missing", "loss-ignores-array", "shape-flattened",
            "single-number", "transposed"} <= set(all_causes())  # fmt: skip
