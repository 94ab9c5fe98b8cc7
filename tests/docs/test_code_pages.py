"""The examples on the pages of codes are code: "Instead" runs, and a start is what its page says."""

import ast
import random
import re
from types import SimpleNamespace

import numpy as np
import pytest

import pytest_symmetry
from pytest_symmetry import CheckFailed, check_specialization, check_symmetry
from pytest_symmetry.diagnosis.causes import all_codes, code_page

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_ROWS = {"GRD105", "GRD106"}  # their examples have one example per row
NOT_PYTHON = {("SUB106", "Example")}  # that is what the page is about
WITH_CODE = [code for code in all_codes() if BLOCK.search(code_page(code).sections["Instead"])]


def block(code, head):
    """Return the program under a head; a line out of a function gets one around it, a bare head a body."""
    found = BLOCK.search(code_page(code).sections[head])[1]
    if found.rstrip().endswith(":"):
        return f"{found}    pass\n"
    return f"def of_a_function():\n    {found}" if found.startswith("return ") else found


def network(rows=False):
    """Return the names that the examples take for given: a network 3-4-1 on seven examples, in pieces."""
    rng = np.random.default_rng(0)
    X, Y, m = rng.normal(size=(3, 7)), rng.integers(0, 2, size=(1, 7)) * 1.0, 7
    parameters = {"W1": rng.normal(size=(4, 3)), "b1": np.zeros((4, 1)), "W2": rng.normal(size=(1, 4))}
    parameters["b2"] = np.zeros((1, 1))
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = np.tanh(Z1)
    A2 = 1 / (1 + np.exp(-(parameters["W2"] @ A1 + parameters["b2"])))
    dZ2 = (A2 - Y) / m
    dZ1 = (parameters["W2"].T @ dZ2) * (1 - A1**2)
    gradients = {"dW1": dZ1 @ X.T, "db1": dZ1.sum(1, keepdims=True)}
    gradients |= {"dW2": dZ2 @ A1.T, "db2": dZ2.sum(1, keepdims=True)}
    names = {"X": X, "Y": Y, "m": m, "Z1": Z1, "A1": A1, "A2": A2, "dZ2": dZ2, "dZ1": dZ1}
    if rows:
        names |= {"X": X.T, "dZ1": dZ1.T}
    return names | parameters | gradients | {"parameters": parameters, "gradients": gradients, "rng": rng}


def surroundings(code):
    """Return everything that stands around an example, functions and course-wide names too."""
    given = network(code in IN_ROWS)
    start = given["parameters"]

    def loss(p):
        return np.mean((p["W2"] @ np.tanh(p["W1"] @ given["X"] + p["b1"]) + p["b2"] - given["Y"]) ** 2)

    def gradients(p):
        A1 = np.tanh(p["W1"] @ given["X"] + p["b1"])
        dZ2 = 2 * (p["W2"] @ A1 + p["b2"] - given["Y"]) / 7
        dZ1 = (p["W2"].T @ dZ2) * (1 - A1**2)
        found = {"dW1": dZ1 @ given["X"].T, "db1": dZ1.sum(1, keepdims=True)}
        return found | {"dW2": dZ2 @ A1.T, "db2": dZ2.sum(1, keepdims=True)}

    def step(p):
        return {name: value - 0.1 * gradients(p)[f"d{name}"] for name, value in p.items()}

    if code == "SYM302":
        hidden = {"activations": lambda p: np.tanh(p["W1"] @ given["X"] + p["b1"])}
        other = {name: value + 0.3 for name, value in start.items()}
        given["evidence"] = check_specialization(start, step, other=other, **hidden)
    public = {name: getattr(pytest_symmetry, name) for name in pytest_symmetry.__all__}
    more = {"np": np, "random": random, "seed": 1, "keep": 0.8, "learning_rate": 0.1, "steps": 3, "cost": 0.3}
    more |= {"n_x": 3, "n_h": 4, "shapes": [(4, 3), (1, 4)], "weights": [], "everything": start}
    more |= {
        "Z": given["Z1"],
        "A": given["A2"],
        "z": np.arange(3.0),
        "p": np.array([0.2, 0.8]),
        "W": start["W1"],
    }
    more |= {"dW": given["dW1"], "dZ": given["dZ1"], "scores": np.arange(4.0), "y": np.zeros(7, dtype=int)}
    more |= {
        "probs": np.full((7, 2), 0.5),
        "dout": np.ones((7, 4)),
        "w": np.ones((3, 4)),
        "self": SimpleNamespace(grads={}),
    }
    more |= {
        "loss": loss,
        "gradients": gradients,
        "small_part": loss,
        "forward": lambda X, p: np.tanh(p["W1"] @ X),
    }
    return given | public | more


@pytest.mark.parametrize("code", WITH_CODE)
def test_the_example_is_python(code):
    """All but the one about code that is none."""
    for head in ("Example", "Instead"):
        if (code, head) not in NOT_PYTHON:
            ast.parse(block(code, head))


@pytest.mark.parametrize("code", WITH_CODE)
def test_what_stands_under_instead_runs(code, capsys):
    """On a network of 3-4-1, with the names that the pages use."""
    exec(compile(block(code, "Instead"), code, "exec"), surroundings(code))


ACTIVATIONS = {"SYM201": "tanh", "SYM202": "tanh", "SYM204": "tanh", "SYM205": "tanh", "SYM206": "relu"}
"""The codes that a start alone gets, with the activation that their pages speak of."""


@pytest.mark.parametrize("code", ACTIVATIONS)
def test_an_example_of_symmetry_gets_its_code_and_the_other_does_not(code):
    """A page that shows a start shows one that is told of, and one that is not."""
    told = {}
    for head in ("Example", "Instead"):
        names = surroundings(code)
        exec(compile(block(code, head), code, "exec"), names)
        units = len(names["W1"])
        outgoing = (
            names["W2"] if names["W2"].shape[1] == units else np.random.default_rng(5).normal(size=(1, units))
        )
        start = {"W1": names["W1"], "b1": np.zeros((units, 1)), "W2": outgoing, "b2": np.zeros((1, 1))}
        try:
            evidence = check_symmetry(start, activation=ACTIVATIONS[code])
            told[head] = {finding.code for finding in evidence.notes}
        except CheckFailed as failure:
            told[head] = {failure.finding.code}

    assert code in told["Example"]
    assert code not in told["Instead"]
