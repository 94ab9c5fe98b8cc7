"""The partition is right, is the coarsest, and training keeps it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from small_nets import Optimiser, data, forward, gradients, random_start

from pytest_symmetry.partition import (
    LabelledArray,
    _ranks,
    classes,
    coarsest_partition,
    signature,
    signed_partition,
    typical_size,
)
from pytest_symmetry.verdicts import judge

RATE = 0.05
"""Learning rate of the sweeps; at larger ones these nets oscillate, and rounding grows faster."""

STEPS = 300

OPTIMISERS = [(kind, decay) for kind in ("gd", "momentum", "adam") for decay in (0.0, 0.02)]


def as_arrays(weights, biases):
    """Return the labelled arrays of a dense network; the outputs have no label."""
    last = len(weights) - 1
    arrays = []
    for number, (w, b) in enumerate(zip(weights, biases, strict=True)):
        out, below = (None if number == last else number), (number - 1 if number else None)
        arrays += [
            LabelledArray(f"W{number + 1}", w, (out, below)),
            LabelledArray(f"b{number + 1}", b, (out, None)),
        ]
    return arrays


def partition(weights, biases, **given):
    """Return the classes of every hidden layer."""
    sizes = [w.shape[0] for w in weights[:-1]]
    return [classes(labels) for labels in coarsest_partition(as_arrays(weights, biases), sizes, **given)]


def structured(rng, hidden=None, kind=None):
    """Return a network with a random equitable partition planted, and that partition.

    Blocks between two classes have equal row sums and equal column sums; where both layers have classes of
    several units, the rows within a block need not be equal.
    """
    depth = hidden or int(rng.integers(1, 4))
    sizes = [
        int(rng.integers(2, 5)),
        *(int(n) for n in rng.integers(2, 8, size=depth)),
        int(rng.integers(1, 4)),
    ]
    labels = [np.arange(sizes[0])]
    labels += [_random_classes(rng, n) for n in sizes[1:-1]] + [np.arange(sizes[-1])]
    weights = [_block_matrix(rng, above, below, kind) for below, above in itertools.pairwise(labels)]
    biases = [dyadic(rng, labels[n + 1].max() + 1)[labels[n + 1]][:, None] for n in range(depth + 1)]
    return weights, biases, [classes(x) for x in labels[1:-1]]


def _random_classes(rng, n):
    _, labels = np.unique(rng.integers(0, max(1, int(rng.integers(1, n + 1))), size=n), return_inverse=True)
    return labels


def _block_matrix(rng, above, below, kind):
    matrix = np.zeros((above.size, below.size))
    for c, d in itertools.product(range(above.max() + 1), range(below.max() + 1)):
        rows, columns = np.flatnonzero(above == c), np.flatnonzero(below == d)
        block = np.full((rows.size, columns.size), dyadic(rng))
        if kind != "equal rows" and min(block.shape) > 1 and rng.random() < 0.7:
            for _ in range(2):
                (a, b), (e, f) = (
                    rng.choice(rows.size, 2, replace=False),
                    rng.choice(columns.size, 2, replace=False),
                )
                block[[a, b, a, b], [e, f, f, e]] += dyadic(rng) / 2 * np.array([1, 1, -1, -1])
        matrix[np.ix_(rows, columns)] = block
    return matrix


def dyadic(rng, size=None):
    """Return normal numbers in multiples of 2^-16: their sums are exact, so planted sums are equal."""
    return np.round(rng.normal(size=size) * 0.7 * 2**16) / 2**16


def training(weights, biases, rng, optimiser, steps, activation):
    """Yield weights and biases after 0, 1, … steps."""
    inputs, targets = data(rng, weights[0].shape[1], weights[-1].shape[0])
    parameters = [*weights, *biases]
    depth = len(weights)
    for step in range(steps + 1):
        if step:
            slopes = gradients(parameters[:depth], parameters[depth:], inputs, targets, activation)
            parameters = optimiser(parameters, [*slopes[0], *slopes[1]])
        yield parameters[:depth], parameters[depth:]


def trained_classes(weights, biases, rng, optimiser, steps=STEPS, activation="tanh"):
    """Train for some steps, and return which units compute the same on fresh inputs."""
    for weights, biases in training(weights, biases, rng, optimiser, steps, activation):  # noqa: B020, B007
        pass
    fresh = rng.normal(size=(weights[0].shape[1], 40))
    return [same_rows(values) for values in forward(weights, biases, fresh, activation)[1:-1]]


def classes_before_rounding(weights, biases, seed, kind, decay, activation):
    """Return a step, and the trained classes there: the last step at which the last digit does not matter.

    Near a repelling plateau a gap of one rounding grows exponentially. The run is therefore repeated from a
    start that differs in the last digit of every number, and is read where both still compute the same, to a
    tenth of the tolerance of :func:`same_rows`. Which units belong together plays no part in this.
    """
    nudge = np.random.default_rng(1)
    nudged = [np.nextafter(x, np.where(nudge.random(x.shape) < 0.5, -9, 9)) for x in (*weights, *biases)]
    runs = []
    for start in ((weights, biases), (nudged[: len(weights)], nudged[len(weights) :])):
        rng = np.random.default_rng(seed)
        structured(rng)  # so that the data are those of the run that parted
        runs.append(training(*start, rng, Optimiser(kind, RATE, decay), STEPS, activation))
    fresh = np.random.default_rng(seed).normal(size=(weights[0].shape[1], 40))
    last, found = 0, []
    for step, pair in enumerate(zip(*runs, strict=True)):
        one, other = (forward(*run, fresh, activation)[1:-1] for run in pair)
        if max(np.abs(a - b).max() for a, b in zip(one, other, strict=True)) > 1e-7:
            break
        last, found = step, [same_rows(values) for values in one]
    return last, found


def same_rows(values, tolerance=1e-6):
    """Return the classes of rows that agree."""
    labels = np.full(len(values), -1)
    for unit in range(len(values)):
        if labels[unit] < 0:
            close = np.abs(values - values[unit]).max(axis=1) < tolerance
            labels[close & (labels < 0)] = unit
    return classes(labels)


@settings(max_examples=40, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_planted_partition_is_found(seed):
    """The coarsest partition is the planted one: blocks of unequal rows included."""
    weights, biases, planted = structured(np.random.default_rng(seed))

    assert partition(weights, biases) == planted, f"seed {seed}"


@settings(max_examples=40, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_partition_does_not_depend_on_the_order_of_units(seed):
    """Permuting the units permutes the classes."""
    rng = np.random.default_rng(seed)
    weights, biases, _ = structured(rng)
    before = partition(weights, biases)
    orders = [rng.permutation(w.shape[0]) for w in weights[:-1]]
    for n, order in enumerate(orders):
        weights[n], biases[n], weights[n + 1] = weights[n][order], biases[n][order], weights[n + 1][:, order]
    after = partition(weights, biases)
    for n, order in enumerate(orders):
        moved = {frozenset(int(order[u]) for u in group) for group in after[n]}
        assert moved == {frozenset(group) for group in before[n]}, f"seed {seed}"


def disagreements(seeds):
    """Return the nets where the partition of the start differs from what training leaves.

    Beside them, with their steps, those that had to be read earlier, before rounding decides.
    """
    wrong, early = [], []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        weights, biases, _ = structured(rng)
        kind, decay = OPTIMISERS[seed % len(OPTIMISERS)]
        activation = ("tanh", "sigmoid")[seed // len(OPTIMISERS) % 2]
        predicted = partition(weights, biases)
        optimiser = Optimiser(kind, RATE, decay)
        trained = trained_classes(weights, biases, rng, optimiser, STEPS, activation)
        if predicted == trained:
            continue
        steps, trained = classes_before_rounding(weights, biases, seed, kind, decay, activation)
        if predicted == trained and steps >= STEPS // 6:
            early.append((seed, steps))
        else:
            wrong.append((seed, kind, decay, activation, predicted, trained, steps))
    return wrong, early


def test_training_keeps_the_partition():
    """300 steps of GD, momentum and Adam, with and without weight decay, on 36 structured nets."""
    wrong, early = disagreements(range(36))

    assert wrong == []
    assert early == []


@pytest.mark.sweep
def test_training_keeps_the_partition_in_2000_nets():
    """The same for 2,000 structured nets."""
    wrong, early = disagreements(range(2000))

    assert wrong == []
    assert len(early) <= 10


def test_a_run_is_read_before_rounding_decides():
    """Net 364 leaves a plateau: its copies part by rounding after some 200 steps of Adam, not before."""
    wrong, early = disagreements([364])

    assert wrong == []
    assert [seed for seed, _ in early] == [364]


def test_units_without_two_equal_rows_can_be_one_unit():
    """Layer 2 has two different rows and width 1, before and after training."""
    rng = np.random.default_rng(0)
    weights = [
        np.tile(rng.normal(size=(1, 3)), (2, 1)),
        np.array([[0.7, -0.2], [-0.2, 0.7]]),
        np.array([[0.5, 0.5]]),
    ]
    biases = [np.zeros((2, 1)), np.zeros((2, 1)), np.zeros((1, 1))]

    assert partition(weights, biases) == [((0, 1),), ((0, 1),)]
    assert trained_classes(weights, biases, rng, Optimiser()) == [((0, 1),), ((0, 1),)]
    assert trained_classes(weights, biases, rng, Optimiser("adam")) == [((0, 1),), ((0, 1),)]


@pytest.mark.parametrize("kind", ["gd", "adam"])
@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("zeros", (1, 1)),
        ("constant", (1, 1)),
        ("random", (6, 4)),
        ("one row copied", (6, 4)),
        ("one column copied", (6, 4)),
        ("seed set again per unit", (6, 4)),
        ("pairs", (3, 2)),
    ],
)
def test_the_widths_that_the_documentation_states(start, expected, kind):
    """3-6-4-2 nets: predicted width and width after 200 steps."""
    rng = np.random.default_rng(3)
    makers = {
        "zeros": lambda o, i: np.zeros((o, i)),
        "constant": lambda o, i: np.full((o, i), 0.3),
        "random": lambda o, i: rng.normal(size=(o, i)) * 0.5,
        "one row copied": lambda o, i: np.tile(rng.normal(size=(1, i)), (o, 1)),
        "one column copied": lambda o, i: np.tile(rng.normal(size=(o, 1)), (1, i)),
        "seed set again per unit": lambda o, i: np.array(
            [np.random.default_rng(0).normal(size=i) for _ in range(o)]
        ),
        "pairs": lambda o, i: np.repeat(
            np.repeat(rng.normal(size=(-(-o // 2), -(-i // 2))), 2, axis=0)[:o], 2, axis=1
        )[:, :i],
    }
    # The output layer differs between its units in every start but the first two.
    weights = [makers[start](o, i) for i, o in itertools.pairwise((3, 6, 4, 2))]
    if start in ("one row copied", "seed set again per unit"):
        weights[2] = rng.normal(size=(2, 4))
        weights[1] = rng.normal(size=(4, 6))
    if start == "pairs":
        weights[2] = np.repeat(rng.normal(size=(2, 2)), 2, axis=1)
    biases = [np.zeros((n, 1)) for n in (6, 4, 2)]
    predicted = tuple(len(x) for x in partition(weights, biases))
    trained = tuple(len(x) for x in trained_classes(weights, biases, rng, Optimiser(kind), steps=200))

    assert expected == predicted == trained


@pytest.mark.parametrize(("w6", "width"), [(0.3, 1), (0.31, 2), (-0.3, 2)])
def test_two_units_with_different_outgoing_weights_are_two(w6, width):
    """The 2-2-1 example: w5 = w6 keeps the two units one, w5 != w6 parts them."""
    weights = [np.array([[0.2, 0.4], [0.2, 0.4]]), np.array([[0.3, w6]])]
    biases = [np.zeros((2, 1)), np.zeros((1, 1))]

    assert len(partition(weights, biases)[0]) == width


def test_a_partition_by_sums_alone_does_not_survive_adam_with_coupled_decay():
    """Where rows differ, L2 in the gradient is no constant on the block; equal rows survive it."""
    rng = np.random.default_rng(1)
    base = np.array([[1.0, -0.3, 0.2], [0.1, 0.6, 0.2], [-0.2, 0.6, 0.5]])
    weights = [np.tile(rng.normal(size=(1, 3)), (3, 1)), base, np.full((1, 3), 0.5)]
    biases = [np.zeros((3, 1)), np.zeros((3, 1)), np.zeros((1, 1))]
    assert [len(x) for x in partition(weights, biases)] == [1, 1]
    inputs, targets = data(rng, 3, 1)

    def width_after(coupled, kind, start):
        parameters, optimiser = [*start, *biases], Optimiser(kind)
        for _ in range(50):
            slopes = gradients(parameters[:3], parameters[3:], inputs, targets)
            slopes = [g + coupled * p for g, p in zip([*slopes[0], *slopes[1]], parameters, strict=True)]
            parameters = optimiser(parameters, slopes)
        return len(same_rows(forward(parameters[:3], parameters[3:], inputs)[2]))

    assert width_after(0.1, "gd", weights) == 1
    assert width_after(0.0, "adam", weights) == 1
    assert width_after(0.1, "adam", weights) > 1
    equal = [weights[0], np.full((3, 3), 0.4), weights[2]]
    assert width_after(0.1, "adam", equal) == 1


def test_signed_classes_pair_mirrors():
    """(w, b, v) and (-w, -b, -v) are one role under an odd activation, and stay mirrored exactly."""
    rng = np.random.default_rng(2)
    weights, biases = random_start(rng, (3, 4, 2))
    weights[0][2], biases[0][2], weights[1][:, 2] = -weights[0][0], -biases[0][0], -weights[1][:, 0]
    (found,) = signed_partition(as_arrays(weights, biases), [4], [True])

    assert [(c.units, c.signs) for c in found] == [((0, 2), (1, -1)), ((1,), (1,)), ((3,), (1,))]
    inputs, targets = data(rng, 3, 2)
    for _ in range(2000):
        dw, db = gradients(weights, biases, inputs, targets)
        weights = [w - 0.1 * g for w, g in zip(weights, dw, strict=True)]
        biases = [b - 0.1 * g for b, g in zip(biases, db, strict=True)]
    assert np.abs(weights[0][2] + weights[0][0]).max() < 1e-9


def test_a_unit_of_zeros_is_silent_under_an_odd_activation():
    """It is its own negative."""
    weights, biases = random_start(np.random.default_rng(3), (3, 4, 2))
    weights[0][1], biases[0][1], weights[1][:, 1] = 0, 0, 0
    (found,) = signed_partition(as_arrays(weights, biases), [4], [True])

    assert ((1,), (0,)) in [(c.units, c.signs) for c in found]


def test_sums_that_are_equal_on_paper_agree():
    """In float64, and where the values were float32 numbers."""
    rng = np.random.default_rng(4)
    for dtype in (np.float64, np.float32):
        weights, biases, planted = structured(rng, hidden=3)
        weights = [w.astype(dtype).astype(float) for w in weights]
        biases = [b.astype(dtype).astype(float) for b in biases]
        assert partition(weights, biases) == planted


@pytest.mark.parametrize(
    ("change", "same"),
    [(2.0**-23, True), (2.0**-12, False), (1e-9, False), (2.0**-51, True)],
    ids=["float32, its last digit", "float32, more", "float64, more", "float64, its last digit"],
)
def test_sums_are_compared_within_their_own_rounding(change, same):
    """Whether a difference is rounding depends on the numbers that were added, not on numpy's type."""
    array = LabelledArray("w", np.array([[1.0, 2.0], [2.0, 1.0 + change]]), (1, 0))
    labels = coarsest_partition([array], [2, 2])

    assert [len(classes(layer)) for layer in labels] == ([1, 1] if same else [2, 2])


