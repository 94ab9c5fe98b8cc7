"""The questions of deep.ipynb: ten points."""

from itertools import pairwise

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

# All sizes differ, so that a transposed matrix or a wrong axis cannot hide; four layers, three, and two.
FOUR, THREE, TWO, M = (3, 7, 6, 5, 1), (4, 6, 5, 1), (3, 7, 1), 13
DECAY, KEEP = 0.9, 0.7


def network(sizes, rng):
    """Return thirteen examples of both classes, and parameters at a point that is special in no way."""
    X, parameters = rng.normal(size=(sizes[0], M)), {}
    A = X
    for layer, (below, own) in enumerate(pairwise(sizes), 1):
        W = rng.normal(size=(own, below))
        # Above zero, so that no layer is silent for all examples.
        b = rng.uniform(0.2, 1.0, size=(own, 1))
        Z = W @ A + b
        if layer == len(sizes) - 1:
            # Of both signs, so that relu differs from nothing at all; and no answer is certain: where a
            # sigmoid is 1 to the last digit, right formulas divide 0 by 0.
            b = b - Z.mean()
            W, b = (part * min(1, 1.5 / np.abs(Z - Z.mean()).max()) for part in (W, b))
        A = np.maximum(Z, 0)
        parameters[f"W{layer}"], parameters[f"b{layer}"] = W, b
    return X, rng.permutation(np.arange(M) % 2.0).reshape(1, M), parameters


@pytest.fixture
def four_layers(probe_rng):
    """X, Y, parameters."""
    return network(FOUR, probe_rng)


@pytest.fixture
def three_layers(probe_rng):
    """X, Y, parameters."""
    return network(THREE, probe_rng)


