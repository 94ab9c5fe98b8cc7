"""The questions of conv.ipynb: ten points."""

from functools import wraps

import numpy as np
import pytest

from pytest_symmetry import check_gradients, check_matches

# The lengths of each array differ, and so do those of what comes out (6 by 3 places): a wrong axis or a
# transposed array cannot hide.
M, CHANNELS, FILTERS, F, HEIGHT, WIDTH = 4, 2, 5, 3, 8, 5

# (stride, pad) beside the plain (1, 0): the last window ends at the rim, or before it.
WAYS = ((2, 0), (1, 1), (3, 2))


@pytest.fixture
def layer(probe_rng):
    """The arrays of one convolution."""
    return {
        "X": probe_rng.normal(size=(M, CHANNELS, HEIGHT, WIDTH)),
        "W": probe_rng.normal(size=(FILTERS, CHANNELS, F, F)),
        "b": probe_rng.normal(size=FILTERS),
    }


@pytest.fixture
def net(probe_rng):
    """Four pictures of two channels, and a network with three classes, special in no way."""
    parameters = {
        "W1": probe_rng.normal(size=(FILTERS, CHANNELS, F, F)),
        "b1": probe_rng.normal(size=FILTERS),
        "W2": probe_rng.normal(size=(FILTERS, 3)),
        "b2": probe_rng.normal(size=3),
    }
    return probe_rng.normal(size=(4, CHANNELS, 6, 9)), probe_rng.permutation(np.arange(4) % 3), parameters


def kind(value):
    """Return numpy's letter for the kind of numbers, "O" for anything that holds none."""
    try:
        return np.asarray(value).dtype.kind
    except ValueError:  # rows of different lengths
        return "O"


def holds(value, shape):
    """Return whether a value is an array of numbers of this shape."""
    return kind(value) in "fiub" and np.shape(value) == shape


def alike(given, right):
    """Return whether two results hold the same numbers. (A check would go on and look for the reason.)"""
    if isinstance(right, dict):
        same_names = isinstance(given, dict) and given.keys() == right.keys()
        return same_names and all(alike(given[name], right[name]) for name in right)
    return holds(given, np.shape(right)) and np.allclose(given, right, rtol=1e-6, atol=1e-9)


def whole(function):
    """Return the function with Python's whole numbers for numpy's, and for floats without a fraction."""

    def plain(value):
        if isinstance(value, tuple | list):
            return tuple(plain(part) for part in value)
        number = kind(value) in "iuf" and np.ndim(value) == 0 and np.isfinite(value)
        return int(value) if number and value == int(value) else value

    @wraps(function)
    def call(*args):
        return plain(function(*args))

    return call


# (n, f, stride, pad): the last window ends at the rim, or before it; there is room for one window only.
ROWS = ((10, 3, 1, 0), (7, 2, 1, 1), (11, 3, 2, 0), (12, 3, 2, 0), (9, 4, 3, 2), (5, 5, 4, 0))
# Long enough that no other formula gives the same numbers by chance: what goes wrong is told from these.
LONG_ROWS = ((1_000_004, 101, 3, 40), (9_876_547, 57, 8, 23))


@pytest.mark.points(0.5)
def test_size(submission, reference):
    """Places of a window, with and without padding."""
    for row in LONG_ROWS:
        submission.size(*row)
    for row in (*ROWS, *LONG_ROWS):
        check_matches(whole(submission.size), whole(reference.size), *row)


@pytest.mark.points(1)
def test_conv(submission, reference, layer):
    """Every window, filter by filter."""
    check_matches(submission.conv, reference.conv, *layer.values(), 1, 0)


@pytest.mark.points(1)
def test_conv_with_stride_and_padding(submission, reference, layer):
    """Windows that move on by more than one pixel, over a picture with zeros around it."""
    for stride, pad in WAYS:
        check_matches(submission.conv, reference.conv, *layer.values(), stride, pad)


@pytest.mark.points(1.5)
def test_conv_backward(submission, reference, layer, probe_rng):
    """The slopes of the student's own convolution."""
    gradients_of_conv(submission, reference, layer, probe_rng, 1, 0)


