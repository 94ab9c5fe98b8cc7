"""Correct programs, in every style that comes up, about which the checks of symmetry must say nothing."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pytest

from pytest_symmetry.checks.initialization import check_initialization
from pytest_symmetry.checks.symmetry import check_symmetry
from pytest_symmetry.context import Call, Context, entered

# --- starts in the containers that published solutions use ------------------------------------------------


def planar(seed, n_x=3, n_h=5, n_y=2):
    """A dict with column biases."""
    rng = np.random.default_rng(seed)
    return {
        "W1": rng.normal(size=(n_h, n_x)) * 0.01,
        "b1": np.zeros((n_h, 1)),
        "W2": rng.normal(size=(n_y, n_h)) * 0.01,
        "b2": np.zeros((n_y, 1)),
    }


def deep_loop(seed):
    """Keys built in a loop from a list of widths."""
    np.random.seed(seed)
    widths = [4, 6, 6, 3, 1]
    parameters = {}
    for layer in range(1, len(widths)):
        parameters["W" + str(layer)] = np.random.randn(widths[layer], widths[layer - 1]) / np.sqrt(
            widths[layer - 1]
        )
        parameters["b" + str(layer)] = np.zeros((widths[layer], 1))
    return parameters


def rows_first(seed):
    """(n_in, n_out), flat biases, std 1e-4."""
    rng = np.random.default_rng(seed)
    return {
        "W1": 1e-4 * rng.normal(size=(4, 10)),
        "b1": np.zeros(10),
        "W2": 1e-4 * rng.normal(size=(10, 3)),
        "b2": np.zeros(3),
    }


def two_lists(seed):
    """Biases first, then weights, as attributes of a network object."""
    rng = np.random.default_rng(seed)

    class Network:
        def __init__(self, sizes):
            self.num_layers = len(sizes)
            self.sizes = sizes
            self.biases = [rng.normal(size=(y, 1)) for y in sizes[1:]]
            self.weights = [rng.normal(size=(y, x)) for x, y in itertools.pairwise(sizes)]

    return Network([3, 4, 4, 2])


class Parameters(NamedTuple):
    """A named tuple."""

    W_hidden: np.ndarray
    b_hidden: np.ndarray
    w_out: np.ndarray
    b_out: float


def named_tuple(seed):
    """One output whose weights are a vector and whose bias is a number."""
    rng = np.random.default_rng(seed)
    return Parameters(rng.normal(size=(4, 2)), np.zeros(4), rng.normal(size=4), 0.0)


def single_precision(seed):
    """float32 throughout."""
    return {name: values.astype(np.float32) for name, values in planar(seed).items()}


def with_optimiser_state(seed):
    """Momentum lies in the same dict, all zero."""
    start = planar(seed)
    return start | {f"v_{name}": np.zeros_like(values) for name, values in start.items()}


def layers_with_caches(seed):
    """Layer objects that keep gradients and the last input."""
    rng = np.random.default_rng(seed)

    class Dense:
        def __init__(self, n_in, n_out):
            self.W = rng.normal(size=(n_in, n_out)) * np.sqrt(2 / n_in)
            self.b = np.zeros(n_out)
            self.dW = np.zeros_like(self.W)
            self.db = np.zeros_like(self.b)
            self.x = None

    return [Dense(3, 6), Dense(6, 6), Dense(6, 2)]


def theta_with_bias_column(seed):
    """The bias is the first column."""
    rng = np.random.default_rng(seed)
    return {"Theta1": rng.uniform(-0.12, 0.12, size=(5, 4)), "Theta2": rng.uniform(-0.12, 0.12, size=(3, 6))}


def zero_output_layer(seed):
    """The output layer may start at zero."""
    return planar(seed) | {"W2": np.zeros((2, 5))}


def square_everywhere(seed):
    """All widths equal."""
    rng = np.random.default_rng(seed)
    return {f"{k}{n}": rng.normal(size=(4, 4) if k == "W" else (4,)) for n in (1, 2, 3) for k in ("W", "b")}


def recurrent(seed):
    """Three matrices, two biases."""
    rng = np.random.default_rng(seed)
    shapes = {"Wxh": (6, 3), "Whh": (6, 6), "Why": (3, 6)}
    return {k: rng.normal(size=s) * 0.01 for k, s in shapes.items()} | {
        "bh": np.zeros((6, 1)),
        "by": np.zeros((3, 1)),
    }


def convolutional(seed):
    """Filters, then a dense layer on the flattened maps."""
    rng = np.random.default_rng(seed)
    return {
        "W1": rng.normal(size=(4, 3, 5, 5)) * 0.01, "b1": np.zeros(4),
        "W2": rng.normal(size=(4 * 36, 7)) * 0.01, "b2": np.zeros(7),
        "W3": rng.normal(size=(7, 2)) * 0.01, "b3": np.zeros(2),
    }  # fmt: skip


def orthogonal(seed):
    """Orthogonal rows."""
    rng = np.random.default_rng(seed)
    return {"W1": np.linalg.qr(rng.normal(size=(4, 4)))[0], "W2": rng.normal(size=(2, 4))}


def logistic(seed):
    """No hidden layer, all zero."""
    return {"w": np.zeros((5, 1)), "b": 0.0}


def softmax_regression(seed):
    """No hidden layer, three classes, all zero."""
    return [np.zeros((5, 3)), np.zeros(3)]


STARTS = [
    planar, deep_loop, rows_first, two_lists, named_tuple, single_precision, with_optimiser_state,
    layers_with_caches, theta_with_bias_column, zero_output_layer, square_everywhere, recurrent,
    convolutional, orthogonal, logistic, softmax_regression,
]  # fmt: skip


@pytest.mark.parametrize("start", STARTS, ids=lambda f: f.__name__)
def test_a_correct_start_is_never_accused(start):
    """Twenty seeds each, one by one and as a function of the seed."""
    for seed in range(20):
        evidence = check_symmetry(start(seed))
        assert evidence.passed, f"seed {seed}"
        assert evidence.notes == (), f"seed {seed}"
    assert check_symmetry(start).notes == ()


def test_breaking_the_symmetry_by_biases_or_outgoing_weights_alone_is_allowed():
    """Equal weights with different biases, or equal units with different outgoing weights, do part."""
    rng = np.random.default_rng(0)
    by_biases = planar(0) | {
        "W1": np.full((5, 3), 0.1),
        "b1": rng.normal(size=(5, 1)),
        "W2": np.full((2, 5), 0.1),
    }
    by_outgoing = planar(0) | {"W1": np.zeros((5, 3))}

    assert check_symmetry(by_biases).passed
    assert check_symmetry(by_outgoing).passed


def test_a_normalisation_of_another_library_is_allowed():
    """A state dict with scale, shift and running statistics per unit; and the same start with copies."""
    rng = np.random.default_rng(3)
    state = {
        "0.weight": rng.normal(size=(5, 3)), "0.bias": rng.normal(size=5),
        "1.weight": np.ones(5), "1.bias": np.zeros(5),
        "1.running_mean": np.zeros(5), "1.running_var": np.ones(5),
        "3.weight": rng.normal(size=(2, 5)), "3.bias": np.zeros(2),
    }  # fmt: skip
    assert check_symmetry(state).notes == ()
    assert [layer.units for layer in check_symmetry(state).layers] == [5]


def test_a_branch_past_the_hidden_layer_is_not_misread():
    """W2 and the skipping array may be zero: the outputs are no hidden units."""
    rng = np.random.default_rng(4)
    start = {"W1": rng.normal(size=(4, 3)), "W2": np.zeros((2, 4)), "Wskip": np.zeros((2, 3))}

    assert check_symmetry(start).passed


def test_an_identity_recurrence_with_random_inputs_is_allowed():
    """IRNN: the input weights tell the units apart."""
    assert check_symmetry(recurrent(1) | {"Whh": np.eye(6)}).notes == ()


def test_learned_scale_and_shift_per_unit_are_allowed():
    """Batch normalisation starts with gamma = 1 and beta = 0 for every unit."""
    start = planar(2) | {"gamma1": np.ones((5, 1)), "beta1": np.zeros((5, 1))}

    assert check_symmetry(start).passed


# --- trained networks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_trained_network_is_never_accused(activation):
    """After 200 steps, with the network and the step at hand."""
    g, slope = {
        "tanh": (np.tanh, lambda a: 1 - a**2),
        "relu": (lambda z: np.maximum(0, z), lambda a: (a > 0) * 1.0),
    }[activation]
    x = np.random.default_rng(9).normal(size=(3, 40))
    y = (x[:1] * x[1:2] > 0) * 1.0

    def forward(p):
        a1 = g(p["W1"] @ x + p["b1"])
        return 1 / (1 + np.exp(-(p["W2"] @ a1 + p["b2"]))), a1

    def step(p):
        a2, a1 = forward(p)
        d2 = (a2 - y) / x.shape[1]
        d1 = (p["W2"].T @ d2) * slope(a1)
        slopes = {
            "W2": d2 @ a1.T,
            "b2": d2.sum(axis=1, keepdims=True),
            "W1": d1 @ x.T,
            "b1": d1.sum(axis=1, keepdims=True),
        }
        return {name: p[name] - 0.5 * slopes[name] for name in p}

    for seed in range(5):
        start = planar(seed, n_y=1)
        parameters = {name: values * 50 for name, values in start.items()}
        for _ in range(200):
            parameters = step(parameters)
        evidence = check_symmetry(parameters, network=forward, step=step)
        assert evidence.passed, f"seed {seed}"
        assert {n.severity for n in evidence.notes} <= {"note"}, f"seed {seed}"


# --- initialisers -------------------------------------------------------------------------------------------


def he_with_generator(*widths, seed=0):
    """A Generator of its own."""
    rng = np.random.default_rng(seed)
    return {
        f"W{n}": rng.normal(0, np.sqrt(2 / i), (o, i))
        for n, (i, o) in enumerate(itertools.pairwise(widths), 1)
    }


def he_with_spawned_generators(*widths, seed=0):
    """One generator per layer, spawned from one seed."""
    children = np.random.SeedSequence(seed).spawn(len(widths) - 1)
    pairs = zip(children, itertools.pairwise(widths), strict=True)
    return {
        f"W{n}": np.random.default_rng(c).normal(size=(o, i)) * np.sqrt(2 / i)
        for n, (c, (i, o)) in enumerate(pairs, 1)
    }


def he_uniform(*widths, seed=0):
    """Uniform between plus and minus sqrt(6 / n_in)."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, size=(o, i)) * np.sqrt(6 / i) for i, o in itertools.pairwise(widths)]


