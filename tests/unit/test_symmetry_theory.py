"""Every number that the page on the theory quotes, and every limit that it states."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from small_nets import data, forward, gradients, random_start

from pytest_symmetry.checks.symmetry import check_symmetry
from pytest_symmetry.errors import CheckFailed

DRAWING = Path(__file__).parents[2] / "benchmarks" / "symmetry" / "draw_width.py"
PAGE = Path(__file__).parents[2] / "docs" / "symmetry-theory.md"


def sigmoid(z):
    """Return the logistic function."""
    return 1 / (1 + np.exp(-z))


def gap_of_two_units(w6, steps):
    """Train the 2-2-1 net on OR; return the largest difference of the incoming weights after each step."""
    inputs, targets = np.array([[0.0, 0, 1, 1], [0, 1, 0, 1]]), np.array([[0.0, 1, 1, 1]])
    w, v = np.array([[0.2, 0.4], [0.2, 0.4]]), np.array([[0.3, w6]])
    gaps = [0.0]
    for _ in range(steps):
        hidden = sigmoid(w @ inputs)
        delta = (sigmoid(v @ hidden) - targets) / 4
        below = (v.T @ delta) * hidden * (1 - hidden)
        v, w = v - 0.5 * delta @ hidden.T, w - 0.5 * below @ inputs.T
        gaps.append(float(np.abs(w[0] - w[1]).max()))
    return gaps


@pytest.mark.parametrize(
    ("w6", "expected"), [(0.3, (0, 0, 0)), (0.31, (0.00024, 0.0095, 0.24)), (-0.3, (0.018, 0.66, 7.9))]
)
def test_the_table_of_two_units(w6, expected):
    """Differences after 1, 100 and 5,000 steps, to two digits."""
    gaps = gap_of_two_units(w6, 5000)

    assert [float(f"{gaps[n]:.2g}") for n in (1, 100, 5000)] == list(expected)
    for number in expected:
        assert f" {number:.2g} " in PAGE.read_text(encoding="utf-8") or number == 0


def test_the_chain_rule_of_two_units():
    """dJ/dw1 and dJ/dw3 as the page writes them are the slopes of the loss."""
    x, y = np.array([0.5, -1.0]), 1.0
    w = np.array([0.2, 0.4, 0.2, 0.4, 0.3, -0.1])

    def loss(w):
        z1, z2 = w[0] * x[0] + w[1] * x[1], w[2] * x[0] + w[3] * x[1]
        return -np.log(sigmoid(w[4] * sigmoid(z1) + w[5] * sigmoid(z2))) * y, z1, z2

    _, z1, z2 = loss(w)
    delta = sigmoid(w[4] * sigmoid(z1) + w[5] * sigmoid(z2)) - y
    slope = sigmoid(z1) * (1 - sigmoid(z1))
    for index, outgoing in ((0, w[4]), (2, w[5])):
        moved = [loss(w + sign * 1e-6 * np.eye(6)[index])[0] for sign in (1, -1)]
        assert delta * outgoing * slope * x[0] == pytest.approx((moved[0] - moved[1]) / 2e-6, rel=1e-6)


def test_what_the_picture_shows():
    """The six curves end where the page says."""
    spec = importlib.util.spec_from_file_location("draw_width", DRAWING)
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    curves = {name: drawing.widths(name) for name in drawing.STARTS}

    assert set(curves["zeros"].values()) == set(curves["constant"].values()) == {1}
    assert set(curves["pairs"].values()) == {4}
    assert set(curves["random"].values()) == {8}
    parting = curves["equal incoming, different outgoing"]
    assert (parting[0], parting[2]) == (1, 8)
    noise = curves["constant plus noise of 1e-6"]
    assert next(step for step, width in noise.items() if width == 8) == 871
    assert max(width for step, width in noise.items() if step < 400) == 1


def pairs(rng):
    """Return a 3-4-1 net whose units 0, 1 and 2, 3 are copies."""
    weights, biases = random_start(rng, (3, 4, 1))
    for array in (weights[0], biases[0]):
        array[1], array[3] = array[0], array[2]
    weights[1][:, 1], weights[1][:, 3] = weights[1][:, 0], weights[1][:, 2]
    return weights, biases


def spread(values):
    """Return how far the copies are apart."""
    return float(max(np.abs(values[0] - values[1]).max(), np.abs(values[2] - values[3]).max()))


def test_dropout_parts_copies_and_shared_mini_batches_do_not():
    """Other masks, other steps; the same examples, the same step."""
    rng = np.random.default_rng(0)
    inputs, targets = data(rng, 3, 1, 64)
    for dropout in (False, True):
        weights, biases = pairs(np.random.default_rng(1))
        for _ in range(200):
            batch = rng.permutation(64)[:16]
            mask = (rng.random((4, 16)) < 0.8) / 0.8 if dropout else np.ones((4, 16))
            x, y = inputs[:, batch], targets[:, batch]
            hidden = np.tanh(weights[0] @ x + biases[0])
            delta = (sigmoid(weights[1] @ (hidden * mask) + biases[1]) - y) / 16
            below = (weights[1].T @ delta) * mask * (1 - hidden**2)
            weights = [weights[0] - 0.3 * below @ x.T, weights[1] - 0.3 * delta @ (hidden * mask).T]
            biases = [
                b - 0.3 * d.sum(axis=1, keepdims=True) for b, d in zip(biases, (below, delta), strict=True)
            ]
        assert (spread(weights[0]) > 1e-2) == dropout


def test_batch_normalisation_in_training_mode_keeps_copies():
    """Scale and shift belong to the unit, and stay equal as well."""
    rng = np.random.default_rng(2)
    inputs, targets = data(rng, 3, 1)
    weights, biases = pairs(rng)
    gamma, beta = np.ones((4, 1)), np.zeros((4, 1))
    for _ in range(200):
        z = weights[0] @ inputs
        deviation = np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)
        normal = (z - z.mean(axis=1, keepdims=True)) / deviation
        hidden = np.tanh(gamma * normal + beta)
        delta = (sigmoid(weights[1] @ hidden + biases[1]) - targets) / inputs.shape[1]
        below = (weights[1].T @ delta) * (1 - hidden**2)
        scaled = gamma * below
        along = scaled.mean(axis=1, keepdims=True) + normal * (scaled * normal).mean(axis=1, keepdims=True)
        weights = [
            weights[0] - 0.3 * ((scaled - along) / deviation) @ inputs.T,
            weights[1] - 0.3 * delta @ hidden.T,
        ]
        gamma = gamma - 0.3 * (below * normal).sum(axis=1, keepdims=True)
        beta = beta - 0.3 * below.sum(axis=1, keepdims=True)
    assert spread(weights[0]) < 1e-9
    assert spread(gamma) < 1e-9
    assert np.abs(gamma - 1).max() > 1e-2


def test_l1_keeps_copies():
    """Equal entries have equal signs."""
    rng = np.random.default_rng(3)
    inputs, targets = data(rng, 3, 1)
    weights, biases = pairs(rng)
    for _ in range(300):
        dw, db = gradients(weights, biases, inputs, targets)
        weights = [w - 0.3 * (g + 0.01 * np.sign(w)) for w, g in zip(weights, dw, strict=True)]
        biases = [b - 0.3 * g for b, g in zip(biases, db, strict=True)]

    assert spread(weights[0]) < 1e-9


def test_scaled_copies_turn_apart_under_relu():
    """The same direction at the start, another one after training."""
    rng = np.random.default_rng(4)
    inputs, targets = data(rng, 3, 1, 60)
    weights, biases = random_start(rng, (3, 4, 1))
    biases = [b * 0 for b in biases]
    weights[0][1], weights[1][:, 1] = 3 * weights[0][0], weights[1][:, 0] / 3

    def angle():
        a, b = weights[0][0], weights[0][1]
        return 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)

    assert angle() < 1e-15
    for _ in range(500):
        dw, db = gradients(weights, biases, inputs, targets, "relu")
        weights = [w - 0.3 * g for w, g in zip(weights, dw, strict=True)]
        biases = [b - 0.3 * g for b, g in zip(biases, db, strict=True)]
    assert angle() > 1e-3


def test_tied_weights_need_equal_incoming_weights_only():
    """An autoencoder with W and its transpose: the network shows what the shapes do not."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(6, 30))
    parameters = {"W": rng.normal(size=(4, 6)), "b": rng.normal(size=(4, 1)), "c": rng.normal(size=(6, 1))}

    def network(p):
        return p["W"].T @ np.tanh(p["W"] @ x + p["b"]) + p["c"]

    assert check_symmetry(parameters, network=network).layers[0].verdict == "ok"
    parameters["W"][2], parameters["b"][2] = parameters["W"][1], parameters["b"][1]
    with pytest.raises(CheckFailed) as failure:
        check_symmetry(parameters, network=network)
    assert failure.value.finding.facts["units"] == [1, 2]


def test_a_constant_start_separates_the_outputs_and_not_the_units():
    """Three outputs learn different things from one hidden unit."""
    rng = np.random.default_rng(6)
    inputs = rng.normal(size=(2, 60))
    targets = np.eye(3)[:, np.digitize(inputs[0], (-0.5, 0.5))]
    weights, biases = [np.full((4, 2), 0.1), np.full((3, 4), 0.1)], [np.zeros((4, 1)), np.zeros((3, 1))]
    for _ in range(300):
        dw, db = gradients(weights, biases, inputs, targets)
        weights = [w - 0.5 * g for w, g in zip(weights, dw, strict=True)]
        biases = [b - 0.5 * g for b, g in zip(biases, db, strict=True)]
    hidden = forward(weights, biases, inputs)[1]

    assert np.ptp(hidden, axis=0).max() < 1e-9
    assert np.ptp(weights[1], axis=0).max() > 0.1