@pytest.mark.points(1)
def test_conv_backward_with_stride_and_padding(submission, reference, layer, probe_rng):
    """The same for windows that overlap less, and over a picture with zeros around it."""
    for stride, pad in WAYS[:2]:
        gradients_of_conv(submission, reference, layer, probe_rng, stride, pad)


def gradients_of_conv(submission, reference, layer, probe_rng, stride, pad):
    """Check the gradients of one convolution: the student's own, or the right one."""
    X, W, b = layer.values()
    Z = reference.conv(X, W, b, stride, pad)
    dZ = probe_rng.normal(size=Z.shape)
    if not alike(submission.conv(X, W, b, stride, pad), Z):
        # A mistake in the convolution has lost its points already: right gradients stay right.
        given = submission.conv_backward(dZ, X, W, stride, pad)
        if alike(given, reference.conv_backward(dZ, X, W, stride, pad)):
            return

    def slopes(*names):
        def own_loss(p):
            Z = submission.conv(*(layer | p).values(), stride, pad)
            assert holds(Z, dZ.shape), f"conv must return an array of shape {dZ.shape} here"
            return np.sum(dZ * Z)

        def own_gradients(p):
            arrays = layer | p
            gradients = submission.conv_backward(dZ, arrays["X"], arrays["W"], stride, pad)
            return chosen(gradients, ["d" + name for name in names])

        check_gradients(own_loss, own_gradients, {name: layer[name] for name in names})

    slopes("W", "b")
    slopes("X")


def chosen(gradients, names):
    """Return those of the gradients that have these names; what is no dict stays as it is."""
    if not isinstance(gradients, dict):
        return gradients
    return {name: gradients[name] for name in names if name in gradients}


@pytest.mark.points(1)
def test_pool(submission, reference, probe_rng):
    """The largest number: windows side by side, windows that overlap, a rim that is left out."""
    A = probe_rng.normal(size=(M, CHANNELS, HEIGHT, WIDTH))
    for f, stride in ((2, 2), (3, 2), (2, 3)):
        check_matches(submission.pool, reference.pool, A, f, stride)


@pytest.mark.points(1)
def test_pool_backward(submission, reference, probe_rng):
    """The slopes of the student's own pooling."""
    A = probe_rng.normal(size=(M, CHANNELS, HEIGHT, WIDTH))
    for f, stride in ((2, 2), (3, 2), (2, 3)):
        gradients_of_pool(submission, reference, A, f, stride, probe_rng)


def gradients_of_pool(submission, reference, A, f, stride, probe_rng):
    """Check the gradient of one pooling: the student's own, or the right one."""
    P = reference.pool(A, f, stride)
    dP = probe_rng.normal(size=P.shape)
    if not alike(submission.pool(A, f, stride), P):
        given = submission.pool_backward(dP, A, f, stride)
        if alike(given, reference.pool_backward(dP, A, f, stride)):
            return

    def own_loss(p):
        P = submission.pool(p["A"], f, stride)
        assert holds(P, dP.shape), f"pool must return an array of shape {dP.shape} here"
        return np.sum(dP * P)

    def own_gradients(p):
        return {"dA": submission.pool_backward(dP, p["A"], f, stride)}

    check_gradients(own_loss, own_gradients, {"A": A})


# Layers from the picture upwards: one, two, strides below and above, windows of other sizes; no layer at all.
TOWERS = (
    [(3, 1)],
    [(3, 1), (3, 1)],
    [(5, 2), (3, 1)],
    [(3, 2), (2, 2), (4, 3)],
    [],
)
# High enough that no other formula gives the same numbers by chance: what goes wrong is told from these.
HIGH_TOWERS = (
    [(11, 7), (9, 6), (13, 5), (7, 8), (10, 9), (5, 4)],
    [(7, 3), (4, 7), (15, 4), (6, 11), (8, 5), (12, 6), (9, 2)],
)


@pytest.mark.points(1)
def test_receptive_field(submission, reference):
    """Both numbers, for several towers of layers."""
    for layers in HIGH_TOWERS:
        submission.receptive_field(layers)
    for layers in (*TOWERS, *HIGH_TOWERS):
        check_matches(whole(submission.receptive_field), whole(reference.receptive_field), layers)


