"""Source notebooks of nbgrader and otter-grader become assignments, or it is said what people must decide."""

import json
import tomllib

import pytest
from typer.testing import CliRunner

from graders import cli
from graders.authoring.importing import import_notebook
from graders.checkup.examination import examine
from graders.specimens import code_cell
from pytest_symmetry.errors import AssignmentError

SIGMOID = "def sigmoid(z):\n    ### BEGIN SOLUTION\n    return 1 / (1 + np.exp(-z))\n    ### END SOLUTION"
TESTS = """\
assert sigmoid(0.0) == 0.5
assert np.isclose(sigmoid(2.0), 0.8807970779778823)
"""
HIDDEN = "### BEGIN HIDDEN TESTS\nassert sigmoid(-40.0) < 1e-15\n### END HIDDEN TESTS\n"


def words(identifier, text, kind="markdown"):
    """Return a cell that is not code."""
    return {"cell_type": kind, "id": identifier, "metadata": {}, "source": text}


def nb(cell, grade_id, **about):
    """Put nbgrader's metadata (schema version 3) on a cell."""
    about = {"schema_version": 3, "grade_id": grade_id, "task": False, **about}
    cell["metadata"] = {"nbgrader": about}
    return cell


def written(path, *cells):
    """Write a notebook of these cells."""
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def nbgrader_notebook(path, tests=TESTS, points=3):
    """Write an nbgrader source notebook: an autograded answer with its tests, and a manual question."""
    return written(
        path,
        words("title", "# Neurons"),
        code_cell("imports", "import numpy as np\nimport turtle"),
        nb(code_cell("a", SIGMOID), "sigmoid", grade=False, solution=True, locked=False),
        nb(code_cell("b", tests), "test_sigmoid", grade=True, solution=False, locked=True, points=points),
        nb(
            words("c", "Because it is flat there."),
            "why-flat",
            grade=True,
            solution=True,
            locked=False,
            points=2,
        ),
    )


def otter_notebook(path, question="name: q1\npoints: 3"):
    """Write an otter source notebook: one question with two tests, one that a person marks."""
    return written(
        path,
        words("config", "# ASSIGNMENT CONFIG\nexport_cell: false", "raw"),
        code_cell("imports", "import numpy as np"),
        words("q", f"# BEGIN QUESTION\n{question}", "raw"),
        words("w", "Write the sigmoid."),
        words("s", "# BEGIN SOLUTION", "raw"),
        code_cell("a", "def sigmoid(z):\n    return 1 / (1 + np.exp(-z)) # SOLUTION"),
        words("t", "# END SOLUTION", "raw"),
        words("u", "# BEGIN TESTS", "raw"),
        code_cell("b", "assert sigmoid(0.0) == 0.5\nassert sigmoid(2.0) > 0.88"),
        code_cell(
            "h",
            '""" # BEGIN TEST CONFIG\nhidden: true\npoints: 1\n""" # END TEST CONFIG\n'
            "assert sigmoid(-40.0) < 1e-15",
        ),
        words("v", "# END TESTS", "raw"),
        words("x", "# END QUESTION", "raw"),
        words("m", "# BEGIN QUESTION\nname: q2\nmanual: true\npoints: 2", "raw"),
        words("n", "Why is it flat?"),
        words("o", "# BEGIN SOLUTION", "raw"),
        words("p", "Because the exponential wins."),
        words("r", "# END SOLUTION", "raw"),
        words("y", "# END QUESTION", "raw"),
    )


def toml(folder):
    return tomllib.loads((folder / "assignment.toml").read_text(encoding="utf-8"))


def test_an_nbgrader_notebook_becomes_an_assignment_that_passes_its_check(tmp_path):
    """Points, a test of its own, the manual question; nothing is left to decide."""
    folder = tmp_path / "neurons"
    _, decide = import_notebook("neurons", folder, nbgrader_notebook(tmp_path / "source.ipynb"))
    report = examine(folder, quick=True)

    assert [] == decide
    assert [] == report.wrong
    assert "turtle" not in (folder / "test_neurons.py").read_text(encoding="utf-8")
    assert {"why_flat": {"manual": True, "points": 2}} == toml(folder)["questions"]
    assert 5 == toml(folder)["total"]
    assert {"sigmoid": ""} == toml(folder)["functions"]
    assert not list(folder.glob("test_hidden_*.py"))


