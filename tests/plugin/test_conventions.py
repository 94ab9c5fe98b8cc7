"""One convention costs once, in whichever questions it shows."""

import pytest
import tiny_course

from pytest_symmetry import check_gradients, check_matches, check_symmetry  # noqa: F401 - see test_points
from pytest_symmetry.assignment import assignment_above, load_reference

SUMMED = ("np.mean((parameters", "np.sum((parameters")
UNDIVIDED = ("/ X.shape[1]", "")
BY_REFERENCE = (
    tiny_course.TESTS.split("@pytest.mark.points(3)")[0]
    + """\
@pytest.mark.points(3)
def test_gradients(submission, reference, net):
    check_matches(submission.gradients, reference.gradients, net["X"], net["Y"], net["parameters"])
"""
)


class Results:
    """Keeps what a run came to."""

    def pytest_symmetry_results(self, results):
        self.results = list(results)


def graded(course, *changes, tests, accept=(), only=""):
    """Return the points of each question of one submission, and its verdicts."""
    course.write("test_tiny.py", tests)
    course.write("assignment.toml", f"accept = {list(accept)}\n" + tiny_course.TOML)
    course.submission("ada.ipynb", *changes)
    assignment_above.cache_clear()
    load_reference.cache_clear()
    kept = Results()
    options = ["-p", "no:cacheprovider", "--symmetry-submission", "ada.ipynb", "--symmetry-inprocess"]
    course.pytester.inline_run(*options, *(["-k", only] if only else []), plugins=[kept])
    (result,) = kept.results
    return {v.name: v.points for v in result.tests}, result.tests


def test_a_sum_in_loss_and_gradients_costs_the_first_question_only(course):
    points, verdicts = graded(course, SUMMED, UNDIVIDED, tests=BY_REFERENCE)

    assert {"test_start": 1, "test_loss": 0, "test_gradients": 3} == points
    (note,) = verdicts[2].findings
    assert ("MAT205", "note", "test_loss") == (note.code, note.severity, note.facts["paid"])


def test_it_costs_the_question_that_runs_alone(course):
    points, _ = graded(course, SUMMED, UNDIVIDED, tests=BY_REFERENCE, only="gradients")

    assert {"test_gradients": 0} == points


def test_it_costs_nothing_where_it_is_accepted(course):
    points, _ = graded(course, SUMMED, UNDIVIDED, tests=BY_REFERENCE, accept=["sum-over-examples"])

    assert {"test_start": 1, "test_loss": 2, "test_gradients": 3} == points


def test_two_different_conventions_cost_one_by_one(course):
    points, _ = graded(course, SUMMED, ("D = 2 *", "D = 1 *"), tests=BY_REFERENCE)

    assert {"test_start": 1, "test_loss": 0, "test_gradients": 0} == points


def test_a_comparison_that_only_asks_costs_nothing(course):
    """A test that catches a failed comparison has not taken points, so that the next one still may."""
    asking = BY_REFERENCE.replace(
        "    check_matches(submission.loss, reference.loss, net",
        "    with pytest.raises(AssertionError):\n        check_matches(submission.loss, reference.loss, net",
    )
    points, _ = graded(course, SUMMED, UNDIVIDED, tests=asking)

    assert {"test_start": 1, "test_loss": 2, "test_gradients": 0} == points


@pytest.mark.parametrize("accept", [(), ("sum-over-examples",)])
def test_a_loss_of_its_own_convention_and_its_own_slopes_are_consistent(course, accept):
    points, _ = graded(course, SUMMED, UNDIVIDED, tests=tiny_course.TESTS, accept=accept)

    assert 3 == points["test_gradients"]
    assert (2 if accept else 0) == points["test_loss"]
