"""The questions of transfer.ipynb: ten points."""

from functools import wraps

import numpy as np
import pytest

from pytest_symmetry import check_gradients, check_matches, check_purity

# All sizes differ, so that a transposed matrix or a wrong axis cannot hide.
M, N_X, N_H, N_Y = 11, 5, 4, 3


@pytest.fixture
def net(probe_rng):
    """Eleven examples of all classes, and a network at a point that is special in no way."""
    parameters = {
        "W1": probe_rng.normal(size=(N_X, N_H)),
        "b1": probe_rng.normal(size=N_H),
        "W2": probe_rng.normal(size=(N_H, N_Y)),
        "b2": probe_rng.normal(size=N_Y),
    }
    return probe_rng.normal(size=(M, N_X)), probe_rng.permutation(np.arange(M) % N_Y), parameters


def kind(value):
    """Return numpy's letter for the kind of numbers, "O" for anything that holds none."""
    try:
        return np.asarray(value).dtype.kind
    except ValueError:  # rows of different lengths
        return "O"


def holds(value, shape):
    """Return whether a value is an array of numbers of this shape."""
    return kind(value) in "fiub" and np.shape(value) == shape


def same_form(given, right):
    """Return whether a result has the names and shapes of the right one."""
    if isinstance(right, dict):
        same_names = isinstance(given, dict) and given.keys() == right.keys()
        return same_names and all(holds(given[name], np.shape(right[name])) for name in right)
    return holds(given, np.shape(right))


def alike(given, right):
    """Return whether two results hold the same numbers. (A check would go on and look for the reason.)"""
    if isinstance(right, dict):
        return same_form(given, right) and all(alike(given[name], right[name]) for name in right)
    return holds(given, np.shape(right)) and np.allclose(given, right, rtol=1e-6, atol=1e-9)


def layers(said):
    """Return (A, L) if these are the answers of forward, else None."""
    if not isinstance(said, tuple | list) or len(said) != 2:
        return None
    return said if holds(said[0], (M, N_H)) and holds(said[1], (M, N_Y)) else None


@pytest.mark.points(1.5)
def test_forward(submission, reference, net):
    """The features and the logits."""
    check_matches(submission.forward, reference.forward, net[0], net[2])


@pytest.mark.points(2.5)
def test_gradients(submission, reference, net):
    """The slopes of the cost of the student's own network; or the formulas, for what that network says."""
    X, y, parameters = net
    said = layers(submission.forward(X, parameters))
    usual = reference.forward(X, parameters)
    if said is not None and not all(alike(own, right) for own, right in zip(said, usual, strict=True)):
        # A mistake in forward has lost its points already: right formulas stay right.
        given = submission.backward(X, y, parameters)
        if alike(given, reference.backward(X, y, parameters)):
            return
        if alike(given, formulas(X, y, parameters, *said)):
            return

    def own_cost(p):
        said = layers(submission.forward(X, p))
        assert said is not None, "forward must return A and L, of shape (m, n_h) and (m, n_y)"
        return -np.mean(np.log(softmax(np.asarray(said[1], dtype=float))[np.arange(M), y]))

    check_gradients(own_cost, lambda p: submission.backward(X, y, p), parameters)


def softmax(L):
    """Return the probabilities of the classes: the notebook's, here so that a pack can ask it too."""
    E = np.exp(L - np.max(L, axis=1, keepdims=True))
    return E / np.sum(E, axis=1, keepdims=True)


def formulas(X, y, parameters, A, L):
    """Return the gradients of the cost, for what the layers say."""
    dL = (softmax(np.asarray(L, dtype=float)) - np.eye(N_Y)[y]) / M
    dZ = dL @ parameters["W2"].T * (np.asarray(A) > 0)
    return {"dW1": X.T @ dZ, "db1": dZ.sum(axis=0), "dW2": np.transpose(A) @ dL, "db2": dL.sum(axis=0)}