def he_transposed(*widths, seed=0):
    """(n_in, n_out), with biases, in float32."""
    rng = np.random.default_rng(seed)
    found = {}
    for n, (i, o) in enumerate(itertools.pairwise(widths), 1):
        found[f"W{n}"] = (rng.standard_normal((i, o)) * np.sqrt(2 / i)).astype(np.float32)
        found[f"b{n}"] = np.zeros(o, dtype=np.float32)
    return found


def he_random_state(*widths, seed=0):
    """The older generator, held locally."""
    old = np.random.RandomState(seed)
    return [(old.randn(o, i) * np.sqrt(2.0 / i), np.zeros((o, 1))) for i, o in itertools.pairwise(widths)]


def he_unit_by_unit(*widths, seed=0):
    """One unit after another from one generator."""
    rng = np.random.default_rng(seed)
    return [
        np.array([rng.normal(0, np.sqrt(2 / i), i) for _ in range(o)]) for i, o in itertools.pairwise(widths)
    ]


@pytest.mark.parametrize(
    "initialize",
    [
        he_with_generator,
        he_with_spawned_generators,
        he_uniform,
        he_transposed,
        he_random_state,
        he_unit_by_unit,
    ],
    ids=lambda f: f.__name__,
)
def test_a_correct_initialiser_is_never_accused(initialize):
    """He's law, drawn in six ways."""
    evidence = check_initialization(initialize, law="he")

    assert evidence.passed
    assert evidence.notes == ()


def test_a_function_in_another_process_is_not_blamed_for_our_seeds():
    """Global seeds do not reach it, so equal calls say nothing about its seed."""
    context = Context()

    def from_elsewhere(*widths):
        context.calls.append(Call("initialize"))
        return he_with_generator(*widths, seed=0)

    with entered(context):
        assert check_initialization(from_elsewhere, law="he").notes == ()
