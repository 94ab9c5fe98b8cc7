"""Points in parts, prices of causes, and questions that a person marks."""

import json

import pytest
import tiny_course

# Runs in this process give back sys.modules as they found it: what stays here is the same in every run.
from pytest_symmetry import check_gradients, check_matches, check_symmetry  # noqa: F401
from pytest_symmetry.assignment import assignment_above, load_assignment, load_reference
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.grading import result_line
from pytest_symmetry.points import points_of, repriced

PARTS = tiny_course.TESTS.replace("@pytest.mark.points(3)", "@pytest.mark.points(4, parts=True)")
WRONG_HIDDEN = ("* (1 - A**2)", "* 1")  # dW1 and db1 are wrong, dW2 and db2 are right
ALL_HALF = ("D = 2 *", "D = 1 *")  # every gradient is half of what it should be


class Results:
    """Keeps what a run came to."""

    def pytest_symmetry_results(self, results):
        self.results = list(results)


def graded(course, *changes, tests=PARTS, toml="", apart=False):
    """Return the verdicts of one submission by question, and its result."""
    course.write("test_tiny.py", tests)
    course.write("assignment.toml", tiny_course.TOML.replace("[limits]", f"{toml}\n[limits]"))
    course.submission("ada.ipynb", *changes)
    assignment_above.cache_clear()
    load_reference.cache_clear()
    kept = Results()
    options = ["-p", "no:cacheprovider", "--symmetry-submission", "ada.ipynb"]
    options += [] if apart else ["--symmetry-inprocess"]
    done = course.pytester.inline_run(*options, plugins=[kept])
    assert done.ret in (0, 1)
    (result,) = kept.results
    return {v.name: v for v in result.tests}, result


def test_each_gradient_that_is_right_earns_a_share(course):
    """Four arrays, four points, two of them right; in a process of its own, as students run it."""
    verdicts, result = graded(course, WRONG_HIDDEN, apart=True)

    assert 2 == verdicts["test_gradients"].points
    assert (5, 7) == (result.points, result.max_points)


def test_points_of_cases_are_shared_as_well(course):
    """Two cases of four points: two each, half of them for half the arrays."""
    tests = PARTS.replace(
        "@pytest.mark.points(4, parts=True)\ndef test_gradients(submission, net):",
        '@pytest.mark.parametrize("case", [1, 2])\n@pytest.mark.points(4, parts=True)\n'
        "def test_gradients(submission, net, case):",
    )
    verdicts, result = graded(course, WRONG_HIDDEN, tests=tests)

    assert [1.0, 1.0] == [v.points for name, v in verdicts.items() if name.startswith("test_gradients")]
    assert 5 == result.points


def test_parts_must_be_a_truth_value(course):
    """A usage error names the test."""
    course.write("test_tiny.py", PARTS.replace("parts=True", "parts=3"))
    done = course.run()

    assert 4 == done.ret
    done.stderr.fnmatch_lines(["*test_gradients*points(*parts=3) is neither True nor False*"])


# What a cause costs


def cause_of(verdict):
    return next(f.cause for f in verdict.findings if f.severity == "fail")


def test_a_named_cause_costs_what_the_assignment_says(course):
    """One point instead of three, every array being off by the same factor; the same from the stored line."""
    before, result = graded(course, ALL_HALF, tests=tiny_course.TESTS)
    cause = cause_of(before["test_gradients"])
    after, priced = graded(course, ALL_HALF, tests=tiny_course.TESTS, toml=f"[costs]\n{cause} = 1")
    line = json.loads(json.dumps(result_line(result)))

    assert [0, 2] == [v["test_gradients"].points for v in (before, after)]
    assert {"test_start": 1.0, "test_loss": 2.0, "test_gradients": 2.0} == points_of(line, {cause: 1.0})
    assert {"test_start": 1.0, "test_loss": 2.0, "test_gradients": 0.0} == points_of(line, {})
    assert priced == repriced(result, {cause: 1.0})
    assert result == repriced(priced, {})


def test_a_price_of_no_cause_is_told(course):
    """The key is named."""
    toml = tiny_course.TOML.replace("[limits]", "[costs]\nno-such-cause = 1\n[limits]")
    course.write("assignment.toml", toml)
    done = course.run()

    assert 0 != done.ret
    done.stdout.fnmatch_lines(["*assignment.toml, key 'costs.no-such-cause': there is no such cause*"])


# Questions that a person marks

ESSAY = "[questions.essay]\npoints = 3\nmanual = true"


def test_a_manual_question_is_open_and_never_0(course):
    """It belongs to the sum, waits, and does not make the rest wait."""
    verdicts, result = graded(course, tests=tiny_course.TESTS, toml=ESSAY)
    essay = verdicts["essay"]

    assert ("waits for a person", 3.0) == (essay.outcome.value, essay.max_points)
    assert ("graded", 6.0, 9.0) == (result.status, result.points, result.max_points)
    assert "TST104" == essay.findings[0].code


def test_a_manual_question_is_shown_in_the_terminal(course):
    """With an open mark instead of 0, and it is not what to run again."""
    course.write("assignment.toml", tiny_course.TOML.replace("[limits]", f"{ESSAY}\n[limits]"))
    result = course.run()

    result.stdout.fnmatch_lines(["tiny: 6 of 9 points*", "*essay * ? / 3   waits for a person"])
    assert 0 == result.ret


def test_a_manual_question_is_open_in_the_line_of_a_class(course):
    """One line per submission."""
    course.write("assignment.toml", tiny_course.TOML.replace("[limits]", f"{ESSAY}\n[limits]"))
    course.submission("inbox/ada.ipynb")
    course.submission("inbox/ben.ipynb")
    result = course.run("--symmetry-submission", "inbox", "--symmetry-inprocess")

    result.stdout.fnmatch_lines(["ada *6 / 9   all others passed, 1 open", "ben *6 / 9 *"])


@pytest.mark.parametrize(
    ("toml", "key", "said"),
    [
        ("[costs]\nx = 'all'", "costs.x", "must be a number of points from 0 up"),
        ("[costs]\nx = -1", "costs.x", "must be a number of points from 0 up"),
        ("[questions.q]\npoints = 3", "questions.q", "manual = true"),
        ("[questions]\nq = 3", "questions.q", "manual = true"),
        ("[questions.q]\nmanual = true", "questions.q.points", "it is missing"),
        ("[questions.q]\nmanual = true\npoints = true", "questions.q.points", "must be a number"),
        ("[questions.q]\nmanual = true\npoint = 1", "questions.q.point", "no such key"),
        ("[late]\nper_day = 3", "late.per_day", "known keys are per, percent, grace, floor, cap"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_key(course, toml, key, said):
    """When the file is read."""
    course.write("assignment.toml", tiny_course.TOML.replace("[limits]", f"{toml}\n[limits]"))
    with pytest.raises(AssignmentError) as caught:
        load_assignment(course.folder)

    assert f"key {key!r}" in str(caught.value)
    assert said in str(caught.value)
