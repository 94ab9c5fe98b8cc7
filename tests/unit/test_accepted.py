"""A convention in gradients: accepted where the course lists it, paid for once where it does not."""

from types import SimpleNamespace

import numpy as np
import pytest

from pytest_symmetry import check_backward, check_gradients
from pytest_symmetry.context import Call, Context, current, entered, pay
from pytest_symmetry.errors import CheckFailed
from pytest_symmetry.feedback.text import render

SOURCE = """
import numpy as np

def loss(X, Y, p, reg):
    E = p["W"] @ X + p["b"] - Y
    return np.sum(E**2) / (2 * X.shape[1]) + reg * np.sum(p["W"] ** 2)

def gradients(X, Y, p, reg):
    m = X.shape[1]
    E = p["W"] @ X + p["b"] - Y
    return {"dW": E @ X.T / m + 2 * reg * p["W"], "db": np.sum(E, axis=1, keepdims=True) / m}
"""

rng = np.random.default_rng(5)
P = {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=(4, 1))}
X, Y = rng.normal(size=(3, 7)), rng.normal(size=(4, 7))
REG = 0.3


class Opened:
    """Stands for an opened submission."""

    submission = SimpleNamespace(cells=())


def loss(p, scale=1.0, reg=REG):
    E = np.einsum("ij,jk->ik", p["W"], X) + p["b"] - Y
    return float(scale * (E * E).sum() / 14 + reg * (p["W"] * p["W"]).sum())


def slopes(p, scale=1.0, reg=REG):
    E = np.einsum("ij,jk->ik", p["W"], X) + p["b"] - Y
    return {
        "dW": scale * np.einsum("ik,jk->ij", E, X) / 7 + 2 * reg * p["W"],
        "db": scale * E.mean(axis=1)[:, None],
    }


def checked(own_loss, own_slopes, *accept, cost=None):
    """Return the evidence of a gradient check, or its finding."""
    namespace = {}
    exec(SOURCE, namespace)
    opened = Opened()
    if cost:
        pay(opened, cost, "test_cost")

    def log(name, function):
        def call(p):
            result = function(p)
            copies = {key: value.copy() for key, value in p.items()}
            current().calls.append(Call(name, (X, Y, copies, REG), result=result, cell=2, line=1))
            return result

        return call

    context = Context(
        assignment=SimpleNamespace(accept=accept, functions={}, quantities={}),
        reference=SimpleNamespace(**namespace),
        reference_source=SOURCE,
        submission=opened,
    )
    with entered(context):
        try:
            return check_gradients(log("loss", own_loss), log("gradients", own_slopes), P)
        except CheckFailed as failure:
            return failure.finding


def turned(p):
    return {name: value.T for name, value in slopes(p).items()}


def weights_turned(p):
    return {name: value.T if name == "dW" else value for name, value in slopes(p).items()}


PAIRS = {
    "gradients summed": ("sum-over-examples", lambda p: loss(p, reg=0), lambda p: slopes(p, 7.0, reg=0)),
    "loss summed": ("sum-over-examples", lambda p: loss(p, 7.0, reg=7 * REG), slopes),
    "gradients doubled": (
        "twice-the-loss",
        loss,
        lambda p: {k: 2 * v for k, v in slopes(p).items()},
    ),
    "loss doubled": ("twice-the-loss", lambda p: 2 * loss(p), slopes),
    "loss halved": ("half-the-loss", lambda p: loss(p) / 2, slopes),
    "all turned": ("transposed-results", loss, turned),
    "weights turned": ("transposed-results", loss, weights_turned),
    "penalty of the gradient doubled": ("penalty-doubled", loss, lambda p: slopes(p, reg=2 * REG)),
    "penalty of the loss halved": ("penalty-halved", lambda p: loss(p, reg=REG / 2), slopes),
}


@pytest.mark.parametrize(("convention", "own_loss", "own_slopes"), PAIRS.values(), ids=PAIRS)
def test_an_accepted_convention_passes_the_gradient_check_with_a_note(convention, own_loss, own_slopes):
    evidence = checked(own_loss, own_slopes, convention)

    assert evidence.passed
    assert [n.facts["convention"] for n in evidence.notes if n.code == "MAT205"] == [convention]


@pytest.mark.parametrize(("convention", "own_loss", "own_slopes"), PAIRS.values(), ids=PAIRS)
def test_one_that_is_not_accepted_costs_points_once(convention, own_loss, own_slopes):
    finding = checked(own_loss, own_slopes)
    assert (finding.severity, finding.facts["convention"]) == ("fail", convention)

    evidence = checked(own_loss, own_slopes, cost=convention)
    (note,) = [n for n in evidence.notes if n.code == "MAT205"]
    assert "has cost points in cost already" in render(note)


WRONG = {
    "one array doubled": lambda p: {**slopes(p), "db": 2 * slopes(p)["db"]},
    "doubled, and one entry off": lambda p: {
        "dW": 2 * slopes(p)["dW"] + np.eye(4, 3),
        "db": 2 * slopes(p)["db"],
    },
    "turned, and off": lambda p: {"dW": 1.01 * slopes(p)["dW"].T, "db": slopes(p)["db"]},
    "three times": lambda p: {k: 3 * v for k, v in slopes(p).items()},
    "negative": lambda p: {k: -v for k, v in slopes(p).items()},
}


@pytest.mark.parametrize("own_slopes", WRONG.values(), ids=WRONG)
def test_what_is_wrong_beside_a_convention_stays_wrong(own_slopes):
    every = ("twice-the-loss", "transposed-results", "sum-over-examples", "half-the-loss", "penalty-doubled")
    finding = checked(loss, own_slopes, *every)

    assert finding.severity == "fail"
    assert "convention" not in finding.facts


def test_a_gradient_of_half_the_loss_is_not_accepted_for_twice_the_loss():

    assert (
        checked(loss, lambda p: {k: v / 2 for k, v in slopes(p).items()}, "twice-the-loss").severity == "fail"
    )


def test_a_backward_pass_may_return_transposed_gradients_where_the_course_says_so():
    def forward(W, x):
        return W @ x, (W, x)

    def backward(dout, cache):
        W, x = cache
        return {"W": (dout @ x.T).T, "x": (W.T @ dout).T}

    arguments = {"W": rng.normal(size=(2, 3)), "x": rng.normal(size=(3, 4))}
    with entered(Context(assignment=SimpleNamespace(accept=("transposed-results",)))):
        assert check_backward(forward, backward, arguments).passed
    with entered(Context(assignment=SimpleNamespace(accept=()))), pytest.raises(CheckFailed):
        check_backward(forward, backward, arguments)
