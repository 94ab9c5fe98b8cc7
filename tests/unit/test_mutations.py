"""The replayed reference and the mistakes that are planted in it."""

import ast

import numpy as np
import pytest

from pytest_symmetry.context import Call
from pytest_symmetry.diagnosis.activations import ACTIVATIONS, recognise_activation, recognise_derivative
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.mutations import mutations
from pytest_symmetry.diagnosis.observation import observe
from pytest_symmetry.diagnosis.replay import Earlier, Program, Step, Stopped, steps_of

SOURCE = '''
import numpy as np
import matplotlib.pyplot as plt

def layer(X, W, b):
    """Return the activated values, and what went in."""
    Z = W @ X + b
    A = np.tanh(Z)
    return A, (X, Z)

def backward(dA, cache, W):
    X, Z = cache
    m = X.shape[1]
    dZ = dA * (1 - np.tanh(Z) ** 2)
    dW = dZ @ X.T / m
    total = 0.0
    for i in range(m):
        total += dZ[0, i]
    return dW, total
'''

rng = np.random.default_rng(3)
X, W, b = rng.normal(size=(3, 7)), rng.normal(size=(4, 3)), rng.normal(size=(4, 1))
ERROR = rng.normal(size=(4, 7))
STEPS = [Step("layer", (X, W, b)), Step("backward", (ERROR, Earlier(0, (1,)), W))]
SIZES = {7: "m"}


def planted(cause):
    return [m for m in mutations(Program(SOURCE), STEPS, SIZES) if m.cause == cause]


def test_a_program_runs_its_steps_with_earlier_results():
    (A, _), (dW, total) = Program(SOURCE).run(STEPS)

    assert np.array_equal(A, np.tanh(W @ X + b))
    assert np.allclose(dW, (ERROR * (1 - A**2)) @ X.T / 7)
    assert np.isclose(total, (ERROR * (1 - A**2))[0].sum())


def test_a_program_that_never_ends_is_stopped():
    program = Program("def f():\n    while True:\n        pass\n")

    with pytest.raises(Stopped):
        program.run([Step("f")])


@pytest.mark.parametrize(
    "line",
    [
        "return max(permutations(range(n)), key=lambda p: p[0])",
        "return [p for p in permutations(range(n))]",
        "return sum(p[0] for p in permutations(range(n)) if p)",
        "return {p: q for p in range(n) for q in permutations(range(n))}",
    ],
)
def test_rounds_inside_of_expressions_are_counted(line):
    """A changed size must not make a run of millions of rounds; and the tree that is changed stays clean."""
    program = Program(f"from itertools import permutations\n\ndef f(n):\n    {line}\n")

    program.run([Step("f", (3,))])
    with pytest.raises(Stopped):
        program.run([Step("f", (10,))])
    assert "tick" not in ast.unparse(program.functions["f"].body[-1])


@pytest.mark.parametrize("line", ["open('x', 'w')", "import os", "eval('1')", "__import__('subprocess')"])
def test_a_program_reaches_no_files(line):
    program = Program(f"def f():\n    {line}\n")

    with pytest.raises((NameError, ImportError)):
        program.run([Step("f")])


@pytest.mark.parametrize("source", ["def f(:", "x = 1 / 0"])
def test_a_source_that_cannot_be_used_is_a_value_error(source):
    with pytest.raises(ValueError, match="the reference's"):
        Program(source)


def test_the_global_random_state_is_left_alone():
    np.random.seed(4)
    before = np.random.get_state()[1].copy()
    Program("import numpy as np\ndef f():\n    np.random.seed(1)\n    return np.random.rand()\n").run(
        [Step("f")]
    )

    assert np.array_equal(before, np.random.get_state()[1])


def test_steps_follow_a_result_that_is_handed_on():
    first = (np.ones(3), {"Z": np.zeros(3)})
    calls = [
        Call("layer", (X,), result=first),
        Call("cost", (X,), result=0.3),
        Call("backward", (ERROR, first[1]), {"W": W}, result=np.ones(2)),
    ]

    steps, place = steps_of(calls, [2])

    assert [step.function for step in steps] == ["layer", "backward"]
    assert steps[1].args[1] == Earlier(0, (1,))
    assert place == {0: 0, 2: 1}