@pytest.fixture
def gradients(probe_rng):
    """Gradients of a network, none of them zero."""
    shapes = {"dW1": (N_X, N_H), "db1": (N_H,), "dW2": (N_H, N_Y), "db2": (N_Y,)}
    return {name: probe_rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.points(1)
def test_freeze(submission, reference, gradients):
    """Zeros for the named ones, to the last bit; the others as they are."""
    for frozen in (("W1", "b1"), ("b2",), (), ("W1", "b1", "W2", "b2"), ("W2", "b1")):
        check_matches(submission.freeze, reference.freeze, gradients, frozen)
        given = submission.freeze(gradients, frozen)
        nearly = [name for name in frozen if np.any(np.asarray(given["d" + name]) != 0)]
        assert not nearly, f"{', '.join(nearly)}: nearly zero, and should be zero to the last bit"


@pytest.mark.points(0.5)
def test_freeze_leaves_the_old_gradients_alone(submission, gradients):
    """What was passed in stays as it was."""
    check_purity(submission.freeze, gradients, ("W1", "b1"))


@pytest.mark.points(1)
def test_train(submission, reference, net):
    """Steps made of the student's own gradients, or of the right ones; all arrays trained, then some."""
    X, y, parameters = net
    own = submission.backward(X, y, parameters)
    right = reference.backward(X, y, parameters)
    use_own = same_form(own, right) and not alike(own, right)

    @wraps(reference.train)
    def steps_by_hand(X, y, p, steps, learning_rate, frozen):
        velocity = {name: np.zeros(value.shape) for name, value in p.items()}
        for _ in range(steps):
            found = submission.backward(X, y, p)
            for name in [name for name in p if name not in frozen]:
                velocity[name] = 0.9 * velocity[name] + found["d" + name]
            p = {name: p[name] - learning_rate * velocity[name] for name in p}
        return p

    for frozen in ((), ("W1", "b1")):
        settings = (X, y, parameters, 3, 0.7, frozen)
        if use_own and alike(submission.train(*settings), steps_by_hand(*settings)):
            continue
        check_matches(submission.train, reference.train, *settings)


@pytest.mark.points(0.5)
def test_what_is_frozen_keeps_every_bit(submission, net):
    """The frozen parameters after training are the ones from before, and the others are not."""
    X, y, parameters = net
    for frozen in (("W1", "b1"), ("W2",)):
        after = submission.train(X, y, parameters, 4, 0.3, frozen)
        assert same_form(after, parameters), "train must return the four parameters in their shapes"
        for name, before in parameters.items():
            same = np.array_equal(after[name], before)
            assert same or name not in frozen, f"{name} is frozen, and differs from before"
            assert not same or name in frozen, f"{name} is not frozen, and is the same as before"


@pytest.mark.points(1)
def test_pick_few(submission, probe_rng):
    """So many of each label, none twice, by the seed."""
    y = probe_rng.permutation(np.repeat(np.arange(4), [9, 6, 14, 11]))

    def pick(per_class, seed):
        few = submission.pick_few(y, per_class, seed)
        assert kind(few) in "iu", "pick_few must return whole numbers, one for each chosen picture"
        return np.ravel(few)

    for per_class in (3, 1, 6):
        few = pick(per_class, 5)
        assert len(few) == 4 * per_class, f"{4 * per_class} pictures are asked for, {len(few)} are returned"
        assert np.all((few >= 0) & (few < len(y))), f"there are pictures 0 to {len(y) - 1}, and no others"
        assert len(set(few.tolist())) == len(few), "a picture is chosen twice"
        counts = np.bincount(y[few], minlength=4).tolist()
        assert counts == [per_class] * 4, f"of the four labels {counts} pictures are chosen"
    assert set(pick(3, 5).tolist()) == set(pick(3, 5).tolist()), "the same seed gives another choice"
    choices = {frozenset(pick(3, seed).tolist()) for seed in range(6)}
    assert len(choices) > 3, "six seeds give nearly always the same choice"
    ever = set().union(*({*pick(3, seed).tolist()} for seed in range(40)))
    assert len(ever) > len(y) * 0.8, "some pictures are never chosen, whatever the seed"


@pytest.mark.points(1)
def test_transplant(submission, reference, net):
    """The first layer of the old network, the head of a new one with another number of outputs."""
    for n_y, seed in ((2, 7), (6, 8)):
        check_matches(submission.transplant, reference.transplant, net[2], n_y, seed)


@pytest.mark.points(1)
def test_paired(submission, reference, probe_rng):
    """The mean of the differences and its standard error: pairs that go together, and few of them."""
    for n in (20, 3):
        luck = probe_rng.normal(size=n)
        first = luck + probe_rng.normal(size=n) / 3 + 0.2  # so that some differences are negative
        second = luck + probe_rng.normal(size=n) / 3
        check_matches(submission.paired, reference.paired, first, second)
