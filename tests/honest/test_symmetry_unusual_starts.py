"""Starts that are right and look suspicious: identities, zeros, copies, grids, things kept beside them."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from pytest_symmetry.checks.symmetry import check_symmetry
from pytest_symmetry.errors import CheckFailed

EXPECTED_REMARKS = {"SYM204", "SYM290"}
"""What may be said about some of these starts: equal now and going to part; the shapes do not tell."""


def dense(rng, *widths, scale=1.0):
    """Return random weights and zero biases."""
    parameters = {}
    for number, (n_in, n_out) in enumerate(itertools.pairwise(widths), start=1):
        parameters[f"W{number}"] = rng.normal(size=(n_out, n_in)) * scale
        parameters[f"b{number}"] = np.zeros((n_out, 1))
    return parameters


def orthogonal_deep(rng):
    """Orthogonal weights in a net of one width."""
    return {
        name: np.linalg.qr(values)[0] if name[0] == "W" else values
        for name, values in dense(rng, 6, 6, 6, 6).items()
    }


def identity_everywhere(_rng):
    """A deep linear net that starts as the identity."""
    return {f"W{n}": np.eye(5) for n in (1, 2, 3)}


def wide_identity(rng):
    """More units than inputs: the last ones receive nothing, and send different weights."""
    return {"W1": np.eye(6, 4), "b1": np.zeros(6), "W2": rng.normal(size=(2, 6)), "b2": np.zeros(2)}


def identity_recurrence(rng):
    """IRNN: identity between the steps, small random weights from the inputs."""
    return {
        "Wxh": rng.normal(size=(6, 3)) * 0.001, "Whh": np.eye(6), "bh": np.zeros((6, 1)),
        "Why": rng.normal(size=(2, 6)), "by": np.zeros((2, 1)),
    }  # fmt: skip


def lstm_forget_bias_one(rng):
    """Stacked gates; the forget gate's biases are 1."""
    bias = np.zeros(20)
    bias[5:10] = 1
    return {
        "Wx": rng.normal(size=(3, 20)), "Wh": rng.normal(size=(5, 20)), "b": bias,
        "Wy": rng.normal(size=(5, 2)), "by": np.zeros(2),
    }  # fmt: skip


def zero_output_layer_deep(rng):
    """The last of three layers starts at zero."""
    return dense(rng, 4, 6, 5, 3) | {"W3": np.zeros((3, 5))}


def zero_residual_branch(rng):
    """The branch adds nothing at first."""
    return {
        "W_in": rng.normal(size=(6, 4)), "b_in": np.zeros(6),
        "W1": rng.normal(size=(8, 6)), "b1": np.zeros(8), "W2": np.zeros((6, 8)), "b2": np.zeros(6),
        "W_out": rng.normal(size=(3, 6)), "b_out": np.zeros(3),
    }  # fmt: skip


def fixup(rng):
    """The branch and the output layer start at zero."""
    return zero_residual_branch(rng) | {"W_out": np.zeros((3, 6))}


def fixup_in_a_list(rng):
    """The same without names."""
    return list(fixup(rng).values())


def two_zero_branches(rng):
    """Two residual blocks and an output layer at zero."""
    return {
        "W1": rng.normal(size=(6, 4)), "W2": rng.normal(size=(8, 6)), "W3": np.zeros((6, 8)),
        "W4": rng.normal(size=(8, 6)), "W5": np.zeros((6, 8)), "W6": np.zeros((3, 6)),
    }  # fmt: skip


def branch_beside_the_inputs(rng):
    """x + W2 relu(W1 x), then an output layer; both ends at zero."""
    return {
        "W1": rng.normal(size=(8, 4)), "b1": np.zeros(8), "W2": np.zeros((4, 8)), "b2": np.zeros(4),
        "W3": np.zeros((3, 4)), "b3": np.zeros(3),
    }  # fmt: skip


def latent_layers_at_zero(rng):
    """A variational autoencoder whose mean and spread start at zero, all of one width."""
    return {
        "W1": rng.normal(size=(6, 9)), "Wmu": np.zeros((6, 6)), "Wlogvar": np.zeros((6, 6)),
        "Wd": rng.normal(size=(6, 6)), "Wo": rng.normal(size=(9, 6)),
    }  # fmt: skip