def test_hidden_tests_of_nbgrader_stay_with_staff(tmp_path):
    """They are in a file that is never released; how points are shared is for a person to decide."""
    folder = tmp_path / "neurons"
    source = nbgrader_notebook(tmp_path / "source.ipynb", TESTS + HIDDEN)
    _, decide = import_notebook("neurons", folder, source)
    hidden = (folder / "test_hidden_neurons.py").read_text(encoding="utf-8")
    shown = (folder / "test_neurons.py").read_text(encoding="utf-8")

    assert "sigmoid(-40.0)" in hidden
    assert "sigmoid(-40.0)" not in shown
    assert [
        (
            "cell 4 (test_sigmoid): 3 points are for tests, some of them hidden; test_sigmoid and the hidden "
            "test got 1.5 each, decide how they share them"
        )
    ] == decide
    assert [] == examine(folder, quick=True).wrong


def test_an_otter_notebook_becomes_an_assignment_that_passes_its_check(tmp_path):
    """Raw cells, a line marked as the solution, a hidden test with its points, a manual question."""
    folder = tmp_path / "neurons"
    _, decide = import_notebook("neurons", folder, otter_notebook(tmp_path / "source.ipynb"))
    report = examine(folder, quick=True)

    assert [] == decide
    assert [] == report.wrong
    assert {"q2": {"manual": True, "points": 2}} == toml(folder)["questions"]
    assert 4.5 == toml(folder)["total"]
    assert "# SOLUTION" not in (folder / "neurons.ipynb").read_text(encoding="utf-8").replace("### ", "")
    assert "sigmoid(-40.0)" in (folder / "test_hidden_neurons.py").read_text(encoding="utf-8")


def test_what_cannot_be_carried_over_is_said_with_its_cell(tmp_path):
    """Points that are none, a solution without markers, a test of what a cell sets."""
    source = written(
        tmp_path / "source.ipynb",
        code_cell("imports", "import numpy as np"),
        nb(code_cell("a", "def f(x):\n    return x"), "f", grade=False, solution=True, locked=False),
        code_cell("b", "rate = 0.5"),
        nb(code_cell("c", "assert f(rate) == 0.5"), "t1", grade=True, solution=False, points="two"),
    )  # fmt: skip
    _, decide = import_notebook("neurons", tmp_path / "neurons", source)

    assert [
        (
            "cell 2 (f): it is a solution without '### BEGIN SOLUTION'; put the markers around the lines "
            "that students write"
        ),
        "cell 4 (t1): its points are 'two'; 1 was taken, decide how many",
        (
            "test_t1: it uses f, rate, which a cell sets; a test sees the submission's functions only, so "
            "give it these values"
        ),
        "test_t1: it calls no function with a solution; decide what it asks",
    ] == decide


def test_points_of_otter_that_are_no_number_are_for_a_person(tmp_path):
    """A list of points, one for each test, is not taken for a number."""
    source = otter_notebook(tmp_path / "source.ipynb", "name: q1\npoints: [1, 2]")
    _, decide = import_notebook("neurons", tmp_path / "neurons", source)

    assert ["cell 12 (question q1): its points are '[1, 2]'; 1 was taken, decide how many"] == decide


def test_a_question_without_tests_is_for_a_person(tmp_path):
    """Neither tests nor manual."""
    source = written(
        tmp_path / "source.ipynb",
        words("q", "# BEGIN QUESTION\nname: q1", "raw"),
        words("x", "# END QUESTION", "raw"),
    )
    _, decide = import_notebook("neurons", tmp_path / "neurons", source)

    assert ["cell 2 (question q1): it has no tests and is not manual; decide who marks it"] == decide


def test_the_command_says_what_was_written_and_what_is_to_decide(tmp_path):
    """Line by line."""
    source = nbgrader_notebook(tmp_path / "source.ipynb", TESTS + HIDDEN)
    out = tmp_path / "neurons"
    shown = CliRunner().invoke(cli.app, ["new", "neurons", "--out", str(out), "--from", str(source)])

    assert 0 == shown.exit_code, shown.output
    assert "test_hidden_neurons.py" in shown.output
    assert "To decide: cell 4 (test_sigmoid): 3 points are for tests" in shown.output


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("no notebook", "cannot be read as a notebook"),
        ("[]", "no notebook of version 4"),
        ('{"nbformat": 4, "cells": []}', "neither nbgrader's metadata nor otter's raw cells"),
    ],
)
def test_what_is_no_source_notebook_is_refused(content, problem, tmp_path):
    """In one sentence; nothing is written."""
    source = tmp_path / "source.ipynb"
    source.write_text(content, encoding="utf-8")
    with pytest.raises(AssignmentError, match=problem):
        import_notebook("neurons", tmp_path / "neurons", source)

    assert not (tmp_path / "neurons").exists()
