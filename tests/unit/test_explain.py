"""explain: the whole way from a failed check to a cause, and what it leaves unsaid."""

import numpy as np
import pytest

from pytest_symmetry.checks.matches import check_matches
from pytest_symmetry.context import Call, Context, entered
from pytest_symmetry.diagnosis import dictionary as module
from pytest_symmetry.diagnosis.consequences import attribute
from pytest_symmetry.diagnosis.dictionary import Entry
from pytest_symmetry.diagnosis.explain import explain
from pytest_symmetry.diagnosis.locating import located
from pytest_symmetry.diagnosis.naming import named
from pytest_symmetry.errors import CheckFailed
from pytest_symmetry.feedback.text import render
from pytest_symmetry.findings import Finding, Place

SOURCE = """
import numpy as np

def forward(X, W, b):
    Z = W @ X + b
    A = np.tanh(Z)
    return A, {"Z": Z}

def cost(A, Y):
    m = Y.shape[1]
    return np.sum((A - Y) ** 2) / (2 * m)

def backward(X, Y, W, b, cache):
    m = X.shape[1]
    A = np.tanh(cache["Z"])
    dZ = (A - Y) * (1 - A**2) / m
    return {"dW": dZ @ X.T, "db": np.sum(dZ, axis=1, keepdims=True)}
"""

rng = np.random.default_rng(2)
X, W, b, Y = (
    rng.normal(size=(3, 7)),
    rng.normal(size=(5, 3)),
    rng.normal(size=(5, 1)),
    rng.normal(size=(5, 7)),
)
REFERENCE: dict = {}
exec(SOURCE, REFERENCE)


def context(*calls):
    return Context(calls=list(calls), reference_source=SOURCE)


def finding(array):
    facts = {"array": f"d{array}", "parameter": array, "index": "", "student": 1.0, "numerical": 2.0}
    facts |= {"error_bar": 1e-9, "entries": 1, "entries_wrong": 1}
    return Finding("GRD101", facts=facts, place=Place(function="backward", array=f"d{array}"))


def explained(array, student, expected=None, calls=()):
    right = REFERENCE["backward"](X, Y, W, b, REFERENCE["forward"](X, W, b)[1])
    expected = expected or {"W": right["dW"], "b": right["db"]}
    with entered(context(*calls)):
        return explain(finding(array), student=student, expected=expected, parameters={"W": W, "b": b})


def backward_calls(gradients, forward=None):
    """Return the log of a forward and a backward call; the cache is the student's own kind of thing."""
    A, cache = forward or (REFERENCE["forward"](X, W, b)[0], object())
    return [
        Call("forward", (X, W, b), result=(A, cache), cell=2, line=1),
        Call("backward", (X, Y, W, b, cache), result=gradients, cell=4, line=1),
    ]


def test_a_cache_of_any_kind_is_followed_from_forward_to_backward():
    Z = W @ X + b
    dZ = (np.tanh(Z) - Y) / 7
    gradients = {"dW": dZ @ X.T, "db": dZ.sum(1, keepdims=True)}

    found = explained("W", {"W": gradients["dW"], "b": gradients["db"]}, calls=backward_calls(gradients))

    assert found.cause == "activation-derivative-missing"
    assert found.facts["target"] == "dZ"
    assert (found.place.function, found.place.cell, found.place.line) == ("backward", 4, 1)
    assert "The derivative of tanh is missing in dZ" in render(found)


def test_without_a_reference_only_relations_are_tried():
    dZ = (np.tanh(W @ X + b) - Y) / 7
    gradients = {"W": dZ @ X.T, "b": dZ.sum(1, keepdims=True)}
    right = REFERENCE["backward"](X, Y, W, b, {"Z": W @ X + b})

    plain = explain(finding("W"), student=gradients, expected={"W": right["dW"], "b": right["db"]})
    minus = explain(finding("W"), student={"W": -right["dW"]}, expected={"W": right["dW"]})

    assert plain.cause is None
    assert minus.cause == "sign-reversed"


def test_a_right_gradient_of_a_wrong_cost_is_not_blamed():
    right = REFERENCE["backward"](X, Y, W, b, {"Z": W @ X + b})
    gradients = {"W": right["dW"], "b": right["db"]}
    A = np.tanh(W @ X + b)
    own_cost = float(np.sum((A - Y) ** 2) / 7)
    calls = [*backward_calls(right), Call("cost", (A, Y), result=own_cost, cell=3, line=1)]
    slopes = {"W": 2 * right["dW"], "b": 2 * right["db"]}

    found = explained("W", gradients, slopes, calls)

    assert found.place.function == "cost"
    assert found.cause not in ("factor-half", None)


def test_a_right_gradient_of_an_unknown_cost_says_so():
    right = REFERENCE["backward"](X, Y, W, b, {"Z": W @ X + b})
    calls = [*backward_calls(right), Call("cost", (np.tanh(W @ X + b), Y), result=0.123456)]

    found = explained("W", {"W": right["dW"], "b": right["db"]}, {"W": W, "b": b}, calls)

    assert found.cause == "loss-differs"
    assert "The cost is not the one" in render(found)


def test_two_mistakes_are_both_listed():
    dZ = (np.tanh(W @ X + b) - Y) / 7
    right = REFERENCE["backward"](X, Y, W, b, {"Z": W @ X + b})
    gradients = {"dW": dZ @ X.T, "db": np.ones_like(right["db"])}

    found = explained("W", {"W": gradients["dW"], "b": gradients["db"]}, calls=backward_calls(gradients))

    assert found.facts["also"][0]["cause"] == "constant-gradient"


