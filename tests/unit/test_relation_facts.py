"""What a relation says beside its name: every fact, whether it is sharp, and where it ends."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_symmetry.diagnosis.relations import Relation, relate

M = 7
SIZES = {M: "m", 5: "the size of a layer"}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


E = normal(4, 3)
W = normal(4, 3, seed=1)
OTHER = normal(4, 3, seed=2)
V = normal(3, seed=3)
TWO = normal(2, seed=4)
ROW = np.array([0.0, 0.0, *V, *TWO])
LARGEST = np.sort(np.abs(E).ravel())
P = np.exp(normal(4, 5, seed=5))
P /= P.sum(axis=0)


def factor(value, cause, meaning="", *, sharp=True):
    """Return the relation of a constant factor."""
    return Relation(cause, {"factor": value, "inverse": 1 / value, "size": meaning}, sharp=sharp)


def only(array, *places):
    """Return a copy that is 0 except at some rows."""
    return np.where(np.isin(np.arange(len(array)), places)[:, None], array, 0)


def swapped(shape, expected_shape, cause):
    """Return the relation of another shape."""
    return Relation(cause, {"shape": shape, "expected_shape": expected_shape})


# name of the case: student's array, expected array, what else is passed, the relation
CASES = {
    "-1": (-E, E, {}, factor(-1.0, "sign-reversed")),
    "2": (2 * E, E, {}, factor(2.0, "factor-2")),
    "1/2": (E / 2, E, {}, factor(0.5, "factor-half")),
    "ln 10": (E * math.log(10), E, {}, factor(math.log(10), "logarithm-base")),
    "1 / ln 10": (E / math.log(10), E, {}, factor(1 / math.log(10), "logarithm-base")),
    "1 / ln 2": (E / math.log(2), E, {}, factor(1 / math.log(2), "logarithm-base")),
    "m": (M * E, E, {}, factor(7.0, "factor-m", "m")),
    "1 / m": (E / M, E, {}, factor(1 / 7, "factor-1-over-m", "m")),
    "a size": (5 * E, E, {}, factor(5.0, "factor-size", "the size of a layer")),
    "1 / a size": (E / 5, E, {}, factor(0.2, "factor-1-over-size", "the size of a layer")),
    "m / a size": (E * 7 / 5, E, {}, factor(1.4, "divided-by-wrong-size", "the size of a layer")),
    "m / (m - 1)": (E * 7 / 6, E, {}, factor(7 / 6, "divided-by-m-minus-1", "m")),
    "-m": (-M * E, E, {}, factor(-7.0, "sign-and-factor-m", "m")),
    "an unknown factor": (0.8 * E, E, {}, factor(0.8, "factor-constant", sharp=False)),
    "two meanings": (5 * E, E, {"sizes": {5: "m", 1: "a"}}, factor(5.0, "factor-m", "m")),
    "one or two": (2 * E, E, {"sizes": {2: "m"}}, factor(2.0, "factor-constant", sharp=False)),
    "minus two": (-2 * E, E, {"sizes": {2: "m"}}, factor(-2.0, "sign-and-factor-m", "m")),
    "two, or a size of two": (
        2 * E,
        E,
        {"sizes": {2: "the size of a layer"}},
        factor(2.0, "factor-constant", sharp=False),
    ),
    "m / two": (
        3.5 * E,
        E,
        {"sizes": {7: "m", 2: "the size of a layer"}},
        factor(3.5, "divided-by-wrong-size", "the size of a layer"),
    ),
    "one example": (-E, E, {"sizes": {1: "m"}}, factor(-1.0, "sign-reversed")),
    "zeros": (0 * E, E, {}, Relation("all-zero")),
    "flattened": (E.ravel(), E, {}, swapped((12,), (4, 3), "shape-flattened")),
    "turned": (E.T, E, {}, swapped((3, 4), (4, 3), "transposed")),
    "turned, square": (E[:3].T, E[:3], {}, Relation("transposed")),
    "rows reversed": (E[::-1], E, {}, Relation("order-reversed", {"axis": 0})),
    "columns reversed": (E[:, ::-1], E, {}, Relation("order-reversed", {"axis": 1})),
    "one row reversed": (V[None, ::-1], V[None], {}, Relation("order-reversed", {"axis": 1})),
    "two reversed": (TWO[::-1], TWO, {}, Relation("order-reversed", {"axis": 0})),
    "rolled": (np.roll(E, 1, 0), E, {}, Relation("shifted-by-one", {"axis": 0})),
    "rolled back": (np.roll(P, -1, 1), P, {}, Relation("shifted-by-one", {"axis": 1})),
    "rolled, zeros side by side": (
        np.roll(ROW, 1),
        ROW,
        {},
        Relation("shifted-by-one", {"axis": 0}),
    ),
    "rolled back, zeros side by side": (
        np.roll(ROW, -1)[None],
        ROW[None],
        {},
        Relation("shifted-by-one", {"axis": 1}),
    ),
    "rows rolled, zeros side by side": (
        np.roll(np.outer(TWO, ROW), 1, axis=1),
        np.outer(TWO, ROW),
        {},
        Relation("shifted-by-one", {"axis": 1}),
    ),
    "moved, known to six digits": (
        np.vstack((E[1:] * (1 + 1e-6), OTHER[:1])),
        E,
        {"noise": 1e-6},
        Relation("shifted-by-one", {"axis": 0}),
    ),
    "moved": (np.vstack((E[1:], OTHER[:1])), E, {}, Relation("shifted-by-one", {"axis": 0})),
    "moved columns": (
        np.hstack((OTHER[:, :1], P[:, :-1])),
        P,
        {},
        Relation("shifted-by-one", {"axis": 1}),
    ),
    "sum of all": (np.full((4, 3), E.sum()), E, {}, Relation("summed-over-all", {"axes": [0, 1]})),
    "mean of all": (np.full((4, 3), E.mean()), E, {}, Relation("averaged-over-all", {"axes": [0, 1]})),
    "sum of two": (np.full(2, TWO.sum()), TWO, {}, Relation("summed-over-all", {"axes": [0]})),
    "sum along rows": (
        np.tile(E.sum(axis=1, keepdims=True), (1, 3)),
        E,
        {},
        Relation("summed-over-all", {"axes": [1]}),
    ),
    "sum along an axis of two": (
        np.tile(E[:2].sum(axis=0), (2, 1)),
        E[:2],
        {},
        Relation("summed-over-all", {"axes": [0]}),
    ),
    "mean along columns": (
        np.tile(E.mean(axis=0), (4, 1)),
        E,
        {},
        Relation("averaged-over-all", {"axes": [0]}),
    ),
    "L2": (E + 0.3 * W, E, {"parameter": W}, Relation("weight-term", {"factor": 0.3})),
    "L2 of a mask": (E + 0.3 * (W > 0), E, {"parameter": W > 0}, Relation("weight-term", {"factor": 0.3})),
    "L2 of one row": (
        V[None] - 0.1 * W[:1],
        V[None],
        {"parameter": W[:1]},
        Relation("weight-term", {"factor": -0.1}),
    ),
    "L2, another name": (
        V + 0.3 * W[0],
        V,
        {"parameter": W[0], "name": "dw"},
        Relation("weight-term", {"factor": 0.3}),
    ),
    "L2 of a bias": (
        V + 0.3 * W[0],
        V,
        {"parameter": W[0], "name": "db1"},
        Relation("bias-regularised", {"factor": 0.3}),
    ),
    "L2 of an array of two axes": (
        E + 0.3 * W,
        E,
        {"parameter": W, "name": "kernel"},
        Relation("weight-term", {"factor": 0.3}),
    ),
    "L2 of an array with an axis of two": (
        E[:2] + 0.3 * W[:2],
        E[:2],
        {"parameter": W[:2], "name": "kernel"},
        Relation("weight-term", {"factor": 0.3}),
    ),
    "L1": (E - 0.01 * np.sign(W), E, {"parameter": W}, Relation("weight-sign-term", {"factor": -0.01})),
    "L2 summed": (
        V - 0.1 * W[0] + 0.1 * W[0].sum(),
        V,
        {"parameter": W[0]},
        Relation("weight-term-summed", {"factor": 0.1}),
    ),
    "a constant": (E + 0.25, E, {}, Relation("constant-added", {"offset": 0.25}, sharp=False)),
    "a constant, beside a parameter": (
        TWO - 0.25,
        TWO,
        {"parameter": np.array([0.5, -0.8])},
        Relation("constant-added", {"offset": -0.25}, sharp=False),
    ),
    "the parameter": (W, E, {"parameter": W}, Relation("is-the-parameter")),
    "another": (
        OTHER,
        E,
        {"others": {"W1": OTHER, "b": V, "W2": OTHER}},
        Relation("copy-of-another", {"other": "W2"}),
    ),
    "from a weight gradient": (
        E.sum(axis=1),
        normal(4, seed=8),
        {"others": {"x": V, "W1": E, "dW": E}},
        Relation("bias-from-weight-gradient", {"other": "dW"}),
    ),
    "from a weight gradient of two rows": (
        E[:2].sum(axis=1),
        TWO,
        {"others": {"dW": E[:2].astype(np.float32).astype(object)}, "noise": 1e-6},
        Relation("bias-from-weight-gradient", {"other": "dW"}),
    ),
    "from a mean of a weight gradient": (
        E.mean(axis=0, keepdims=True),
        V[None],
        {"others": {"dW": E}},
        Relation("bias-from-weight-gradient", {"other": "dW"}),
    ),
    "no step": (
        W,
        E,
        {"bases": {"b": V, "p": OTHER, "W": W}},
        Relation("step-not-taken", {"target": "W1", "base": "W"}),
    ),
    "left": (
        W,
        E,
        {"bases": {"b": V, "p": OTHER, "W": W}, "stepping": False},
        Relation("left-unchanged", {"target": "W1", "base": "W"}),
    ),
    "uphill": (2 * W - E, E, {"bases": {"p": OTHER, "W": W}}, Relation("step-uphill", {"target": "W1"})),
    "a long step": (
        W + 3.5 * (E - W),
        E,
        {"bases": {"W": W}},
        Relation("step-length", {"length": 3.5}, sharp=False),
    ),
    "a long step of two": (
        TWO + 3.5 * (W[0, :2] - TWO),
        W[0, :2],
        {"bases": {"b": TWO}},
        Relation("step-length", {"length": 3.5}, sharp=False),
    ),
    "half a step uphill": (
        W - 0.5 * (E - W),
        E,
        {"bases": {"W": W}},
        Relation("step-length", {"length": -0.5}, sharp=False),
    ),
    "first row only": (only(E, 0), E, {}, Relation("only-first-filled", {"axis": 0, "lines": [1, 2, 3]})),
    "last row only": (only(E, 3), E, {}, Relation("only-last-filled", {"axis": 0, "lines": [0, 1, 2]})),
    "last row missing": (only(E, 0, 1, 2), E, {}, Relation("last-left-out", {"axis": 0, "lines": [3]})),
    "first row missing": (only(E, 1, 2, 3), E, {}, Relation("first-left-out", {"axis": 0, "lines": [0]})),
    "first column missing": (
        only(E.T, 1, 2).T,
        E,
        {},
        Relation("first-left-out", {"axis": 1, "lines": [0]}),
    ),
    "a row missing": (
        only(E, 0, 2, 3),
        E,
        {},
        Relation("lines-empty", {"axis": 0, "lines": [1]}, sharp=False),
    ),
    "second row only": (
        only(E, 1),
        E,
        {},
        Relation("lines-empty", {"axis": 0, "lines": [0, 2, 3]}, sharp=False),
    ),
    "first two rows missing": (
        only(E, 2, 3),
        E,
        {},
        Relation("lines-empty", {"axis": 0, "lines": [0, 1]}, sharp=False),
    ),
    "clipped": (np.clip(E, -0.5, 0.5), E, {}, Relation("clipped", {"bound": 0.5})),
    "two clipped": (
        np.clip(E, -LARGEST[-3], LARGEST[-3]),
        E,
        {},
        Relation("clipped", {"bound": LARGEST[-3]}),
    ),
    "two rows along another axis": (
        P[:2] / P[:2].sum(axis=1, keepdims=True),
        P[:2] / P[:2].sum(axis=0),
        {},
        Relation("softmax-axis", {"axis": 0, "other_axis": 1}),
    ),
    "along another axis, in float32": (
        P / P.sum(axis=1, keepdims=True) * (1 + 5e-7),
        P * (1 + 5e-7),
        {},
        Relation("softmax-axis", {"axis": 0, "other_axis": 1}),
    ),
    "along another axis": (
        P / P.sum(axis=1, keepdims=True),
        P,
        {},
        Relation("softmax-axis", {"axis": 0, "other_axis": 1}),
    ),
    "along the first axis": (
        P.T / P.T.sum(axis=0),
        P.T,
        {},
        Relation("softmax-axis", {"axis": 1, "other_axis": 0}),
    ),
    "negative part": (np.maximum(E, 0), E, {}, Relation("negative-part-lost")),
    "absolute": (np.abs(E), E, {}, Relation("absolute-value")),
    "complement": (1 - E, E, {}, Relation("complement")),
    "squared": (E**2, E, {}, Relation("squared")),
    "root": (np.sqrt(P), P, {}, Relation("root-taken")),
    "inverted": (1 / P, P, {}, Relation("inverted")),
    "logarithm": (np.log(P), P, {}, Relation("logarithm-taken")),
    "exponential": (np.exp(E), E, {}, Relation("logarithm-missing")),
    "exponential of positive numbers": (np.exp(P), P, {}, Relation("logarithm-missing")),
    "exponential of negative numbers": (np.exp(-P), -P, {}, Relation("logarithm-missing")),
    "decisions": ([0.9, 0.2, 0.4], [1, 0, 0], {}, Relation("threshold-missing")),
    "certain decisions": ([1.0, 0.0, 0.4], [1, 0, 0], {}, Relation("threshold-missing")),
    "half is no": ([0.9, 0.5, 0.2], [1, 0, 0], {}, Relation("threshold-missing")),
    "other decisions": ([0, 1, 1], [1, 0, 0], {}, Relation("decision-reversed")),
    "truncated": (np.trunc(9 * E), 9 * E, {}, Relation("integers")),
    "rounded": (np.round(9 * E), 9 * E, {}, Relation("integers")),
    "rounded down": (np.floor(9 * E), 9 * E, {}, Relation("integers")),
    "truncated, three numbers": (np.trunc(1e4 * V), 1e4 * V, {}, Relation("integers")),
    "half as precise, large": ((1e4 * E).astype(np.float32), 1e4 * E, {}, Relation("float32")),
    "half as precise": (V.astype(np.float32), V, {}, Relation("float32")),
}


@pytest.mark.parametrize("case", CASES)
def test_every_fact_of_a_relation(case):
    """The facts are what the sentences are made of."""
    student, expected, known, relation = CASES[case]
    found = relate(student, expected, **({"name": "W1", "sizes": SIZES} | known))

    assert found is not None
    assert (relation.cause, relation.sharp) == (found.cause, found.sharp)
    assert relation.facts == {
        key: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
        for key, value in found.facts.items()
    }


BOTH = np.array([np.roll([0.41, 0.13, 0.2719, 0.1881], n) for n in range(4)])
NUDGE = np.zeros((4, 4))
NUDGE[0, 1] = 1e-6
COUNTS = np.array([12_345.0, 67_891.0, 23_457.0, 98_764.0])
NOTHING = {
    "complex numbers": (E * 1j, E, {}),
    "complex numbers expected": (E, E * 1j, {}),
    "objects": (np.array([{}, 1]), TWO, {}),
    "objects expected": (TWO, np.array([{}, 1]), {}),
    "text": (np.array(["1", "a"]), TWO, {}),
    "text expected": (TWO, np.array(["1", "a"]), {}),
    "NaN": (np.append(7 * V, np.nan), np.append(V, 1), {}),
    "NaN expected": (np.append(7 * V, 1), np.append(V, np.nan), {}),
    "infinity in both": (np.append(7 * V, np.inf), np.append(V, np.inf), {}),
    "a shape that says nothing": (normal(5, 2), E, {}),
    "nothing at all": (np.zeros((0, 3)), np.zeros((0, 3)), {}),
    "the expected array": (E, E, {}),
    "labels": (np.array([2, 0, 1, 2]), np.array([1, 2, 0, 1]), {}),
    "labels, twice as large": (2.0 * np.arange(50), np.arange(50), {}),
    "simple fractions, twice as large": (np.array([1.0, 0.5, 3.0]), np.array([0.5, 0.25, 1.5]), {}),
    "the logarithm of simple fractions": (np.log([0.5, 0.25, 1.5]), np.array([0.5, 0.25, 1.5]), {}),
    "a simple number that is the mean by chance": (np.full((4, 3), 0.5), E - E.mean() + 0.5, {}),
    "almost symmetric": ((E @ E.T + NUDGE).T, E @ E.T + NUDGE, {}),
    "a line of almost nothing missing": (only(E, 0, 1, 2), np.vstack((E[:3], 3e-8 * V)), {}),
    "everything clipped": (np.clip(E, -0.0123456, 0.0123456), E, {}),
    "one of the numbers is zero": (np.append(V, 0.7), np.append(np.abs(OTHER[0]), 0), {}),
    "whole numbers that are none of these": (COUNTS, 1e4 * (1 + normal(4, seed=9) ** 2), {}),
    "almost right, and no float32": (V * (1 + 1e-5 * np.array([1, -1, 0.5])), V, {}),
    "one number": (np.array(0.7), np.array(0.3), {"parameter": np.array(0.4), "bases": {"b": np.array(1.0)}}),
    "a parameter of another shape": (E + 0.3, W, {"parameter": V}),
    "one entry": (np.array([0.7]), np.array([0.3]), {"parameter": np.array([0.4])}),
    "two wrong lines of two": (0 * E[:2] + 1, E[:2], {}),
    "a line missing of two": (only(E[:2], 0), E[:2], {}),
    "a wrong line": (np.vstack((E[:3], OTHER[3:])), E, {}),
    "one entry clipped": (np.clip(E, -LARGEST[-2], LARGEST[-2]), E, {}),
    "too few decisions": ([0.9, 0.2], [1, 0], {}),
    "one decision for all": ([0.9, 0.8, 0.7], [1, 1, 1], {}),
    "wrong decisions": ([0.2, 0.9, 0.4], [1, 0, 0], {}),
    "scores": ([1.5, 0.2, 0.4], [1, 0, 0], {}),
    "negative scores": ([0.5, -0.2, 0.4], [1, 0, 0], {}),
    "whole numbers for whole numbers": (COUNTS, COUNTS + 5e-4, {"noise": 1e-10}),
    "two single numbers": (TWO.astype(np.float32), TWO, {}),
    "coarser than float32": (V.astype(np.float16).astype(np.float32), V * 1.01, {}),
    "a swap of two": (TWO + 0.3 * W[0, 1::-1], TWO, {"parameter": W[0, :2]}),
    "not along a row": (np.tile(P.sum(axis=1, keepdims=True), (1, 5)) / 9, P, {}),
    "the square root of a negative number": (np.sqrt(np.abs(E)), E, {}),
    "exponentials that are infinite": (np.exp(V), 800 * V, {}),
    "exponentials of positive numbers that are infinite": (np.exp(P), 8000 * P, {}),
    "a copy under its own name": (OTHER, E, {"others": {"W1": OTHER}}),
    "a sum under its own name": (E.sum(axis=0), V, {"others": {"W1": E}}),
    "one number from a weight gradient": (
        np.array([V.sum()]),
        np.array([0.2345678]),
        {"others": {"dW": V[None]}},
    ),
    "a step that is none": (W + 0.3 * (E - W), E, {"bases": {"W": W}, "stepping": False}),
    "a step that is too long by little": (
        TWO + (1 + 1e-5) * (W[0, :2] - TWO),
        W[0, :2],
        {"bases": {"W": TWO}},
    ),
    "two entries clipped, known to few digits": (
        np.clip(E, -LARGEST[-3], LARGEST[-3]),
        E,
        {"noise": 1e-6},
    ),
    "sums that are nearly 1": (P / P.sum(axis=1, keepdims=True), P * (1 + 5e-6), {}),
    "sums of 1 both ways": (BOTH, P[:, :4] / P[:, :4].sum(axis=0), {}),
    "a step from elsewhere": (W + 0.3 * (E - W), E, {"bases": {"W": OTHER}}),
}


@pytest.mark.parametrize("case", NOTHING)
def test_nothing_is_said(case):
    """Where the arrays do not show a mistake, none is named."""
    student, expected, known = NOTHING[case]

    assert relate(student, expected, **({"name": "W1", "sizes": SIZES} | known)) is None


EXACT = {"integers", "float32", "threshold-missing", "softmax-axis", "all-zero", "lines-empty"}
NOISY = sorted(
    name
    for name, (student, *_, relation) in CASES.items()
    if relation.cause not in EXACT and "lines" not in relation.facts and np.size(student) > 2
)
"""Cases that do not ask for exact zeros, whole numbers or float32, and hold more than two numbers."""


@given(st.sampled_from(NOISY), st.sampled_from([-1.0, 0.0, 5.0]), st.integers(0, 2**31))
def test_a_relation_holds_up_to_noise_and_not_beyond(case, power, seed):
    """Numbers that are off by less than ten times the noise are equal, by more than that are not."""
    student, expected, known, relation = CASES[case]
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=np.shape(student))
    signs.ravel()[:2] = 1, -1  # else it is one constant more
    noise = known.get("noise", 1e-9)
    off = noise * 10**power * np.abs(student).max() * signs
    found = relate(student + off, expected, **({"name": "W1", "sizes": SIZES} | known))

    if power < 1:
        assert found is not None
        assert relation.cause == found.cause
    elif np.shape(student) == np.shape(expected):
        assert found is None or found.cause != relation.cause
