"""A dictionary that tells a mistake only to those who made it."""

import numpy as np
import pytest

from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.dictionary import Print, build, measure, print_of
from pytest_symmetry.diagnosis.locked import lock, unlocked_for
from pytest_symmetry.diagnosis.replay import Step, program_of

SOURCE = """
import numpy as np

def forward(X, parameters):
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = np.tanh(Z1)
    return parameters["W2"] @ A1 + parameters["b2"], A1

def backward(X, Y, parameters):
    A2, hidden_activation = forward(X, parameters)
    output_error = (A2 - Y) / X.shape[1]
    dZ1 = (parameters["W2"].T @ output_error) * (1 - hidden_activation**2)
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    db2 = np.sum(output_error, axis=1, keepdims=True)
    return {"dW1": dZ1 @ X.T, "db1": db1, "dW2": output_error @ hidden_activation.T, "db2": db2}
"""


def steps():
    rng = np.random.default_rng(4)
    shapes = {"W1": (5, 3), "b1": (5, 1), "W2": (1, 5), "b2": (1, 1)}
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    X, Y = rng.normal(size=(3, 7)), rng.normal(size=(1, 7))
    return [Step("forward", (X, parameters)), Step("backward", (X, Y, parameters))]


@pytest.fixture(scope="module")
def clear():
    return build(SOURCE, steps(), {7: "m"})


@pytest.fixture(scope="module")
def right():
    return measure(program_of(SOURCE).run(steps()))


def shut(clear, right, causes=True):
    return unlocked_for(clear.leaves, right, lock(clear, causes=causes), clear.tried)


def seen_as(clear, row, off=0.0, seed=0):
    """Return what is seen of a submission that makes the mistake of a row, up to rounding."""
    prints = clear.prints[row]
    norms = np.linalg.norm(prints.reshape(-1, 4), axis=1) / 2
    noise = np.random.default_rng(seed).uniform(-1, 1, size=prints.size)
    return Print(clear.shapes[row], prints + off * np.repeat(norms, 4) * noise, norms)


def known(entries):
    return sorted((entry.cause, entry.function, entry.number, str(dict(entry.facts))) for entry in entries)


@pytest.mark.parametrize(("off", "noise"), [(0.0, 1e-9), (1e-9, 1e-9), (1e-6, 1e-6)])
@pytest.mark.parametrize("causes", [True, False])
def test_every_mistake_opens_its_own_box(off, noise, causes, clear, right):
    """The same entries match as in the clear, with all that is said about them, up to rounding."""
    locked = shut(clear, right, causes)
    for row in range(1, len(clear.prints)):
        seen = seen_as(clear, row, off, row)

        assert set(known(clear.matching(seen, noise))) <= set(known(locked.matching(seen, noise)))
        assert clear.differing(seen, noise) == locked.differing(seen, noise)


def test_the_same_leaves_change(clear, right):
    """Two mistakes side by side are told apart as in the clear."""
    for noise in (1e-9, 1e-6):
        assert np.array_equal(clear.changes(noise), shut(clear, right).changes(noise))


def test_right_results_open_nothing(clear, right):
    """Nor do results that nobody has planted."""
    locked = shut(clear, right)
    locked.matching(print_of(right, clear.leaves))
    odd = {leaf: np.asarray(array) * 1.7 + 0.3 for leaf, array in right.items()}
    locked.matching(print_of(odd, clear.leaves))

    assert {"": len(clear.entries)} == {
        cause: sum(entry.cause == cause for entry in locked.entries)
        for cause in {e.cause for e in locked.entries}
    }


def test_one_mistake_opens_no_box_of_another(clear, right):
    """Only entries that agree with what was seen somewhere can be read."""
    locked = shut(clear, right)
    row = next(i for i, e in enumerate(clear.entries, 1) if e.cause == "activation-derivative-missing")
    seen = seen_as(clear, row)
    agree = clear.explaining(seen) & clear.changes()
    locked.matching(seen)
    opened = {i for i in range(len(clear.entries)) if locked.entries[i].cause}

    assert opened <= set(np.flatnonzero(agree.any(axis=1)))


@pytest.mark.parametrize("causes", [True, False])
def test_neither_causes_nor_names_can_be_read_in_the_boxes(causes, clear):
    """Whatever the level of the pack."""
    locks = lock(clear, causes=causes)
    everything = b"".join([*locks.boxes, *(part.tobytes() for part in [*locks.tokens, *locks.wraps])])

    for word in [*all_causes(), "hidden_activation", "output_error", "backward"]:
        assert word.encode() not in everything


def test_not_a_number_matches_nothing(clear, right):
    """A submission that gives NaN or infinities is no planted mistake."""
    locked = shut(clear, right)
    bad = {leaf: np.full_like(np.asarray(array, dtype=float), np.nan) for leaf, array in right.items()}

    assert [] == locked.matching(print_of(bad, clear.leaves))