def test_layers_that_cannot_be_mirrored_have_plain_classes():
    """Beside a layer with an odd activation: equal units, all of the same sign."""
    rng = np.random.default_rng(6)
    weights, biases = random_start(rng, (3, 4, 3, 2))
    weights[1][2], biases[1][2], weights[2][:, 2] = weights[1][0], biases[1][0], weights[2][:, 0]
    first, second = signed_partition(as_arrays(weights, biases), [4, 3], [True, False])

    assert [(c.units, c.signs) for c in first] == [((unit,), (1,)) for unit in range(4)]
    assert [(c.units, c.signs) for c in second] == [((0, 2), (1, 1)), ((1,), (1,))]


def test_nan_equals_nothing():
    """A start of NaN is no proof of anything."""
    weights, biases = random_start(np.random.default_rng(5), (3, 4, 2))
    weights[0][:] = np.nan

    assert partition(weights, biases) == [((0,), (1,), (2,), (3,))]


@pytest.mark.parametrize("units", [4000, 30_000])
def test_chains_of_near_values_are_not_one_class(units):
    """Near means within a thousandth of each other, not linked by a chain of neighbours."""
    column = np.linspace(0.0, 1.0, units)[:, None]
    array = [LabelledArray("w", column, (0, None))]
    (labels,) = coarsest_partition(array, [units], near=1e-3)

    assert max(np.ptp(column[list(group)]) for group in classes(labels)) <= 1e-3


