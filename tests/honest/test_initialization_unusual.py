"""Initialisers that are right and draw in unusual ways, or not at all: none fails, none warns."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

from pytest_symmetry.checks.initialization import check_initialization


def layers(widths, weights):
    """Return W1, b1, … with weights(n_in, n_out) of shape (n_out, n_in)."""
    parameters = {}
    for number, (n_in, n_out) in enumerate(itertools.pairwise(widths), start=1):
        parameters[f"W{number}"] = weights(n_in, n_out)
        parameters[f"b{number}"] = np.zeros((n_out, 1))
    return parameters


def orthogonal(*widths, seed):
    """Orthogonal rows or columns."""
    rng = np.random.default_rng(seed)

    def draw(n_in, n_out):
        q, _ = np.linalg.qr(rng.normal(size=(max(n_in, n_out), min(n_in, n_out))))
        return q if q.shape == (n_out, n_in) else q.T

    return layers(widths, draw)


def identity(*widths, seed):
    """The same for every seed, because nothing is drawn."""
    return layers(widths, lambda n_in, n_out: np.eye(n_out, n_in))


def identity_with_noise(*widths, seed):
    """The mean is not 0, and no law was asked for."""
    rng = np.random.default_rng(seed)
    return layers(widths, lambda i, o: np.eye(o, i) + 0.01 * rng.normal(size=(o, i)))


def sparse(*widths, seed):
    """Half of the weights are zero."""
    rng = np.random.default_rng(seed)
    return layers(widths, lambda i, o: rng.normal(size=(o, i)) * (rng.random((o, i)) < 0.5))


def zero_output_layer(*widths, seed):
    """The last layer starts at zero."""
    rng = np.random.default_rng(seed)
    parameters = layers(widths, lambda i, o: rng.normal(size=(o, i)) * np.sqrt(2 / i))
    return parameters | {f"W{len(widths) - 1}": np.zeros((widths[-1], widths[-2]))}


def unit_length(*widths, seed):
    """Every row has length 1."""
    rng = np.random.default_rng(seed)

    def draw(n_in, n_out):
        rows = rng.normal(size=(n_out, n_in))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return layers(widths, draw)


def one_filter(*widths, seed):
    """Toeplitz: every diagonal is one number."""
    rng = np.random.default_rng(seed)

    def draw(n_in, n_out):
        numbers = rng.normal(size=n_in + n_out)
        return numbers[np.arange(n_out)[:, None] - np.arange(n_in) + n_in]

    return layers(widths, draw)


def parts_of_one_vector(*widths, seed):
    """The weights are views into one vector, which is returned beside them."""
    sizes = [n_in * n_out for n_in, n_out in itertools.pairwise(widths)]
    theta = np.random.default_rng(seed).normal(size=sum(sizes))
    ends = np.cumsum(sizes)
    shapes = [(n_out, n_in) for n_in, n_out in itertools.pairwise(widths)]
    parts = [theta[end - n : end].reshape(s) for end, n, s in zip(ends, sizes, shapes, strict=True)]
    return {f"W{n}": part for n, part in enumerate(parts, start=1)} | {"theta": theta}


def random_biases(*widths, seed):
    """Weights and biases uniform within one over the root of the inputs."""
    rng = np.random.default_rng(seed)
    return [
        (rng.uniform(-1, 1, size=(o, i)) / np.sqrt(i), rng.uniform(-1, 1, size=o) / np.sqrt(i))
        for i, o in itertools.pairwise(widths)
    ]


@pytest.mark.parametrize(
    "initialize",
    [orthogonal, identity, identity_with_noise, sparse, zero_output_layer, unit_length, one_filter,
     parts_of_one_vector, random_biases],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_an_unusual_initialiser_is_never_accused(initialize):
    """No law is asked for."""
    evidence = check_initialization(initialize)

    assert evidence.passed
    assert {note.severity for note in evidence.notes} <= {"note"}


def he(draw, widths):
    """Return layers of He's law from standard draws of a shape."""
    return layers(widths, lambda i, o: draw((o, i)) * np.sqrt(2 / i))


def from_a_generator(*widths, rng):
    """Takes a Generator."""
    return he(lambda shape: rng.normal(size=shape), widths)


def from_a_number(*widths, random_state=None):
    """Takes what RandomState takes."""
    return he(np.random.RandomState(random_state).standard_normal, widths)


def from_fresh_entropy(*widths):
    """Takes no seed."""
    return he(np.random.default_rng().standard_normal, widths)


def from_the_standard_library(*widths, seed):
    """random.gauss, one number after another, into plain lists."""
    numbers = random.Random(seed)
    return [
        [[numbers.gauss(0, (2 / n_in) ** 0.5) for _ in range(n_in)] for _ in range(n_out)]
        for n_in, n_out in itertools.pairwise(widths)
    ]


def truncated(*widths, seed):
    """Draws beyond 2 are drawn again, and the spread is made good for it."""
    rng = np.random.default_rng(seed)

    def draw(shape):
        values = rng.normal(size=shape)
        while (beyond := np.abs(values) > 2).any():
            values[beyond] = rng.normal(size=int(beyond.sum()))
        return values / 0.8796

    return he(draw, widths)


def in_single_precision(*widths, seed):
    """float32 from the generator itself."""
    rng = np.random.default_rng(seed)
    return he(lambda shape: rng.standard_normal(shape, dtype=np.float32), widths)


@pytest.mark.parametrize(
    "initialize",
    [from_a_generator, from_a_number, from_fresh_entropy, from_the_standard_library, truncated,
     in_single_precision],
    ids=lambda f: f.__name__,
)  # fmt: skip
def test_the_law_is_seen_however_it_is_drawn(initialize):
    """He's law, in six more ways."""
    evidence = check_initialization(initialize, law="he")

    assert evidence.passed
    assert evidence.notes == ()
