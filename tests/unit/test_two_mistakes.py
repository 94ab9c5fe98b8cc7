"""Two mistakes in one result: found alike whatever was looked up before, whatever the last digits are."""

from collections import OrderedDict
from dataclasses import replace

import numpy as np

from pytest_symmetry.diagnosis import together
from pytest_symmetry.diagnosis.dictionary import build, measure
from pytest_symmetry.diagnosis.operators import OPERATORS
from pytest_symmetry.diagnosis.replay import Step
from pytest_symmetry.diagnosis.together import composed

SOURCE = """
import numpy as np

def backward(X, Y, W1, b1, W2):
    m = X.shape[1]
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1)))
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return dW1, db1, dW2
"""
SIZES = {7: "m"} | dict.fromkeys((3, 5, 2), "the size of a layer")
BOTH = {"output-derivative-extra", "activation-derivative-missing"}


def drawn(seed):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(3, 7)), (rng.random((2, 7)) > 0.5) * 1.0
    return X, Y, *(rng.normal(size=shape) for shape in ((5, 3), (5, 1), (2, 5)))


def built(arguments, operators=OPERATORS):
    return build(SOURCE, [Step("backward", arguments)], SIZES, operators)


def student(X, Y, W1, b1, W2):
    """Two mistakes: the derivative of the sigmoid in the output's error, and none of tanh."""
    A1 = np.tanh(W1.dot(X) + b1)
    A2 = 1 / (1 + np.exp(-W2.dot(A1)))
    error = (A2 - Y) * A2 * (1 - A2)
    back = np.dot(W2.T, error)
    return back.dot(X.T) / 7, back.mean(axis=1, keepdims=True), error.dot(A1.T) / 7


def named_by(dictionary, arguments):
    seen = dictionary.print_of(measure([student(*arguments)]))
    steps = [Step("backward", arguments)]
    found = composed(dictionary, SOURCE, steps, SIZES, seen, 1e-9, lambda _: True)
    return {found.cause, *(part.cause for part in found.also)} if found else set()


def test_two_mistakes_that_meet_in_one_result_are_both_named():
    arguments = drawn(1)

    assert named_by(built(arguments), arguments) == BOTH


def test_some_of_the_operators_name_what_they_planted():
    """The numbers of their mistakes are not those that the same mistakes have among all."""
    arguments = drawn(2)
    whole = built(arguments)
    names = {entry.operator for entry in whole.entries if entry.cause in BOTH}
    some = [operator for operator in OPERATORS if operator.__name__ in names]

    assert named_by(whole, arguments) == BOTH
    assert named_by(built(arguments, some), arguments) == BOTH
    assert named_by(built(arguments, OPERATORS[:1]), arguments) == set()
    assert named_by(whole, arguments) == BOTH


def test_the_last_digits_decide_nothing(monkeypatch):
    """Formulas that are equal differ in them, and would each take the place of another one to be tried."""
    arguments = drawn(3)
    dictionary = built(arguments)
    noise = 1 + np.random.default_rng(0).uniform(-1e-9, 1e-9, dictionary.prints.shape)
    noisy = replace(dictionary, prints=dictionary.prints * noise)
    tried = []

    def planted_beside(_dictionary, _program, _steps, _sizes, first):
        tried.append(first)
        return np.zeros((0, 0), dtype=np.int64), np.zeros((0, 0)), []

    monkeypatch.setattr(together, "MOST_FIRST", len(dictionary.entries))
    monkeypatch.setattr(together, "_planted_beside", planted_beside)
    monkeypatch.setattr(together, "_MEMORY", OrderedDict())
    named_by(dictionary, arguments)
    monkeypatch.setattr(together, "_MEMORY", OrderedDict())
    half = list(tried)
    named_by(noisy, arguments)

    assert half
    assert tried == half + half
