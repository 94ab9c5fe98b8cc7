"""Mistakes that a course plants itself, and conventions that it accepts."""

import numpy as np
import pytest
import tiny_course

from pytest_symmetry.assignment import CONVENTIONS, load_assignment, load_reference
from pytest_symmetry.checks.matches import check_matches
from pytest_symmetry.context import Call, Context, current, entered
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.conventions import BY_CAUSE, BY_RELATION, convention_of
from pytest_symmetry.diagnosis.course import planted_in
from pytest_symmetry.errors import AssignmentError, CheckFailed
from pytest_symmetry.feedback.text import render, words

HALF = """
[[causes]]
name = "mean-without-the-square"
title = "The errors are not squared"
hint = "loss: what happens to an error of -1? {{ not a template }}"
cause = "loss averages the errors, not their squares."
replace = [["- Y) ** 2)", "- Y))"]]
"""


@pytest.fixture
def course(tmp_path):
    """The tiny assignment with a cause of its own."""
    folder = tiny_course.write_course(tmp_path)
    (folder / "assignment.toml").write_text(tiny_course.TOML.split("[limits]")[0] + HALF)
    load_reference.cache_clear()
    return folder


rng = np.random.default_rng(8)
NET = {name: rng.normal(size=shape) for name, shape in
       {"W1": (5, 3), "b1": (5, 1), "W2": (1, 5), "b2": (1, 1)}.items()}  # fmt: skip
X, Y = rng.normal(size=(3, 7)), rng.normal(size=(1, 7))


def logged(function, name):
    def call(*args):
        result = function(*args)
        current().calls.append(Call(name, args, result=result, cell=2, line=1))
        return result

    call.__name__ = name
    return call


def found(folder, name, function, *args):
    """Return what a comparison with the reference finds, as evidence or as a finding."""
    assignment, reference = load_assignment(folder), load_reference(folder)
    with entered(Context(assignment=assignment, reference=reference, reference_source=reference.source)):
        try:
            return check_matches(logged(function, name), getattr(reference, name), *args)
        except CheckFailed as failure:
            return failure.finding


def outputs(X, parameters):
    A = np.tanh(np.einsum("ij,jk->ik", parameters["W1"], X) + parameters["b1"])
    return np.einsum("ij,jk->ik", parameters["W2"], A) + parameters["b2"]


def test_a_mistake_of_the_course_is_named_in_its_words(course):
    finding = found(course, "loss", lambda X, Y, p: float(np.mean(outputs(X, p) - Y)), X, Y, NET)

    assert finding.cause == "course:mean-without-the-square"
    assert (finding.place.function, finding.place.cell) == ("loss", 2)
    said = words(finding, reveal="cause")
    assert said.hint == "loss: what happens to an error of -1? {{ not a template }}"
    assert said.cause == "loss averages the errors, not their squares."
    assert "Cause    loss averages" in render(finding)


def test_other_mistakes_keep_their_names(course):
    def without_bias(X, Y, p):
        return float(np.mean((outputs(X, {**p, "b1": 0 * p["b1"]}) - Y) ** 2))

    assert found(course, "loss", without_bias, X, Y, NET).cause == "bias-missing"


def test_the_reference_itself_does_not_know_the_planted_mistakes(course):
    reference = load_reference(course)
    (planted,) = planted_in(reference.source)

    assert planted.function == "loss"
    assert reference.loss(X, Y, NET) == pytest.approx(np.mean((outputs(X, NET) - Y) ** 2))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("nowhere", "x", "is in no code cell"),
        ("np.tanh", "np.sin", "is there 2 times; take more of the line"),
        ("- Y) ** 2)", "- Y ** 2)", "the changed solution cannot be read: code cell 2, line 3: SyntaxError"),
    ],
)
def test_a_text_that_does_not_fit_is_told_with_file_and_key(course, old, new, said):
    file = course / "assignment.toml"
    file.write_text(file.read_text().replace('[["- Y) ** 2)", "- Y))"]]', f'[["{old}", "{new}"]]'))
    load_reference.cache_clear()
    with pytest.raises(AssignmentError) as caught:
        load_reference(course)

    assert (caught.value.file, caught.value.key) == (str(file), "causes[1].replace")
    assert said in str(caught.value)


def accepting(course, *names):
    file = course / "assignment.toml"
    file.write_text(f"accept = {list(names)}\n" + tiny_course.TOML)
    load_reference.cache_clear()
    return course


def loss(X, Y, p, factor=1.0):
    return float(factor * np.mean((outputs(X, p) - Y) ** 2))


def test_an_accepted_convention_passes_with_a_note(course):
    evidence = found(accepting(course, "half-the-loss"), "loss", lambda *a: loss(*a, 0.5), X, Y, NET)

    assert evidence.passed
    (note,) = evidence.notes
    assert (note.code, note.severity, note.facts["convention"]) == ("MAT205", "note", "half-the-loss")
    assert 'under the convention "half-the-loss"' in render(note)


