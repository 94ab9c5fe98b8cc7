"""A value that is not finite: what is special about the inputs, and nothing where nothing is."""

import numpy as np
import pytest

from pytest_symmetry.checks.matches import check_matches
from pytest_symmetry.context import Call, Context, current, entered
from pytest_symmetry.errors import CheckFailed
from pytest_symmetry.feedback.text import words

SOURCE = "def cost(A2, Y):\n    return 0.0\n\ndef softmax(z):\n    return z\n"
Y = np.array([[0.0, 1, 1]])


def found(name, *arguments):
    """Return the finding about a function that gives nan where the reference gives 0."""

    def student(*args):
        current().calls.append(Call(name, args, result=np.nan))
        return np.nan

    with entered(Context(reference_source=SOURCE)), pytest.raises(CheckFailed) as failure:
        check_matches(student, lambda *_: 0.0, *arguments)
    return failure.value.finding


def test_outputs_of_exactly_0_and_1_are_named():
    finding = found("cost", np.array([[0.0, 0.5, 1.0]]), Y)

    assert (finding.code, finding.cause, finding.facts["input"]) == ("MAT105", "certain-inputs", "A2")
    assert "A2 holds an exact 0 or 1" in words(finding, reveal="cause").cause


def test_outputs_that_are_all_certain_are_named_too():
    assert found("cost", Y, Y).facts["input"] == "A2"


def test_labels_alone_explain_nothing():
    """Labels are zeros and ones in every call, in those that come out well too."""
    assert found("cost", np.array([[0.1, 0.5, 0.9]]), Y).cause is None


@pytest.mark.parametrize("size", [1000.0, -1000.0])
def test_large_inputs_are_named(size):
    finding = found("softmax", np.array([[1.0, size]]))

    assert (finding.cause, finding.facts["input"], finding.facts["largest"]) == ("large-inputs", "z", 1000.0)


@pytest.mark.parametrize(
    "array", [np.array([[1.5, -2.0]]), np.array([[np.nan, 1000.0]]), np.zeros((0, 3)), "text"]
)
def test_ordinary_and_odd_inputs_explain_nothing(array):
    assert found("softmax", array).cause is None