def test_every_planted_mistake_has_words_and_leaves_the_program_as_it_was():
    program = Program(SOURCE)
    before = {name: ast.unparse(function) for name, function in program.functions.items()}
    found = list(mutations(program, STEPS, SIZES))
    for mutation in found:
        try:
            mutation.run(program, STEPS)
        except Exception:  # a changed program may raise anything
            continue

    assert {m.cause for m in found} - set(all_causes()) == set()
    assert before == {name: ast.unparse(function) for name, function in program.functions.items()}
    assert np.array_equal(program.run(STEPS)[1][0], Program(SOURCE).run(STEPS)[1][0])


def test_a_planted_mistake_changes_the_results():
    program = Program(SOURCE)
    every = mutations(program, STEPS, SIZES)
    mutation = next(m for m in every if m.cause == "activation-derivative-missing")

    dW, _ = mutation.run(program, STEPS)[1]

    assert mutation.function == "backward"
    assert mutation.facts["target"] == "dZ"
    assert np.allclose(dW, ERROR @ X.T / 7)


PLANTED = [
    "activation-derivative-missing",
    "activation-missing",
    "another-activation",
    "bias-missing",
    "derivative-at-activated-value",
    "derivative-of-another-activation",
    "divided-by-wrong-size",
    "factor-1-over-m",
    "factor-m",
    "overwritten-not-added",
    "range-off-by-one",
    "term-sign",
    "transpose-missing",
]


@pytest.mark.parametrize("cause", PLANTED)
def test_mistakes_of_the_field_are_planted(cause):
    assert planted(cause)


@pytest.mark.parametrize("g", ACTIVATIONS, ids=lambda g: g.name)
def test_activations_and_their_derivatives_are_recognised_by_their_values(g):
    z = rng.normal(size=(4, 5))

    found = recognise_activation(g.value(z), {"X": rng.normal(size=(4, 5)), "Z": z})
    slope = recognise_derivative(g.derivative(z), {"X": rng.normal(size=(4, 5)), "Z": z})

    assert (found.activation.name, found.z) == (g.name, "Z")
    assert (slope.activation.name, slope.z) == (g.name, "Z")


@pytest.mark.parametrize("g", ACTIVATIONS, ids=lambda g: g.name)
def test_the_code_of_an_activation_computes_it(g):
    z = rng.normal(size=(4, 5))
    names = {"np": np, "z": z, "a": g.value(z)}

    assert np.allclose(g.value(z), eval(g.code.format(z="z"), names))
    assert np.allclose(g.derivative(z), eval(g.from_z.format(z="z"), names))
    assert np.allclose(g.derivative(z), eval(g.from_a.format(a="a"), names))
    if g.inverse:
        assert np.allclose(z, eval(g.inverse.format(a="a"), names))


def test_observation_knows_what_each_expression_is_worth():
    scopes = {scope.function.name: scope for scope in observe(Program(SOURCE), STEPS, SIZES)}

    assert scopes["backward"].atoms["m"] == 7
    assert scopes["backward"].m_code == "m"
    assert np.array_equal(scopes["layer"].atoms["Z"], W @ X + b)


def test_numbers_near_zero_are_not_taken_for_a_relu():
    """Losses of certain outputs are all about 0; so is the ReLU of anything negative."""
    z = np.array([[-690.0, -1e-300, -690.0]])

    assert recognise_activation(np.array([[0.0, 1e-300, 0.0]]), {"z": z}) is None
    assert recognise_activation(np.array([[0.0, 2.0, 3.0]]), {"z": np.array([[-1.0, 2.0, 3.0]])}) is not None


