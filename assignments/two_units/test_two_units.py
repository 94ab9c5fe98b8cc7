"""The questions of two_units.ipynb: ten points."""

from functools import wraps

import numpy as np
import pytest

from pytest_symmetry import CheckFailed, check_gradients, check_matches, check_purity, check_symmetry

EXAMPLES = (((1.0, 0.5), 1.0), ((0.5, 1.0), 0.0), ((-1.0, -0.5), 0.5))  # those of the notebook
NAMES = ("w1", "w2", "w3", "w4", "w5", "w6")


@pytest.fixture
def example(probe_rng):
    """Six weights that are special in no way, one example, and its target."""
    x = tuple(float(value) for value in probe_rng.normal(size=2))
    return probe_rng.normal(size=6), x, float(probe_rng.normal())


def is_six_numbers(values):
    """Return whether this is one number for each weight."""
    return _kind(values) in "fiu" and np.shape(values) == (6,)


def is_number(value):
    """Return whether this is one number, plain or of numpy."""
    return _kind(value) in "fiu" and np.ndim(value) == 0


def _kind(values):
    try:
        return np.asarray(values).dtype.kind
    except ValueError:  # rows of different lengths
        return "O"


def by_name(values, prefix=""):
    """Return six numbers as a dict with the weights' names; what is no six numbers stays as it is."""
    if not is_six_numbers(values):
        return values
    return {prefix + name: float(value) for name, value in zip(NAMES, values, strict=True)}


def agrees(*what):
    """Return whether two results, or two functions at the same arguments, agree."""
    try:
        check_matches(*what)
    except CheckFailed:
        return False
    return True


def as_network(w):
    """Return six weights as the two arrays of a network."""
    w = np.asarray(w, dtype=float)
    return {"W1": w[:4].reshape(2, 2), "W2": w[4:].reshape(1, 2)}


@pytest.mark.points(1.5)
def test_forward(submission, reference, example):
    """What both units and the output say."""
    check_matches(submission.forward, reference.forward, *example[:2])


@pytest.mark.points(0.5)
def test_loss(submission, reference):
    """Half the squared error."""
    check_matches(submission.loss, reference.loss, 0.83, -1.31)


@pytest.mark.points(3)
def test_slopes(submission, reference, example):
    """The six derivatives: the right ones, or those of the student's own forward and loss."""
    w, x, y = example
    given, right = submission.slopes(w, x, y), reference.slopes(w, x, y)
    if agrees(given, right):
        return
    check_matches(shape_only(given), shape_only(right))
    # A mistake in forward or in the loss has lost its points already: what follows from it stays right.
    said = submission.forward(w, x)
    if is_three_numbers(said) and agrees(given, formula(w, x, y, *said)):
        return
    if is_three_numbers(said) and are_slopes(submission, submission, w, x, y):
        return
    check_gradients(*loss_and_slopes(reference, submission, x, y), by_name(w))


def loss_and_slopes(of_loss, of_slopes, x, y):
    """Return the loss of one and the slopes of another as functions of the weights by name."""
    return (
        lambda p: of_loss.loss(of_loss.forward(array_of(p), x)[2], y),
        lambda p: by_name(of_slopes.slopes(array_of(p), x, y), "d"),
    )


def are_slopes(of_loss, of_slopes, w, x, y):
    """Return whether the slopes of one are those of the loss of another."""
    try:
        check_gradients(*loss_and_slopes(of_loss, of_slopes, x, y), by_name(w))
    except CheckFailed:
        return False
    return True


def formula(w, x, y, a1, a2, a):
    """Return the six derivatives, for what the units and the output say."""
    dz1, dz2 = (a - y) * w[4] * a1 * (1 - a1), (a - y) * w[5] * a2 * (1 - a2)
    return np.array([dz1 * x[0], dz1 * x[1], dz2 * x[0], dz2 * x[1], (a - y) * a1, (a - y) * a2])


