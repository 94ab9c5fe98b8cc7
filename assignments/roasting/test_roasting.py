"""The questions of roasting.ipynb: ten points."""

from functools import wraps

import numpy as np
import pytest

from pytest_symmetry import CheckFailed, check_gradients, check_matches, check_purity

N_X, N_H, M = 2, 3, 13


@pytest.fixture
def net(probe_rng):
    """Thirteen examples of both classes, and a network at a point that is special in no way."""
    parameters = {
        "W1": probe_rng.normal(size=(N_X, N_H)),
        "b1": probe_rng.normal(size=N_H),
        "W2": probe_rng.normal(size=(N_H, 1)),
        "b2": probe_rng.normal(size=1),
    }
    y = probe_rng.permutation(np.arange(M) % 2.0).reshape(M, 1)
    return probe_rng.normal(size=(M, N_X)), y, parameters


def agrees(*what):
    """Return whether two results, or two functions at the same arguments, agree."""
    try:
        check_matches(*what)
    except CheckFailed:
        return False
    return True


def kind(value):
    """Return numpy's letter for the kind of numbers, "O" for anything that holds none."""
    try:
        return np.asarray(value).dtype.kind
    except ValueError:  # rows of different lengths
        return "O"


def layers(said):
    """Return (A1, A2) if these are the answers of both layers, else None."""
    if not isinstance(said, tuple | list) or len(said) != 2 or any(kind(part) not in "fiub" for part in said):
        return None
    A1, A2 = map(np.asarray, said)
    return (A1, A2) if A1.shape == (M, N_H) and A2.shape == (M, 1) else None


@pytest.mark.points(1)
def test_standardize(submission, reference, probe_rng):
    """Mean 0 and deviation 1 in each column, and both numbers kept."""
    X = probe_rng.normal(size=(M, N_X)) * [11.0, 0.3] + [135.0, 25.0]
    check_matches(submission.standardize, reference.standardize, X)


@pytest.mark.points(1)
def test_dense(submission, reference, probe_rng):
    """The sigmoid of weighted sums, for any number of inputs and units."""
    A, W, b = probe_rng.normal(size=(7, 5)), probe_rng.normal(size=(5, 2)), probe_rng.normal(size=2)
    check_matches(submission.dense, reference.dense, A, W, b)


@pytest.mark.points(1)
def test_forward(submission, reference, net):
    """Both layers: the right answers, or those of the student's own layer."""
    X, _, parameters = net

    @wraps(reference.forward)
    def by_own_layer(X, p):
        A1 = submission.dense(X, p["W1"], p["b1"])
        return A1, submission.dense(A1, p["W2"], p["b2"])

    if not agrees(submission.forward, by_own_layer, X, parameters):
        check_matches(submission.forward, reference.forward, X, parameters)


@pytest.mark.points(1)
def test_cost(submission, reference, probe_rng):
    """The mean cross-entropy."""
    A2, y = probe_rng.uniform(0.05, 0.95, size=(M, 1)), probe_rng.permutation(np.arange(M) % 2.0)
    check_matches(submission.cost, reference.cost, A2, y.reshape(M, 1))


@pytest.mark.points(3)
def test_gradients(submission, reference, net):
    """The slopes of the student's own cost; or the formulas, for what the student's own layers say."""
    X, y, parameters = net

    def own_cost(p):
        said = submission.forward(X, p)
        assert layers(said) is not None, "forward must return A1 and A2, of shape (m, 3) and (m, 1)"
        return submission.cost(said[1], y)

    def own_gradients(p):
        return submission.backward(X, y, p)

    try:
        check_gradients(own_cost, own_gradients, parameters)
    except CheckFailed:
        # A mistake in forward or in the cost has lost its points already: right formulas stay right.
        given, said = own_gradients(parameters), layers(submission.forward(X, parameters))
        if agrees(given, reference.backward(X, y, parameters)):
            return
        if said is None or not agrees(given, formulas(X, y, parameters, *said)):
            raise


def formulas(X, y, parameters, A1, A2):
    """Return the gradients of the cost, for what the layers say."""
    dZ2 = (A2 - y) / len(X)
    dZ1 = dZ2 @ parameters["W2"].T * A1 * (1 - A1)
    return {"dW1": X.T @ dZ1, "db1": dZ1.sum(axis=0), "dW2": A1.T @ dZ2, "db2": dZ2.sum(axis=0)}


@pytest.mark.points(1)
def test_train(submission, reference, net):
    """Steps made of the student's own functions, or of the right ones."""

    @wraps(submission.train)
    def trained(*args):
        result = submission.train(*args)
        if isinstance(result, tuple | list) and len(result) == 2 and isinstance(result[1], np.ndarray):
            return result[0], list(result[1])
        return result

    @wraps(reference.train)
    def steps_by_hand(X, y, p, steps, learning_rate):
        costs = []
        for _ in range(steps):
            costs.append(submission.cost(submission.forward(X, p)[1], y))
            gradients = submission.backward(X, y, p)
            p = {name: p[name] - learning_rate * gradients["d" + name] for name in p}
        return p, costs

    X, y, parameters = net
    if agrees(trained, reference.train, X, y, parameters, 3, 0.7):
        return
    given, right = submission.backward(X, y, parameters), reference.backward(X, y, parameters)
    sound = agrees(shapes_only(given), shapes_only(right)) and layers(submission.forward(X, parameters))
    check_matches(trained, steps_by_hand if sound else reference.train, X, y, parameters, 3, 0.7)


def shapes_only(arrays):
    """Return zeros in the shapes of arrays with names; what has none stays as it is."""
    if not isinstance(arrays, dict) or any(kind(value) not in "fiub" for value in arrays.values()):
        return arrays
    return {name: np.zeros(np.shape(value)) for name, value in arrays.items()}


@pytest.mark.points(0.5)
def test_train_leaves_the_start_alone(submission, net):
    """What was passed in stays as it was: a second run can begin there."""
    check_purity(submission.train, *net, 2, 0.7)


@pytest.fixture
def two_runs(probe_rng):
    """What the units of two networks say: the same three roles, by other units, two of them reversed."""
    A = probe_rng.uniform(size=(M, N_H))
    B = A[:, [2, 0, 1]] * [0.9, -0.8, -0.7] + 0.05 * probe_rng.normal(size=(M, N_H))
    return A, B


@pytest.mark.points(1)
def test_match(submission, reference, two_runs):
    """Who corresponds to whom, and how well."""

    check_matches(partners_as_numbers(submission), reference.match, *two_runs)


def partners_as_numbers(submission):
    """Return the student's function with a tuple of plain numbers for a list or an array of them."""

    @wraps(submission.match)
    def matched(A, B):
        result = submission.match(A, B)
        if not isinstance(result, tuple | list) or len(result) != 2 or kind(result[0]) not in "iu":
            return result
        return tuple(int(i) for i in np.ravel(result[0])), result[1]

    return matched


@pytest.mark.points(0.5)
def test_match_takes_the_best_sum(submission, reference, probe_rng):
    """Each unit once: the best matching, which is not always each unit's own best partner."""
    base = probe_rng.normal(size=(M, 2))
    A = np.column_stack([base[:, 0], base[:, 0] + 0.4 * base[:, 1], probe_rng.normal(size=M)])
    B = np.column_stack([base[:, 0] + 0.1 * base[:, 1], base[:, 1], probe_rng.normal(size=M)])
    check_matches(partners_as_numbers(submission), reference.match, A, B)
