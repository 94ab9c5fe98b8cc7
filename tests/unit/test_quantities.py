"""What a quantity is called: names that a student has stay names, the others become words."""

from types import SimpleNamespace

import numpy as np
import pytest

from pytest_symmetry.context import Call, Context, entered
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.dictionary import Entry
from pytest_symmetry.diagnosis.explain import explain
from pytest_symmetry.diagnosis.naming import named
from pytest_symmetry.diagnosis.quantities import in_words, vocabulary
from pytest_symmetry.feedback.text import render, words
from pytest_symmetry.findings import Finding, Place

SOURCE = """
import numpy as np

def cost(A2, Y, parameters):
    losses = (A2 - Y) ** 2
    J = np.sum(losses) + np.sum(parameters["W1"] ** 2)
    return J

def backward(X, Y):
    error = X - Y
    gradients = {}
    gradients["dW1"] = error @ X.T
    return gradients

def helper(Q):
    return {"hidden": Q}
"""

KNOWN = vocabulary(SOURCE, frozenset({"cost", "backward"}))
FACTS = {"array": "J", "index": "", "student": 1.0, "expected": 2.0, "tolerance": 0.0}
FACTS |= {"entries": 1, "entries_wrong": 1}


def test_what_functions_show_are_arguments_keys_and_results():
    assert {"cost", "backward", "A2", "Y", "parameters", "W1", "J", "X", "gradients", "dW1"} == KNOWN


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("J", "J"),
        ("losses", "a step of cost"),
        ("dZ1", "the error at layer 1"),
        ("Z_2", "layer 2 before its activation"),
        ("dA1 or dZ1", "the error that is passed back to layer 1 or the error at layer 1"),
        ("losses and squares", "a step of cost"),
    ],
)
def test_a_quantity_is_said_by_a_name_that_is_known_or_in_words(target, said):
    assert in_words({"target": target}, "cost", KNOWN, {})["target"] == said


def test_a_declared_quantity_is_said_by_its_name_and_what_it_is():
    facts = in_words({"target": "dZ1"}, "cost", KNOWN | {"dZ1"}, {"dZ1": "the error before tanh"})

    assert facts["target"] == "dZ1 (the error before tanh)"


def test_two_variables_are_said_only_where_both_have_a_name():
    facts = {"target": "J", "used": "parameters['W1']", "instead": "Y"}

    assert in_words(facts, "cost", KNOWN, {})["used"] == "W1"
    assert "used" not in in_words({**facts, "instead": "losses"}, "cost", KNOWN, {})


def test_without_an_assignment_every_name_stays():
    assert in_words({"target": "losses"}, "cost", None, {})["target"] == "losses"


def test_numbers_that_cannot_be_told_apart_are_all_said_or_none():
    """Compared with 0.5, any two thresholds below all outputs give the same decisions."""

    def entry(instead):
        facts = {"target": "classes", "used": 0.5, "instead": instead}
        return Entry("predict", 2, "another-constant", facts, False, "constants")

    few, many = named([entry(0), entry(-0.5)]), named([entry(i) for i in range(5)])

    assert few.facts["instead"] == "0 or -0.5"
    assert "instead" not in many.facts
    for found in (few, many):
        spoken = words(
            Finding("MAT101", cause=found.cause, facts={**FACTS, **found.facts}), reveal="cause"
        ).cause
        assert spoken.endswith("in place of 0.5.")


@pytest.mark.parametrize("cause", sorted(all_causes()))
def test_causes_about_two_variables_have_words_for_when_neither_can_be_said(cause):
    """The fact ``instead`` may be missing: two mistakes of equal behaviour need not agree on it."""
    template = all_causes()[cause].cause
    if "instead" not in template or "target" not in template:
        return
    facts = {**FACTS, "target": "dZ1", "activation": "tanh"}

    assert "None" not in words(Finding("MAT101", cause=cause, facts=facts), reveal="cause").cause


def test_a_sentence_begins_with_a_capital_whatever_the_quantity_is_called():
    finding = Finding("MAT101", cause="bias-missing", facts={**FACTS, "target": "a step of cost"})

    assert "Hint     A step of cost: a layer has weights" in render(finding)


def test_both_mistakes_of_a_pair_are_read():
    other = {"array": "", "cause": "bias-missing", "title": "", "target": "Z1"}
    finding = Finding("MAT101", cause="sign-reversed", facts={**FACTS, "also": [other]})

    assert "Also: Z1: a layer has weights and one more thing." in words(finding, reveal="hint").hint
    assert "Also: The bias is missing in Z1." in words(finding, reveal="cause").cause


def test_the_second_mistake_does_not_borrow_facts_of_the_first():
    other = {"array": "db1", "cause": "all-zero", "title": ""}
    finding = Finding("MAT101", cause="bias-missing", facts={**FACTS, "target": "Z1", "also": [other]})

    assert "Also: Every entry of db1 is 0." in words(finding, reveal="cause").cause


def test_a_local_variable_of_the_reference_is_not_said():
    A2, Y, parameters = np.full((1, 5), 0.30517), np.arange(5.0)[None], {"W1": np.ones((2, 2))}
    wrong = float(np.sum(A2 - Y) + 4)
    call = Call("cost", (A2, Y, parameters), result=wrong)
    assignment = SimpleNamespace(functions={"cost": "", "backward": ""})
    with entered(Context(calls=[call], reference_source=SOURCE, assignment=assignment)):
        found = explain(
            Finding("MAT101", place=Place(array="J"), facts=FACTS),
            student={"J": np.array(wrong)},
            expected={"J": np.array(np.sum((A2 - Y) ** 2) + 4)},
        )

    assert found.cause == "power-missing"
    assert "losses" not in render(found)
    assert found.facts["quantity"] == "losses"