def attention_with_zero_outputs(rng):
    """One block of a transformer; what it adds starts at zero."""
    return {f"W{k}": rng.normal(size=(8, 8)) for k in "qkv"} | {
        "Wo": np.zeros((8, 8)), "W1": rng.normal(size=(16, 8)), "b1": np.zeros(16),
        "W2": np.zeros((8, 16)), "b2": np.zeros(8),
    }  # fmt: skip


def zero_scale_of_a_normalisation(rng):
    """The second scale starts at zero, as in residual nets."""
    return dense(rng, 4, 6, 6, 2) | {
        "gamma1": np.ones(6), "beta1": np.zeros(6), "gamma2": np.zeros(6), "beta2": np.zeros(6)
    }  # fmt: skip


def momentum_in_the_same_dict(rng):
    """Square arrays of zeros beside square weights."""
    parameters = dense(rng, 4, 4, 4)
    return parameters | {f"{name}_velocity": np.zeros_like(values) for name, values in parameters.items()}


def momentum_at_the_end_of_a_list(rng):
    """An autoencoder's list, followed by as many zeros."""
    parameters = list(dense(rng, 4, 6, 4).values())
    return parameters + [np.zeros_like(values) for values in parameters]


def adam_in_the_same_dict(rng):
    """Both moments, behind a suffix."""
    parameters = dense(rng, 4, 4, 2)
    moments = {f"{name}_{k}": np.zeros_like(v) for name, v in parameters.items() for k in "mv"}
    return parameters | moments


def layers_of_a_textbook(rng):
    """Layer objects with gradients, momentum, cache and strengths of L1 and L2, all of one width."""

    def layer(n_in, n_out):
        zeros, flat = np.zeros((n_in, n_out)), np.zeros((1, n_out))
        return SimpleNamespace(
            weights=0.01 * rng.normal(size=(n_in, n_out)), biases=flat.copy(),
            weight_regularizer_l1=0.0, weight_regularizer_l2=5e-4, bias_regularizer_l2=5e-4,
            dweights=zeros.copy(), dbiases=flat.copy(), weight_momentums=zeros.copy(),
            weight_cache=zeros.copy(), bias_cache=flat.copy(), inputs=rng.normal(size=(7, n_in)),
        )  # fmt: skip

    return [layer(4, 4), layer(4, 4), layer(4, 4)]


def trainer_with_layers(rng):
    """An optimiser's numbers beside layers that keep gradients and moments."""

    def layer(n_in, n_out):
        zeros = np.zeros((n_out, n_in))
        return SimpleNamespace(
            weight=rng.normal(size=(n_out, n_in)), bias=np.zeros(n_out), grad_weight=zeros.copy(),
            grad_bias=np.zeros(n_out), m_weight=zeros.copy(), weight_v=zeros.copy(),
        )  # fmt: skip

    return SimpleNamespace(layers=[layer(3, 5), layer(5, 5), layer(5, 2)], lr=0.01, beta1=0.9, beta2=0.999)


def parts_of_one_vector(rng):
    """All weights are views into one vector, which is handed over as well."""
    theta = rng.normal(size=25)
    return {"W1": theta[:15].reshape(5, 3), "W2": theta[15:].reshape(2, 5), "theta": theta}


def the_best_so_far(rng):
    """Copies of the weights that did best."""
    start = dense(rng, 4, 4, 2)
    return SimpleNamespace(**start, best_W1=start["W1"].copy(), best_W2=start["W2"].copy(), epsilon=1e-8)


def a_target_network(rng):
    """Q-learning: the network's values are compared with those of its copy."""
    online = dense(rng, 3, 4, 2)
    return {"online": online, "target": {name: values.copy() for name, values in online.items()}}


def masks(rng):
    """Masks of ones, for pruning."""
    return dense(rng, 4, 4, 4) | {"W1_mask": np.ones((4, 4)), "mask_W2": np.ones((4, 4))}


def sparse(rng):
    """Fifteen inputs per unit, the others zero (Martens 2010)."""
    mask = np.zeros((20, 30))
    for row in mask:
        row[rng.choice(30, 15, replace=False)] = 1
    parameters = dense(rng, 30, 20, 3)
    return parameters | {"W1": parameters["W1"] * mask}


def tied_autoencoder(rng):
    """The decoder starts as the encoder's transpose, in two layers."""
    a, b = rng.normal(size=(5, 8)), rng.normal(size=(3, 5))
    weights = (a, b, b.T.copy(), a.T)
    return {k: v for n, w in enumerate(weights, 1) for k, v in ((f"W{n}", w), (f"b{n}", np.zeros(len(w))))}


