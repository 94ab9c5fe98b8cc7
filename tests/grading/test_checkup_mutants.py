"""The mutation score: what is tried, what is left out as equal, and what is told of survivors."""

import pytest
import tiny_course

from graders.authoring.new import write_new
from graders.batch import run_tests
from graders.checkup.mutants import planted, tried, write_mutant
from graders.checkup.reading import read_over
from graders.checkup.variants import several_answers
from graders.checkup.watching import Watcher
from graders.intake import Entry
from graders.specimens import source_notebook
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.diagnosis.replay import Step
from pytest_symmetry.submission import read_submission

WEAK = """
import numpy as np
import pytest
from pytest_symmetry import check_matches


@pytest.mark.points(1)
def test_loss_at_zero(submission, reference, probe_rng):
    shapes = {"W1": (5, 3), "b1": (5, 1), "W2": (1, 5), "b2": (1, 1)}
    zeros = {name: np.zeros(shape) for name, shape in shapes.items()}
    X, Y = probe_rng.normal(size=(3, 7)), probe_rng.normal(size=(1, 7))
    check_matches(submission.loss, reference.loss, X, Y, zeros)
"""


def asked_of(assignment):
    """Return what the tests ask of the solution."""
    watcher = Watcher()
    run_tests(assignment, [Entry("s", assignment.source, assignment.notebook)], 20, observer=watcher)
    return watcher.asked


@pytest.fixture(scope="module")
def layer(tmp_path_factory):
    """The assignment of `symmetry new`, with what its tests ask."""
    folder = tmp_path_factory.mktemp("layer") / "layer"
    write_new("layer", folder)
    assignment = load_assignment(folder)
    return assignment, asked_of(assignment)


def test_a_mutant_is_the_solution_with_one_function_changed(layer, tmp_path):
    """Its words say which line became what, and its notebook holds that line."""
    assignment, asked = layer
    mutants, score = planted(assignment, asked)
    mutant = next(m for m in mutants if m.text.endswith("/ 2 / X.shape[1]") or "** 2" in m.text)
    entry = write_mutant(source_notebook(assignment.folder), mutant, tmp_path)
    text = "\n".join(cell for _, cell in read_submission(entry.path).cells)
    changed = mutant.text.partition(" -> ")[2]

    assert len(mutants) == score.tried > 50
    assert changed in text
    assert {"cost", "gradients"} == {m.function for m in mutants}


def test_lines_for_jupyter_itself_do_not_hide_a_function(layer, tmp_path):
    """The function below them is changed in the mutant's notebook, and is found in the source."""
    folder = tmp_path / "layer"
    write_new("layer", folder)
    path = folder / "layer.ipynb"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"def cost(', '"%matplotlib inline\\n",\n    "def cost('), encoding="utf-8")
    mutant = next(m for m in planted(*layer)[0] if m.function == "cost")
    entry = write_mutant(source_notebook(folder), mutant, tmp_path)
    changed = "\n".join(cell for _, cell in read_submission(entry.path).cells)

    assert "%matplotlib inline" in changed
    assert mutant.text.partition(" -> ")[2] in changed
    assert [] == list(read_over(load_assignment(folder)))


def test_mutants_are_run_only_by_the_tests_that_reach_them(layer):
    """A change of the gradients cannot be seen by a test of the cost."""
    mutants, _ = planted(*layer)

    assert {frozenset({"test_gradients"}), frozenset({"test_cost", "test_gradients"})} == {
        m.tests for m in mutants
    }


def test_no_two_mutants_give_the_same_numbers_and_none_gives_the_solutions(layer):
    """Planting twice plants the same; what is equal is counted, not tried."""
    first, score = planted(*layer)
    second, _ = planted(*layer)

    assert [m.text for m in first] == [m.text for m in second]
    assert score.equal > 0


@pytest.mark.sweep
def test_what_weak_tests_cannot_see_survives_with_its_function_and_line(tmp_path):
    """At weights of zero the hidden layer is not seen; on other numbers it is, so it counts."""
    folder = tiny_course.write_course(tmp_path / "tiny")
    (folder / "test_tiny.py").write_text(WEAK, encoding="utf-8")
    assignment = load_assignment(folder)
    mutants, score = planted(assignment, asked_of(assignment))
    score = tried(assignment, mutants, score)

    assert 0 < score.share < 0.95
    assert any("tanh" in m.text and (m.function, m.line) == ("loss", 2) for m in score.survivors)
    assert score.tried - len(score.survivors) == sum(score.failed_by.values())


def test_a_function_of_which_a_variant_gives_other_numbers_has_several_answers(layer, tmp_path):
    """Its mutants may be right, so they are not counted."""
    folder = tmp_path / "layer"
    write_new("layer", folder)
    for name, change in (("cost", "return 2 * np.sum("), ("same", "return 1.0 * np.sum(")):
        with (folder / "specimens.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[[variant]]\nname = "{name}"\n')
            file.write(f"replace = [['return np.sum((A', '{change}(A']]\n")
    assignment = load_assignment(folder)
    calls = [Step(c.function, c.args) for one in layer[1].values() for c in one.calls]

    assert frozenset() == several_answers(layer[0], {"cost", "gradients"}, calls)
    assert frozenset({"cost"}) == several_answers(assignment, {"cost", "gradients"}, calls)


@pytest.mark.sweep
def test_tests_in_several_files_do_not_fail_each_others_mutants(tmp_path):
    """What is left out in one file leaves nothing behind that the next would stumble over."""
    folder = tiny_course.write_course(tmp_path / "tiny")
    (folder / "test_zzz.py").write_text(
        "def test_nothing(submission):\n    submission.gradients\n", encoding="utf-8"
    )
    assignment = load_assignment(folder)
    mutants, score = planted(assignment, asked_of(assignment))
    score = tried(assignment, mutants[::8], score)

    assert {"test_loss", "test_gradients"} >= set(score.failed_by) - {"test_start"}
    assert {} == score.stopped