def drawn(sizes, rng, columns=M):
    """Return masks that silence some units and not all."""
    masks = {f"D{i}": rng.uniform(size=(n, columns)) < KEEP for i, n in enumerate(sizes[1:-1], 1)}
    if columns == 1:  # few draws
        for mask in masks.values():
            mask[0], mask[1] = True, False
    return {name: np.tile(mask, (1, M // columns)) * 1.0 for name, mask in masks.items()}


def agrees(given, right):
    """Return whether two results hold the same names and numbers; nothing is said where they do not."""
    if isinstance(right, dict):
        same_names = isinstance(given, dict) and given.keys() == right.keys()
        return same_names and all(agrees(given[name], right[name]) for name in right)
    if isinstance(right, tuple | list):
        as_long = isinstance(given, tuple | list) and len(given) == len(right)
        return as_long and all(map(agrees, given, right))
    if kind(given) not in "fiub" or np.shape(given) != np.shape(right):
        return False
    return np.allclose(given, right, rtol=1e-6, atol=1e-9)


def kind(value):
    """Return numpy's letter for the kind of numbers, "O" for anything that holds none."""
    try:
        return np.asarray(value).dtype.kind
    except ValueError:  # rows of different lengths
        return "O"


def layers(said, sizes):
    """Return (A, logits) if these are the answers of all layers, else None."""
    if not isinstance(said, tuple | list) or len(said) != 2 or not isinstance(said[0], tuple | list):
        return None
    A, logits = said
    wanted = [(n, M) for n in sizes]
    parts = [*A, logits]
    fits = len(parts) == len(wanted) and all(kind(part) in "fiub" for part in parts)
    return (A, logits) if fits and [np.shape(part) for part in parts] == wanted else None


def logits_of(said):
    """Return the logits among the answers of a forward pass, whatever else it returns; None without them."""
    last = said[-1] if isinstance(said, tuple | list) and said else said
    return last if kind(last) in "fiub" and np.shape(last) == (1, M) else None


def are_arrays(gradients, parameters):
    """Return whether these are gradients of the right names and shapes."""
    if not isinstance(gradients, dict) or gradients.keys() != {f"d{name}" for name in parameters}:
        return False
    numbers = all(kind(value) in "fiub" for value in gradients.values())
    return numbers and all(np.shape(gradients[f"d{k}"]) == v.shape for k, v in parameters.items())


# ---------------------------------------------------------------------------------------- start and forward


@pytest.mark.points(0.5)
def test_start(submission):
    """He's law in every layer, zero biases, the meaning of the seed; no two units are one."""

    def begin(*sizes, seed):
        return submission.initialize(list(sizes), seed)

    def shapes(*sizes):
        pairs = [*enumerate(pairwise(sizes), 1)]
        weights = {f"W{k}": (own, below) for k, (below, own) in pairs}
        return weights | {f"b{k}": (own, 1) for k, (_, own) in pairs}

    check_symmetry(submission.initialize([3, 5, 4, 1], 3))
    sizes = [(10, 60, 40, 30), (300, 20, 30)]
    check_initialization(begin, sizes=sizes, law="he", shapes=shapes, distribution="normal", biases="zero")
    alike = submission.initialize([5, 5, 5, 1], 3)
    assert isinstance(alike, dict), "initialize must return a dict"
    assert not np.array_equal(alike["W1"], alike["W2"]), (
        "layers of the same shape start with the same weights"
    )


@pytest.mark.points(0.5)
def test_forward(submission, reference, four_layers, probe_rng):
    """What each layer hands on, and the logits: four layers, and two."""
    for X, _, parameters in (four_layers, network(TWO, probe_rng)):
        check_matches(submission.forward, reference.forward, X, parameters)


@pytest.mark.points(0.5)
def test_forward_with_masks(submission, reference, three_layers, probe_rng):
    """What is silenced says nothing, the rest is divided by the share that is kept."""
    X, _, parameters = three_layers
    masks, alike = drawn(THREE, probe_rng), drawn(THREE, probe_rng, columns=1)
    plain = submission.forward(X, parameters)
    # A mistake in the layers has lost its points already: the masks may be right.
    if agrees(plain, reference.forward(X, parameters)) or not silences_its_own(
        submission, X, parameters, alike
    ):
        check_matches(submission.forward, reference.forward, X, parameters, masks, KEEP)


def silences_its_own(submission, X, parameters, masks):
    """Return whether masks do to a student's layers what they should.

    Silencing a unit for all examples alike is the same as taking away the weights that lead out of it.
    """
    plain = layers(submission.forward(X, without(parameters, masks)), THREE)
    if plain is None or not all(np.any(a) for a in plain[0]):
        return False
    A = [plain[0][0], *(a * masks[f"D{i}"] / KEEP for i, a in enumerate(plain[0][1:], 1))]
    return agrees(submission.forward(X, parameters, masks, KEEP), (A, plain[1]))


def without(parameters, masks):
    """Return parameters that do without masks what these do with masks that are the same for all examples."""
    factors = {f"W{int(name[1:]) + 1}": mask[:, 0] / KEEP for name, mask in masks.items()}
    return {name: value * factors.get(name, 1.0) for name, value in parameters.items()}


# ---------------------------------------------------------------------------------------- cost and gradients


@pytest.mark.points(0.5)
def test_cost(submission, reference, four_layers, probe_rng):
    """The mean cross-entropy, from logits of any size."""
    _, Y, parameters = four_layers
    check_matches(submission.cost, reference.cost, 2 * probe_rng.normal(size=(1, M)), Y, parameters)
    large = np.array([[1000.0, -1000.0, 1000.0, -30.0]])
    check_matches(submission.cost, reference.cost, large, np.array([[1.0, 0.0, 0.0, 1.0]]), parameters)


@pytest.mark.points(0.5)
def test_penalty(submission, reference, four_layers, probe_rng):
    """All weights pay, in all layers, and no bias does."""
    _, Y, parameters = four_layers
    arguments = (2 * probe_rng.normal(size=(1, M)), Y, parameters)
    plain, right = submission.cost(*arguments), reference.cost(*arguments)
    paid = difference(submission.cost(*arguments, DECAY), plain)
    # A mistake in the losses has lost its points already: the penalty alone may be right.
    if agrees(plain, right) or not agrees(paid, reference.cost(*arguments, DECAY) - right):
        check_matches(submission.cost, reference.cost, *arguments, DECAY)


def difference(first, second):
    """Return the difference of two numbers, in an array or not; None where they are none."""
    if any(kind(value) not in "fiu" or np.size(value) != 1 for value in (first, second)):
        return None
    return np.ravel(first)[0] - np.ravel(second)[0]


def cost_and_gradients(submission, net, decay=0.0, masks=None):
    """Return the student's own cost and gradients as functions of the parameters."""
    X, Y, _ = net
    how = (decay, masks, KEEP) if masks else (decay,) if decay else ()

    def own_cost(p):
        said = submission.forward(X, p, *how[1:])
        assert logits_of(said) is not None, "forward must return a list of L arrays, and the logits"
        return submission.cost(logits_of(said), Y, p, decay)

    def own_gradients(p):
        return submission.backward(X, Y, p, *how)

    return own_cost, own_gradients


def formulas(net, said, masks=None):
    """Return the gradients of the cost, for what the layers say."""
    _, Y, parameters = net
    A, logits = said
    error, found = (1 / (1 + np.exp(-logits)) - Y) / M, {}
    for layer in reversed(range(1, len(A) + 1)):
        below, weights = A[layer - 1], parameters[f"W{layer}"]
        found |= {f"dW{layer}": error @ below.T, f"db{layer}": error.sum(axis=1, keepdims=True)}
        error = weights.T @ error * (below > 0)
        error *= masks[f"D{layer - 1}"] / KEEP if masks and layer > 1 else 1.0
    return found


@pytest.mark.points(2)
def test_gradients(submission, reference, four_layers):
    """The slopes of the student's own cost; or the formulas, for what the student's own layers say."""
    X, _, parameters = four_layers
    own_cost, own_gradients = cost_and_gradients(submission, four_layers)
    given, right = own_gradients(parameters), reference.backward(*four_layers)
    said = layers(submission.forward(X, parameters), FOUR)
    # A mistake in forward or in the cost has lost its points already: right formulas stay right.
    if not agrees(given, right) and said is not None and agrees(given, formulas(four_layers, said)):
        return
    try:
        check_gradients(own_cost, own_gradients, parameters)
    except CheckFailed:
        if not agrees(given, right):
            raise


@pytest.mark.points(0.5)
def test_gradients_with_penalty(submission, reference, three_layers):
    """The slopes of the student's own cost with weight decay; or what decay adds to the gradients."""
    own_cost, own_gradients = cost_and_gradients(submission, three_layers, DECAY)
    given, plain = own_gradients(three_layers[2]), submission.backward(*three_layers)
    right, right_plain = reference.backward(*three_layers, DECAY), reference.backward(*three_layers)
    # A mistake without decay has lost its points already: what decay adds may be right.
    if not agrees(plain, right_plain) and are_named_alike(given, plain):
        added = {name: given[name] - plain[name] for name in given if name in right}
        same = [agrees_on_its_side(added[name], right[name] - right_plain[name]) for name in added]
        if all(same) and any(name.startswith("dW") for name in added):
            return
    if not agrees(given, right):
        check_gradients(own_cost, own_gradients, three_layers[2])


def are_named_alike(given, plain):
    """Return whether these are gradients with the same names and shapes, right or wrong."""
    if not isinstance(given, dict) or not isinstance(plain, dict) or given.keys() != plain.keys():
        return False
    numbers = all(kind(value) in "fiub" for both in (given, plain) for value in both.values())
    return bool(given) and numbers and all(np.shape(given[name]) == np.shape(plain[name]) for name in given)


def agrees_on_its_side(given, right):
    """Return whether these are the right numbers, in the right shape, or transposed, flat or summed."""
    return any(agrees(given, numbers) for numbers in (right, right.T, np.ravel(right), np.sum(right)))


@pytest.mark.points(1)
def test_gradients_with_masks(submission, reference, three_layers, probe_rng):
    """The slopes of the student's own cost with dropout; or what masks do to the gradients."""
    X, _, parameters = three_layers
    masks, alike = drawn(THREE, probe_rng), drawn(THREE, probe_rng, columns=1)
    own_cost, own_gradients = cost_and_gradients(submission, three_layers, 0.0, masks)
    given = own_gradients(parameters)
    if agrees(given, reference.backward(*three_layers, 0.0, masks, KEEP)):
        return
    # A mistake in forward or without masks has lost its points already: what masks add may be right.
    said = layers(submission.forward(X, parameters, masks, KEEP), THREE)
    if said is not None and agrees(given, formulas(three_layers, said, masks)):
        return
    plain_is_right = agrees(submission.backward(*three_layers), reference.backward(*three_layers))
    if plain_is_right or not passes_on_its_own(submission, three_layers, alike):
        check_gradients(own_cost, own_gradients, parameters)


def passes_on_its_own(submission, net, masks):
    """Return whether masks do to a student's gradients what they should, as in ``silences_its_own``."""
    X, Y, parameters = net
    plain = submission.backward(X, Y, without(parameters, masks))
    given = submission.backward(X, Y, parameters, 0.0, masks, KEEP)
    if not are_named_alike(given, plain):
        return False
    for name, mask in masks.items():
        array, factor = f"dW{int(name[1:]) + 1}", mask[:, 0] / KEEP
        weights = np.asarray(plain.get(array, 0.0))
        if not np.any(weights) or factor.size not in weights.shape:
            return False
        plain[array] = weights * factor if weights.shape[-1] == factor.size else (weights.T * factor).T
    return agrees(given, plain)


# ------------------------------------------------------------------------------- the student's own check

POINT = {"W1": (2, 3), "b1": (2, 1), "W2": (1, 2)}
FACTORS = {"W1": 0.7, "b1": -0.4, "W2": 1.3}


@pytest.fixture
def point(probe_rng):
    """Parameters of which none is near zero."""
    return {
        name: probe_rng.uniform(0.5, 1.5, size=shape) * probe_rng.choice([-1.0, 1.0], size=shape)
        for name, shape in POINT.items()
    }


def powers(p):
    """Return a cost whose slopes are known: a sum of fifth powers."""
    with np.errstate(all="ignore"):
        return float(sum(factor * np.sum(np.asarray(p[name]) ** 5) for name, factor in FACTORS.items()))


def squares(p):
    return float(sum(np.sum(np.asarray(p[name]) ** 2) for name in POINT))


def slopes_of_powers(p, epsilon=0.0):
    """Return the slopes; with an epsilon, exactly what a step of that length up and one down must give."""
    return {
        f"d{name}": factor * (5 * p[name] ** 4 + 10 * p[name] ** 2 * epsilon**2 + epsilon**4)
        for name, factor in FACTORS.items()
    }


@pytest.mark.points(0.5)
def test_slopes(submission, point):
    """Each entry by itself, both ways."""
    for epsilon in (0.1, 0.3):
        check_matches(submission.slopes, slopes_of_powers(point, epsilon), powers, point, epsilon)
    # Of a sum of squares, one step up and one down give the slope itself, however long they are.
    check_gradients(squares, lambda p: submission.slopes(squares, p, 0.1), point)


def large(p):
    return 1e6 * powers(p)


def small(p):
    return 1e-8 * powers(p)


def without_bias(p):
    return powers({**p, "b1": 0.0})


COSTS = {
    "right gradients": (powers, lambda g: g),
    "right gradients of a very large cost": (large, lambda g: {k: 1e6 * v for k, v in g.items()}),
    "right gradients of a very small cost": (small, lambda g: {k: 1e-8 * v for k, v in g.items()}),
    "right gradients where one array does not matter, so that both are exactly zero": (
        without_bias,
        lambda g: {**g, "db1": 0 * g["db1"]},
    ),
}
"""A cost, and its gradients made from those of the powers."""

WRONG = {
    "gradients with one entry of dW1 off by one per cent": lambda g: {**g, "dW1": g["dW1"] * [1, 1, 1.01]},
    "gradients with the sign of dW2 reversed": lambda g: {**g, "dW2": -g["dW2"]},
    "gradients with the first array, dW1, all zero": lambda g: {**g, "dW1": 0 * g["dW1"]},
    "gradients with two errors in db1 whose sum is zero": lambda g: {**g, "db1": g["db1"] + [[0.1], [-0.1]]},
    "gradients with nan in dW2": lambda g: {**g, "dW2": np.nan * g["dW2"]},
    "gradients that are all twice as large": lambda g: {k: 2 * v for k, v in g.items()},
    "gradients that are all zero": lambda g: {k: 0 * v for k, v in g.items()},
}


def verdict(submission, point, loss, given):
    """Return what the student's check says of code that returns ``given``."""
    said = submission.gradient_check(loss, lambda _: given, point)
    assert kind(said) == "b", "gradient_check must return True or False"
    assert np.ndim(said) == 0, "gradient_check must return True or False"
    return bool(said)


def passes_what_is_right(submission, point, right):
    for what, (loss, made_of) in COSTS.items():
        assert verdict(submission, point, loss, made_of(right)), f"gradient_check fails {what}"
    minus = {name: -value for name, value in right.items()}
    assert not verdict(submission, point, powers, minus), "gradient_check passes every gradient"


def fails_what_is_wrong(submission, point, right):
    for what, change in WRONG.items():
        assert not verdict(submission, point, powers, change(right)), f"gradient_check passes {what}"
    for_small = {name: 1e-8 * value * (-1 if name == "db1" else 1) for name, value in right.items()}
    assert not verdict(submission, point, small, for_small), (
        "gradient_check passes wrong gradients of a very small cost"
    )
    assert verdict(submission, point, powers, right), "gradient_check fails every gradient"


def with_right_or_own_slopes(asked, submission, point):
    """Ask with the right slopes for right, or else with what the student's own slopes say."""
    right = slopes_of_powers(point)
    try:
        asked(submission, point, right)
    except AssertionError:
        own = submission.slopes(powers, point)
        # A mistake in slopes has lost its points already: what is made of them may be right.
        if agrees(own, right) or not are_arrays(own, point):
            raise
        asked(submission, point, own)


@pytest.mark.points(0.5)
def test_the_check_passes_right_code(submission, point):
    """Large, small, and zero; and it does not pass everything."""
    with_right_or_own_slopes(passes_what_is_right, submission, point)


@pytest.mark.points(0.5)
def test_the_check_fails_wrong_code(submission, point):
    """Whatever is wrong, and wherever; and it does not fail everything."""
    with_right_or_own_slopes(fails_what_is_wrong, submission, point)


# ---------------------------------------------------------------------------------------- what is random


@pytest.mark.points(0.5)
def test_masks(submission, probe_rng):
    """Zeros and ones, a share of ones near keep, each entry drawn by itself."""
    sizes, m, keep, seed = [3, 40, 40, 1], 150, 0.6, int(probe_rng.integers(2**31))

    def masks(seed):
        return submission.draw_masks(sizes, m, keep, np.random.default_rng(seed))

    first, again, other = masks(seed), masks(seed), masks(seed + 1)
    check_matches(shapes_only(first), {"D1": np.zeros((40, m)), "D2": np.zeros((40, m))})
    D1, D2 = (np.asarray(first[name]) * 1.0 for name in ("D1", "D2"))
    assert np.isin([D1, D2], [0, 1]).all(), "a mask holds zeros and ones only"
    share = (D1.mean() + D2.mean()) / 2
    # Twelve thousand draws: six deviations.
    assert abs(share - keep) < 6 * np.sqrt(keep * (1 - keep) / D1.size / 2), (
        f"the share of ones in the masks is {share:.3f}; keep is {keep}"
    )
    assert len(np.unique(D1, axis=0)) == 40, "two units are silenced for the same examples"
    assert len(np.unique(D1.T, axis=0)) == m, "two examples silence the same units"
    assert not np.array_equal(D1, D2), "both layers have the same mask"
    assert np.array_equal(D1, again["D1"]), "two generators in the same state give different masks"
    assert not np.array_equal(D1, other["D1"]), "two generators in different states give the same masks"


def shapes_only(arrays):
    """Return zeros in the shapes of arrays with names; what has none stays as it is."""
    if not isinstance(arrays, dict) or any(kind(value) not in "fiub" for value in arrays.values()):
        return arrays
    return {name: np.zeros(np.shape(value)) for name, value in arrays.items()}


@pytest.fixture
def numbered(probe_rng):
    """Return a function that makes m examples; the first number of each is its place."""

    def make(m):
        X = np.vstack([np.arange(m), probe_rng.normal(size=(2, m))])
        return X, probe_rng.normal(size=(1, m))

    return make


@pytest.mark.points(0.5)
def test_batches(submission, numbered, probe_rng):
    """Each example once, with its own target, in an order that is shuffled; a rest is a part too."""
    seed = int(probe_rng.integers(2**31))
    for m, size, lengths in ((23, 5, [5, 5, 5, 5, 3]), (12, 4, [4, 4, 4]), (3, 7, [3])):
        X, Y = numbered(m)
        parts = parts_of(submission, X, Y, size, seed)
        found = [x.shape[1] for x, _ in parts]
        assert found == lengths, f"{m} examples in parts of {size} make parts of {lengths}, not of {found}"
        all_X, all_Y = (np.concatenate(side, axis=1) for side in zip(*parts, strict=True))
        order = np.argsort(all_X[0], kind="stable")
        assert np.array_equal(all_X[:, order], X), f"{m} examples in, others out: each must come exactly once"
        assert np.array_equal(all_Y[:, order], Y), "an example has the target of another one"
    X, Y = numbered(31)
    orders = [
        np.concatenate([x[0] for x, _ in parts_of(submission, X, Y, 4, s)]) for s in (seed, seed, seed + 1)
    ]
    assert not np.array_equal(orders[0], X[0]), "the examples are not shuffled"
    assert np.array_equal(orders[0], orders[1]), "two generators in the same state give different parts"
    assert not np.array_equal(orders[0], orders[2]), "two generators in different states give the same parts"


def parts_of(submission, X, Y, size, seed):
    """Return the student's parts, after a look at what they are."""
    parts = submission.batches(X, Y, size, np.random.default_rng(seed))
    assert isinstance(parts, tuple | list), "batches must return a list"
    assert parts, "batches returns no parts"
    for part in parts:
        assert isinstance(part, tuple | list), "each part must be a pair, (X_part, Y_part)"
        assert len(part) == 2, "each part must be a pair, (X_part, Y_part)"
        assert all(kind(side) in "fiub" and np.ndim(side) == 2 for side in part), "both must be arrays"
        shapes = [np.shape(side) for side in part]
        assert [rows for rows, _ in shapes] == [len(X), 1], "X_part must have the rows of X, Y_part one row"
        assert shapes[0][1] == shapes[1][1], "X_part and Y_part must hold equally many examples"
    return [tuple(map(np.asarray, part)) for part in parts]


# ---------------------------------------------------------------------------------------- steps


@pytest.fixture
def step(probe_rng):
    """Parameters, gradients, and two running means as they are in the middle of a training."""
    _, _, parameters = network(TWO, probe_rng)
    gradients = {f"d{name}": probe_rng.normal(size=value.shape) for name, value in parameters.items()}
    means = {name: probe_rng.normal(size=value.shape) for name, value in parameters.items()}
    squares = {name: probe_rng.uniform(0.1, 2.0, size=value.shape) for name, value in parameters.items()}
    return parameters, gradients, means, squares


@pytest.mark.points(0.5)
def test_momentum(submission, reference, step):
    """The velocity is averaged first, then the step is taken along it."""
    check_matches(submission.momentum, reference.momentum, *step[:3], 0.3, 0.8)


@pytest.mark.points(0.5)
def test_adam(submission, reference, step):
    """Both means, both corrections, the root, and epsilon where it belongs; the first step, and the third."""
    for t in (1, 3):
        check_matches(submission.adam, reference.adam, *step, t, 0.3, 0.8, 0.95, 0.05)


@pytest.mark.points(0.5)
def test_steps_leave_what_they_are_given_alone(submission, step):
    """New dicts with new arrays; what was passed in stays as it was."""
    check_purity(submission.momentum, *step[:3], 0.3, 0.8)
    check_purity(submission.adam, *step, 3, 0.3, 0.8, 0.95, 0.05)
