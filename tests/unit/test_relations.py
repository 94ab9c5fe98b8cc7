"""Relations: what two arrays say about a mistake, and what they do not."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_symmetry.context import Call, Context, entered
from pytest_symmetry.diagnosis import relations
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.explain import explain
from pytest_symmetry.diagnosis.relations import relate
from pytest_symmetry.diagnosis.sizes import named_sizes
from pytest_symmetry.feedback.text import render
from pytest_symmetry.findings import Finding, Place

SEED = 5
SIZES = {7: "m", 4: "the size of a layer", 3: "the size of a layer"}


def normal(*shape, seed=SEED):
    return np.random.default_rng(seed).normal(size=shape)


def softmax(Z, axis):
    E = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)


E = normal(4, 3)
W = normal(4, 3, seed=6)
SQUARE = normal(4, 4)
b = normal(4, 1, seed=7)
db = normal(4, 1, seed=8)
P = softmax(normal(5, 6), axis=0)
YES = np.array([[1, 0, 0, 1, 1]])

# student's array, expected array, cause, and what else is passed
CASES = [
    (7 * E, E, "factor-m", {}),
    (E / 7, E, "factor-1-over-m", {}),
    (-E, E, "sign-reversed", {}),
    (-7 * E, E, "sign-and-factor-m", {}),
    (2 * E, E, "factor-2", {}),
    (E / 2, E, "factor-half", {}),
    (3 * E, E, "factor-size", {}),
    (E / 4, E, "factor-1-over-size", {}),
    (E * 7 / 3, E, "divided-by-wrong-size", {}),
    (E * 7 / 6, E, "divided-by-m-minus-1", {}),
    (E * np.log(10), E, "logarithm-base", {}),
    (E / np.log(10), E, "logarithm-base", {}),
    (0.8 * E, E, "factor-constant", {}),
    (7 * np.array(0.30517), np.array(0.30517), "factor-m", {}),
    (0 * E, E, "all-zero", {}),
    (SQUARE.T, SQUARE, "transposed", {}),
    (E.T, E, "transposed", {}),
    (E.ravel(), E, "shape-flattened", {}),
    (db[:, 0], db, "keepdims-missing", {}),
    (np.array(db.sum()), db, "single-number", {}),
    (np.array([[0.3]]), np.array(0.3), "number-as-array", {}),
    (np.full((4, 1), db.sum()), db, "summed-over-all", {}),
    (np.full((4, 1), db.mean()), db, "averaged-over-all", {}),
    (np.tile(E.sum(axis=0), (4, 1)), E, "summed-over-all", {}),
    (E + 0.3 * W, E, "weight-term", {"parameter": W}),
    (E - 0.1 * W, E, "weight-term", {"parameter": W}),
    (db + 0.1 * b, db, "bias-regularised", {"parameter": b, "name": "b1"}),
    (E + 0.01 * np.sign(W), E, "weight-sign-term", {"parameter": W}),
    (E - 0.1 * W + 0.1 * W.sum(), E, "weight-term-summed", {"parameter": W}),
    (E + 0.25, E, "constant-added", {"parameter": W}),
    (W, E, "is-the-parameter", {"parameter": W}),
    (normal(4, 3, seed=9), E, "copy-of-another", {"others": {"dW2": normal(4, 3, seed=9)}}),
    (E.sum(axis=1, keepdims=True), db, "bias-from-weight-gradient", {"others": {"dW1": E}}),
    (P / P.sum(axis=1, keepdims=True), P, "softmax-axis", {}),
    (E[::-1], E, "order-reversed", {}),
    (np.roll(E, 1, axis=0), E, "shifted-by-one", {}),
    (np.where(np.arange(4)[:, None] == 0, E, 0), E, "only-first-filled", {}),
    (np.where(np.arange(4)[:, None] == 3, E, 0), E, "only-last-filled", {}),
    (np.where(np.arange(4)[:, None] < 3, E, 0), E, "last-left-out", {}),
    (np.where(np.arange(4)[:, None] > 0, E, 0), E, "first-left-out", {}),
    (np.where(np.isin(np.arange(4), [1, 2])[:, None], 0, E), E, "lines-empty", {}),
    (np.clip(E, -0.5, 0.5), E, "clipped", {}),
    (np.maximum(E, 0), E, "negative-part-lost", {}),
    (np.maximum(E.reshape(1, -1), 0), E.reshape(1, -1), "negative-part-lost", {}),
    (np.maximum(E.ravel(), 0), E.ravel(), "negative-part-lost", {}),
    (np.abs(E), E, "absolute-value", {}),
    (1 - P, P, "complement", {}),
    (np.square(P), P, "squared", {}),
    (np.sqrt(P), P, "root-taken", {}),
    (1 / P, P, "inverted", {}),
    (np.log(P), P, "logarithm-taken", {}),
    (np.exp(E), E, "logarithm-missing", {}),
    (W.copy(), E, "step-not-taken", {"bases": {"W1": W}}),
    (W.copy(), E, "left-unchanged", {"bases": {"W1": W}, "stepping": False}),
    (2 * W - E, E, "step-uphill", {"bases": {"W1": W}}),
    (W + 0.01 / 0.3 * (E - W), E, "step-length", {"bases": {"W1": W}}),
    (np.array([[0.9, 0.2, 0.1, 0.6, 0.7]]), YES, "threshold-missing", {}),
    (1 - YES, YES, "decision-reversed", {}),
    (np.trunc(10 * E), 10 * E, "integers", {}),
    (E.astype(np.float32), E, "float32", {}),
]


@pytest.mark.parametrize(
    ("student", "expected", "cause", "known"), CASES, ids=lambda v: v if type(v) is str else ""
)
def test_a_relation_is_named(student, expected, cause, known):
    found = relate(student, expected, **({"name": "W1", "sizes": SIZES} | known))

    assert found is not None
    assert cause == found.cause


@pytest.mark.parametrize(
    ("student", "expected", "cause", "known"), CASES, ids=lambda v: v if type(v) is str else ""
)
def test_every_relation_has_words(student, expected, cause, known):
    found = relate(student, expected, **({"name": "W1", "sizes": SIZES} | known))
    facts = {"array": "W1", "index": "[0]", "student": 1.0, "expected": 2.0, "tolerance": 0.0}
    facts |= {"entries": 3, "entries_wrong": 2, **found.facts}

    text = render(Finding("MAT101", cause=found.cause, facts=facts), reveal="cause")

    assert "Cause    " in text
    assert not re.search(r"!|\bnan\b|\{", text), text


def test_every_cause_of_the_module_is_listed_and_tested():
    source = Path(relations.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', source)) | {"transposed", "clipped"}

    assert named - set(all_causes()) == set()
    assert named - {case[2] for case in CASES} == set()


def test_two_meanings_of_one_number_are_not_guessed():
    found = relate(2 * E, E, name="W1", sizes={2: "m"})

    assert found is not None
    assert found.cause == "factor-constant"
    assert not found.sharp


def test_noise_of_the_expected_array_is_allowed_for():
    noisy = E * (1 + 1e-7 * normal(4, 3, seed=11))

    assert relate(7 * E, noisy, name="W1", sizes=SIZES) is None
    assert relate(7 * E, noisy, name="W1", sizes=SIZES, noise=1e-7).cause == "factor-m"


def test_a_single_number_proves_no_unknown_factor():
    assert relate(np.array([[0.71]]), np.array([[0.3]]), name="b2", parameter=np.array([[0.2]])) is None


finite = st.floats(-5, 5, allow_subnormal=False)
matrices = hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=3, max_side=5), elements=finite)


@given(matrices)
def test_an_array_has_no_relation_to_itself(array):
    assert relate(array, array.copy(), name="W1", sizes=SIZES) is None


@given(st.integers(0, 2**31), st.sampled_from([(), (1, 1), (3,), (4, 1), (4, 3), (2, 2), (5, 3, 2)]))
def test_unrelated_arrays_have_no_relation(seed, shape):
    draw = np.random.default_rng(seed)
    student, expected, parameter, other = (draw.normal(size=shape) for _ in range(4))

    assert (
        relate(student, expected, name="W1", parameter=parameter, others={"W2": other}, sizes=SIZES) is None
    )


@given(st.integers(0, 2**31))
def test_one_wrong_entry_has_no_relation(seed):
    draw = np.random.default_rng(seed)
    expected = draw.normal(size=(4, 3))
    student = expected.copy()
    student[draw.integers(4), draw.integers(3)] += draw.normal()

    assert relate(student, expected, name="W1", parameter=draw.normal(size=(4, 3)), sizes=SIZES) is None


def test_the_number_of_examples_is_the_length_that_no_parameter_has():
    parameters = {"W1": normal(4, 3), "b1": normal(4, 1)}

    found = named_sizes([("X", normal(3, 7)), ("parameters", parameters)])

    assert found[7] == "m"
    assert found[4] == found[3] == "the size of a layer"


def test_two_free_lengths_are_not_called_m():
    assert "m" not in named_sizes([("x", normal(5, 7, 3)), ("parameters", {"W": normal(4, 5)})]).values()
    assert named_sizes([("A2", normal(1, 7)), ("Y", normal(1, 7))]) == {7: "m"}


def test_the_lengths_of_data_are_no_layers_where_its_gradient_is_asked_for():
    assert named_sizes([("X", normal(2, 8, 5))], {"X": normal(2, 8, 5)}) == {}
    found = named_sizes([("X", normal(3, 7)), ("W", normal(4, 3))], {"X": normal(3, 7)})
    assert found == {3: "the size of a layer", 4: "the size of a layer", 7: "m"}


def gradients(**changed):
    right = {"W1": E, "b1": db, "W2": W.T}
    finding = Finding(
        "GRD101",
        facts={"array": "W1", "index": "[0, 0]", "student": 1.0, "numerical": 2.0, "error_bar": 1e-9}
        | {"entries": 12, "entries_wrong": 12},
        place=Place(array="W1"),
    )
    return explain(finding, student=right | changed, expected=right, parameters=right | {"W1": W})


def test_explain_names_the_cause_of_its_own_array_and_lists_the_others():
    finding = gradients(W1=7 * E, b1=-db)

    assert finding.cause == "factor-constant"
    (other,) = finding.facts["also"]
    assert (other["array"], other["cause"], other["title"]) == ("b1", "sign-reversed", "The sign is reversed")


def test_explain_locates_a_gradient_by_its_layer():
    assert gradients(W1=normal(4, 3, seed=12)).cause == "located-weight-gradient"
    assert gradients(W1=normal(4, 3, seed=12), b1=normal(4, 1, seed=13)).cause == "located-error"


def test_explain_reads_the_sizes_from_the_log_of_calls():
    call = Call("backward", (normal(3, 7), {"W1": W, "b1": b}))
    with entered(Context(calls=[call])):
        finding = gradients(W1=7 * E)

    assert finding.cause == "factor-m"
    assert "the number of examples m: the sum over the examples is not divided by m" in render(finding)


def test_explain_says_nothing_where_nothing_is_known():
    right = {"scores": E}
    wrong = {"scores": normal(4, 3, seed=12)}
    finding = explain(Finding("MAT101", place=Place(array="scores")), student=wrong, expected=right)

    assert finding.cause is None
    assert "one_of" not in finding.facts
