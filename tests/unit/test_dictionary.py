"""The fault dictionary: built from the reference, looked up by results alone."""

import os
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_symmetry.diagnosis import dictionary as module
from pytest_symmetry.diagnosis.dictionary import build, content_key, dictionary_for, measure, read, write
from pytest_symmetry.diagnosis.mutations import mutations
from pytest_symmetry.diagnosis.naming import named
from pytest_symmetry.diagnosis.operators import OPERATORS
from pytest_symmetry.diagnosis.replay import Program, Step

SOURCE = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def backward(X, Y, W1, b1, W2, b2):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    A2 = sigmoid(W2 @ A1 + b2)
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (1 - A1 ** 2)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2
"""
SIZES = {7: "m", 3: "the size of a layer", 5: "the size of a layer", 2: "the size of a layer"}


def probe(seed=0):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(3, 7)), (rng.random((2, 7)) > 0.5) * 1.0
    return [rng.normal(size=shape) for shape in ((5, 3), (5, 1), (2, 5), (2, 1))], X, Y


def steps(seed=0):
    weights, X, Y = probe(seed)
    return [Step("backward", (X, Y, *weights))]


@pytest.fixture(scope="module")
def built():
    return build(SOURCE, steps(), SIZES)


def student(X, Y, W1, b1, W2, b2, *, slope=lambda z, a: 1 - a * a, mean=7, delta=lambda a, y: a - y):
    """A student's backward in another style: loops over the examples."""
    grads = [np.zeros_like(p) for p in (W1, b1, W2, b2)]
    for i in range(X.shape[1]):
        x, y = X[:, [i]], Y[:, [i]]
        z = W1.dot(x) + b1
        h = np.tanh(z)
        error = delta(1 / (1 + np.exp(-(W2.dot(h) + b2))), y)
        back = np.multiply(np.dot(W2.T, error), slope(z, h))
        parts = (back.dot(x.T), back, error.dot(h.T), error)
        grads = [grad + part / mean for grad, part in zip(grads, parts, strict=True)]
    return tuple(grads)


def looked_up(built, **mistakes):
    weights, X, Y = probe()
    seen = built.print_of(measure([student(X, Y, *weights, **mistakes)]))
    return built.matching(seen), built.differing(seen)


def test_the_correct_program_in_another_style_matches_nothing(built):
    matched, differing = looked_up(built)

    assert differing == []
    assert matched == []


@pytest.mark.parametrize(
    ("cause", "mistakes"),
    [
        ("activation-derivative-missing", {"slope": lambda z, a: 1}),
        ("derivative-at-activated-value", {"slope": lambda z, a: 1 - np.tanh(a) ** 2}),
        ("derivative-of-another-activation", {"slope": lambda z, a: a * (1 - a)}),
        ("derivative-of-another-activation", {"slope": lambda z, a: (z > 0) * 1.0}),
        ("derivative-incomplete", {"slope": lambda z, a: 1 - a}),
        ("derivative-formula-given-z", {"slope": lambda z, a: 1 - z**2}),
        ("preactivation-for-derivative", {"slope": lambda z, a: z}),
        ("output-error-reversed", {"delta": lambda a, y: y - a}),
        ("output-derivative-extra", {"delta": lambda a, y: (a - y) * a * (1 - a)}),
        ("output-error-bracket", {"delta": lambda a, y: (-y / a - (1 - y) / (1 - a)) * a * (1 - a)}),
        ("target-not-subtracted", {"delta": lambda a, y: a}),
        ("doubled-inside", {"delta": lambda a, y: 2 * (a - y)}),
    ],
)
def test_a_mistake_in_another_style_has_its_name(built, cause, mistakes):
    matched, _ = looked_up(built, **mistakes)

    assert named(matched).cause == cause


def test_a_mistake_that_nobody_planted_matches_nothing(built):
    matched, differing = looked_up(built, slope=lambda z, a: np.cos(z) ** 3)

    assert matched == []
    assert [path for _, path in differing] == ["[0]", "[1]"]


def test_another_operator_set_gives_another_dictionary(built):
    smaller = build(SOURCE, steps(), SIZES, OPERATORS[:2])

    assert 0 < len(smaller.entries) < len(built.entries)


def test_every_planted_mistake_finds_itself(built):
    program = Program(SOURCE)
    found = 0
    for mutation in mutations(program, steps(), SIZES):
        try:
            seen = built.print_of(measure(mutation.run(program, steps())))
        except Exception:
            continue
        if np.isfinite(seen.prints).all() and built.differing(seen, 1e-12):
            found += 1
            assert mutation.cause in {entry.cause for entry in built.matching(seen)}, mutation

    assert found == len(built.entries)


@given(st.integers(0, 2**31))
def test_results_of_chance_match_nothing(built, seed):
    rng = np.random.default_rng(seed)
    result = tuple(rng.normal(size=shape) for shape in ((5, 3), (5, 1), (2, 5), (2, 1)))

    assert built.matching(built.print_of(measure([result]))) == []


def test_results_that_are_not_there_are_left_open(built):
    weights, X, Y = probe()
    right = student(X, Y, *weights, slope=lambda z, a: 1)

    seen = built.print_of({(0, "[0]"): right[0]})

    assert built.differing(seen) == [(0, "[0]")]
    assert "activation-derivative-missing" in {entry.cause for entry in built.matching(seen)}


def test_a_dictionary_is_kept_in_a_folder_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_MEMORY", module.OrderedDict())
    first = dictionary_for(SOURCE, steps(), SIZES, tmp_path)
    module._MEMORY.clear()
    monkeypatch.setattr(module, "build", None)
    second = dictionary_for(SOURCE, steps(), SIZES, tmp_path)

    assert first.entries == second.entries
    assert first.leaves == second.leaves
    assert np.array_equal(first.prints, second.prints)
    assert dictionary_for(SOURCE, steps(), SIZES) is second


def test_a_damaged_file_is_built_again(tmp_path, built):
    file = tmp_path / "kept.npz"
    write(built, file)
    assert read(file).entries == built.entries
    file.write_bytes(file.read_bytes()[:100])

    assert read(file) is None
    assert read(tmp_path / "none.npz") is None


def test_a_folder_keeps_the_newest_dictionaries_only(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_MEMORY", module.OrderedDict())
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    for age in (300, 200):
        old = tmp_path / f"{age}.npz"
        old.write_bytes(b"")
        os.utime(old, (time.time() - age,) * 2)
    dictionary_for(SOURCE, steps(), SIZES, tmp_path)

    assert {f"{content_key(SOURCE, steps(), SIZES)}.npz", "200.npz"} == {p.name for p in tmp_path.iterdir()}


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_MEMORY", module.OrderedDict())
    (tmp_path / "file").write_text("")

    assert dictionary_for(SOURCE, steps(), SIZES, tmp_path / "file") is not None


def test_the_key_follows_the_content():
    key = content_key(SOURCE, steps(), SIZES)

    assert key == content_key(SOURCE, steps(), dict(SIZES))
    assert key != content_key(SOURCE + "\n", steps(), SIZES)
    assert key != content_key(SOURCE, steps(1), SIZES)
    assert key != content_key(SOURCE, steps(), {7: "m"})


def test_a_reference_that_fails_has_no_dictionary():
    assert dictionary_for("def backward(:", steps(), SIZES) is None
    assert dictionary_for("def backward():\n    return 1\n", steps(), SIZES) is None