@pytest.mark.parametrize("factor", [2.0, 0.4999, -0.5, 0.25])
def test_another_factor_than_the_accepted_one_fails(course, factor):
    finding = found(accepting(course, "half-the-loss"), "loss", lambda *a: loss(*a, factor), X, Y, NET)

    assert finding.code == "MAT101"


def test_nothing_is_accepted_that_is_not_listed(course):
    assert found(accepting(course), "loss", lambda *a: loss(*a, 0.5), X, Y, NET).code == "MAT101"


def test_a_sum_over_the_examples_may_be_accepted(course):
    folder = accepting(course, "half-the-loss", "sum-over-examples")

    assert found(folder, "loss", lambda *a: loss(*a, 7.0), X, Y, NET).passed
    assert found(folder, "loss", lambda *a: loss(*a, 3.0), X, Y, NET).code == "MAT101"


def gradients(X, Y, p):
    A = np.tanh(p["W1"] @ X + p["b1"])
    D = 2 * (outputs(X, p) - Y) / 7
    Z = p["W2"].T @ D * (1 - A**2)
    return {"dW1": Z @ X.T, "db1": Z.sum(1, keepdims=True), "dW2": D @ A.T, "db2": D.sum(1, keepdims=True)}


def test_a_convention_of_gradients_holds_for_all_of_them_or_is_none(course):
    folder = accepting(course, "half-the-loss")
    halves = {k: v / 2 for k, v in gradients(X, Y, NET).items()}

    assert found(folder, "gradients", lambda *_: halves, X, Y, NET).passed
    one = {**gradients(X, Y, NET), "dW1": halves["dW1"]}
    assert found(folder, "gradients", lambda *_: one, X, Y, NET).code == "MAT101"


def test_transposed_results_are_accepted_where_the_course_says_so(course):
    turned = {k: v.T for k, v in gradients(X, Y, NET).items()}

    assert found(accepting(course, "transposed-results"), "gradients", lambda *_: turned, X, Y, NET).passed
    assert found(accepting(course), "gradients", lambda *_: turned, X, Y, NET).code == "MAT104"
    wrong = {**turned, "dW1": turned["dW1"] + 1e-5}
    folder = accepting(course, "transposed-results")
    assert found(folder, "gradients", lambda *_: wrong, X, Y, NET).code.startswith("MAT")


def test_twice_the_right_output_is_no_convention():
    A = rng.normal(size=(3, 4))

    assert convention_of({"A2": 2 * A}, {"A2": A}, ["twice-the-loss"]) is None
    assert convention_of({"dA": 2 * A}, {"dA": A}, ["twice-the-loss"]) == "twice-the-loss"


PENALISED = """
import numpy as np

def cost(A, Y, W, b, reg):
    return np.sum((A - Y) ** 2) / 2 + reg * np.sum(W ** 2)

def grown(g, v, epsilon):
    return g / (np.sqrt(v) + epsilon)
"""


@pytest.mark.parametrize(
    ("accepted", "penalty"),
    [
        ("biases-in-penalty", lambda W, b: np.sum(W * W) + np.sum(b * b)),
        ("penalty-doubled", lambda W, b: 2 * np.sum(W * W)),
        ("penalty-halved", lambda W, b: np.sum(W * W) / 2),
    ],
)
def test_a_convention_of_the_penalty_is_looked_up(accepted, penalty):
    A, W, b = rng.normal(size=(3, 7)), rng.normal(size=(3, 5)), rng.normal(size=(3, 1))
    Y = rng.normal(size=(3, 7))
    value = float(np.sum((A - Y) ** 2) / 2 + 0.3 * penalty(W, b))
    right = float(np.sum((A - Y) ** 2) / 2 + 0.3 * np.sum(W * W))
    call = Call("cost", (A, Y, W, b, 0.3), result=value)
    student, expected = {"cost": np.array(value)}, {"cost": np.array(right)}
    with entered(Context(calls=[call], reference_source=PENALISED)):
        assert convention_of(student, expected, CONVENTIONS) == accepted
        assert convention_of(student, expected, [c for c in CONVENTIONS if c != accepted]) is None
        off = {"cost": np.array(value + 1e-4)}
        assert convention_of(off, expected, CONVENTIONS) is None


def test_the_place_of_epsilon_is_looked_up():
    g, v = rng.normal(size=(3, 4)), rng.uniform(0.01, 1, size=(3, 4))
    value, right = g / np.sqrt(v + 1e-3), g / (np.sqrt(v) + 1e-3)
    call = Call("grown", (g, v, 1e-3), result=value)
    with entered(Context(calls=[call], reference_source=PENALISED)):
        found = convention_of({"step": value}, {"step": right}, CONVENTIONS)

    assert found == "epsilon-inside-root"


def test_every_convention_has_its_meaning_and_every_meaning_its_cause():
    assert set(CONVENTIONS) == {*BY_RELATION, *BY_CAUSE}
    assert {*BY_RELATION.values(), *(cause for cause, _ in BY_CAUSE.values())} <= set(all_causes())
