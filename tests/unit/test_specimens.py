"""Specimens are patched notebooks, and a patch that does not fit is the assignment's mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graders.specimens import (
    Patch,
    PatchError,
    load_specimens,
    notebook_with,
    patched,
    source_notebook,
    write_specimens,
)
from pytest_symmetry.errors import AssignmentError

PLANAR = Path(__file__).parents[2] / "assignments" / "planar"

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["half = 1 / 2"]},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": [
                "import math\n",
                "\n",
                "def half(x):\n",
                "    ### BEGIN SOLUTION\n",
                "    return x / 2\n",
                "    ### END SOLUTION\n",
                "\n",
                "def twice(x):\n",
                "    return x * 2",
            ],
        },
        {
            "cell_type": "code",
            "id": "c",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": ["def third(x):\n", "    return x / 3"],
        },
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def code_of(notebook):
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def assignment(folder, specimens):
    folder.mkdir(exist_ok=True)
    (folder / "assignment.toml").write_text(
        'schema = 1\nname = "it"\ntitle = "It"\nnotebook = "it.ipynb"\n[functions]\nhalf = "Half of x"\n'
    )
    (folder / "it.ipynb").write_text(json.dumps(NOTEBOOK))
    (folder / "specimens.toml").write_text(specimens)
    return folder


def test_an_empty_patch_leaves_out_only_the_marks_of_the_solution():
    """Students' notebooks hold no solution markers; everything else stays."""
    expected = ["import math\n\ndef half(x):\n    return x / 2\n\ndef twice(x):\n    return x * 2"]

    assert code_of(notebook_with(NOTEBOOK, Patch()))[:1] == expected


def test_a_text_is_replaced_in_the_code_cells_only():
    """The prose may hold the same words."""
    notebook = notebook_with(NOTEBOOK, Patch(replace=(("x / 2", "x / 4"),)))

    assert "return x / 4" in code_of(notebook)[0]
    assert notebook["cells"][0]["source"] == ["half = 1 / 2"]


def test_the_source_is_left_alone():
    """Patching works on a copy."""
    before = json.dumps(NOTEBOOK)
    notebook_with(NOTEBOOK, Patch(replace=(("x / 2", "x / 4"),), cell="a = 1"))

    assert json.dumps(NOTEBOOK) == before


def test_a_definition_takes_the_place_of_the_function_with_its_name():
    """The rest of the cell stays, before and after."""
    notebook = notebook_with(NOTEBOOK, Patch(define="\ndef half(x):\n    return 0.5 * x\n"))
    expected = "import math\n\ndef half(x):\n    return 0.5 * x\n\ndef twice(x):\n    return x * 2"

    assert code_of(notebook)[0] == expected


def test_functions_of_several_cells_are_defined_together():
    """The text stays whole where the first of its functions was; the others go from their cells."""
    helper = "def helper(x):\n    return x / 3.0"
    text = f"{helper}\n\ndef third(x):\n    return helper(x)\n\ndef half(x):\n    return x / 2.0"
    notebook = notebook_with(NOTEBOOK, Patch(define=text))

    assert code_of(notebook) == [f"import math\n\n{text}\n\ndef twice(x):\n    return x * 2", ""]


def test_a_cell_is_added_before_all_others():
    """So that what it defines is there for the functions below."""
    notebook = notebook_with(NOTEBOOK, Patch(cell="rate = 0.1"))

    assert code_of(notebook)[0] == "rate = 0.1"


@pytest.mark.parametrize(("text", "times"), [("x / 5", 0), ("return", 3), ("half = 1 / 2", 0)])
def test_a_text_that_does_not_occur_exactly_once_is_refused(text, times):
    """A patch must mean one place."""
    with pytest.raises(PatchError, match=f"occurs {times} times"):
        notebook_with(NOTEBOOK, Patch(replace=((text, "pass"),)))


