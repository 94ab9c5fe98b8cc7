"""The questions of planar.ipynb: ten points."""

from functools import wraps

import numpy as np
import pytest

from pytest_symmetry import (
    CheckFailed,
    check_gradients,
    check_initialization,
    check_matches,
    check_purity,
    check_symmetry,
)

# All sizes are primes and all differ, so that a transposed matrix or a wrong axis cannot hide.
N_X, N_H, M = 3, 5, 13


@pytest.fixture
def net(probe_rng):
    """Thirteen examples of both classes, and a network at a point that is special in no way."""
    return {
        "X": probe_rng.normal(size=(N_X, M)),
        "Y": probe_rng.permutation(np.arange(M) % 2.0).reshape(1, M),
        "parameters": {
            "W1": probe_rng.normal(size=(N_H, N_X)),
            "b1": probe_rng.normal(size=(N_H, 1)),
            "W2": probe_rng.normal(size=(1, N_H)),
            "b2": 0.1 * probe_rng.normal(size=(1, 1)),
        },
    }


def output(submission, X, parameters):
    """Return A2 of the submission's own forward pass."""
    result = submission.forward(X, parameters)
    A2 = result[0] if isinstance(result, tuple | list) and result else result
    assert isinstance(A2, np.ndarray), "forward must return A2, an array, and its cache"
    return A2


def without_cache(forward):
    """Return a function that gives (A2,) only: what else is in the cache is the student's own business."""

    @wraps(forward)
    def call(X, parameters):
        result = forward(X, parameters)
        return tuple(result[:1]) if isinstance(result, tuple | list) else result

    return call


@pytest.mark.points(1)
def test_units_start_different(submission):
    """No two hidden units are one and the same at the start."""
    check_symmetry(submission.initialize_parameters(N_X, N_H, 2, seed=3))


@pytest.mark.points(1)
def test_start_follows_the_law(submission):
    """Shapes, zero biases, normal weights of standard deviation 1/sqrt(n), and the meaning of the seed."""

    def start(n_x, n_h, n_y, seed):
        return submission.initialize_parameters(n_x, n_h, n_y, seed=seed)

    def shapes(n_x, n_h, n_y):
        return {"W1": (n_h, n_x), "b1": (n_h, 1), "W2": (n_y, n_h), "b2": (n_y, 1)}

    check_initialization(start, law="lecun", shapes=shapes, distribution="normal", biases="zero")


@pytest.mark.points(1)
def test_forward(submission, reference, net):
    """A2 is what the formulas say."""
    forward = without_cache(submission.forward)
    check_matches(forward, without_cache(reference.forward), net["X"], net["parameters"])


@pytest.mark.points(1)
def test_cost(submission, reference, net, probe_rng):
    """The cost is the mean cross-entropy."""
    A2 = probe_rng.uniform(0.05, 0.95, size=(1, M))
    check_matches(submission.cost, reference.cost, A2, net["Y"])


@pytest.mark.points(0.5)
def test_cost_of_certain_outputs(submission, net):
    """An output of exactly 0 or 1 that is right costs nothing, up to 1e-6, and never nan."""

    @wraps(submission.cost)
    def cost_above_one_millionth(A2, Y):
        value = submission.cost(A2, Y)
        is_number = isinstance(value, int | float | np.number | np.ndarray)
        return 0.0 if is_number and np.all(np.abs(value) < 1e-6) else value

    check_matches(cost_above_one_millionth, 0.0, net["Y"], net["Y"])


@pytest.mark.points(3)
def test_gradients(submission, reference, net):
    """The gradients are the slopes of the student's own cost, or else those of the right cost."""
    X, Y, parameters = net["X"], net["Y"], net["parameters"]
    right = reference.backward(X, Y, parameters)

    def own_cost(p):
        return submission.cost(output(submission, X, p), Y)

    def own_gradients(p):
        return submission.backward(X, Y, p)

    try:
        check_gradients(own_cost, own_gradients, parameters)
    except CheckFailed:
        # A mistake in the cost has lost its points already: right gradients stay right.
        if not agrees(own_gradients(parameters), right):
            raise


def agrees(gradients, right):
    """Return whether the gradients have the right names and values."""
    try:
        check_matches(gradients, right)
    except CheckFailed:
        return False
    return True


@pytest.fixture
def step(net, probe_rng):
    """The arguments of one step: parameters, gradients, learning rate."""
    gradients = {f"d{k}": probe_rng.normal(size=v.shape) for k, v in net["parameters"].items()}
    return net["parameters"], gradients, 0.3


@pytest.mark.points(0.5)
def test_update(submission, reference, step):
    """One step downhill."""
    check_matches(submission.update, reference.update, *step)


@pytest.mark.points(0.5)
def test_update_leaves_the_old_parameters_alone(submission, step):
    """The new parameters are new arrays; what was passed in stays as it was."""
    check_purity(submission.update, *step)


@pytest.mark.points(0.5)
def test_train(submission, reference, net):
    """Training is start, then steps, made of the student's own functions."""

    @wraps(submission.train)
    def trained(*args):
        result = submission.train(*args)
        if isinstance(result, tuple | list) and len(result) == 2 and isinstance(result[1], np.ndarray):
            return result[0], list(result[1])
        return result

    @wraps(reference.train)
    def steps_by_hand(X, Y, n_h, steps, learning_rate, seed):
        parameters = submission.initialize_parameters(N_X, n_h, 1, seed)
        costs = []
        for _ in range(steps):
            costs.append(submission.cost(output(submission, X, parameters), Y))
            parameters = submission.update(parameters, submission.backward(X, Y, parameters), learning_rate)
        return parameters, costs

    check_matches(trained, steps_by_hand, net["X"], net["Y"], N_H, 3, 0.3, 11)


@pytest.mark.points(0.5)
def test_units_differ_after_training(submission, net):
    """Trained units can be told apart: the layer's effective width is the number of its units."""
    result = submission.train(net["X"], net["Y"], N_H, 20, 0.3, 11)
    trained = result[0] if isinstance(result, tuple | list) and result else result
    check_matches(shapes_only(trained), shapes_only(net["parameters"]))
    check_symmetry(trained)


def shapes_only(parameters):
    """Return zeros in the shapes of the parameters, so that nothing but names and shapes is compared."""
    if not isinstance(parameters, dict):
        return parameters
    return {name: np.zeros(np.shape(value)) for name, value in parameters.items()}


@pytest.mark.points(0.5)
def test_predict(submission, reference, net, probe_rng):
    """Class 1 wherever the student's own network says more than one half."""
    X = probe_rng.normal(size=(N_X, 29))
    parameters = net["parameters"]

    @wraps(submission.predict)
    def classes(X, parameters):
        return in_one_row(submission.predict(X, parameters))

    @wraps(reference.predict)
    def own_output_above_half(X, parameters):
        return in_one_row(output(submission, X, parameters) > 0.5)

    check_matches(classes, own_output_above_half, X, parameters)


def in_one_row(classes):
    """Return classes of any allowed shape as one row of floats; what is no classes stays as it is."""
    if isinstance(classes, list) and all(isinstance(c, int | float) for c in classes):
        classes = np.array(classes)
    return np.reshape(classes, -1) * 1.0 if isinstance(classes, np.ndarray) else classes