@settings(max_examples=60, derandomize=True)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=3, max_size=5),
    scale=st.sampled_from([1e-4, 1e-2, 1.0, 10.0]),
    single=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_starts_have_full_width(sizes, scale, single, seed):
    """No random start is ever accused."""
    rng = np.random.default_rng(seed)
    weights, biases = random_start(rng, sizes, scale)
    biases = [b * 0 for b in biases]
    if single:
        weights = [w.astype(np.float32).astype(float) for w in weights]
    assert [len(x) for x in partition(weights, biases)] == sizes[1:-1]


@given(
    hnp.arrays(np.float64, st.integers(1, 9), elements=st.floats(-1e300, 1e300) | st.just(-np.inf)),
    st.booleans(),
)
def test_the_typical_size_is_the_median_of_what_is_not_zero(values, unknown):
    """As numpy finds it, NaN included."""
    values = np.append(values, np.nan) if unknown else values
    present = np.abs(values[values != 0])
    expected = float(np.median(present)) if present.size else 0.0

    assert np.array_equal(expected, typical_size(values), equal_nan=True)


@given(hnp.arrays(np.intp, st.tuples(st.integers(1, 8), st.integers(1, 4)), elements=st.integers(0, 70_000)))
def test_rows_are_numbered_in_their_order(rows):
    """As numpy does it, slowly."""
    _, expected = np.unique(rows, axis=0, return_inverse=True)

    assert expected.reshape(-1).tolist() == _ranks(rows).tolist()