def circulant(rng):
    """Every row is the row above, shifted."""
    row = rng.normal(size=6)
    rows = np.array([np.roll(row, k) for k in range(6)])
    return {"W1": rows, "W2": rows[::-1].copy(), "W3": rng.normal(size=(2, 6))}


def toeplitz(rng):
    """A filter written as a matrix."""
    kernel = rng.normal(size=20)
    rows = np.array([[kernel[i - j + 8] for j in range(6)] for i in range(8)])
    return {"W1": rows, "b1": np.zeros((8, 1)), "W2": np.ones((1, 8)), "b2": np.zeros((1, 1))}


def differences(_rng):
    """First differences, their transpose, and a sum."""
    rows = np.eye(7) - np.eye(7, k=1)
    return {"W1": rows, "W2": rows.T.copy(), "W3": np.ones((1, 7))}


def fourier_features(rng):
    """Pairs of one frequency whose phases differ."""
    return {
        "W1": np.pi * np.repeat(np.arange(1.0, 5), 2)[:, None], "b1": np.tile([0, np.pi / 2], 4)[:, None],
        "W2": rng.normal(size=(1, 8)), "b2": np.zeros((1, 1)),
    }  # fmt: skip


def fourier_features_with_zero_outputs(rng):
    """The same with an output layer at zero."""
    return fourier_features(rng) | {"W2": np.zeros((1, 8))}


def cosine_transform(_rng):
    """A fixed orthogonal transform and its inverse."""
    n = np.arange(8)
    rows = np.cos(np.pi / 8 * (n + 0.5)[None] * n[:, None])
    return {"W1": rows, "b1": np.zeros(8), "W2": rows.T.copy(), "b2": np.zeros(8)}


def gabor_filters(rng):
    """Hand-written filters of eight directions."""
    x, y = np.mgrid[-2:3, -2:3]
    waves = [np.cos(3 * (x * np.cos(t) + y * np.sin(t))) for t in np.arange(8) * np.pi / 8]
    filters = np.array(waves)[:, None] * np.exp(-(x**2 + y**2) / 4)
    return {"W1": filters, "b1": np.zeros(8), "W2": rng.normal(size=(8 * 36, 10)), "b2": np.zeros(10)}


def edge_filters(_rng):
    """Sobel's filters and their negatives, and an output layer at zero."""
    k = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    filters = np.array([k, k.T, -k, -k.T])[:, None]
    return {"W1": filters, "b1": np.zeros(4), "W2": np.zeros((4 * 36, 10)), "b2": np.zeros(10)}


def dirac_filters(rng):
    """Filters that pass three channels on, and five that pass nothing yet."""
    filters = np.zeros((8, 3, 3, 3))
    filters[[0, 1, 2], [0, 1, 2], 1, 1] = 1
    return {"W1": filters, "b1": np.zeros(8), "W2": rng.normal(size=(8 * 16, 4)), "b2": np.zeros(4)}


def hadamard(_rng):
    """Rows of 1 and -1, all orthogonal, and a constant output."""
    rows = np.array([[1.0]])
    for _ in range(3):
        rows = np.block([[rows, rows], [rows, -rows]])
    return {"W1": rows, "b1": np.zeros(8), "W2": rows.copy(), "b2": np.zeros(8), "W3": np.ones((1, 8))}


def whole_numbers(rng):
    """Weights on the grid of int8: many entries coincide."""
    return {
        "W1": np.round(rng.normal(size=(8, 20)) * 30) / 127, "b1": np.zeros(8),
        "W2": np.round(rng.normal(size=(3, 8)) * 30) / 127, "b2": np.zeros(3),
    }  # fmt: skip


def signs(rng):
    """Only 1 and -1."""
    return {"W1": rng.choice([-1.0, 1.0], size=(8, 40)), "W2": rng.choice([-1.0, 1.0], size=(3, 8))}


def half_precision(rng):
    """float16."""
    return {name: values.astype(np.float16) for name, values in dense(rng, 3, 200, 2).items()}


def one_unit_of_zeros(_rng):
    """A single unit has no other to be equal to."""
    return {"W1": np.zeros((1, 3)), "b1": np.zeros((1, 1)), "W2": np.zeros((2, 1)), "b2": np.zeros((2, 1))}


