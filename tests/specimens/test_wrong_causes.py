"""Mistakes that were once told as another one: what is not known is not said.

Labels and indices agree with one planted mistake or another by chance; a function that is right is not blamed
for the one that calls it; and a forward pass has no derivatives.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from specimens.rehearsal import first_finding, functions_of, logged, match_finding

from graders.batch import run_tests
from graders.intake import Entry
from graders.specimens import write_specimens
from pytest_symmetry.assignment import bundled_assignments, load_assignment
from pytest_symmetry.context import Context, blame, entered
from pytest_symmetry.diagnosis.information import information, needed
from pytest_symmetry.diagnosis.relations import relate
from pytest_symmetry.findings import Finding, Place

MATCH = """
from itertools import permutations

def match(A, B):
    table = np.array([[np.corrcoef(a, b)[0, 1] for b in B.T] for a in A.T])
    partner = max(permutations(range(3)), key=lambda p: sum(abs(table[i, p[i]]) for i in range(3)))
    return partner, np.array([table[i, partner[i]] for i in range(3)])
"""
CHOSEN = "max(permutations(range(3)), key=lambda p: sum(abs(table[i, p[i]]) for i in range(3)))"
MATCHED_WRONGLY = {
    "own number": (CHOSEN, "(0, 1, 2)"),
    "signed sums": ("sum(abs(table[i, p[i]]) for", "sum(table[i, p[i]] for"),
    "examples": ("for b in B.T] for a in A.T]", "for b in B[:3]] for a in A[:3]]"),
    "greedy": (CHOSEN, "tuple(int(k) for k in np.abs(table).argmax(axis=1))"),
}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("change", MATCHED_WRONGLY.values(), ids=MATCHED_WRONGLY)
def test_three_indices_prove_nothing(change, seed):
    """One of six orders is given by many mistakes, and the numbers beside it follow from it."""
    rng = np.random.default_rng(seed)
    A, B = rng.normal(size=(13, 3)), rng.normal(size=(13, 3))

    def test(student, reference):
        return [lambda: match_finding(student.match, reference.match, A, B)]

    _, finding = first_finding(MATCH, MATCH.replace(*change), test)

    assert finding is None or finding.cause is None or not str(finding.facts["array"]).startswith("partner")


PREDICT = """
def forward(X, W):
    L = X @ W
    return L

def predict(X, W):
    classes = np.argmax(forward(X, W), axis=1)
    return classes
"""


@pytest.mark.parametrize("seed", range(6))
def test_labels_counted_from_one_are_not_told_from_a_factor(seed):
    """A few labels are off by one, or twice, as the numbers drawn will have it."""
    rng = np.random.default_rng(seed)
    X, W = rng.normal(size=(13, 2)), rng.normal(size=(2, 4))

    def test(student, reference):
        return [lambda: match_finding(student.predict, reference.predict, X, W)]

    _, finding = first_finding(PREDICT, PREDICT.replace("axis=1)", "axis=1) + 1"), test)

    assert (finding.code, finding.cause) == ("MAT101", None)


def test_all_ones_where_zeros_belong_are_no_decisions():
    """Decisions are reversed where both kinds occur."""
    assert relate(np.ones(5), np.zeros(5), name="w") is None
    found = relate(np.array([0.0, 1, 1, 0, 1]), np.array([1.0, 0, 0, 1, 0]), name="y")
    assert found is not None
    assert found.cause == "decision-reversed"


def test_information_of_numbers():
    """A generic number suffices against a thousand guesses; labels need many; constants never do."""
    rng = np.random.default_rng(3)

    assert information(np.array(0.8650007)) >= needed(1000)
    assert information(np.zeros(10_000)) < needed(1)
    assert information(np.ones((40, 50))) < needed(1)
    assert information(np.array([0, 2, 1])) < needed(1)
    assert information(np.array(0.5)) < needed(1)
    assert information(np.array([2 / 3, 1 / 3, 0.0, 1.0])) < needed(10)
    assert information(rng.integers(0, 2, size=200)) >= needed(1000)
    assert information(rng.normal(size=3), 1e-6) >= needed(1000)


FORWARD = """
def forward(X, W, b):
    Z = X @ W + b
    A = np.maximum(Z, 0)
    return A

