"""The demo's class: forty students who do not exist, in one deterministic folder."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from graders.demo_class import MARKUP_NAME, NAMES, broken_files, demo_class
from graders.specimens import load_specimens, notebook_bytes, patched
from pytest_symmetry.errors import AssignmentError, SubmissionError
from pytest_symmetry.submission import find_submissions, read_submission

PLANAR = Path(__file__).parents[2] / "assignments" / "planar"


@pytest.fixture(scope="module")
def forty(tmp_path_factory):
    return demo_class(PLANAR, tmp_path_factory.mktemp("class"))


@pytest.fixture(scope="module")
def broken():
    return broken_files(PLANAR)


def test_a_class_has_forty_students_with_names_of_their_own(forty):
    """Every file is another student's."""
    assert len({p.stem for p in forty}) == len(forty) == 40


def test_every_file_of_the_class_is_found_as_a_submission(forty):
    """No invented name is one that the intake skips."""
    found = find_submissions(forty[0].parent, "planar.ipynb")

    assert sorted(p.stem for p in forty) == sorted(f.student for f in found)


def test_names_come_in_many_scripts_and_one_is_markup(forty):
    """Pages, exports and file systems meet them in the demo first."""
    stems = [p.stem for p in forty]

    assert MARKUP_NAME in stems
    assert sum(not s.isascii() for s in stems) >= 15


@pytest.mark.parametrize("forbidden", ["/", "\\", ":", "*", "?", '"', "|"])
def test_names_hold_no_character_that_a_file_system_refuses(forbidden):
    """The markup name is the only one with brackets, and only where they are allowed."""
    assert not any(forbidden in name for name in NAMES)
    assert not any(c in name for name in NAMES for c in "<>")
    assert os.name == "posix" or "<" not in MARKUP_NAME


def test_a_class_holds_correct_work_mistakes_and_all_broken_files(forty, broken):
    """A third of the readable ones are right; the first mistakes are made by several students."""
    contents = Counter(p.read_bytes() for p in forty)
    specimens = {s.name: notebook_bytes(patched(PLANAR, s)) for s in load_specimens(PLANAR)}
    right = sum(contents[specimens[s.name]] for s in load_specimens(PLANAR) if s.correct)
    faulty = sum(contents[specimens[s.name]] for s in load_specimens(PLANAR) if not s.correct)

    assert all(contents[b] == 1 for b in broken.values())
    assert (right, faulty) == (10, 20)
    assert max(contents.values()) >= 2


def test_the_same_class_is_written_again(forty, tmp_path):
    """Same bytes, same names."""
    again = demo_class(PLANAR, tmp_path)

    assert [(p.name, p.read_bytes()) for p in forty] == [(p.name, p.read_bytes()) for p in again]


@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_a_class_has_the_size_asked_for(tmp_path, count):
    """Small and large classes work; names do not run out."""
    paths = demo_class(PLANAR, tmp_path, count)

    assert len(set(paths)) == count
    assert all(p.is_file() for p in paths)


@pytest.mark.parametrize("what", ["an empty file", "not a notebook"])
def test_files_that_are_no_notebook_are_refused_by_the_reader(broken, what, tmp_path):
    """They are broken in the way their name says."""
    (tmp_path / "it.ipynb").write_bytes(broken[what])

    with pytest.raises(SubmissionError):
        read_submission(tmp_path / "it.ipynb")


def test_an_old_notebook_holds_the_same_code(broken, tmp_path):
    """Version 3 is upgraded on reading."""
    (tmp_path / "it.ipynb").write_bytes(broken["an old notebook format"])
    (solution,) = [s for s in load_specimens(PLANAR) if s.name == "as-published"]
    (tmp_path / "new.ipynb").write_bytes(notebook_bytes(patched(PLANAR, solution)))
    old, new = (read_submission(tmp_path / f"{n}.ipynb").cells for n in ("it", "new"))

    assert [text.strip() for _, text in old] == [text.strip() for _, text in new]


def test_one_cell_cannot_be_read_and_the_others_can(broken):
    """The syntax error costs its own cell only."""
    cells = json.loads(broken["one cell cannot be read"])["cells"]
    unreadable = 0
    for cell in cells:
        if cell["cell_type"] == "code":
            try:
                compile("".join(cell["source"]), "cell", "exec")
            except SyntaxError:
                unreadable += 1

    assert unreadable == 1


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("loops for ever", "while True:"),
        ("ends the program", "sys.exit("),
        ("ends the process", "os._exit("),
        ("asks for 4 GB", "bytearray(4 << 30)"),
        ("prints for ever", "print("),
    ],
)
def test_trouble_sits_in_one_function_and_the_notebook_still_parses(broken, what, words):
    """One of the functions asked for begins with it, after its docstring."""
    cells = ["".join(c["source"]) for c in json.loads(broken[what])["cells"] if c["cell_type"] == "code"]
    holding = [text for text in cells if "def backward(" in text]
    for text in cells:
        compile(text, what, "exec")

    assert [words in text for text in holding] == [True]


def test_an_assignment_that_names_no_function_is_refused(tmp_path):
    """The sentence names the file and the key."""
    (tmp_path / "assignment.toml").write_text('schema=1\nname="it"\ntitle="It"\nnotebook="it.ipynb"\n')
    (tmp_path / "it.ipynb").write_text('{"nbformat": 4, "cells": []}')

    with pytest.raises(AssignmentError, match="functions"):
        broken_files(tmp_path)