def near_classes(values, near=1e-3):
    """Return the classes of units that have one number each, nearly equal ones together."""
    array = [LabelledArray("w", np.array(values)[:, None], (0, None))]
    (labels,) = coarsest_partition(array, [len(values)], near=near)
    return classes(labels)


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_a_chain_of_near_values_is_no_class_beside_a_number_that_is_none(strange):
    """NaN has no distance to anything, and hides no distance between the others."""
    values = np.append(np.linspace(1.0, 2.0, 20_001), strange)

    assert max(np.ptp(values[list(group)]) for group in near_classes(values)[:-1]) <= 2e-3


def test_near_values_beside_a_number_that_is_none():
    """Infinity keeps no other units apart; where a number is not known, nothing is near."""
    assert near_classes([1.0, np.inf, 1.00005, 3.0]) == ((0, 2), (1,), (3,))
    assert near_classes([1.0, np.nan, 1.00005, 3.0]) == ((0,), (1,), (2,), (3,))


def test_a_chain_of_pairs_falls_into_its_pairs():
    """Where a chain is too wide, its closer groups remain: pairs 5e-6 apart, the next pair after 5e-5."""
    values = (1.0 + 5e-5 * np.arange(100)[:, None] + [0.0, 5e-6]).ravel()

    assert near_classes(values) == tuple((n, n + 1) for n in range(0, 200, 2))


