"""The command `symmetry`, as a person types it."""

import json
import subprocess
import sys
from typing import get_args

import pytest
import tiny_course
from typer.testing import CliRunner

from graders import cli, grading_run
from graders.choosing import Keep
from graders.commands import grading
from graders.inboxes import LAYOUTS


def symmetry(*arguments, cwd=None):
    command = [sys.executable, "-m", "graders", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_demo_grades_a_class_with_no_input(tmp_path):
    """The main job; the class holds right, wrong and broken work."""
    done = symmetry("demo", "--out", "here", cwd=tmp_path)
    lines = (tmp_path / "here" / "graded" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    results = [json.loads(line) for line in lines]

    assert 0 == done.returncode, done.stderr
    assert 40 == len(results)
    assert {"graded", "not gradable"} <= {r["status"] for r in results}
    assert "40 submissions" in done.stdout
    assert "class.html" in done.stdout
    assert 40 == len(list((tmp_path / "here" / "graded" / "feedback").glob("*.html")))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grade", "nothing", "--submissions", ".", "--out", "x"], "there is no such assignment"),
        (["grade", "planar", "--submissions", "nowhere", "--out", "x"], "no submission found"),
        (["specimens", "nothing", "--out", "x"], "there is no such assignment"),
        (["grade", "planar", "--out", "x"], "Missing option '--submissions'"),
        (["grade", "planar", "--submissions", ".", "--out", "x", "--jobs", "0"], "--jobs"),
        (["nonsense"], "No such command"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path, arguments, said):
    """And nothing is written."""
    done = symmetry(*arguments, cwd=tmp_path)

    assert 2 == done.returncode
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [] == list(tmp_path.iterdir())


def test_specimens_are_written_as_notebooks(tmp_path):
    """One file per planted mistake and per variant."""
    done = symmetry("specimens", "planar", "--out", tmp_path / "out")

    assert 0 == done.returncode
    assert len(list((tmp_path / "out").glob("*.ipynb"))) >= 21


def test_assignments_are_listed():
    """What comes with the package."""
    assert "planar" in symmetry("assignments").stdout


@pytest.mark.parametrize("command", [place.rpartition(".")[2] for place in cli.COMMANDS])
def test_every_command_has_help_with_an_example(command):
    """--help ends with a command one can copy."""
    shown = CliRunner().invoke(cli.app, [command, "--help"])

    assert 0 == shown.exit_code
    assert f"Example: symmetry {command}" in shown.output


def test_every_layout_and_way_to_keep_can_be_asked_for():
    """The command line's lists are those of the intake."""
    assert list(LAYOUTS) == list(grading.Layout)
    assert set(get_args(Keep)) == set(grading.Keep)


def test_the_version_is_told():
    """For bug reports."""
    assert "pytest-symmetry 0." in CliRunner().invoke(cli.app, ["--version"]).output


def test_an_interrupted_run_says_how_to_go_on(tmp_path, monkeypatch):
    """Exit code 3; what is graded is kept."""
    tiny_course.write_course(tmp_path / "tiny")
    tiny_course.write_submission(tmp_path / "inbox" / "ada.ipynb")

    def interrupted(_run):
        yield grading_run.Progress(1, 1)
        raise KeyboardInterrupt

    monkeypatch.setattr(grading_run.Run, "grade_new", interrupted)
    arguments = [
        "grade",
        str(tmp_path / "tiny"),
        "--submissions",
        str(tmp_path / "inbox"),
        "--out",
        str(tmp_path / "out"),
    ]
    shown = CliRunner().invoke(cli.app, arguments)

    assert 3 == shown.exit_code
    assert "interrupted: 0 of 0 graded, and kept. Run the same command again to go on." in shown.output


def test_without_the_extra_the_answer_is_one_line(tmp_path):
    """Not a traceback."""
    code = (
        "import sys, importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'typer' else real(name, *a)\n"
        "sys.argv = ['symmetry', 'demo']\n"
        "from graders.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert 2 == done.returncode
    assert 'python -m pip install "pytest-symmetry[grade]"' in done.stderr
    assert "Traceback" not in done.stderr
