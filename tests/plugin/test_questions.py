"""Which questions are on which function: read from the tests of an assignment."""

import pytest
import tiny_course

from pytest_symmetry.assignment import find_assignment, load_assignment
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.questions import questions_on


def names(assignment, function=None):
    return [nodeid.rpartition("::")[2] for nodeid in questions_on(assignment, function)]


@pytest.mark.parametrize(
    ("function", "tests"),
    [
        ("initialize_parameters", ["test_units_start_different", "test_start_follows_the_law"]),
        ("forward", ["test_forward"]),
        ("cost", ["test_cost", "test_cost_of_certain_outputs"]),
        ("backward", ["test_gradients"]),
        ("backprop", ["test_gradients"]),
        ("update", ["test_update", "test_update_leaves_the_old_parameters_alone"]),
        ("train", ["test_train", "test_units_differ_after_training"]),
        ("predict", ["test_predict"]),
        ("test_train", ["test_train"]),
        ("units_differ_after_training", ["test_units_differ_after_training"]),
    ],
)
def test_a_question_is_on_the_last_function_that_it_uses(function, tests):
    """What a question uses before is its tool; other names of a function, and names of tests, do as well."""
    assert tests == names(find_assignment("planar"), function)


def test_every_question_is_asked_without_a_name():
    assert 11 == len(names(find_assignment("planar")))


def test_an_unknown_function_is_told_which_there_are(tmp_path):
    assignment = load_assignment(tiny_course.write_course(tmp_path))

    with pytest.raises(AssignmentError, match=r"no question on 'gradient'; .* initialize, loss, gradients$"):
        questions_on(assignment, "gradient")


def test_helpers_fixtures_and_classes_are_followed(tmp_path):
    """What a test uses through them is used by it; a test without a submission is no question."""
    folder = tiny_course.write_course(tmp_path)
    (folder / "test_tiny.py").write_text(
        "import pytest\n"
        "@pytest.fixture\ndef start(submission):\n    return submission.initialize(1, 2)\n"
        "def lost(submission):\n    return submission.loss() or lost(submission)\n"
        "def test_nothing(tmp_path):\n    pass\n"
        "class TestAll:\n    def test_start(self, start):\n        pass\n"
        "    def test_loss(self, submission, start):\n        lost(submission)\n"
    )
    assignment = load_assignment(folder)

    assert ["test_start", "test_loss"] == names(assignment)
    assert [f"{folder}/test_tiny.py::TestAll::test_loss"] == questions_on(assignment, "loss")


def test_a_function_that_is_only_a_tool_gets_the_questions_that_use_it(tmp_path):
    folder = tiny_course.write_course(tmp_path)
    (folder / "test_tiny.py").write_text("def test_it(submission):\n    submission.a(submission.b())\n")

    assert ["test_it"] == names(load_assignment(folder), "a")