def shares(A):
    result = np.mean(A > 0, axis=0)
    return result
"""


def test_a_forward_pass_lacks_its_activation_not_a_derivative():
    """max(z, 0) is z times its slope, but it is no slope."""
    rng = np.random.default_rng(4)
    X, W, b = rng.normal(size=(13, 2)), rng.normal(size=(2, 4)), rng.normal(size=4)

    def test(student, reference):
        return [
            lambda: match_finding(student.forward, reference.forward, X, W, b),
            lambda: match_finding(student.shares, reference.shares, np.maximum(X @ W + b, 0)),
        ]

    _, left_out = first_finding(FORWARD, FORWARD.replace("np.maximum(Z, 0)", "Z"), test)
    _, mean = first_finding(FORWARD, FORWARD.replace("np.mean(A > 0", "np.mean(A"), test)

    assert left_out.cause == "activation-missing"
    assert mean.cause is None or "derivative" not in mean.cause
    assert "derivative" not in str(mean.facts.get("one_of", ""))


LOSSES = """
def losses(a, y):
    result = -(y * np.log(a) + (1 - y) * np.log(1 - a))
    return result
"""


def test_losses_of_one_class_lack_a_term():
    """Where a formula explains the zeros nobody is sent to look at a loop."""
    rng = np.random.default_rng(5)
    a, y = rng.uniform(0.1, 0.9, size=13), (np.arange(13) % 3 > 0) * 1.0

    def test(student, reference):
        return [lambda: match_finding(student.losses, reference.losses, a, y)]

    _, finding = first_finding(LOSSES, LOSSES.replace(" + (1 - y) * np.log(1 - a)", ""), test)

    assert finding.cause == "term-missing"


def test_exchanged_classes_are_no_exchanged_shares():
    """Labels say which term counts; they are not how much of the old value is kept."""
    rng = np.random.default_rng(5)
    a, y = rng.uniform(0.1, 0.9, size=13), (np.arange(13) % 3 > 0) * 1.0

    def test(student, reference):
        return [lambda: match_finding(student.losses, reference.losses, a, y)]

    turned = "(1 - y) * np.log(a) + y * np.log(1 - a)"
    _, finding = first_finding(
        LOSSES, LOSSES.replace("y * np.log(a) + (1 - y) * np.log(1 - a)", turned), test
    )

    assert finding.cause != "shares-exchanged"


TRAIN = """
def train(w, steps):
    costs = []
    for k in range(steps):
        costs.append(float(np.sum(w**2)))
        w = 0.9 * w
    return w, costs
"""
LATE = TRAIN.replace("        costs.append(float(np.sum(w**2)))\n", "").replace(
    "    return w", "        costs.append(float(np.sum(w**2)))\n    return w"
)


def test_costs_taken_after_the_steps_are_shifted():
    """A list of numbers is looked at as a whole: each is the next one's."""
    w = np.random.default_rng(6).normal(size=3)

    def test(student, reference):
        return [lambda: match_finding(student.train, reference.train, w, 4)]

    _, finding = first_finding(TRAIN, LATE, test)

    assert (finding.cause, finding.facts["row"], finding.place.array) == (
        "shifted-by-one",
        "costs",
        "costs[0]",
    )


SWAP = """
def swap(p, i, j):
    order = np.arange(len(p["b"]))
    order[[i, j]] = order[[j, i]]
    return {"W": p["W"][:, order], "b": p["b"][order]}
"""


def test_what_is_not_exchanged_is_no_step_that_is_not_taken():
    """There is no gradient in a function that changes places."""
    rng = np.random.default_rng(7)
    p = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}

    def test(student, reference):
        return [lambda: match_finding(student.swap, reference.swap, p, 0, 2)]

    _, finding = first_finding(SWAP, SWAP.replace('p["b"][order]', 'p["b"].copy()'), test)

    assert (finding.cause, finding.place.array) == ("left-unchanged", "b")


