"""The notebook that deep's marks rest on: its gradients are slopes, its steps do what their formulas say."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from by_differences import central_differences

from graders.batch import run_tests
from graders.intake import Entry
from graders.specimens import Patch, notebook_bytes, notebook_with, source_notebook
from pytest_symmetry import check_gradients
from pytest_symmetry.assignment import load_assignment, load_reference

DEEP = Path(__file__).parents[2] / "assignments" / "deep"


@pytest.fixture(scope="module")
def solution():
    return load_reference(DEEP)


def drawn(sizes, rng):
    """Return parameters with positive biases, so that no sum lies on the corner of a relu."""
    parameters = {}
    for layer, (below, own) in enumerate(itertools.pairwise(sizes), 1):
        parameters[f"W{layer}"] = rng.normal(size=(own, below))
        parameters[f"b{layer}"] = rng.uniform(0.2, 1.0, size=(own, 1))
    return parameters


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("decay", [0.0, 0.7])
@pytest.mark.parametrize("keep", [1.0, 0.7])
def test_the_solutions_gradients_are_the_slopes_of_its_cost(solution, seed, decay, keep):
    """With weight decay and dropout or without, for one layer up to four: by plain central differences."""
    rng = np.random.default_rng(seed)
    sizes, m = [*rng.choice([2, 3, 5, 6], size=1 + seed % 4, replace=False).tolist(), 1], 7
    X, Y = rng.normal(size=(sizes[0], m)), rng.integers(0, 2, size=(1, m)) * 1.0
    parameters = drawn(sizes, rng)
    masks = solution.draw_masks(sizes, m, keep, rng) if keep < 1 else None

    def cost(p):
        return solution.cost(solution.forward(X, p, masks, keep)[1], Y, p, decay)

    def gradients(p):
        return solution.backward(X, Y, p, decay, masks, keep)

    assert check_gradients(cost, gradients, parameters, seed=seed).passed
    expected = central_differences(cost, parameters)
    for name, value in gradients(parameters).items():
        assert value == pytest.approx(expected[name], abs=1e-7)
    assert solution.gradient_check(cost, gradients, parameters)
    assert solution.slopes(cost, parameters)["dW1"] == pytest.approx(expected["dW1"], abs=1e-7)


def test_the_cost_is_minus_the_logarithm_of_a_probability(solution):
    rng = np.random.default_rng(3)
    Z, Y = rng.normal(size=(1, 9)), rng.integers(0, 2, size=(1, 9))
    probability = 1 / (1 + np.exp(-Z))

    assert solution.cost(Z, Y, {}) == pytest.approx(
        -np.mean(np.log(np.where(Y, probability, 1 - probability)))
    )


def test_a_dropped_unit_hands_on_nothing_and_the_mean_stays(solution):
    """The mean over many masks is what is handed on without any."""
    rng = np.random.default_rng(5)
    sizes, m = [3, 4, 1], 2
    X, parameters = rng.normal(size=(3, m)), drawn(sizes, rng)
    plain = solution.forward(X, parameters)[0][1]
    every = [
        solution.forward(X, parameters, solution.draw_masks(sizes, m, 0.7, rng), 0.7)[0][1]
        for _ in range(4000)
    ]

    assert np.mean(every, axis=0) == pytest.approx(plain, rel=0.08)
    assert set(np.unique(np.array(every) == 0)) == {True, False}


def test_adam_steps_by_the_rate_at_first(solution):
    """Both corrections together: the first step is as long as the rate, whatever the slope."""
    zero = {"W1": np.zeros((2, 3))}
    gradients = {"dW1": np.array([[1e-3, -5.0, 2.0], [1e4, -1e-2, 0.3]])}
    moved, _, _ = solution.adam(zero, gradients, zero, zero, 1, 0.01, 0.9, 0.999, 1e-8)

    assert moved["W1"] == pytest.approx(-0.01 * np.sign(gradients["dW1"]), rel=1e-4)


def test_momentum_without_memory_is_gradient_descent(solution):
    rng = np.random.default_rng(1)
    p, g, v = (rng.normal(size=(2, 3)) for _ in range(3))
    moved, velocity = solution.momentum({"W1": p}, {"dW1": g}, {"W1": v}, 0.1, 0.0)

    assert (moved["W1"] == p - 0.1 * g).all()
    assert (velocity["W1"] == g).all()


NOTHING = {
    "an array by another name": ("backward", "{'x': 0.0}"),
    "a number for each array": ("backward", "{f'd{k}': 1.0 for k in args[2]}"),
    "zeros for each array": ("backward", "{f'd{k}': 0 * v for k, v in args[2].items()}"),
    "layers that say nothing": (
        "forward",
        "([args[0], *(np.zeros((n, args[0].shape[1])) for n in (6, 5))], np.zeros((1, args[0].shape[1])))",
    ),
}


IN_THE_SWEEP = ("zeros for each array", "layers that say nothing")  # long diagnoses of nothing
NOTHING_AT_ALL = [pytest.param(n, marks=[pytest.mark.sweep] if n in IN_THE_SWEEP else []) for n in NOTHING]


@pytest.mark.parametrize("what", NOTHING_AT_ALL)
def test_what_a_function_cannot_do_earns_nothing_under_another_heading(what, tmp_path):
    """Right masks beside a mistake elsewhere keep their points; what does nothing has none to keep."""
    function, value = NOTHING[what]
    definition = f"def {function}(*args, **kwargs):\n    return {value}\n"
    path = tmp_path / "nothing.ipynb"
    path.write_bytes(notebook_bytes(notebook_with(source_notebook(DEEP), Patch(define=definition))))
    (result,) = run_tests(load_assignment(DEEP), [Entry("nothing", path, path.name)], 20)
    points = {v.name: v.points for v in result.tests}
    asked = {"backward": ("test_gradients", "test_gradients_with_penalty", "test_gradients_with_masks"),
             "forward": ("test_forward", "test_forward_with_masks")}[function]  # fmt: skip

    assert [points[test] for test in asked] == [0.0] * len(asked)
