"""What a failed question earns: shares, prices, and nothing for what was not seen to be right."""

from dataclasses import replace

import numpy as np
import pytest
import tiny_course
from hypothesis import given
from hypothesis import strategies as st

from pytest_symmetry import CheckFailed, check_gradients, check_matches
from pytest_symmetry.context import Context, entered
from pytest_symmetry.errors import RaisedError
from pytest_symmetry.findings import Finding, Outcome, Partial, Verdict
from pytest_symmetry.grading import verdict_of
from pytest_symmetry.points import earned

RETURNED = 'return {"dW1": Z @ X.T, "db1": db1, "dW2": D @ A.T, "db2": db2}'
WRONG_HIDDEN = ("* (1 - A**2)", "* 1")  # dW1 and db1 are wrong, dW2 and db2 are right
ALL_HALF = ("D = 2 *", "D = 1 *")
ZERO = (RETURNED, "return {f'd{k}': np.zeros_like(v) for k, v in parameters.items()}")


def program(*changes):
    """Return the tiny course's solution with changes, as functions."""
    names = {}
    for cell in tiny_course.SOLUTION:
        text = cell
        for old, new in changes:
            text = text.replace(old, new)
        exec(text, names)
    return names


RIGHT = program()


def net():
    rng = np.random.default_rng(5)
    shapes = {"W1": (5, 3), "b1": (5, 1), "W2": (1, 5), "b2": (1, 1)}
    return (
        rng.normal(size=(3, 7)),
        rng.normal(size=(1, 7)),
        {k: rng.normal(size=s) for k, s in shapes.items()},
    )


def verdict(check, *, shared=True):
    """Return the verdict of a question of four points that makes one check."""
    error = None
    with entered(Context(shares=shared)) as context:
        try:
            check()
        except (CheckFailed, RaisedError) as found:
            error = found
    return verdict_of("test_it", "t.py::test_it", 4.0, error, context, shared=shared)


def gradients(*changes, shared=True):
    mine, (X, Y, parameters) = program(*changes), net()
    return verdict(
        lambda: check_gradients(
            lambda p: mine["loss"](X, Y, p), lambda p: mine["gradients"](X, Y, p), parameters
        ),
        shared=shared,
    )


def values(*changes):
    mine, given = program(*changes), net()
    return verdict(lambda: check_matches(mine["gradients"], RIGHT["gradients"], *given))


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ([], 4),
        ([WRONG_HIDDEN], 2),
        ([ALL_HALF], 0),
        ([ZERO], 0),
        ([('"db2": db2', '"db2": 3 * db2')], 3),
        ([('"db2": db2', '"db2": db2 * np.nan')], 0),
        ([('"db2": db2}', "}")], 3),
        ([('"dW1": Z @ X.T, "db1": db1, ', "")], 2),
        ([('"db2": db2}', "}"), WRONG_HIDDEN], 1),
        ([(RETURNED, "return {}")], 0),
        ([(RETURNED, 'return {"dW2": D @ A.T, "x": db1, "y": db2, "z": 0}')], 1),
    ],
)
def test_each_gradient_that_is_right_earns_a_share(changes, points):
    """Four arrays, four points; a contract that is broken leaves nothing to look at."""
    assert points == gradients(*changes).points
    assert (4 if points == 4 else 0) == gradients(*changes, shared=False).points


@pytest.mark.parametrize(
    ("change", "points"),
    [
        (WRONG_HIDDEN, 2),
        (('"db2": db2}', "}"), 3),
        (('"dW1": Z @ X.T, "db1": db1, ', ""), 2),
        ((RETURNED, 'return {"db2": db2}'), 1),
        (('"db2": db2}', '"db2": db2.ravel()}'), 3),
        (('"db2": db2}', '"db2": 7 * db2, "a": 1, "b": 2, "c": 3, "d": 4}'), 3),
        (('"db2": db2}', '"db2": None}'), 3),
        (('"db2": db2}', '"db2": {"db2": db2}}'), 3),
        ((RETURNED, "return {}"), 0),
        ((RETURNED, "return None"), 0),
        ((RETURNED, "return [db2]"), 0),
    ],
    ids=[
        "two wrong",
        "one missing",
        "two missing",
        "three missing",
        "shape",
        "extra",
        "a None",
        "nested",
        "{}",
        "None",
        "list",
    ],
)
def test_each_value_of_the_reference_that_is_there_and_right_earns_a_share(change, points):
    """What is missing counts among the wrong ones, what nobody asked for not at all."""
    assert points == values(change).points


@pytest.mark.parametrize(("short", "points"), [(1, 0), (2, 0)])
def test_a_list_of_another_length_earns_nothing(short, points):
    """Nothing says which of its members is which."""
    found = verdict(lambda: check_matches(lambda: [1.0, 2.0, 3.0][:short], lambda: [1.0, 2.0, 3.0]))

    assert points == found.points
    assert 3 == len(found.partial.arrays)


