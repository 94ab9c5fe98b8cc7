"""The line that is shown is one that makes the mistake: given the right values it gives the wrong one."""

import ast

import numpy as np
import pytest

from pytest_symmetry.diagnosis.formulas import NotArithmetic, computed
from pytest_symmetry.diagnosis.lines import line_in_relation, wrong_line
from pytest_symmetry.diagnosis.mutations import mutations
from pytest_symmetry.diagnosis.replay import Program, Step

REFERENCE = """
import numpy as np

def backward(X, Y, parameters):
    m = X.shape[1]
    A1 = np.tanh(parameters["W1"] @ X)
    A2 = parameters["W2"] @ A1
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ A1.T
    dA1 = parameters["W2"].T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    dW1 = dZ1 @ X.T
    return {"dW1": dW1, "dW2": dW2}
"""
rng = np.random.default_rng(0)
STEPS = [
    Step(
        "backward",
        (
            rng.normal(size=(3, 7)),
            rng.normal(size=(2, 7)),
            {"W1": rng.normal(size=(5, 3)), "W2": rng.normal(size=(2, 5))},
        ),
    )
]
SIZES = {7: "m"}
PROGRAM = Program(REFERENCE)


def number_of(cause, target):
    every = list(mutations(PROGRAM, STEPS, SIZES))
    return next(
        i
        for i, m in enumerate(every)
        if (m.cause, m.facts["target"]) == (cause, target) and len(m.parts) == 1
    )


MISSING = number_of("activation-derivative-missing", "dZ1")
TWICE = number_of("factor-1-over-m", "dZ1")


def shown(body, number=MISSING):
    """Return the text of the line that is shown for a function of this body, or None."""
    text = "import numpy as np\n\ndef backward(X, Y, parameters):\n" + "\n".join(f"    {x}" for x in body)
    line = wrong_line(text, 3, PROGRAM, STEPS, SIZES, number)
    return None if line is None else text.splitlines()[line - 1].strip()


@pytest.mark.parametrize(
    "line",
    [
        "dZ1 = dA1",
        "dz_1 = np.dot(parameters['W2'].T, dZ2)",
        "dZ1 = W2.T.dot(dZ2)",
        "dZ1 = np.multiply(1.0, dA1)",
    ],
)
def test_a_line_that_gives_the_mistake_is_shown_in_any_spelling(line):
    assert shown(["A1 = forward(X)", "W2 = parameters['W2']", line, "return 0"]) == line


def test_a_length_of_the_students_own_is_read():
    line = "dZ1 = dA1 * (1 - A1 * A1) / n"

    assert shown(["n = X.shape[1]", line], TWICE) == line


@pytest.mark.parametrize(
    "body",
    [
        ["dZ1 = dA1 * (1 - A1**2)"],  # right, given the right values: the mistake is somewhere else
        ["g = np.ones(3)", "dZ1 = dA1 * g"],  # made by another line
        ["dZ1 = dA1 * slope(A1)"],  # made by a helper
        ["dZ1 = dA1", "dZ1 = dZ1 * 2"],  # made by several lines
        ["for k in range(3):", "    dZ1 = dA1 * (1 - A1**2)", "dZ1 += 1"],
        ["dZ1 = np.random.rand(5, 7)"],
        ["dZ1 = open('x')"],
        ["delta = dA1"],  # another name: nothing is known about it
        ["dZ1 = dA1 * 0.5"],  # wrong, but not the mistake that was found
        ["dZ1 = (1 if", "pass"],
    ],
)
def test_where_anything_is_unclear_no_line_is_shown(body):
    assert shown(body) is None


def test_names_that_mean_something_else_show_no_line():
    """Numbered from the input on: their dZ1 is another quantity, with other shapes or other values."""
    assert shown(["dZ2 = dA2", "dZ1 = parameters['W1'].T @ dZ2"]) is None


RIGHT = [
    "A1 = np.tanh(parameters['W1'] @ X)",
    "A2 = parameters['W2'] @ A1",
    "m = X.shape[1]",
    "dZ2 = (A2 - Y) / m",
    "dW2 = np.dot(dZ2, A1.T)",
    "dZ1 = parameters['W2'].T @ dZ2 * (1 - A1 * A1)",
    "dW1 = np.dot(dZ1, X.T)",
    "return {'dW1': dW1, 'dW2': dW2}",
]


def related_line(*changes, factor=7.0):
    """Return the text of the line that is shown where a factor was found in the results, or None."""
    body = list(RIGHT)
    for old, new in changes:
        body = [line.replace(old, new) for line in body]
    text = "import numpy as np\n\ndef backward(X, Y, parameters):\n" + "\n".join(f"    {x}" for x in body)

    def related(_quantity, theirs, right, _known):
        return np.shape(theirs) == np.shape(right) and np.allclose(theirs, factor * right)

    line = line_in_relation(text, 3, PROGRAM, STEPS, SIZES, "backward", related)
    return None if line is None else text.splitlines()[line - 1].strip()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ([("(A2 - Y) / m", "A2 - Y")], "dZ2 = A2 - Y"),
        ([("dW2 = np.dot(dZ2, A1.T)", "dW2 = X.shape[1] * dZ2 @ A1.T")], "dW2 = X.shape[1] * dZ2 @ A1.T"),
        ([], None),
        ([("(A2 - Y) / m", "A2 - Y"), ("np.dot(dZ2, A1.T)", "dZ2 @ A1.T / m")], None),  # divided later
        ([("(A2 - Y) / m", "Y - A2")], None),  # off, and not by that factor
        ([("dZ2 = (A2 - Y) / m", "dZ2 = error(A2, Y)")], None),
        ([("(A2 - Y) / m", "A2 - Y"), ("dZ1 =", "dZ1 = 2 *")], None),
    ],
)
def test_the_line_of_a_relation_is_the_only_one_that_is_off_and_by_that_relation(changes, line):
    assert related_line(*changes) == line


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "x.__class__",
        "np.load('f')",
        "(lambda: 1)()",
        "[1, 2]",
        "np.ones((10**9,))",
        "9.0 ** 9 ** 9",
    ],
)
def test_only_arithmetic_is_computed(text):
    """The formula is a student's: nothing of it may run."""
    try:
        value = computed(ast.parse(text, mode="eval").body, {"x": np.ones(3)})
    except NotArithmetic:
        return
    assert np.isinf(value)


def test_large_results_are_refused():
    with pytest.raises(NotArithmetic):
        computed(ast.parse("x @ x.T", mode="eval").body, {"x": np.ones((1001, 1))})


def test_a_remembered_mistake_is_looked_for_in_each_students_own_text():
    """What is remembered is of the reference: the answer is the same as without, for any text and mistake."""
    head = "def backward(X, Y, parameters):\n"
    formula = "(parameters['W2'].T @ dZ2)"
    texts = [head + f"    dZ1 = {formula}\n", head + f"\n    dZ1 = {formula}\n", head + "    dZ1 = 1\n"]

    def lines(key):
        return [wrong_line(t, 1, PROGRAM, STEPS, SIZES, n, key) for n in (MISSING, TWICE) for t in texts]

    plain = lines("")
    assert [2, 3, None] == plain[:3]
    assert [plain, plain] == [lines("one"), lines("one")]