def equal_outputs(rng):
    """Three softmax outputs with the same weights: targets tell them apart."""
    return dense(rng, 3, 5, 3) | {"W2": np.tile(rng.normal(size=(1, 5)), (3, 1))}


def opposite_outputs(rng):
    """Two softmax outputs, one the negative of the other."""
    row = rng.normal(size=(1, 5))
    return dense(rng, 3, 5, 2) | {"W2": np.vstack([row, -row])}


def evenly_spaced(_rng):
    """linspace, as course notes fill small nets."""
    return {
        "W1": np.linspace(-0.7, 0.3, 20).reshape(4, 5), "b1": np.linspace(-0.1, 0.9, 5),
        "W2": np.linspace(-0.3, 0.4, 15).reshape(5, 3), "b2": np.linspace(-0.9, 0.1, 3),
    }  # fmt: skip


def sines(_rng):
    """sin(0), sin(1), …: numbers without a generator."""
    fill = {"W1": (4, 3), "W2": (5, 4), "W3": (1, 5)}
    return {name: np.sin(np.arange(np.prod(shape)) + shape[0]).reshape(shape) for name, shape in fill.items()}


def small_outputs(rng):
    """Maximal update: the output layer is smaller by the square root of the width."""
    return dense(rng, 10, 64, 64, 3, scale=0.1) | {"W3": rng.normal(size=(3, 64)) / 64}


def word_vectors(rng):
    """Random vectors, contexts at zero."""
    return {"W1": rng.normal(size=(50, 8)), "W2": np.zeros((8, 50))}


def one_hot_embedding(rng):
    """A list that begins with an identity and ends in zeros."""
    return [np.eye(7), rng.normal(size=(7, 5)), np.zeros(5), np.zeros((5, 7)), np.zeros(7)]


def a_large_layer(rng):
    """784-512-512-10."""
    return dense(rng, 784, 512, 512, 10, scale=0.01)


def eight_square_layers_with_half_the_biases(rng):
    """Millions of ways to pair arrays: an answer comes all the same."""
    return {f"W{n}": rng.normal(size=(4, 4)) for n in range(12)} | {f"b{n}": np.zeros(4) for n in range(6)}


STARTS = [
    orthogonal_deep, identity_everywhere, wide_identity, identity_recurrence, lstm_forget_bias_one,
    zero_output_layer_deep, zero_residual_branch, fixup, fixup_in_a_list, two_zero_branches,
    branch_beside_the_inputs, latent_layers_at_zero, attention_with_zero_outputs,
    zero_scale_of_a_normalisation, momentum_in_the_same_dict, momentum_at_the_end_of_a_list,
    adam_in_the_same_dict, layers_of_a_textbook, trainer_with_layers, parts_of_one_vector, the_best_so_far,
    a_target_network, masks, sparse,
    tied_autoencoder, circulant, toeplitz, differences, fourier_features, fourier_features_with_zero_outputs,
    cosine_transform, gabor_filters, edge_filters, dirac_filters, hadamard, whole_numbers, signs,
    half_precision, one_unit_of_zeros, equal_outputs, opposite_outputs, evenly_spaced, sines, small_outputs,
    word_vectors, one_hot_embedding, a_large_layer, eight_square_layers_with_half_the_biases,
]  # fmt: skip


@pytest.mark.parametrize("start", STARTS, ids=lambda f: f.__name__)
def test_an_unusual_start_is_never_accused(start):
    """Nothing fails and nothing warns, under any of three seeds."""
    for seed in range(3):
        evidence = check_symmetry(start(np.random.default_rng(seed)))
        assert evidence.passed, f"seed {seed}"
        assert {note.code for note in evidence.notes} <= EXPECTED_REMARKS, f"seed {seed}"
        assert {note.severity for note in evidence.notes} <= {"note"}, f"seed {seed}"


@pytest.mark.parametrize("start", [fixup, two_zero_branches, branch_beside_the_inputs, adam_in_the_same_dict])
def test_the_same_wiring_at_zero_throughout_is_accused(start):
    """Where the first layer is zero as well, no wire tells the units apart."""
    parameters = {name: values * 0 for name, values in start(np.random.default_rng(0)).items()}
    with pytest.raises(CheckFailed) as raised:
        check_symmetry(parameters)

    assert raised.value.finding.code == "SYM201"
    assert raised.value.finding.place.array == next(iter(parameters))