@pytest.mark.parametrize(("apart", "same"), [(0.9e-4, True), (1.1e-4, False)])
def test_near_is_a_part_of_the_typical_size(apart, same):
    """A tenth of a thousandth of the median of what is not 0, whatever the scale and the sign."""
    for scale in (1e-6, -1.0, 1e6):
        values = scale * np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0 + apart])

        assert len(near_classes(values)) == (2 if same else 3)


@pytest.mark.parametrize(("apart", "same"), [(3.9e-4, True), (4.1e-4, False)])
def test_near_sums_may_differ_by_more_the_more_terms_they_have(apart, same):
    """Sixteen terms that are each off by chance are off by four times as much together."""
    weights = np.ones((2, 16))
    weights[1] += apart / 16
    labels = coarsest_partition([LabelledArray("w", weights, (0, 1))], [2, 16], near=1e-3)

    assert [len(classes(layer)) for layer in labels] == [1 if same else 2, 1]


@pytest.mark.parametrize(("terms", "same"), [(1000, False), (20_000, True)])
def test_long_sums_have_more_rounding(terms, same):
    """A part in 2e-12 is a difference between sums of a thousand numbers, not between sums of many."""
    weights = np.ones((2, terms))
    weights[1] += 2e-12
    labels = coarsest_partition([LabelledArray("w", weights, (0, 1))], [2, terms])

    assert [len(classes(layer)) for layer in labels] == [1 if same else 2, 1]


