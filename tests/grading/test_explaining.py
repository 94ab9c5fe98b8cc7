"""A mark explained: what is replayed is what is stored, and all that was seen meanwhile is shown."""

import re

import pytest
import tiny_course
from small_class import SUBMISSIONS
from typer.testing import CliRunner

from graders import cli, explain
from graders.gradebook import GradebookError
from graders.opening import read_gradebook
from pytest_symmetry.assignment import load_reference

SAME = "Replayed   the findings are the stored ones, byte for byte"


@pytest.fixture
def graded(graded_class):
    """The graded folder; its course lies where this copy's does."""
    load_reference.cache_clear()
    return graded_class / "graded"


def explained(graded, *arguments):
    where = ["--assignment", str(graded.parent / "tiny")]
    done = CliRunner().invoke(cli.app, ["explain", str(graded), *arguments, *where])
    assert 0 == done.exit_code, (done.output, done.exception)
    return done.output


@pytest.mark.parametrize("student", list(SUBMISSIONS))
def test_what_is_stored_comes_out_again(graded, student):
    """Byte for byte: for right work, for wrong work, and for a process that ends."""
    with read_gradebook(graded) as book:
        found = explain.replay(book, student, folder=graded.parent / "tiny")

    assert found.same
    assert () == found.changes


def test_inputs_values_error_bar_and_cause_are_shown(graded):
    """All that a student with a complaint may ask for, under the names of the assignment."""
    said = explained(graded, "ben")

    assert SAME in said
    assert "ben: 3 of 6 points (graded)" in said
    assert "test_gradients: failed, 0 of 3 points by the tests" in said
    assert "test_loss" not in said
    assert re.search(r"X \(3x7, float64\)\n +\[\[", said)
    assert "parameters['W1'] (5x3, float64)" in said
    assert "what loss was given" in said
    assert re.search(r"Student's  -?\d+\.\d+\n  Expected   -?\d+\.\d+\n  Error bar  \d", said)
    assert "GRD101" in said
    assert "Cause      The derivative of tanh is missing" in said
    assert (
        "Why        The reference with exactly this mistake planted gives what the submission gives" in said
    )
    assert "numerical = " in said
    assert "central differences" in said


def test_one_question_can_be_asked_for(graded):
    """Also one that was passed."""
    said = explained(graded, "ben", "loss")

    assert "test_loss: passed, 2 of 2 points by the tests" in said
    assert "test_gradients" not in said


def test_a_change_of_the_assignment_is_said(graded):
    """Then the replay may differ, and nobody need wonder why."""
    path = graded.parent / "tiny" / "test_tiny.py"
    path.write_text(path.read_text().replace("(submission, net)", "(submission, net, _=None)"))
    said = explained(graded, "ben")

    assert f"Changed    the files of the assignment in {graded.parent / 'tiny'}" in said


def test_other_versions_are_said(graded, monkeypatch):
    """Which, from what to what."""
    now = explain.versions()
    monkeypatch.setattr(explain, "versions", lambda: {**now, "numpy": "99.0"})

    assert re.search(r"Changed    numpy \S+ -> 99\.0", explained(graded, "ben"))


def test_what_a_person_decided_stands_beside_the_verdict(graded):
    """An override does not hide what the tests found."""
    CliRunner().invoke(cli.app, ["override", str(graded), "ben", "gradients", "2", "--reason", "half right"])
    said = explained(graded, "ben")

    assert "ben: 5 of 6 points" in said
    assert "failed, 0 of 3 points by the tests; 2 by an override: half right" in said


def test_work_without_a_verdict_cannot_be_replayed(graded):
    """It is said why."""
    with read_gradebook(graded) as book, pytest.raises(GradebookError, match=r"no verdict .* not a notebook"):
        explain.replay(book, "cut")


def test_the_work_that_was_graded_is_replayed_not_what_lies_in_the_inbox_now(graded):
    """The bytes are kept by their content."""
    tiny_course.write_submission(graded.parent / "inbox" / "ben.ipynb")

    assert SAME in explained(graded, "ben")