def test_a_definition_of_nothing_in_the_notebook_is_refused():
    """A misspelt name would otherwise leave the solution untouched."""
    with pytest.raises(PatchError, match=r"\(halve\) is in the notebook"):
        notebook_with(NOTEBOOK, Patch(define="def halve(x):\n    return x / 2"))


def test_the_error_of_a_patch_names_the_file_and_the_specimen(tmp_path):
    """The sentence says where to mend it, and nothing is written."""
    folder = assignment(
        tmp_path / "it",
        '[[variant]]\nname = "fine"\n[[specimen]]\nname = "misfit"\ntest = "t"\ncode = "X"\ncause = ""\n'
        'replace = [["x / 5", "x"]]\n',
    )

    with pytest.raises(AssignmentError, match=r"specimens\.toml: 'misfit': the text 'x / 5' occurs 0 times"):
        write_specimens(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('[[specimen]]\nname = "a"\ntest = "t"\ncode = "X"\n', "cause", "lacks it"),
        ('[[specimen]]\ntest = "t"\n', "name", "lower-case words"),
        ('[[variant]]\nname = "A b"\n', "name", "lower-case words"),
        ('[[variant]]\nname = "a"\ncode = "X"\n', "code", "may not have it"),
        ('[[variant]]\nname = "a"\nreplace = [["x"]]\n', "replace", "pairs"),
        ('[[variant]]\nname = "a"\nreplace = "x"\n', "replace", "pairs"),
        ('[[variant]]\nname = "a"\ndefine = 3\n', "define", "needs a text"),
        ('[[variant]]\nname = "a"\n[[variant]]\nname = "a"\n', "name", "two entries"),
        ('[[mistake]]\nname = "a"\n', "mistake", "only"),
        ("[[variant\n", None, "not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_key(tmp_path, text, key, words):
    """Each error is one sentence with the file and the key."""
    with pytest.raises(AssignmentError, match=words) as raised:
        load_specimens(assignment(tmp_path / "it", text))
    assert raised.value.key == key
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    """No specimens.toml, no specimens."""
    with pytest.raises(AssignmentError, match="no such file"):
        load_specimens(tmp_path)


@pytest.mark.parametrize(("text", "words"), [("{", "cannot be read"), ('{"nbformat": 3}', "version 4")])
def test_an_unreadable_source_notebook_is_named(tmp_path, text, words):
    """The sentence names the notebook."""
    folder = assignment(tmp_path / "it", "")
    (folder / "it.ipynb").write_text(text)

    with pytest.raises(AssignmentError, match=rf"it\.ipynb: .*{words}"):
        source_notebook(folder)


def test_planar_has_enough_specimens_and_variants():
    """The bar of the assignment: it only rises."""
    specimens = load_specimens(PLANAR)

    assert sum(not s.correct for s in specimens) >= 90
    assert sum(s.correct for s in specimens) >= 35


def test_each_specimen_of_planar_is_another_notebook(tmp_path):
    """No two patches come to the same code, and each is readable Python."""
    paths = write_specimens(PLANAR, tmp_path)
    texts = [code_of(json.loads(p.read_text(encoding="utf-8"))) for p in paths]
    for path, cells in zip(paths, texts, strict=True):
        for cell in cells if path.stem != "forward-cell-cannot-be-read" else ():
            compile(cell, path.name, "exec")

    assert len({json.dumps(t) for t in texts}) == len(load_specimens(PLANAR)) == len(paths)


def test_specimens_are_valid_notebooks():
    """Jupyter opens them without complaint."""
    import nbformat

    for specimen in load_specimens(PLANAR):
        nbformat.validate(nbformat.from_dict(patched(PLANAR, specimen)))


def test_writing_twice_gives_the_same_bytes(tmp_path):
    """Specimens are a fixture of other people's tests."""
    first, second = (write_specimens(PLANAR, tmp_path / name) for name in ("a", "b"))

    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
