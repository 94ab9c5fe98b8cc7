"""check_matches: what it finds, what it says, and what it leaves alone."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_symmetry.checks.matches import check_matches
from pytest_symmetry.context import Call, Context, entered
from pytest_symmetry.errors import CheckFailed
from pytest_symmetry.feedback.text import render

RNG_SEED = 20


def expected_result(X, scale=1.0):
    return {"A": scale * np.tanh(X), "cost": float(np.sum(X**2)), "parts": (X.T, [1, "tanh"])}


def caught(student, reference, *args, **kwargs):
    with pytest.raises(CheckFailed) as failure:
        check_matches(student, reference, *args, **kwargs)
    return failure.value


@pytest.fixture(name="X")
def inputs():
    return np.random.default_rng(RNG_SEED).normal(size=(3, 5))


def changed_by(change):
    """Return a student's function: the reference with one part of its result changed."""

    def function(X, scale=1.0):
        result = expected_result(X, scale)
        change(result)
        return result

    return function


SPECIMENS = [
    ("MAT101", "A[1, 2] = ", lambda r: r["A"].__setitem__((1, 2), 7.0)),
    ("MAT101", "cost = ", lambda r: r.update(cost=2 * r["cost"])),
    ("MAT101", "'relu'", lambda r: r.update(parts=(r["parts"][0], [1, "relu"]))),
    ("MAT102", "lacks cost", lambda r: r.pop("cost")),
    ("MAT102", "Cost, which nothing asks for", lambda r: r.update(Cost=r.pop("cost"))),
    ("MAT102", "1 parts instead of 2", lambda r: r.update(parts=r["parts"][:1])),
    ("MAT103", "cost is a text", lambda r: r.update(cost="0.7")),
    ("MAT103", "A is a list", lambda r: r.update(A=r["A"].tolist())),
    ("MAT103", "A is a tuple", lambda r: r.update(A=(r["A"],))),
    ("MAT103", "parts is a number", lambda r: r.update(parts=3)),
    ("MAT104", "(5, 3)", lambda r: r.update(A=r["A"].T)),
    ("MAT104", "a plain number belongs", lambda r: r.update(cost=np.array([[r["cost"]]]))),
    ("MAT105", "A[0, 1] = nan", lambda r: r["A"].__setitem__((0, 1), np.nan)),
    ("MAT105", "cost = inf", lambda r: r.update(cost=np.inf)),
    ("MAT106", "A is None", lambda r: r.update(A=None)),
]


@pytest.mark.parametrize(("code", "said", "change"), SPECIMENS, ids=[s[1] for s in SPECIMENS])
def test_a_changed_result_is_caught_with_code_and_message(X, code, said, change):
    failure = caught(changed_by(change), expected_result, X)

    assert code == failure.finding.code
    assert said in render(failure.finding)
    assert not failure.evidence.passed


def same(result):
    """Change nothing that matters: containers, number types and the order of summation."""
    result["A"] = np.asfortranarray(result["A"]) * (1 + 1e-15)
    result["cost"] = np.float64(result["cost"])
    result["parts"] = [result["parts"][0], (1.0, "tanh")]


def test_equal_results_of_other_containers_pass(X):
    evidence = check_matches(changed_by(same), expected_result, X, scale=2.0)

    assert evidence.passed
    assert tuple(c.path for c in evidence.comparisons) == (
        "A",
        "cost",
        "parts[0]",
        "parts[1][0]",
        "parts[1][1]",
    )
    assert evidence.notes == ()


def test_structure_is_reported_before_values(X):
    def both(result):
        result["A"] = result["A"] * 2
        result.pop("cost")

    assert caught(changed_by(both), expected_result, X).finding.code == "MAT102"


def test_a_function_without_return_is_still_none(X):
    failure = caught(lambda X: None, lambda X: X, X)

    assert failure.finding.code == "MAT106"
    assert "result is None" in str(failure)


def test_values_are_compared_where_nothing_is_callable():
    assert check_matches(0.1 + 0.2, 0.3).passed
    assert check_matches([1, 2], (1, 2)).passed
    assert check_matches(np.array(2.0), 2.0).passed
    assert caught("relu", "tanh").finding.code == "MAT101"
    assert caught(np.array([1, 2, 3]), np.array([1, 2, 4])).finding.code == "MAT101"


def test_objects_are_compared_by_their_public_attributes():
    layer = SimpleNamespace(W=np.ones((2, 3)), b=np.zeros(2), _calls=3)

    assert check_matches(SimpleNamespace(W=np.ones((2, 3)), b=np.zeros(2)), layer).passed
    assert "lacks b" in str(caught(SimpleNamespace(W=np.ones((2, 3))), layer))
    assert caught(SimpleNamespace(W=np.zeros((2, 3)), b=np.zeros(2)), layer).finding.code == "MAT101"


def test_names_of_a_tuple_come_from_the_reference(X):
    def halves(X):
        return X / 2, X / 3

    source = "def halves(X):\n    first, second = X / 2, X / 3\n    return first, second\n"
    with entered(Context(reference_source=source)):
        failure = caught(lambda X: (X / 2, X / 4), halves, X)

    assert "second[0, 0] = " in str(failure)
    assert failure.finding.place.array == "second"


