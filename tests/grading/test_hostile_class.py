"""Thirty hostile or broken submissions in a class of a hundred: the other seventy are graded."""

import json
import re

import pytest
import tiny_course
from inbox_makers import cells

from graders import grading_run
from graders.intake import Rules
from pytest_symmetry.assignment import load_assignment


def notebook(**changes):
    return json.dumps({**json.loads(tiny_course.notebook("x = 1")), **changes}).encode()


def cell(**changes):
    return {"cell_type": "code", "id": "c", "metadata": {}, "outputs": [], "execution_count": None,
            "source": "x = 1", **changes}  # fmt: skip


# What cannot be graded: file of the student's folder, its bytes, what is said.
BROKEN = {
    "empty": ("tiny.ipynb", b"", "the file is empty"),
    "spaces": ("tiny.ipynb", b" \n\t ", "the file is empty"),
    "cut": ("tiny.ipynb", cells()[:-9], "it is not a notebook: Expecting"),
    "words": ("tiny.ipynb", b"please grade this", "it is not a notebook: Expecting value at line 1"),
    "array": ("tiny.ipynb", b"[1, 2]", "not a notebook that Jupyter could open"),
    "number": ("tiny.ipynb", b"7", "not a notebook that Jupyter could open"),
    "future": ("tiny.ipynb", notebook(nbformat=99), "not a notebook that Jupyter could open"),
    "cells": ("tiny.ipynb", notebook(cells={"a": 1}), "not a notebook that Jupyter could open"),
    "cell": ("tiny.ipynb", notebook(cells=[1, 2]), "not a notebook that Jupyter could open"),
    "source": ("tiny.ipynb", notebook(cells=[cell(source=7)]), "not a notebook that Jupyter could open"),
    "lines": ("tiny.ipynb", notebook(cells=[cell(source=[1])]), "not a notebook that Jupyter could open"),
    "nothing": ("tiny.ipynb", notebook(cells=[]), "there is no code in it"),
    "prose": ("tiny.ipynb", notebook(cells=[cell(cell_type="markdown")]), "there is no code in it"),
    "latin": ("tiny.ipynb", cells("caf\u00e9").replace(b"\\u00e9", b"\xe9"), "is not UTF-8 text"),
    "deep": ("tiny.ipynb", b"[" * 100_000 + b"]" * 100_000, "it is nested too deeply"),
    "digits": ("tiny.ipynb", notebook()[:-1] + b', "x": ' + b"9" * 1_000_000 + b"}", "it is not a notebook"),
    "large": ("tiny.ipynb", cells("x" * (11 << 20)), "it is larger than 10 MB"),
    "many": ("tiny.ipynb", notebook(cells=[cell()] * 2001), "more than 2000 code cells"),
    "long": ("tiny.ipynb", cells("x" * 200_001), "a cell of more than 200000 characters"),
    "pdf": ("tiny.pdf", b"%PDF", "no notebook and no .py file in it, only tiny.pdf"),
    "zip": ("tiny.zip", b"PK", "the archive cannot be read"),
    "two": ("a.ipynb", cells("1"), "2 files could be meant"),
}
# What costs only its own question: how `gradients` begins, and how the code of what is found begins.
HOSTILE = {
    "leaves": ("import os; os._exit(0)", "SUB"),
    "exits": ("import sys; sys.exit(0)", "SUB"),
    "loops": ("while True: pass", "SUB"),
    "hoards": ("x = [bytearray(1 << 28) for _ in range(1000)]", "SUB"),
    "recurses": ("return gradients(X, Y, parameters)", "SUB"),
    "kills": ("import os; os.kill(os.getppid(), 9); return None", "SUB"),
    "forks": ("import os; os.fork(); return None", "SUB"),
    "reads": ("return open('/etc/passwd').read()", "SUB"),
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    tiny_course.write_course(folder / "tiny")
    for i in range(70):
        tiny_course.write_submission(folder / "inbox" / f"right{i:02}" / "tiny.ipynb")
    for name, (file, data, _) in BROKEN.items():
        path = folder / "inbox" / name / file
        path.parent.mkdir()
        path.write_bytes(data)
    (folder / "inbox" / "two" / "b.ipynb").write_bytes(cells("2"))
    head = "def gradients(X, Y, parameters):\n"
    for name, (code, _) in HOSTILE.items():
        tiny_course.write_submission(folder / "inbox" / name / "tiny.ipynb", (head, f"{head}    {code}\n"))
    order = grading_run.take_order(
        load_assignment(folder / "tiny"), [folder / "inbox"], folder / "graded", rules=Rules()
    )
    for _ in grading_run.carry_out(order, seed=5, jobs=2, reveal="hint"):
        pass
    return {r.student: r for r in grading_run.class_results(folder / "graded")}


@pytest.mark.sweep
def test_seventy_are_graded_and_thirty_have_their_reasons(outcome):
    """Nobody's trouble is another's."""
    assert 100 == len(outcome)
    assert {"graded"} == {r.status for s, r in outcome.items() if s.startswith("right")}
    assert {6.0} == {r.points for s, r in outcome.items() if s.startswith("right")}


@pytest.mark.sweep
@pytest.mark.parametrize("student", BROKEN)
def test_a_broken_submission_is_a_status_with_its_reason(outcome, student):
    """In one sentence, without a path of the grader's machine."""
    result = outcome[student]

    assert ("waits for a person" if student == "two" else "not gradable") == result.status
    assert BROKEN[student][2] in result.reason
    assert not re.search(r"/(tmp|home|work|root)/", result.reason)


@pytest.mark.sweep
@pytest.mark.parametrize("student", HOSTILE)
def test_a_hostile_submission_is_graded_as_far_as_it_goes(outcome, student):
    """What it does to itself is told, and costs only itself."""
    result = outcome[student]
    codes = [f.code for v in result.tests for f in v.findings if f.severity == "fail"]

    assert ("graded", 3.0) == (result.status, result.points)
    assert any(code.startswith(HOSTILE[student][1]) for code in codes), codes
