"""The questions of logistic.ipynb: ten points."""

from functools import wraps

import numpy as np
import pytest

from pytest_symmetry import CheckFailed, check_gradients, check_matches, check_symmetry

# Both sizes are primes and differ, so that a transposed matrix or a wrong axis cannot hide.
N, M = 3, 13


@pytest.fixture
def neuron(probe_rng):
    """Thirteen examples of both classes, and weights that are special in no way."""
    return {
        "X": probe_rng.normal(size=(M, N)),
        "y": probe_rng.permutation(np.arange(M) % 2.0),
        "w": probe_rng.normal(size=N),
        "b": float(probe_rng.normal()),
    }


@pytest.mark.points(1)
def test_probability(submission, reference, neuron):
    """The sigmoid of the weighted sum."""
    check_matches(submission.probability, reference.probability, neuron["X"], neuron["w"], neuron["b"])


@pytest.mark.points(0.5)
def test_probability_of_large_sums(submission, reference):
    """A number between 0 and 1 for sums from -1000 to 1000."""
    X = np.array([[-1000.0], [-40.0], [0.0], [40.0], [1000.0]])
    check_matches(submission.probability, reference.probability, X, np.ones(1), 0.0)


@pytest.mark.points(1.5)
def test_losses(submission, reference, neuron, probe_rng):
    """The cross-entropy of each example, none of them summed."""
    a = probe_rng.uniform(0.05, 0.95, size=M)
    check_matches(submission.losses, reference.losses, a, neuron["y"])


@pytest.mark.points(1)
def test_cost(submission, reference, neuron):
    """The mean of the losses, or the mean of the student's own losses."""
    X, y, w, b = (neuron[k] for k in ("X", "y", "w", "b"))

    @wraps(reference.cost)
    def mean_of_own_losses(X, y, w, b):
        values = submission.losses(submission.probability(X, w, b), y)
        return np.mean(values) if is_one_per_example(values) else None

    try:
        check_matches(submission.cost, reference.cost, X, y, w, b)
    except CheckFailed:
        # A mistake in the losses has lost its points already: the mean of them stays right.
        if not agrees(submission.cost, mean_of_own_losses, X, y, w, b):
            raise


@pytest.mark.points(3)
def test_gradient(submission, reference, neuron):
    """The slopes of the student's own cost; or the formula, at their own probabilities or the right ones."""
    X, y, point = neuron["X"], neuron["y"], {"w": neuron["w"], "b": neuron["b"]}

    def own_cost(p):
        return submission.cost(X, y, p["w"], p["b"])

    def own_gradient(p):
        return named(submission.gradient(X, y, p["w"], p["b"]))

    try:
        check_gradients(own_cost, own_gradient, point)
    except CheckFailed:
        # A mistake in the probability or the cost has lost its points already: the formula stays right.
        given, right = own_gradient(point), named(reference.gradient(X, y, **point))
        if not agrees(given, right) and not agrees(given, formula(submission.probability(X, **point), X, y)):
            raise


def formula(a, X, y):
    """Return the mean pull of the examples, for the probabilities ``a``; None if those are none."""
    if not is_one_per_example(a):
        return None
    return {"dw": X.T @ (a - y) / len(X), "db": np.mean(a - y)}


def is_one_per_example(values):
    """Return whether these are numbers, one for each example."""
    return isinstance(values, np.ndarray) and values.shape == (M,) and values.dtype.kind in "fiub"


def named(slopes):
    """Return (dw, db) as a dict; what is no pair stays as it is."""
    pair = isinstance(slopes, tuple | list) and len(slopes) == 2
    return dict(zip(("dw", "db"), slopes, strict=True)) if pair else slopes


def agrees(*what):
    """Return whether two results, or two functions at the same arguments, agree."""
    try:
        check_matches(*what)
    except CheckFailed:
        return False
    return True


@pytest.mark.points(0.5)
def test_start(submission, reference):
    """Zeros, which is right for one neuron: there is no hidden layer to be alike in."""
    check_matches(submission.start, reference.start, N)
    w, b = submission.start(N)
    check_symmetry({"w": w, "b": b})


@pytest.mark.points(1.5)
def test_train(submission, reference, neuron):
    """Start, then steps, made of the student's own functions."""
    first, slopes = reference.start(N), submission.gradient(neuron["X"], neuron["y"], *reference.start(N))
    check_matches(shapes_only(submission.start(N)), shapes_only(first))
    check_matches(shapes_only(slopes), shapes_only(first))

    @wraps(submission.train)
    def trained(*args):
        result = submission.train(*args)
        if isinstance(result, tuple | list) and len(result) == 3 and isinstance(result[2], np.ndarray):
            return *result[:2], list(result[2])
        return result

    @wraps(reference.train)
    def steps_by_hand(X, y, steps, learning_rate):
        w, b = submission.start(N)
        costs = []
        for _ in range(steps):
            costs.append(submission.cost(X, y, w, b))
            dw, db = submission.gradient(X, y, w, b)
            w, b = w - learning_rate * dw, b - learning_rate * db
        return w, b, costs

    check_matches(trained, steps_by_hand, neuron["X"], neuron["y"], 3, 0.7)


def shapes_only(pair):
    """Return zeros in the shapes of weights and bias, so that nothing but shapes is compared."""
    if not isinstance(pair, tuple | list) or any(np.asarray(part).dtype.kind not in "fiub" for part in pair):
        return pair
    return tuple(np.zeros(np.shape(part)) for part in pair)


@pytest.mark.points(1)
def test_classify(submission, reference, neuron):
    """Class 1 wherever the student's own neuron says more than one half."""
    X, w, b = neuron["X"], neuron["w"], neuron["b"]

    @wraps(reference.classify)
    def own_probability_above_half(X, w, b):
        a = submission.probability(X, w, b)
        return ((a if is_one_per_example(a) else reference.probability(X, w, b)) > 0.5) * 1.0

    @wraps(submission.classify)
    def classes(X, w, b):
        result = submission.classify(X, w, b)
        if isinstance(result, list) and all(isinstance(c, int | float) for c in result):
            result = np.array(result)
        return result * 1.0 if isinstance(result, np.ndarray) else result

    check_matches(classes, own_probability_above_half, X, w, b)