def test_a_change_in_place_reaches_neither_the_caller_nor_the_reference(X):
    def shifts(X, scale):
        X -= X.max()
        scale["s"] = np.array(0.0)
        return X

    before, scale = X.copy(), {"s": np.array(2.0)}
    evidence = check_matches(shifts, lambda X, scale: X - X.max(), X, scale=scale)

    assert np.array_equal(before, X)
    assert scale["s"] == 2.0
    assert [note.code for note in evidence.notes] == ["MAT201"]
    assert "argument [0] and argument scale.s are changed in place" in render(evidence.notes[0])


def test_changes_and_places_come_from_the_log_of_calls(X):
    context = Context()

    def remote(X):
        context.calls.append(Call("normalise", (X,), result=X + 1, changed_paths=("X",), cell=4, line=2))
        return X + 1

    with entered(context):
        failure = caught(remote, lambda X: X, X)

    assert (
        failure.finding.place.function,
        failure.finding.place.cell,
        failure.finding.place.line,
    ) == ("normalise", 4, 2)
    assert [note.code for note in context.evidence[0].notes] == ["MAT201"]
    assert "X is changed in place by normalise" in render(context.notes[0])


def test_float32_is_judged_by_its_own_precision_and_noted(X):
    evidence = check_matches(lambda X: np.tanh(X.astype(np.float32)), np.tanh, X)

    assert [note.code for note in evidence.notes] == ["MAT202"]
    assert "float32" in render(evidence.notes[0])
    assert (
        caught(lambda X: np.float32(1.01) * np.tanh(X.astype(np.float32)), np.tanh, X).finding.code
        == "MAT101"
    )


def test_a_guard_in_a_logarithm_is_a_note(X):
    P = np.abs(X) + 0.05
    evidence = check_matches(lambda P: np.log(P + 1e-8), np.log, P)

    assert [note.code for note in evidence.notes] == ["MAT204"]
    assert "small constant" in render(evidence.notes[0])


def test_keys_that_nobody_asked_for_are_a_note(X):
    evidence = check_matches(changed_by(lambda r: r.update(m=5)), expected_result, X)

    assert [note.code for note in evidence.notes] == ["MAT203"]
    assert "m." in render(evidence.notes[0])


def test_equal_infinities_and_nans_agree():
    value = np.array([np.inf, np.nan, 1.0])

    assert check_matches(value.copy(), value).passed
    assert caught(np.array([-np.inf, np.nan, 1.0]), value).finding.code == "MAT101"


arrays = hnp.arrays(
    np.float64, hnp.array_shapes(max_dims=3, max_side=5), elements=st.floats(-1e6, 1e6, allow_subnormal=False)
)


@given(arrays)
def test_an_array_equals_itself_after_rounding_noise(array):
    assert check_matches(array * (1 + 4e-16), array).passed


@given(arrays, st.data())
def test_one_wrong_entry_never_hides(array, data):
    index = data.draw(st.integers(0, array.size - 1))
    wrong = array.copy()
    wrong.flat[index] += 1e-3 * (1 + np.abs(array).max())

    finding = caught(wrong, array).finding

    assert finding.facts["entries_wrong"] == 1
    assert tuple(np.unravel_index(index, array.shape)) == finding.place.index


@given(st.integers(1, 2000), st.integers(0, 2**31))
def test_another_order_of_summation_is_no_mistake(n, seed):
    X = np.random.default_rng(seed).normal(size=(3, n)) * 100
    slow = np.zeros(3)
    for column in X.T:
        slow = slow + column

    assert check_matches(slow, X.sum(axis=1)).passed


def test_keys_that_are_all_one_layer_off():
    """The names differ, and every array fits under the next one."""
    rng = np.random.default_rng(3)
    right = {"dW1": rng.normal(size=(5, 3)), "dW2": rng.normal(size=(1, 5))}
    found = {off: (f"dW{1 + off}", f"dW{2 + off}") for off in (-1, 1)}
    told = {
        off: caught(dict(zip(keys, right.values(), strict=True)), right).finding
        for off, keys in found.items()
    }
    short = caught({"dW0": right["dW1"][:2], "dW1": right["dW2"]}, right).finding

    assert {finding.code for finding in told.values()} == {"MAT102"}
    assert {off: (f.cause, f.facts["off_by"]) for off, f in told.items()} == {
        off: ("keys-off-by-one", off) for off in found
    }
    assert short.cause is None


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=0, max_dims=3, max_side=4),
        elements=st.floats(width=64, allow_nan=False),
    )
)
def test_equal_entries_are_seen_without_looking_at_each(array):
    """What is said of an array equal to the last bit is what is said of one that is nearly so: no error."""
    from pytest_symmetry.checks.comparisons import TOLERANCES, compare_leaf

    found = compare_leaf(array.copy(), array, "")
    limit, sizes = TOLERANCES["float64"], np.where(np.isfinite(array), np.abs(array), 0.0)
    finite = np.abs(array[np.isfinite(array)])
    allowed = limit.relative * sizes + limit.of_largest * finite.max(initial=0.0) + limit.absolute

    assert (found.problem, found.error, found.notes) == ("", 0.0, ())
    assert float(allowed.min()) == found.allowed
    assert found.wrong.shape == array.shape
    assert not found.wrong.any()
