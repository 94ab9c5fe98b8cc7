"""What lies beside a submission is never imported: not by the code of the student, not by the grader."""

import numpy as np
import pytest
import tiny_course

from graders import batch
from graders.intake import Entry
from graders.sandbox import choice
from graders.workers import Workers
from pytest_symmetry.assignment import load_assignment

MARK = "import pathlib\npathlib.Path({place!r}).write_text('imported')\n"
NAMES = ("json.py", "numpy.py", "pickle.py", "conftest.py", "sitecustomize.py", "pytest.ini", "random.py")


@pytest.fixture
def inbox(tmp_path):
    """A submission in a folder full of files that are named like modules."""
    folder = tmp_path / "inbox"
    for name in NAMES:
        text = MARK.format(place=str(tmp_path / "imported"))
        tiny_course.write(folder / name, "[pytest]\naddopts = -x" if name.endswith(".ini") else text)
    tiny_course.write_course(tmp_path / "tiny")
    path = tiny_course.write_submission(folder / "ada.ipynb", extra=["import json, random\n"])
    return tmp_path, Entry("ada", path, path.name)


@pytest.mark.parametrize("isolation", ["sealed", "plain"])
def test_not_by_the_submission(inbox, isolation, monkeypatch, request):
    """At every level: also where a machine can give no more than a process of its own."""
    folder, entry = inbox
    sandbox = request.getfixturevalue("sandbox_2") if isolation == "sealed" else None
    monkeypatch.setattr(choice, "_offered", lambda data: (sandbox, ""))
    monkeypatch.chdir(folder / "inbox")
    (result,) = batch.run_tests(load_assignment(folder / "tiny"), [entry], 5)

    assert 6.0 == result.points
    assert not (folder / "imported").exists()


def test_not_by_the_grader(inbox, monkeypatch):
    """Its workers start clean, also where the command is given in the folder of the submissions."""
    folder, entry = inbox
    monkeypatch.chdir(folder / "inbox")
    task = batch.Task(str(folder / "tiny"), 5, "hint", (entry,))
    with Workers(1) as workers:
        ((_, graded),) = batch._through_workers([task], workers)

    assert 6.0 == graded[0][0].points
    assert not (folder / "imported").exists()


def test_a_submission_that_sleeps_through_every_call_is_asked_no_more(tmp_path, monkeypatch):
    """All of its calls together have an end; what was answered before stays."""
    monkeypatch.setattr(batch, "CALLS_WORTH", 1)
    tiny_course.write_course(tmp_path / "tiny")
    toml = (tmp_path / "tiny" / "assignment.toml").read_text(encoding="utf-8")
    tiny_course.write(tmp_path / "tiny" / "assignment.toml", toml.replace("call = 1", "call = 0.2"))
    slow = "import time\nright = loss\ndef loss(*args):\n    time.sleep(0.15)\n    return right(*args)\n"
    path = tiny_course.write_submission(tmp_path / "ada.ipynb", extra=[slow])
    (result,) = batch.run_tests(load_assignment(tmp_path / "tiny"), [Entry("ada", path, path.name)], 5)
    outcomes = [test.outcome.value for test in result.tests]

    assert "timed out" == outcomes[-1]
    assert np.isclose(0.2, result.tests[-1].findings[0].facts["seconds"])
