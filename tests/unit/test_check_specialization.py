"""Units that stay one are seen while they train, and two runs are matched unit by unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from small_nets import CONTAINERS, callables, data, forward, random_start

from pytest_symmetry.checks.specialization import check_specialization, width_figure
from pytest_symmetry.errors import CheckFailed, SymmetryError
from pytest_symmetry.feedback.figures import figure
from pytest_symmetry.feedback.text import render
from pytest_symmetry.matching import best_matching, correlations

PACK, UNPACK = CONTAINERS["dict (n_out, n_in)"]


def task(seed=0, hidden=4, activation="tanh", rate=0.5):
    """Return (start, step, hidden activations) of a 3-hidden-1 net."""
    rng = np.random.default_rng(seed)
    inputs = np.random.default_rng(99).normal(size=(3, 60))
    targets = (inputs[:1] * inputs[1:2] > 0) * 1.0
    _, step = callables("dict (n_out, n_in)", activation, inputs, targets, rate)
    start = PACK(*random_start(rng, (3, hidden, 1)))

    def hidden_values(p):
        return forward(*UNPACK(p), inputs, activation)[1]

    return start, step, hidden_values


@settings(max_examples=80, derandomize=True)
@given(rows=st.integers(1, 9), more=st.integers(0, 4), ties=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_the_matching_is_optimal(rows, more, ties, seed):
    """Its sum of scores is that of scipy's assignment, ties and rectangles included."""
    rng = np.random.default_rng(seed)
    scores = (
        rng.integers(0, 3, size=(rows, rows + more)).astype(float)
        if ties
        else rng.normal(size=(rows, rows + more))
    )
    columns = best_matching(scores)
    expected = scores[linear_sum_assignment(scores, maximize=True)].sum()

    assert len(set(columns.tolist())) == rows
    assert scores[np.arange(rows), columns].sum() == pytest.approx(expected, abs=1e-9)


def test_a_matching_needs_finite_scores_and_enough_columns():
    """NaN or too few columns are refused."""
    for scores in (np.zeros((3, 2)), np.full((2, 2), np.nan)):
        with pytest.raises(ValueError, match="finite"):
            best_matching(scores)


def test_constant_rows_correlate_with_nothing():
    """A silent unit is 0, not NaN."""
    rows = np.array([[1.0, 1.0, 1.0], [0.1, 0.1, 0.1], [1.0, 2.0, 4.0]])

    assert np.array_equal(np.abs(correlations(rows, rows)) > 0.5, np.diag([False, False, True]))


def test_random_units_keep_their_width_and_their_rank():
    """Four different units stay four, and their activations span four dimensions."""
    start, step, values = task()
    evidence = check_specialization(start, step, steps=100, activations=values)

    assert evidence.passed
    assert set(evidence.layers[0].widths) == {4}
    assert set(evidence.layers[0].ranks) == {4}
    assert evidence.layers[0].steps == (0, 1, 2, 5, 10, 20, 50, 100)


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_constant_units_stay_one_and_are_reported(value):
    """The failure says from what to what, and carries the picture."""
    start, step, values = task()
    start = {name: np.full_like(array, value) for name, array in start.items()}
    with pytest.raises(CheckFailed) as failure:
        check_specialization(start, step, steps=100, activations=values)
    finding = failure.value.finding

    assert finding.code == "SYM301"
    assert set(failure.value.evidence.layers[0].widths) == {1}
    assert max(failure.value.evidence.layers[0].ranks) <= 1
    assert "Layer 1 learned with 1 of 4 units" in str(failure.value)
    assert figure(finding.figure) is not None


def test_units_of_a_linear_layer_found_in_the_network_are_reported():
    """Both of its arrays can pass weight between equal units, so none counts as the incoming one."""
    x = np.random.default_rng(0).normal(size=(3, 20))
    start = {"W1": np.full((4, 3), 0.1), "W2": np.full((2, 4), 0.1)}
    with pytest.raises(CheckFailed) as failure:
        check_specialization(
            start,
            lambda p: {k: 0.9 * v for k, v in p.items()},
            steps=3,
            network=lambda p: p["W2"] @ p["W1"] @ x,
        )

    assert failure.value.finding.code == "SYM301"
    assert failure.value.finding.place.array == "W1"