def test_causes_of_equal_behaviour_are_all_listed():
    entries = [
        Entry("backward", 3, "output-derivative-missing", {"target": "dZ2"}, True, "output_error"),
        Entry("backward", 4, "bias-missing", {"target": "Z1"}, True, "terms"),
        Entry("backward", 4, "factor-missing", {"target": "Z1"}, False, "parts"),
    ]

    found = named(entries)

    assert found.cause == "one-of-several"
    assert found.one_of == ("The bias is missing", "The output activation's derivative is missing")


def test_a_mistake_of_the_field_is_a_better_name_than_a_formula():
    entries = [
        Entry("backward", 4, "factor-missing", {"target": "dZ1"}, False, "parts"),
        Entry("backward", 4, "activation-derivative-missing", {"target": "dZ1"}, True, "derivative"),
    ]

    assert named(entries).cause == "activation-derivative-missing"


def test_one_of_several_has_words():
    facts = {"array": "W1", "index": "", "student": 1.0, "numerical": 2.0, "error_bar": 0.0}
    facts |= {"entries": 1, "entries_wrong": 1, "one_of": ["The bias is missing", "A factor is missing"]}

    text = render(Finding("GRD101", cause="one-of-several", facts=facts))

    assert "The bias is missing and A factor is missing" in text


@pytest.mark.parametrize(
    "result", [None, "text", object(), {"dW": np.ones((2, 2))}, {"dW": np.full((5, 3), np.nan)}]
)
def test_strange_results_in_the_log_do_no_harm(result):
    calls = [Call("backward", (X, Y, W, b, {"Z": W @ X + b}), result=result)]

    found = explained("W", {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=(5, 1))}, calls=calls)

    assert found.code == "GRD101"


def test_a_source_that_cannot_run_does_no_harm():
    call = Call("forward", (X,), result=X)
    broken = Context(calls=[call], reference_source="def forward(X):\n    return undefined\n")
    with entered(broken), pytest.raises(CheckFailed) as failure:
        check_matches(rng.normal(size=(3, 7)), X)

    assert failure.value.finding.code == "MAT101"


def test_a_forward_pass_is_explained_through_check_matches():
    def student(X, W, b):
        result = np.tanh(W @ X), {}
        current.calls.append(Call("forward", (X, W, b), result=result, cell=5, line=1))
        return result

    current = context()
    with entered(current), pytest.raises(CheckFailed) as failure:
        check_matches(lambda *a: student(*a)[0], lambda *a: REFERENCE["forward"](*a)[0], X, W, b)

    assert failure.value.finding.cause == "bias-missing"
    assert failure.value.finding.place.cell == 5


def test_single_precision_is_looked_up_with_its_own_noise():
    dZ = ((np.tanh(W @ X + b) - Y) / 7).astype(np.float32)
    gradients = {"dW": dZ @ X.T.astype(np.float32), "db": dZ.sum(1, keepdims=True)}

    found = explained("W", {"W": gradients["dW"], "b": gradients["db"]}, calls=backward_calls(gradients))

    assert found.cause == "activation-derivative-missing"


def test_a_changed_argument_is_the_last_clue():
    student = {"scores": rng.normal(size=(3, 7))}
    call = Call("forward", (X,), result=student["scores"], changed_paths=("args[0]",))
    with entered(Context(calls=[call])):
        found = explain(
            Finding("MAT101", place=Place(array="scores"), facts={"array": "scores"}),
            student=student,
            expected={"scores": X},
        )

    assert found.cause == "argument-changed"
    assert found.facts["changed"] == ["args[0]"]


def test_the_same_mistake_in_a_later_test_is_a_consequence():
    facts = {"target": "Z1", "where": "forward"}
    first = Finding("MAT101", cause="bias-missing", facts=facts)
    later = Finding("MAT101", cause="bias-missing", facts=facts)
    other = Finding("MAT101", cause="bias-missing", facts={"target": "Z2", "where": "forward"})
    unknown = Finding("GRD101")

    marked = attribute({"a": [first, unknown], "b": [later, other, unknown]})

    assert [f.consequence_of for f in marked["a"]] == [None, None]
    assert [f.consequence_of for f in marked["b"]] == ["MAT101", None, None]


def test_dictionaries_are_kept_in_the_folder_of_the_context(tmp_path):
    dZ = (np.tanh(W @ X + b) - Y) / 5
    gradients = {"dW": dZ @ X.T, "db": dZ.sum(1, keepdims=True)}
    current = context(*backward_calls(gradients))
    current.dictionaries = tmp_path
    module._MEMORY.clear()
    with entered(current):
        right = REFERENCE["backward"](X, Y, W, b, {"Z": W @ X + b})
        explain(
            finding("W"),
            student={"W": gradients["dW"], "b": gradients["db"]},
            expected={"W": right["dW"], "b": right["db"]},
            parameters={"W": W, "b": b},
        )

    assert len(list(tmp_path.glob("*.npz"))) == 1


def test_an_array_that_is_wrong_and_not_measured_is_not_called_right():
    right = REFERENCE["backward"](X, Y, W, b, {"Z": W @ X + b})
    student = {"W1": rng.normal(size=(5, 3)), "b1": rng.normal(size=(5, 1))}
    facts = {"array": "dW1", "parameter": "W1", "also_wrong": ["db1"]}
    spoken = Finding("GRD101", place=Place(array="dW1"), facts=facts)

    found = explain(spoken, student=student, expected={"W1": right["dW"]}, parameters={"W1": W, "b1": b})

    assert found.cause == "located-error"


def test_nothing_is_located_where_no_gradient_counts_as_wrong():
    """A difference below the noise of the expected values points nowhere."""
    assert located("W1", [], ["W1", "b1", "W2", "b2"]) is None