@pytest.mark.parametrize(("digits", "same"), [(1, True), (11, True), (13, False)])
def test_sums_of_float32_numbers_may_be_off_by_four_roundings(digits, same):
    """Of the sum of their sizes, which is 3 here; entries that are not summed must agree."""
    change = digits * 2.0**-23
    array = LabelledArray("w", np.array([[1.0, 2.0], [2.0, 1.0 + change]]), (1, 0))
    plain = LabelledArray("w", np.array([[1.0], [1.0 + change]]), (0, None))

    assert len(classes(coarsest_partition([array], [2, 2])[0])) == (1 if same else 2)
    assert len(classes(coarsest_partition([plain], [2])[0])) == 2


def summed_by_hand(array, axis, labels, unit):
    """Return what one unit has in an array, as a mapping from where to numbers that are added there."""
    found = {}
    for index in np.ndindex(*array.values.shape):
        if index[axis] == unit:
            place = tuple(
                i if layer is None else int(labels[layer][i])
                for other, (i, layer) in enumerate(zip(index, array.axes, strict=True))
                if other != axis
            )
            found.setdefault(place, []).append(array.values[index])
    return found


@settings(max_examples=80, derandomize=True)
@given(
    axes=st.lists(st.sampled_from([None, 0, 1]), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_signature_is_the_sums_over_classes(axes, seed):
    """Over the classes of every other labelled axis, with their scale and the number of terms."""
    rng = np.random.default_rng(seed)
    sizes = [int(rng.integers(1, 5)) for _ in range(2)]
    labels = [_random_classes(rng, n) for n in sizes]
    axis = int(rng.integers(len(axes)))
    shape = [int(rng.integers(1, 4)) if layer is None else sizes[layer] for layer in axes]
    array = LabelledArray("w", np.asarray(dyadic(rng, shape)), tuple(axes))
    units = rng.permutation(shape[axis])
    values, scales, terms = signature(array, axis, labels, units)
    by_hand = [summed_by_hand(array, axis, labels, unit) for unit in units]

    columns = sorted(zip(*values, *scales, strict=True))

    assert values.shape == scales.shape == (units.size, len(by_hand[0]))
    assert columns == sorted(
        (*(sum(by[place]) for by in by_hand), *(sum(map(abs, by[place])) for by in by_hand))
        for place in by_hand[0]
    )
    assert max(len(added) for by in by_hand for added in by.values()) == terms


def test_an_axis_of_different_units_is_passed_over():
    """Two units that differ are not summed; the class of two behind them is."""
    array = LabelledArray("w", np.arange(8.0).reshape(2, 2, 2), (None, 0, 1))
    labels = [np.array([0, 1]), np.array([0, 0])]
    values, scales, terms = signature(array, 0, labels, np.array([1, 0]))

    assert values.tolist() == scales.tolist() == [[9, 13], [1, 5]]
    assert terms == 2


def test_every_axis_of_a_filter_is_summed():
    """(filter, tap, channel): taps stay apart, channels of one class are added."""
    rng = np.random.default_rng(7)
    taps = rng.normal(size=(2, 3))
    alike = np.stack((taps, taps), axis=2)  # both channels the same
    swapped = alike + np.array([0.5, -0.5])
    swapped[1] = swapped[1, :, ::-1]
    below = LabelledArray("W1", np.ones((2, 1)), (0, None))
    for filters, width in ((alike, 2), (np.tile(swapped[:1], (2, 1, 1)), 1)):
        labels = coarsest_partition([below, LabelledArray("W2", filters, (1, None, 0))], [2, 2])
        assert len(classes(labels[1])) == width
    labels = coarsest_partition(
        [below, LabelledArray("W2", np.stack((swapped[0], swapped[0, :, ::-1])), (1, None, 0))], [2, 2]
    )
    assert [len(classes(layer)) for layer in labels] == [1, 1]


def test_empty_layers_and_arrays_have_no_classes():
    """A layer without units is no reason to fail."""
    empty = LabelledArray("w", np.zeros((0, 3)), (0, None))

    assert [classes(x) for x in coarsest_partition([empty], [0])] == [()]
    assert signed_partition([empty], [0], [True]) == ((),)
    assert [classes(x) for x in coarsest_partition([], [3])] == [((0, 1, 2),)]
    below = LabelledArray("w", np.zeros((0, 3)), (0, 1))
    assert [classes(x) for x in coarsest_partition([below], [0, 3])] == [(), ((0, 1, 2),)]


def test_labels_are_small_numbers_without_gaps():
    """One number for each class, from 0 on."""
    rng = np.random.default_rng(8)
    for _ in range(20):
        weights, biases, planted = structured(rng)
        sizes = [w.shape[0] for w in weights[:-1]]
        for labels, expected in zip(
            coarsest_partition(as_arrays(weights, biases), sizes), planted, strict=True
        ):
            assert sorted(set(labels.tolist())) == list(range(len(expected)))


def test_several_units_can_be_silent_and_mirrored_at_once():
    """Silent units are one class, mirrors another; every unit is in one."""
    rows = np.array([[1.0, 2.0], [0.0, 0.0], [-1.0, -2.0], [0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    outgoing = np.array([[0.5, 0.0, -0.5, 0.0, 0.5, 0.25]])
    arrays = [LabelledArray("W1", rows, (0, None)), LabelledArray("W2", outgoing, (None, 0))]
    (found,) = signed_partition(arrays, [6], [True])

    assert [(c.units, c.signs) for c in found] == [((0, 2, 4), (1, -1, 1)), ((1, 3), (0, 0)), ((5,), (1,))]


def test_judging_needs_no_hidden_layer():
    """Logistic regression has nothing to break."""
    from pytest_symmetry.layouts import readings

    arrays = {"w": np.zeros((1, 4)), "b": np.zeros((1, 1))}
    (layout, *_) = readings({k: v.shape for k, v in arrays.items()})

    assert judge(arrays, layout) == []
