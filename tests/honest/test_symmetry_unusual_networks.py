"""Networks that are no plain chain of layers, each handed over as a function: random starts are silent."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_symmetry.checks.symmetry import check_symmetry
from pytest_symmetry.errors import CheckFailed


def sigmoid(z):
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


def residual(rng):
    """A block whose branch is zero, and an output layer of zeros."""
    x = rng.normal(size=(4, 20))
    parameters = {
        "W_in": rng.normal(size=(6, 4)), "W1": rng.normal(size=(6, 6)), "b1": np.zeros((6, 1)),
        "W2": np.zeros((6, 6)), "b2": np.zeros((6, 1)), "W_out": np.zeros((3, 6)),
    }  # fmt: skip

    def network(p):
        h = p["W_in"] @ x
        h = h + p["W2"] @ np.maximum(0, p["W1"] @ h + p["b1"]) + p["b2"]
        return p["W_out"] @ h

    return parameters, network


def tied_autoencoder(rng):
    """One array for both layers."""
    x = rng.normal(size=(6, 20))
    parameters = {"W": rng.normal(size=(4, 6)), "b": np.zeros((4, 1)), "c": np.zeros((6, 1))}
    return parameters, lambda p: p["W"].T @ np.tanh(p["W"] @ x + p["b"]) + p["c"]


def actor_and_critic(rng):
    """Two heads on one layer, both at zero."""
    x = rng.normal(size=(4, 20))
    parameters = {"W1": rng.normal(size=(16, 4)), "b1": np.zeros((16, 1))}
    parameters |= {"Wp": np.zeros((2, 16)), "bp": np.zeros((2, 1)), "Wv": np.zeros((1, 16))}

    def network(p):
        h = np.tanh(p["W1"] @ x + p["b1"])
        return np.vstack([p["Wp"] @ h + p["bp"], p["Wv"] @ h])

    return parameters, network


def lstm(rng):
    """Forget gates at 1, outputs at zero."""
    inputs = rng.normal(size=(4, 3, 6))
    parameters = {f"W{g}": rng.normal(size=(5, 8)) * 0.3 for g in "fico"}
    parameters |= {f"b{g}": np.full((5, 1), float(g == "f")) for g in "fico"} | {"Wy": np.zeros((2, 5))}

    def network(p):
        h = c = np.zeros((5, 6))
        for x in inputs:
            z = {g: p[f"W{g}"] @ np.vstack([h, x]) + p[f"b{g}"] for g in "fico"}
            c = sigmoid(z["f"]) * c + sigmoid(z["i"]) * np.tanh(z["c"])
            h = sigmoid(z["o"]) * np.tanh(c)
        return p["Wy"] @ h

    return parameters, network


def stacked_lstm(rng):
    """All gates in one array."""
    inputs = rng.normal(size=(4, 6, 3))
    parameters = {"Wx": rng.normal(size=(3, 20)), "Wh": rng.normal(size=(5, 20)) * 0.3, "b": np.zeros(20)}
    parameters |= {"Wy": rng.normal(size=(5, 2))}

    def network(p):
        h = c = np.zeros((6, 5))
        for x in inputs:
            i, f, g, o = np.split(x @ p["Wx"] + h @ p["Wh"] + p["b"], 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        return h @ p["Wy"]

    return parameters, network


def gru(rng):
    """Ten arrays that all hold the same units."""
    inputs = rng.normal(size=(4, 3, 6))
    parameters = {f"W{g}": rng.normal(size=(5, 3)) for g in "zrh"}
    parameters |= {f"U{g}": rng.normal(size=(5, 5)) * 0.4 for g in "zrh"} | {"Wy": rng.normal(size=(2, 5))}

    def network(p):
        h = np.zeros((5, 6))
        for x in inputs:
            z, r = (sigmoid(p["W" + g] @ x + p["U" + g] @ h) for g in "zr")
            h = (1 - z) * h + z * np.tanh(p["Wh"] @ x + p["Uh"] @ (r * h))
        return p["Wy"] @ h

    return parameters, network


def identity_recurrence(rng):
    """IRNN with an output layer at zero."""
    inputs = rng.normal(size=(4, 3, 6))
    parameters = {"Wxh": rng.normal(size=(6, 3)) * 0.01, "Whh": np.eye(6), "Why": np.zeros((2, 6))}

    def network(p):
        h = np.zeros((6, 6))
        for x in inputs:
            h = np.maximum(0, p["Wxh"] @ x + p["Whh"] @ h)
        return p["Why"] @ h

    return parameters, network


def attention(rng):
    """Two heads; what the block adds is zero."""
    x = rng.normal(size=(5, 8))
    parameters = {f"W{k}": rng.normal(size=(8, 8)) * 0.3 for k in "qkv"}
    parameters |= {"Wo": np.zeros((8, 8)), "W1": rng.normal(size=(16, 8)) * 0.3, "W2": np.zeros((8, 16))}

    def network(p):
        q, k, v = (x @ p[f"W{name}"].T for name in "qkv")
        mixed = []
        for head in (slice(0, 4), slice(4, 8)):
            a = np.exp(q[:, head] @ k[:, head].T / 2)
            mixed.append(a / a.sum(axis=1, keepdims=True) @ v[:, head])
        y = x + np.hstack(mixed) @ p["Wo"].T
        return y + np.maximum(0, y @ p["W1"].T) @ p["W2"].T

    return parameters, network


def normalised(rng):
    """Batch statistics, scale 1, shift 0."""
    x = rng.normal(size=(30, 4))
    parameters = {"W1": rng.normal(size=(4, 6)), "g": np.ones(6), "s": np.zeros(6), "W2": np.zeros((6, 2))}

    def network(p):
        z = x @ p["W1"]
        z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)
        return np.maximum(0, z * p["g"] + p["s"]) @ p["W2"]

    return parameters, network


def fourier_features(rng):
    """Sines and cosines of the same projections, side by side."""
    x = rng.uniform(-1, 1, size=(1, 30))
    parameters = {"B": rng.normal(size=(5, 1)), "W": rng.normal(size=(2, 10))}
    return parameters, lambda p: p["W"] @ np.vstack([np.sin(p["B"] @ x), np.cos(p["B"] @ x)])


def maxout(rng):
    """The largest of three values per unit."""
    x = rng.normal(size=(4, 30))
    parameters = {"W1": rng.normal(size=(3, 5, 4)), "b1": np.zeros((3, 5)), "W2": rng.normal(size=(2, 5))}

    def network(p):
        z = np.einsum("koi,in->kon", p["W1"], x) + p["b1"][:, :, None]
        return p["W2"] @ z.max(axis=0)

    return parameters, network


def pooled_filters(rng):
    """A convolution, a maximum over 2 x 2, a dense layer at zero."""
    images = rng.normal(size=(6, 2, 6, 6))
    parameters = {"W1": rng.normal(size=(4, 2, 3, 3)), "b1": np.zeros(4), "W2": np.zeros((16, 3))}

    def network(p):
        windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(2, 3))
        maps = np.einsum("ncxyij,fcij->nfxy", windows, p["W1"]) + p["b1"][:, None, None]
        return np.maximum(0, maps).reshape(6, 4, 2, 2, 2, 2).max(axis=(3, 5)).reshape(6, -1) @ p["W2"]

    return parameters, network


def embedding(rng):
    """Rows chosen by number."""
    words = rng.integers(0, 7, size=12)
    parameters = {"E": rng.normal(size=(7, 5)), "W": np.zeros((5, 7))}
    return parameters, lambda p: p["E"][words] @ p["W"]


def wire_past_the_layer(rng):
    """The inputs also reach the outputs; both ways out at zero."""
    x = rng.normal(size=(4, 30))
    parameters = {"W1": rng.normal(size=(5, 4)), "W2": np.zeros((2, 5)), "Ws": np.zeros((2, 4))}
    return parameters, lambda p: p["W2"] @ np.tanh(p["W1"] @ x) + p["Ws"] @ x


def twins(rng):
    """One layer used twice, and the distance between its values."""
    x, y = rng.normal(size=(2, 4, 30))
    parameters = {"W1": rng.normal(size=(5, 4)), "b1": np.zeros((5, 1))}
    return parameters, lambda p: sum((np.tanh(p["W1"] @ v + p["b1"]) * s) ** 2 for v, s in ((x, 1), (y, 2)))[
        0
    ]


def variational(rng):
    """Mean and spread at zero, all of one width."""
    x, noise = rng.normal(size=(9, 20)), rng.normal(size=(6, 20))
    parameters = {"W1": rng.normal(size=(6, 9)), "Wmu": np.zeros((6, 6)), "Wlogvar": np.zeros((6, 6))}
    parameters |= {"Wd": rng.normal(size=(6, 6)), "Wo": np.zeros((9, 6))}

    def network(p):
        h = np.tanh(p["W1"] @ x)
        z = p["Wmu"] @ h + np.exp(p["Wlogvar"] @ h / 2) * noise
        return p["Wo"] @ np.tanh(p["Wd"] @ z)

    return parameters, network


def only_the_cost(rng):
    """One number is returned."""
    x, y = rng.normal(size=(4, 30)), rng.normal(size=(1, 30))
    parameters = {"W1": rng.normal(size=(5, 4)), "b1": np.zeros((5, 1)), "W2": rng.normal(size=(1, 5))}
    return parameters, lambda p: float(np.mean((p["W2"] @ np.tanh(p["W1"] @ x + p["b1"]) - y) ** 2))


NETWORKS = [
    residual, tied_autoencoder, actor_and_critic, lstm, stacked_lstm, gru, identity_recurrence, attention,
    normalised, fourier_features, maxout, pooled_filters, embedding, wire_past_the_layer, twins, variational,
    only_the_cost,
]  # fmt: skip


@pytest.mark.parametrize("build", NETWORKS, ids=lambda f: f.__name__)
def test_a_network_of_any_wiring_is_never_accused(build):
    """Two seeds each; the layers are found in the function."""
    for seed in range(2):
        parameters, network = build(np.random.default_rng(seed))
        evidence = check_symmetry(parameters, network=network)
        assert evidence.passed, f"seed {seed}"
        assert {note.severity for note in evidence.notes} <= {"note"}, f"seed {seed}"


@pytest.mark.parametrize(
    "build",
    [residual, actor_and_critic, lstm, stacked_lstm, gru, normalised, pooled_filters, tied_autoencoder],
    ids=lambda f: f.__name__,
)
def test_the_same_network_from_a_constant_is_accused(build):
    """What is silent above is no blindness."""
    parameters, network = build(np.random.default_rng(0))
    constant = {name: np.full_like(values, 0.1) for name, values in parameters.items()}
    with pytest.raises(CheckFailed) as raised:
        check_symmetry(constant, network=network)

    assert raised.value.finding.code == "SYM201"


def test_predicted_classes_are_no_outputs():
    """They hide most changes, so the layers are not sought in them."""
    rng = np.random.default_rng(0)
    parameters, network = actor_and_critic(rng)
    evidence = check_symmetry(
        {"W1": parameters["W1"], "b1": parameters["b1"], "W2": np.zeros((2, 16))},
        network=lambda p: network(p | {"Wp": p["W2"], "bp": 0.0, "Wv": p["W2"][:1]}) > 0.5,
    )

    assert [note.facts["reason"] for note in evidence.notes] == ["network"]
    assert "whole numbers" in evidence.notes[0].facts["detail"]