def is_three_numbers(said):
    """Return whether this can be (a1, a2, a)."""
    return isinstance(said, tuple | list) and len(said) == 3 and all(map(is_number, said))


def array_of(by_name):
    """Return the weights as one array, in their order."""
    return np.array([by_name[name] for name in NAMES])


def shape_only(values):
    """Return zeros in the shape of numbers, so that nothing but the shape is compared."""
    return np.zeros(np.shape(values)) if _kind(values) in "fiu" else values


@pytest.mark.points(1)
def test_step(submission, reference, example):
    """Downhill by the rate times the slopes, the student's own or the right ones."""
    w, x, y = example

    @wraps(reference.step)
    def by_own_slopes(w, x, y, rate):
        given = submission.slopes(w, x, y)
        return w - rate * np.asarray(given) if is_six_numbers(given) else reference.step(w, x, y, rate)

    if not agrees(submission.step, reference.step, w, x, y, 0.3):
        check_matches(submission.step, by_own_slopes, w, x, y, 0.3)


@pytest.mark.points(0.5)
def test_step_leaves_the_old_weights_alone(submission, example):
    """The new weights are a new array; what was passed in stays as it was."""
    check_purity(submission.step, *example, 0.3)


@pytest.mark.points(0.5)
def test_gap(submission, reference):
    """The larger of the two differences, whichever weight it is in and whatever its sign."""
    for w in (
        [0.3, 0.1, -0.4, 0.2, 9.0, -9.0],
        [0.3, -1.1, 0.4, 0.2, 1.0, 2.0],
        [0.5, 0.7, 0.5, 0.7, 1.0, 2.0],
    ):
        check_matches(submission.gap, reference.gap, np.array(w))


@pytest.mark.points(1.5)
def test_gap_after(submission, reference, example):
    """Steps on the examples by turns, made of the student's own functions or of the right ones."""
    w = example[0]

    @wraps(reference.gap_after)
    def by_own_steps(w, steps, rate):
        for k in range(steps):
            moved = submission.step(w, *EXAMPLES[k % 3], rate)
            w = moved if is_six_numbers(moved) else reference.step(w, *EXAMPLES[k % 3], rate)
        return submission.gap(w)

    if not agrees(submission.gap_after, reference.gap_after, w, 7, 0.3):
        check_matches(submission.gap_after, by_own_steps, w, 7, 0.3)


def start_of(function):
    """Return the six weights of a start, after a look at their number and that none is zero."""
    w = function()
    assert is_six_numbers(w), "a start is an array of six numbers, in the order w1 to w6"
    assert np.all(np.isfinite(w)), "each of the six weights must be a finite number"
    assert np.all(np.asarray(w) != 0), "none of the six weights may be zero"
    return np.asarray(w, dtype=float)


@pytest.mark.points(0.5)
def test_start_that_stays(submission):
    """The whole units are equal: incoming and outgoing weights."""
    w = start_of(submission.start_that_stays)
    assert np.array_equal(w[0:2], w[2:4]), (
        "the two units say different things: compare w1 with w3, and w2 with w4"
    )
    assert w[4] == w[5], "the slopes of w1 and w3 differ in one factor: look at the outgoing weights"


@pytest.mark.points(0.5)
def test_start_that_parts(submission):
    """Equal incoming weights, so that both say the same; then something else must differ."""
    w = start_of(submission.start_that_parts)
    assert np.array_equal(w[0:2], w[2:4]), "both units must say the same at first: w1 = w3 and w2 = w4"
    check_symmetry(as_network(w))


@pytest.mark.points(0.5)
def test_random_start(submission):
    """Repeatable by its seed, other numbers for another seed, and two units that can be told apart."""
    first = start_of(lambda: submission.random_start(3))
    check_matches(np.asarray(submission.random_start(3)), first)
    assert not np.array_equal(start_of(lambda: submission.random_start(4)), first), (
        "seeds 3 and 4 give one start"
    )
    check_symmetry(as_network(first))