def test_a_loss_that_reads_nothing_proves_no_gradient():
    """A loss of zero and gradients of zero agree, and earn nothing."""
    found = gradients(("return float(np.mean((", "return 0.0 * float(np.mean(("), ZERO)

    assert ("failed", 0) == (found.outcome.value, found.points)
    assert not any(found.partial.arrays.values())


def test_a_loss_that_reads_one_array_proves_one_gradient():
    """The others are flat: neither right nor wrong, and not paid for."""
    loss = (
        'return float(np.mean((parameters["W2"] @ A + parameters["b2"] - Y) ** 2))',
        'return float(np.sum(parameters["b2"] ** 2))',
    )
    found = gradients(
        loss, (RETURNED, "return {f'd{k}': 2 * v * (k == 'b2') for k, v in parameters.items()}")
    )

    assert ("failed", 1) == (found.outcome.value, found.points)
    assert {"W1": False, "b1": False, "W2": False, "b2": True} == found.partial.arrays


def test_an_answer_that_never_came_proves_nothing():
    """Whatever was found right before it."""

    def check():
        check_matches(1.0, 1.0)
        raise RaisedError(Finding("SUB105"))

    assert (0, None) == ((found := verdict(check)).points, found.partial)


def test_other_checks_have_no_parts():
    """A start whose units are equal is not half right."""
    from pytest_symmetry import check_symmetry

    start = {"W1": np.ones((5, 3)), "b1": np.zeros((5, 1)), "W2": np.ones((1, 5)), "b2": np.zeros((1, 1))}
    found = verdict(lambda: check_symmetry(start))

    assert (0, {}) == (found.points, found.partial.arrays)


# Prices


def price(found, **costs):
    return earned(found, {cause.replace("_", "-"): cost for cause, cost in costs.items()})


def cause_of(found):
    return next(f.cause for f in found.findings if f.severity == "fail")


def test_a_cause_costs_its_price_where_it_accounts_for_everything():
    """Every array is off by the same factor."""
    found = gradients(ALL_HALF, shared=False)
    cause = cause_of(found)

    assert [0, 3, 4, 0] == [earned(found, c) for c in ({}, {cause: 1}, {cause: 0}, {cause: 9})]


@pytest.mark.parametrize(
    "nonsense", ['"dW1": np.cos(7 * Z @ X.T) + 3', '"dW1": 0 * Z @ X.T', '"dW1": -3 * Z @ X.T'], ids=str
)
def test_a_cause_does_not_pay_for_what_it_does_not_account_for(nonsense):
    """The factor of dW2 has a price; what else is in dW1 has none."""
    found = gradients(ALL_HALF, ('"dW1": Z @ X.T', nonsense), shared=False)
    cause = cause_of(found)

    assert 0 == earned(found, {cause: 1})


def test_the_better_of_share_and_price_counts():
    """Three of four arrays are right; the cause of the fourth costs half a point."""
    found = gradients(('"db2": db2', '"db2": 2 * db2'))
    cause = cause_of(found)

    assert [3, 3.5, 3] == [earned(found, c) for c in ({}, {cause: 0.5}, {cause: 2})]


def test_a_second_mistake_needs_its_own_price():
    """Two causes, told as one and "also": both prices are paid, or none is given."""
    finding = Finding("GRD101", "one", facts={"also": [{"cause": "two"}]})

    def check():
        raise CheckFailed(finding, None, str)

    partial = replace(verdict(check).partial, explained=True)
    found = Verdict("t", "t", Outcome.FAILED, 0.0, 4.0, (finding,), partial=partial)

    assert ("one", "two") == partial.causes
    assert [0, 0, 1] == [price(found, one=1), price(found, two=2), price(found, one=1, two=2)]


outcomes = st.sampled_from(list(Outcome))
partials = st.none() | st.builds(
    Partial,
    st.dictionaries(st.text(max_size=3), st.booleans(), max_size=5),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(["", "a", "b"]), max_size=3).map(tuple),
)
costs = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(0, 20))


@given(outcomes, partials, costs, st.floats(0, 50))
def test_a_question_earns_between_nothing_and_all(outcome, partial, prices, worth):
    """All only if passed or priced at 0; nothing where no verdict was reached; dearer is never better."""
    made = Verdict("t", "t", outcome, 0.0, worth, partial=partial)
    points = earned(made, prices)

    assert 0 <= points <= worth + 1e-6
    assert Verdict.from_json(made.to_json()) == made
    assert earned(made, {cause: price + 1 for cause, price in prices.items()}) <= points
    if outcome not in (Outcome.PASSED, Outcome.FAILED):
        assert 0 == points
    if outcome is Outcome.FAILED and partial is not None and not prices and all(partial.arrays.values()):
        assert 0 == points