@pytest.mark.points(1)
def test_influence(submission, reference, probe_rng):
    """The pixels that move one answer: of one layer, of two; in the middle and at the corner."""

    @wraps(submission.influence)
    def seen(*args):
        result = submission.influence(*args)
        yes_or_no = kind(result) in "biuf" and np.isin(result, (0, 1)).all()
        return np.asarray(result) != 0 if yes_or_no else result

    @wraps(reference.influence)
    def seen_by_own_conv(picture, filters, strides, row, column):
        answers = submission.stack(every_nudge(picture), filters, strides)
        moved = np.abs(answers[1:, 0, row, column] - answers[0, 0, row, column]) > 1e-9
        return moved.reshape(picture.shape)

    picture = probe_rng.normal(size=(7, 8))
    filters = [probe_rng.normal(size=(1, 1, 3, 3)), probe_rng.normal(size=(1, 1, 2, 2))]
    for depth, strides, row, column in ((1, [2], 1, 0), (2, [2, 1], 1, 0), (2, [1, 2], 0, 2)):
        settings = (picture, filters[:depth], strides, row, column)
        # What the student's own layers see is right as well; a mistake in them has lost its points already.
        own = submission.stack(every_nudge(picture), filters[:depth], strides)
        usual = reference.stack(every_nudge(picture), filters[:depth], strides)
        changed = holds(own, usual.shape) and not alike(own, usual)
        if changed and alike(seen(*settings), seen_by_own_conv(*settings)):
            continue
        check_matches(seen, reference.influence, *settings)


def every_nudge(picture):
    """Return the picture as it is, then once for each pixel with 1 added there, as a batch of one channel."""
    nudges = np.eye(picture.size).reshape(picture.size, *picture.shape)
    return np.concatenate([picture[np.newaxis], picture + nudges])[:, np.newaxis]


@pytest.mark.points(1)
def test_backward(submission, reference, net):
    """The slopes of the student's own cost; or the pieces put together rightly, whatever they give."""
    X, y, parameters = net

    def own_cost(p):
        return submission.cost(submission.forward(X, p)[-1], y)

    def own_gradients(p):
        return submission.backward(X, y, p)

    if not pieces_are_right(submission, reference, X, parameters):
        given = own_gradients(parameters)
        if alike(given, reference.backward(X, y, parameters)):
            return
        if alike(given, put_together(submission, X, y, parameters)):
            return
    check_gradients(own_cost, own_gradients, parameters)


def pieces_are_right(submission, reference, X, parameters):
    """Return whether the student's own layers, forward and backward, say what they should."""
    Z, A, P, _, _ = reference.forward(X, parameters)
    layer = (X, parameters["W1"], parameters["b1"], 1, 0)
    back = (Z, X, parameters["W1"], 1, 0)
    return (
        alike(submission.conv(*layer), Z)
        and alike(submission.pool(A, 2, 2), P)
        and alike(submission.pool_backward(P, A, 2, 2), reference.pool_backward(P, A, 2, 2))
        and alike(submission.conv_backward(*back), reference.conv_backward(*back))
    )


def put_together(submission, X, y, parameters):
    """Return the gradients that the student's own pieces give, or nothing where a piece has another shape."""
    Z, A, P, S, L = submission.forward(X, parameters)
    dL = (submission.softmax(L) - np.eye(3)[y]) / len(y)
    share = np.einsum("nc,kc->nk", dL, parameters["W2"]) / P[0, 0].size
    dP = np.broadcast_to(share.reshape(*share.shape, 1, 1), P.shape)
    dA = submission.pool_backward(dP, A, 2, 2)
    if not holds(dA, Z.shape):
        return {}
    first = submission.conv_backward(dA * (Z > 0), X, parameters["W1"], 1, 0)
    if not isinstance(first, dict) or not {"dW", "db"} <= first.keys():
        return {}
    return {"dW1": first["dW"], "db1": first["db"], "dW2": S.T @ dL, "db2": dL.sum(axis=0)}
