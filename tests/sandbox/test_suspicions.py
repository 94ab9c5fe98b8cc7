"""What looks like a cheat is told to staff with what was measured; honest programs are left alone."""

import numpy as np
import pytest
import tiny_course

from graders import batch, suspicions
from graders.intake import Entry
from graders.sandbox import choice
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.context import Call
from pytest_symmetry.feedback.html import student_page

NUMERICAL = """
def gradients(X, Y, parameters):
    found = {}
    for name, value in parameters.items():
        slope = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            plus, minus = ({n: v.copy() for n, v in parameters.items()} for _ in range(2))
            plus[name][index] += STEP
            minus[name][index] -= STEP
            slope[index] = (loss(X, Y, plus) - loss(X, Y, minus)) / (2 * STEP)
        found["d" + name] = slope
    return found
"""
CHEATS = {
    "central": (NUMERICAL.replace("STEP", "1e-5"), "scattered-derivatives"),
    "central, larger": (NUMERICAL.replace("STEP", "1e-4"), "scattered-derivatives"),
    "central, smaller": (NUMERICAL.replace("STEP", "1e-6"), "scattered-derivatives"),
    "imports": ("import autograd.numpy as anp\n", "derivatives-imported"),
    "inside": ("from pytest_symmetry.remote import child\n", "inner-parts-imported"),
    "table": (f"def stored():\n    return {[1 / (i + 3) for i in range(40)]}\n", "stored-numbers"),
}
HONEST = {
    "as it is": "",
    "einsum": """
def gradients(X, Y, parameters):
    A = np.tanh(np.einsum("hi,im->hm", parameters["W1"], X) + parameters["b1"])
    D = (parameters["W2"] @ A + parameters["b2"] - Y) * (2.0 / Y.size)
    Z = np.einsum("oh,om->hm", parameters["W2"], D) * (1 - A) * (1 + A)
    sums = {"db1": Z.sum(1)[:, None], "db2": D.sum(1)[:, None]}
    return {"dW1": np.einsum("hm,im->hi", Z, X), "dW2": np.einsum("om,hm->oh", D, A), **sums}
""",
    "loops": """
def gradients(X, Y, parameters):
    total = {"d" + n: np.zeros_like(v) for n, v in parameters.items()}
    for k in range(X.shape[1]):
        x, y = X[:, [k]], Y[:, [k]]
        a = np.tanh(parameters["W1"] @ x + parameters["b1"])
        d = 2 * (parameters["W2"] @ a + parameters["b2"] - y) / X.shape[1]
        z = parameters["W2"].T @ d / np.cosh(np.arctanh(a)) ** 2
        for name, part in (("dW1", z @ x.T), ("db1", z), ("dW2", d @ a.T), ("db2", d)):
            total[name] += part
    return total
""",
    "float32 at the end": """
exact = gradients
def gradients(X, Y, parameters):
    return {n: v.astype(np.float32).astype(float) for n, v in exact(X, Y, parameters).items()}
""",
    "float32": """
exact = gradients
def gradients(X, Y, parameters):
    single = {n: v.astype(np.float32) for n, v in parameters.items()}
    return exact(X.astype(np.float32), Y.astype(np.float32), single)
""",
    "a loss of its own": """
def loss(X, Y, parameters):
    A = np.tanh(parameters["W1"] @ X + parameters["b1"])
    return float(np.sum((parameters["W2"] @ A + parameters["b2"] - Y) ** 2))

exact = gradients
def gradients(X, Y, parameters):
    return {n: v * X.shape[1] for n, v in exact(X, Y, parameters).items()}
""",
}


@pytest.fixture(scope="module")
def looked(sandbox_2, tmp_path_factory):
    """Return what is found about each program, by name, and each one's result without looking."""
    folder = tmp_path_factory.mktemp("suspicions")
    assignment = load_assignment(tiny_course.write_course(folder / "tiny"))
    entries = []
    for name, source in {**{n: s for n, (s, _) in CHEATS.items()}, **HONEST}.items():
        path = tiny_course.write_submission(folder / "in" / f"{len(entries)}.ipynb", extra=[source])
        entries.append(Entry(name, path, path.name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "_offered", lambda data: (sandbox_2, ""))
        found = suspicions.look(assignment, entries, 7)
        watched = batch.run_tests(assignment, entries, 7, "strict", observer=suspicions._Watcher())
        alone = batch.run_tests(assignment, entries, 7, "strict")
    return found, watched, alone


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_told(looked, name):
    """With its kind, and facts that fill the words."""
    found = [s for s in looked[0] if s.student == name]
    kinds = {s.kind for s in found}

    assert CHEATS[name][1] in kinds
    for s in found:
        said = suspicions.words()[s.kind]["seen"].format(question=s.question, **s.facts)
        assert "{" not in said


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_program_is_left_alone(looked, name):
    """Whatever the order of its sums, its loops, its dtype."""
    assert [] == [s for s in looked[0] if s.student == name]


def test_looking_changes_no_result_and_no_page(looked):
    """Not a byte of what students and exports get."""
    _, watched, alone = looked

    assert alone == watched
    for one, other in zip(watched, alone, strict=True):
        pages = [student_page(r, title="t", reveal="hint") for r in (one, other)]
        assert pages[0] == pages[1]
        assert not any(kind in pages[0] for kind in suspicions.words())


def test_every_kind_has_its_words():
    """A title, what was seen, and how an honest program comes to it."""
    for said in suspicions.words().values():
        assert {"title", "seen", "honest"} == set(said)


def two_layers(rng, tangent=np.tanh):
    def right(X, Y, p):
        A = tangent(p["W1"] @ X + p["b1"])
        D = 2 * (p["W2"] @ A - Y) / X.shape[1]
        Z = (p["W2"].T @ D) * (1 - A**2)
        return {"dW1": Z @ X.T, "db1": Z.sum(axis=1, keepdims=True), "dW2": D @ A.T}

    shapes = {"W1": (5, 3), "b1": (5, 1), "W2": (1, 5)}
    p = {n: rng.normal(size=s) for n, s in shapes.items()}
    return right, (rng.normal(size=(3, 7)), rng.normal(size=(1, 7)), p)


@pytest.mark.parametrize("seed", range(40))
def test_a_term_that_keeps_a_logarithm_finite_does_not_scatter(seed):
    """An error that moves with the input is a formula's, not a difference quotient's."""
    right, args = two_layers(np.random.default_rng(seed))

    def mine(X, Y, p):
        return {n: v * (1 + 1e-8) + 1e-9 * np.sin(v) for n, v in right(X, Y, p).items()}

    call = Call("gradients", args, {}, mine(*args))

    assert suspicions.scatter(call, lambda _, a, k: mine(*a, **k), right) is None