def test_equal_incoming_weights_part_and_are_no_failure():
    """Equal now, different later: the rank grows from 1, nothing is reported."""
    start, step, values = task(activation="sigmoid")
    start["W1"][:], start["b1"][:] = 0.2, 0.0
    evidence = check_specialization(start, step, steps=500, activations=values)

    assert evidence.passed
    assert evidence.layers[0].ranks[0] == 1
    assert evidence.layers[0].ranks[-1] > 1


def test_two_runs_of_permuted_starts_are_matched_exactly():
    """The second run is the first with its units in another order and one sign turned."""
    start, step, values = task()
    order, signs = np.array([2, 0, 3, 1]), np.array([1.0, -1.0, 1.0, 1.0])[:, None]
    other = {
        "W1": (signs * start["W1"])[order],
        "b1": (signs * start["b1"])[order],
        "W2": (signs.T * start["W2"])[:, order],
        "b2": start["b2"].copy(),
    }
    evidence = check_specialization(start, step, steps=200, activations=values, other=other)
    (pairing,) = evidence.pairings

    assert [order[p] for p in pairing.partners] == [0, 1, 2, 3]
    assert pairing.signs == (1, -1, 1, 1)
    assert pairing.matched == pytest.approx(1.0)
    (note,) = evidence.notes
    assert "the same features, by other units" in render(note)
    assert note.figure["partners"] == list(pairing.partners)
    assert figure(note.figure) is not None


def test_a_match_that_was_there_before_training_is_not_called_learning():
    """Units of a single input point in two directions only: any two layers of them match."""
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(1, 60))
    _, step = callables("dict (n_out, n_in)", "tanh", inputs, (inputs > 0) * 1.0, 0.5)
    one, other = (PACK(*random_start(np.random.default_rng(seed), (1, 4, 1))) for seed in (1, 2))
    evidence = check_specialization(
        one, step, steps=1, activations=lambda p: forward(*UNPACK(p), inputs)[1], other=other
    )

    assert evidence.pairings[0].matched > 0.8
    assert evidence.pairings[0].matched_before > 0.8
    assert "hardly better than before training" in render(evidence.notes[0])


def test_runs_from_other_seeds_find_the_same_features_by_other_units():
    """Twelve runs: matching raises the mean correlation by far."""
    found = []
    for seed in range(0, 12, 2):
        start, step, values = task(seed)
        other, _, _ = task(seed + 1)
        evidence = check_specialization(start, step, steps=800, activations=values, other=other)
        found.append((evidence.pairings[0].same_number, evidence.pairings[0].matched))
    same_number, matched = np.mean(found, axis=0)

    assert matched > same_number + 0.2


def test_units_of_one_role_are_named():
    """Two units that are copies up to sign are one role."""
    start, step, values = task()
    start["W1"][3], start["b1"][3], start["W2"][:, 3] = -start["W1"][1], -start["b1"][1], -start["W2"][:, 1]
    evidence = check_specialization(start, step, steps=20, activations=values)

    assert evidence.layers[0].roles == ((1, 3),)


def test_examples_in_rows_are_understood_too():
    """(examples, units) and (units, examples) give the same evidence."""
    start, step, values = task()
    columns = check_specialization(start, step, steps=5, activations=values)
    rows = check_specialization(start, step, steps=5, activations=lambda p: [values(p).T])

    assert columns == rows


def test_a_step_that_returns_something_else_is_the_callers_mistake():
    """A loss instead of the parameters is named in one sentence."""
    start, _, _ = task()
    with pytest.raises(SymmetryError, match="step= must return the parameters"):
        check_specialization(start, lambda p: {"loss": np.ones(3)}, steps=2)


def test_the_picture_holds_every_layer():
    """Its data names steps and widths, and is small."""
    rng = np.random.default_rng(1)
    inputs, targets = data(rng, 3, 2)
    _, step = callables("dict (n_out, n_in)", "tanh", inputs, targets)
    evidence = check_specialization(PACK(*random_start(rng, (3, 4, 5, 2))), step, steps=10)
    shown = width_figure(evidence.layers)

    assert [layer["widths"] for layer in shown["layers"]] == [[4] * 5, [5] * 5]
    assert "effective width" in str(evidence)