TURNS = """
EXAMPLES = ((1.0, 0.5), (0.5, 1.0), (-1.5, -0.5))

def walk(w, steps):
    for k in range(steps):
        x, y = EXAMPLES[k % 3]
        w = w - 0.1 * (w * x - y) * x
    return w
"""


@pytest.mark.parametrize(("index", "cause"), [("0", "only-first-example"), ("-1", "only-last-example")])
def test_examples_that_do_not_take_turns(index, cause):
    """Nobody wrote the number that a remainder by 1 would need."""

    def test(student, reference):
        return [lambda: match_finding(student.walk, reference.walk, 0.7312, 5)]

    _, finding = first_finding(TURNS, TURNS.replace("k % 3", index), test)

    assert (finding.cause, finding.facts["target"]) == (cause, "walk")


def test_results_side_by_side_are_no_list():
    """Three numbers in another order are not shifted by one place."""

    def test(student, reference):
        return [lambda: match_finding(student.three, reference.three, 0.7312)]

    source = "def three(x):\n    a = x + 0.1\n    b = x * 3.7\n    c = x ** 2\n    return a, b, c\n"
    _, finding = first_finding(source, source.replace("a, b, c", "c, a, b"), test)

    assert finding.cause != "shifted-by-one"


INNOCENT = {
    "roasting": {"biases-never-moved": "train"},
    "blobs": {"least-likely-class": "predict", "likeliest-example": "predict"},
}


@pytest.mark.parametrize("assignment", INNOCENT)
def test_a_function_that_is_right_is_not_blamed(assignment, tmp_path):
    """Its own test found nothing, so a mistake in it explains nothing."""
    folder = bundled_assignments()[assignment]
    entries = [Entry(p.stem, p, p.name) for p in write_specimens(folder, tmp_path)]
    chosen = [e for e in entries if e.student in INNOCENT[assignment]]
    for result in run_tests(load_assignment(folder), chosen, 20):
        finding = next(f for v in result.tests for f in v.findings if f.severity == "fail")
        function = INNOCENT[assignment][result.student]

        assert finding.facts.get("where", function) == function
        assert finding.place.function == function


def test_who_uses_a_function_that_failed_is_not_blamed(tmp_path):
    """Rounding up looks like padding in pool, one of its callers."""
    folder = bundled_assignments()["conv"]
    entries = [Entry(p.stem, p, p.name) for p in write_specimens(folder, tmp_path)]
    (result,) = run_tests(load_assignment(folder), [e for e in entries if e.student == "rounded-up"], 20)
    found = [(v.name, f) for v in result.tests for f in v.findings if f.severity == "fail"]

    assert (found[0][0], found[0][1].code, found[0][1].place.function) == ("test_size", "MAT101", "size")
    assert "test_pool" in dict(found)
    assert {finding.cause for _, finding in found} == {None}


LENGTHS = """
def length(n):
    return (n + 1) // 2

def padded(x):
    result = np.zeros(length(len(x)) + 3)
    result[: len(x) // 2] = x[: len(x) // 2]
    return result
"""


class Opened:
    """A submission that can be remembered."""

    submission = SimpleNamespace(cells=())


@pytest.mark.parametrize(("failed", "blamed"), [("length", "length"), ("another", "padded")])
def test_a_general_mistake_needs_pieces_that_are_right(failed, blamed):
    """What fits in a function and in a piece of it is in the piece, where that has failed by itself."""
    opened, x = Opened(), np.random.default_rng(8).normal(size=8)
    reference = functions_of(LENGTHS)
    student = logged(functions_of(LENGTHS.replace("+ 3", "+ 4")))
    with entered(Context(submission=opened)):
        blame(Finding("MAT101", place=Place(function=failed)))
    with entered(Context(reference=reference, reference_source=LENGTHS, submission=opened)):
        finding = match_finding(student.padded, reference.padded, x)

    assert (finding.code, finding.facts["where"]) == ("MAT104", blamed)