def test_a_guarded_logarithm_of_the_complement_may_lose_the_complement():
    source = "import numpy as np\ndef cost(A, Y):\n    return np.sum((1 - Y) * np.log(1 - A + 1e-300))\n"
    steps = [Step("cost", (np.full((1, 5), 0.3), np.zeros((1, 5))))]
    texts = [
        ast.unparse(node)
        for m in mutations(Program(source), steps, {})
        if m.cause == "complement-missing"
        for _, node in m.parts
    ]

    assert texts == ["np.log(A + 1e-300)"]


def test_a_bias_is_known_by_a_key_that_a_loop_makes_and_a_share_is_none():
    """The beta of 1 - beta is no bias, though its name begins like one."""
    source = (
        "def f(p, v, beta, n):\n"
        "    for layer in range(1, n):\n"
        "        v = (1 - beta) * v + p[f'b{layer}']\n"
        "    return v\n"
    )
    steps = [Step("f", ({"b1": np.ones((3, 1))}, np.ones((3, 2)), 0.9, 2))]
    found = {m.facts["term"] for m in mutations(Program(source), steps, {}) if m.cause == "bias-missing"}

    assert found == {"p[f'b{layer}']"}


CLASSES = """
import numpy as np

class Layer:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, X):
        self.X = X
        self.A = np.tanh(self.W @ X + self.b)
        return self.A

    def backward(self, dA):
        dZ = dA * (1 - self.A ** 2)
        self.dW = dZ @ self.X.T / dA.shape[1]
        return dZ

class Named(Layer):
    def __init__(self, W, b):
        super().__init__(W, b)

def gradients(X, dA, W, b):
    layer = Named(W, b)
    layer.forward(X)
    layer.backward(dA)
    return layer.dW
"""


def test_mistakes_are_planted_in_the_methods_of_classes():
    program = Program(CLASSES)
    steps = [Step("gradients", (X, ERROR, W, b))]
    every = list(mutations(program, steps, SIZES))
    found = {(m.function, m.cause, m.facts["target"]) for m in every}

    assert ("Layer.backward", "activation-derivative-missing", "dZ") in found
    assert ("Layer.forward", "bias-missing", "A") in found
    assert ("Layer.backward", "factor-m", "dW") in found
    right = program.run(steps)[0]
    (missing,) = [m for m in every if m.cause == "activation-derivative-missing" and len(m.parts) == 1]
    assert np.allclose(missing.run(program, steps)[0], ERROR @ X.T / 7)
    assert np.array_equal(program.run(steps)[0], right)


THROUGH_TIME = """
def backward(error, W, labels):
    total, coming = np.zeros(W.shape), np.zeros(error[0].shape)
    for t in reversed(range(len(error))):
        dz = error[t] + coming
        total += dz @ dz.T
        coming = W.T @ dz
    picked = error[labels, labels]
    return total, picked
"""


def test_values_used_twice_keep_one_gradient_everywhere():
    """What comes through time wins over the error, and the last product over the sum."""
    draw = np.random.default_rng(5)
    error, W = draw.normal(size=(4, 4, 3)), draw.normal(size=(4, 4))
    steps = [Step("backward", (error, W, np.array([0, 2, 1])))]
    program = Program(THROUGH_TIME)
    found = [
        m.run(program, steps)[0][0]
        for m in mutations(program, steps, {})
        if (m.operator, m.cause) == ("reused", "overwritten-not-added")
    ]
    came = error[3]
    for _ in range(3):
        came = W.T @ came

    assert any(np.allclose(total, came @ came.T) for total in found)


def test_labels_are_read_one_example_off():
    """Before, and after."""
    draw = np.random.default_rng(5)
    error, W, labels = draw.normal(size=(4, 4, 3)), draw.normal(size=(4, 4)), np.array([0, 2, 1])
    steps = [Step("backward", (error, W, labels))]
    program = Program(THROUGH_TIME)
    found = [
        m.run(program, steps)[0][1]
        for m in mutations(program, steps, {})
        if (m.operator, m.cause) == ("another_example", "index-off-by-one")
    ]

    for step in (1, -1):
        moved = np.roll(labels, step)
        assert any(np.array_equal(picked, error[moved, labels]) for picked in found)
