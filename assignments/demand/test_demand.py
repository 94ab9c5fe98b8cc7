"""The questions of demand.ipynb: ten points."""

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

# All sizes differ, so that a transposed matrix or a wrong axis cannot hide.
N_X, N_H, M = 4, 3, 13


@pytest.fixture
def net(probe_rng):
    """Thirteen examples of both classes, and a network at a point that is special in no way."""
    X = probe_rng.normal(size=(M, N_X))
    W1, W2 = probe_rng.normal(size=(N_X, N_H)), probe_rng.normal(size=(N_H, 1))
    b1 = probe_rng.normal(size=N_H)
    # The output's sums take both signs: where all are positive, no activation and relu are the same.
    b2 = -np.mean(1 / (1 + np.exp(-X @ W1 - b1)) @ W2, keepdims=True)[0]
    y = probe_rng.permutation(np.arange(M) % 2.0).reshape(M, 1)
    return X, y, {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


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
    """Return (Z, A, out) if these are the answers of forward, else None."""
    if not isinstance(said, tuple | list) or len(said) != 3 or any(kind(part) not in "fiub" for part in said):
        return None
    Z, A, out = map(np.asarray, said)
    return (Z, A, out) if Z.shape == A.shape == (M, N_H) and out.shape == (M, 1) else None


@pytest.mark.points(1)
def test_start(submission):
    """Shapes, zero biases, normal weights of standard deviation 1/sqrt(n), the seed; no two units are one."""

    def begin(n_x, n_h, _n_y, seed):
        return submission.start(n_x, n_h, seed)

    def shapes(n_x, n_h, _n_y):
        return {"W1": (n_x, n_h), "b1": (n_h,), "W2": (n_h, 1), "b2": (1,)}

    check_symmetry(submission.start(N_X, 5, 3))
    sizes = [(3, 5, 1), (40, 60, 1), (300, 30, 1)]
    check_initialization(begin, sizes=sizes, law="lecun", shapes=shapes, distribution="normal", biases="zero")


@pytest.mark.points(1)
def test_forward(submission, reference, net):
    """Sums, answers, output."""
    check_matches(submission.forward, reference.forward, net[0], net[2])


@pytest.mark.points(0.5)
def test_cost(submission, reference, net, probe_rng):
    """The mean cross-entropy."""
    check_matches(submission.cost, reference.cost, probe_rng.uniform(0.05, 0.95, size=(M, 1)), net[1])


@pytest.mark.points(2.5)
def test_gradients(submission, reference, net):
    """The slopes of the student's own cost; or the formulas, for what the student's own forward says."""
    X, y, parameters = net

    def own_cost(p):
        said = submission.forward(X, p)
        assert layers(said) is not None, "forward must return Z, A and the output"
        return submission.cost(said[2], y)

    def own_gradients(p):
        return submission.backward(X, y, p)

    try:
        check_gradients(own_cost, own_gradients, parameters)
    except CheckFailed:
        # A mistake in forward or in the cost has lost its points already: right formulas stay right.
        given, said = own_gradients(parameters), layers(submission.forward(X, parameters))
        if agrees(given, reference.backward(X, y, parameters)):
            return
        if said is None or not agrees(given, formulas(X, y, parameters, *said[1:])):
            raise


def formulas(X, y, parameters, A, out):
    """Return the gradients of the cost, for what the layers say."""
    delta = (out - y) / len(X)
    dZ = delta @ parameters["W2"].T * A * (1 - A)
    return {"dW1": X.T @ dZ, "db1": dZ.sum(axis=0), "dW2": A.T @ delta, "db2": delta.sum(axis=0)}


@pytest.mark.points(1)
def test_train(submission, reference, net):
    """The student's own start, then steps with the student's own gradients or the right ones."""
    X, y, parameters = net
    first = submission.start(N_X, N_H, 11)
    check_matches(shapes_only(first), shapes_only(parameters))
    own = submission.backward(X, y, first)
    sound = agrees(shapes_only(own), shapes_only(reference.backward(X, y, parameters)))

    def steps_by_hand(gradients_of):
        @wraps(reference.train)
        def steps(X, y, _n_h, steps, learning_rate, _seed):
            p = first
            for _ in range(steps):
                gradients = gradients_of(X, y, p)
                p = {name: p[name] - learning_rate * gradients["d" + name] for name in p}
            return p

        return steps

    settings = (X, y, N_H, 3, 0.7, 11)
    right = steps_by_hand(reference.backward)
    if sound and agrees(submission.train, steps_by_hand(submission.backward), *settings):
        return
    check_matches(submission.train, right, *settings)


def shapes_only(arrays):
    """Return zeros in the shapes of arrays with names; what has none stays as it is."""
    if not isinstance(arrays, dict) or any(kind(value) not in "fiub" for value in arrays.values()):
        return arrays
    return {name: np.zeros(np.shape(value)) for name, value in arrays.items()}


@pytest.mark.points(0.5)
def test_training_can_be_repeated(submission, net):
    """The same seed gives the same numbers, to the last bit; another seed does not."""
    X, y, _ = net
    first, again, other = (submission.train(X, y, N_H, 2, 0.7, seed) for seed in (5, 5, 6))
    assert isinstance(first, dict), "train must return the parameters as a dict"
    assert equal_to_the_bit(first, again), "two trainings with seed 5 give different numbers"
    assert not equal_to_the_bit(first, other), "trainings with seeds 5 and 6 give the same numbers"


def equal_to_the_bit(first, second):
    """Return whether two results hold the same names and numbers."""
    if not isinstance(second, dict) or first.keys() != second.keys():
        return False
    return all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.points(1)
def test_correlations(submission, reference, probe_rng):
    """Each unit with each factor; scales and offsets do not matter."""
    F = probe_rng.normal(size=(M, 2))
    Z = F @ probe_rng.normal(size=(2, 3)) * [0.1, 7.0, 1.0] + probe_rng.normal(size=(M, 3)) + [5.0, 0.0, -3.0]
    check_matches(submission.correlations, reference.correlations, Z, F)


# For each table: the right matching; what a wrong reading of "best" gives differs in at least one of them.
TABLES = (
    [[0.1, -0.9, 0.2], [0.8, 0.3, 0.1], [0.2, 0.4, -0.7]],
    [[0.9, 0.8, 0.1], [0.9, 0.2, 0.3], [0.1, 0.3, 0.5]],
    [[-0.2, 0.1, 0.9], [0.3, -0.8, 0.95], [-0.9, 0.2, 0.3]],
    [[0.5, -0.6], [0.4, -0.7]],
    [[0.1, 0.2, 0.3, 0.9], [0.2, 0.1, 0.9, 0.3], [0.9, 0.3, 0.1, 0.2], [0.3, 0.9, 0.2, 0.1]],
)


@pytest.mark.points(1)
def test_roles(submission, reference):
    """The best matching, each factor once: three units, two, four."""

    @wraps(submission.roles)
    def matched(table):
        result = submission.roles(table)
        return tuple(int(i) for i in np.ravel(result)) if kind(result) in "iu" else result

    for table in TABLES:
        check_matches(matched, reference.roles, np.array(table))


@pytest.mark.points(0.5)
def test_swap(submission, reference, net):
    """Everything that belongs to the two units changes places, and nothing else."""
    for i, j in ((0, 2), (1, 0), (1, 1)):
        check_matches(submission.swap, reference.swap, net[2], i, j)


@pytest.mark.points(0.5)
def test_swap_leaves_the_old_network_alone(submission, net):
    """What was passed in stays as it was."""
    check_purity(submission.swap, net[2], 0, 2)


@pytest.mark.points(0.5)
def test_same(submission, reference, net):
    """Equal to the last bit, with the same names; close is not the same."""
    parameters = net[2]
    nudged = {**parameters, "W1": parameters["W1"] * (1 + 1e-15)}
    smaller = {name: parameters[name] for name in ("W1", "b1", "W2")}
    for other in ({**parameters}, nudged, smaller, {**parameters, "b2": parameters["b2"] + 1}):
        check_matches(bool_of(submission.same), reference.same, parameters, other)
        check_matches(bool_of(submission.same), reference.same, other, parameters)


def bool_of(function):
    """Return the function with Python's truth values for numpy's."""

    @wraps(function)
    def call(*args):
        result = function(*args)
        return bool(result) if isinstance(result, np.bool_ | bool) else result

    return call
