"""The corpus of correct work, checked without any check: each variant computes what the solution computes.

If one of these fails, the variant is at fault and not the grader.
"""

from __future__ import annotations

import contextlib
import io
import types
from pathlib import Path

import numpy as np
import pytest

from graders.specimens import load_specimens, patched
from pytest_symmetry.assignment import load_reference

PLANAR = Path(__file__).parents[2] / "assignments" / "planar"
VARIANTS = {s.name: s for s in load_specimens(PLANAR) if s.correct}

# Correct work may use what numpy would rather see gone (np.matrix).
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

EXPERIMENTS = ("data-figure", "two-units-run", "watch", "break", "width", "roles-figure")

# What single precision inside a function leaves of an answer.
LOOSE = {"single-precision-inside": 1e-4}


@pytest.fixture(params=VARIANTS, scope="module")
def variant(request):
    """The functions of one variant, its cells run in order but for the experiments, and its tolerance."""
    namespace: dict[str, object] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in patched(PLANAR, VARIANTS[request.param])["cells"]:
            if cell["cell_type"] == "code" and cell["id"] not in EXPERIMENTS:
                exec("".join(cell["source"]), namespace)

    return types.SimpleNamespace(**namespace), LOOSE.get(request.param, 1e-8)


@pytest.fixture(scope="module")
def solution():
    return load_reference(PLANAR)


def problem(seed):
    rng = np.random.default_rng(seed)
    n_x, n_h, m = rng.choice([2, 3, 5, 7, 11], size=3, replace=False)
    Y = (np.arange(m) % 2.0).reshape(1, m)
    parameters = {
        "W1": rng.normal(size=(n_h, n_x)),
        "b1": rng.normal(size=(n_h, 1)),
        "W2": rng.normal(size=(1, n_h)),
        "b2": rng.normal(size=(1, 1)),
    }
    return rng.normal(size=(n_x, m)), Y, parameters


def close(actual, expected, tolerance):
    __tracebackhide__ = True
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("seed", range(8))
def test_the_forward_pass_the_cost_and_the_gradients_are_the_solutions(variant, solution, seed):
    """Eight problems of different sizes."""
    functions, tolerance = variant
    X, Y, parameters = problem(seed)
    A2 = functions.forward(X, parameters)[0]

    close(A2, solution.forward(X, parameters)[0], tolerance)
    close(functions.cost(A2, Y), solution.cost(A2, Y), tolerance)
    for name, expected in solution.backward(X, Y, parameters).items():
        close(functions.backward(X, Y, parameters)[name], expected, tolerance)


@pytest.mark.parametrize("seed", range(3))
def test_the_step_and_the_prediction_are_the_solutions(variant, solution, seed):
    """New arrays with the right values; the old ones as they were; classes in one of the allowed shapes."""
    functions, tolerance = variant
    X, Y, parameters = problem(seed)
    gradients = solution.backward(X, Y, parameters)
    before = {name: value.copy() for name, value in parameters.items()}
    new = functions.update(parameters, gradients, 0.3)

    assert set(new) == set(parameters)
    for name, expected in solution.update(parameters, gradients, 0.3).items():
        close(new[name], expected, tolerance)
        close(parameters[name], before[name], 0)
    close(np.ravel(functions.predict(X, parameters)), np.ravel(solution.predict(X, parameters)), 0)


def test_training_lowers_the_cost_and_ends_with_different_units(variant):
    """The costs are those before each step."""
    functions, _ = variant
    X, Y, _ = problem(7)
    with contextlib.redirect_stdout(io.StringIO()):
        parameters, costs = functions.train(X, Y, 5, 60, 0.3, 1)
    units = np.hstack([parameters["W1"], parameters["b1"], parameters["W2"].T])
    start = functions.initialize_parameters(X.shape[0], 5, 1, seed=1)

    assert len(costs) == 60
    assert costs[-1] < costs[0]
    close(costs[0], functions.cost(functions.forward(X, start)[0], Y), 1e-12)
    assert len(np.unique(np.round(units, 6), axis=0)) == 5


def test_a_certain_output_that_is_right_costs_nothing(variant):
    """Zero times the logarithm of zero is nowhere."""
    functions, _ = variant
    certain = np.array([[0.0, 1.0, 1.0, 0.0]])
    with np.errstate(all="ignore"):
        value = functions.cost(certain, certain)

    assert abs(float(np.squeeze(value))) < 1e-6


def test_the_same_seed_gives_the_same_start_and_another_seed_another(variant):
    """Repeatable, and not frozen."""
    functions, _ = variant
    first, again, other = (functions.initialize_parameters(3, 5, 2, seed=s) for s in (4, 4, 5))

    for name in ("W1", "b1", "W2", "b2"):
        close(first[name], again[name], 0)
    assert not np.array_equal(first["W1"], other["W1"])
    assert (first["W1"].shape, first["W2"].shape) == ((5, 3), (2, 5))
