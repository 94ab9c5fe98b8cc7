"""The questions of blobs.ipynb: ten points."""

from functools import wraps

import numpy as np
import pytest

from pytest_symmetry import CheckFailed, check_gradients, check_initialization, check_matches, check_symmetry

M = 13


@pytest.fixture
def net(probe_rng):
    """Thirteen examples of all four classes, and a network at a point that is special in no way."""
    parameters = {
        "W1": probe_rng.normal(size=(2, 2)),
        "b1": probe_rng.normal(size=2),
        "W2": probe_rng.normal(size=(2, 4)),
        "b2": probe_rng.normal(size=4),
    }
    return probe_rng.normal(size=(M, 2)), probe_rng.permutation(np.arange(M) % 4), parameters


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
    """Return (A, L) if these are the answers of both layers, else None."""
    if not isinstance(said, tuple | list) or len(said) != 2 or any(kind(part) not in "fiub" for part in said):
        return None
    A, L = map(np.asarray, said)
    return (A, L) if A.shape == (M, 2) and L.shape == (M, 4) else None


@pytest.mark.points(0.5)
def test_start(submission):
    """Shapes, zero biases, standard normal weights, the meaning of the seed; no two units are one."""

    def begin(*_widths, seed):
        return submission.start(seed)

    def shapes(*_widths):
        return {"W1": (2, 2), "b1": (2,), "W2": (2, 4), "b2": (4,)}

    check_symmetry(submission.start(3))
    widths = [(2, 2, 4)]
    check_initialization(
        begin, sizes=widths, law="fixed:1", shapes=shapes, distribution="normal", biases="zero"
    )


@pytest.mark.points(1.5)
def test_forward(submission, reference, net):
    """What the hidden units say, and the logits."""
    check_matches(submission.forward, reference.forward, net[0], net[2])


@pytest.mark.points(1)
def test_softmax(submission, reference, probe_rng):
    """Probabilities in each row."""
    check_matches(submission.softmax, reference.softmax, 2 * probe_rng.normal(size=(M, 4)))


@pytest.mark.points(0.5)
def test_softmax_of_large_logits(submission, reference):
    """A number for every logit, however large."""
    L = np.array([[1000.0, 999.0, 0.0, -1000.0], [-1000.0, -1001.0, -1000.0, -1003.0], [5.0, 5.0, 5.0, 5.0]])
    check_matches(submission.softmax, reference.softmax, L)


@pytest.mark.points(1)
def test_cost(submission, reference, net, probe_rng):
    """The mean cross-entropy, from logits."""
    check_matches(submission.cost, reference.cost, 2 * probe_rng.normal(size=(M, 4)), net[1])


@pytest.mark.points(0.5)
def test_cost_of_large_logits(submission, reference):
    """A loss of 2,000 is a number like any other."""
    L = np.array([[1000.0, 0.0, -1000.0, 3.0], [-900.0, -901.0, -900.5, 100.0], [2.0, 1.0, 0.0, -1.0]])
    check_matches(submission.cost, reference.cost, L, np.array([2, 0, 1]))


@pytest.mark.points(3)
def test_gradients(submission, reference, net):
    """The slopes of the student's own cost; or the formulas, for what the student's own layers say."""
    X, y, parameters = net

    def own_cost(p):
        said = submission.forward(X, p)
        assert layers(said) is not None, "forward must return A and L, of shape (m, 2) and (m, 4)"
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
        if said is None or not agrees(given, formulas(submission, X, y, parameters, *said)):
            raise


def formulas(submission, X, y, parameters, A, L):
    """Return the gradients of the cost, for what the layers and the student's own softmax say."""
    P = submission.softmax(L)
    if kind(P) not in "fiub" or np.shape(P) != (M, 4):
        return None
    dL = (P - np.eye(4)[y]) / len(X)
    dZ = dL @ parameters["W2"].T * (A > 0)
    return {"dW1": X.T @ dZ, "db1": dZ.sum(axis=0), "dW2": A.T @ dL, "db2": dL.sum(axis=0)}


@pytest.mark.points(1)
def test_train(submission, reference, net):
    """Steps made of the student's own gradients, or of the right ones."""

    @wraps(reference.train)
    def steps_by_hand(X, y, p, steps, learning_rate):
        for _ in range(steps):
            gradients = submission.backward(X, y, p)
            p = {name: p[name] - learning_rate * gradients["d" + name] for name in p}
        return p

    X, y, parameters = net
    if agrees(submission.train, reference.train, X, y, parameters, 3, 0.7):
        return
    given, right = submission.backward(X, y, parameters), reference.backward(X, y, parameters)
    sound = agrees(shapes_only(given), shapes_only(right))
    expected = steps_by_hand if sound else reference.train
    check_matches(submission.train, expected, X, y, parameters, 3, 0.7)


def shapes_only(arrays):
    """Return zeros in the shapes of arrays with names; what has none stays as it is."""
    if not isinstance(arrays, dict) or any(kind(value) not in "fiub" for value in arrays.values()):
        return arrays
    return {name: np.zeros(np.shape(value)) for name, value in arrays.items()}


@pytest.mark.points(0.5)
def test_predict(submission, reference, net, probe_rng):
    """The class of the largest logit, the student's own or the right one."""
    X, parameters = probe_rng.normal(size=(M, 2)), net[2]

    @wraps(submission.predict)
    def classes(X, parameters):
        result = submission.predict(X, parameters)
        return np.asarray(result) if isinstance(result, list) and kind(result) in "iu" else result

    @wraps(reference.predict)
    def by_own_logits(X, parameters):
        return np.argmax(layers(submission.forward(X, parameters))[1], axis=1)

    if agrees(classes, reference.predict, X, parameters):
        return
    own = layers(submission.forward(X, parameters)) is not None
    check_matches(classes, by_own_logits if own else reference.predict, X, parameters)


@pytest.mark.points(0.5)
def test_splits(submission, reference, probe_rng):
    """Shares per unit and class; the classes come in any order and in different numbers."""
    y = probe_rng.permutation(np.repeat(np.arange(4), [2, 3, 5, 7]))
    A = np.maximum(probe_rng.normal(size=(len(y), 2)), 0)
    check_matches(submission.splits, reference.splits, A, y)
