"""The line of a place in the file that a student handed in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.exports.lines import line_in_file
from pytest_symmetry.findings import Place

CELL_1 = 'import numpy as np\n"x"\n'
CELL_2 = 'def f(x):\n    # a "quote" and a \\ backslash\n    return x'


def notebook(indent, *, whole):
    cells = [
        {
            "cell_type": kind,
            "metadata": {"source": ["a trap"]},
            "source": text if whole else text.splitlines(True),
        }
        for kind, text in (("markdown", "# Title\n"), ("code", CELL_1), ("markdown", ""), ("code", CELL_2))
    ]
    return json.dumps(
        {"cells": cells, "metadata": {"cells": ["x"]}, "nbformat": 4, "nbformat_minor": 5}, indent=indent
    )


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_line_of_a_notebook_as_jupyter_writes_it(tmp_path, line):
    """The line of the JSON that holds the line of the cell."""
    path = tmp_path / "hw.ipynb"
    path.write_text(notebook(1, whole=False), encoding="utf-8")
    found = line_in_file(path, Place(cell=2, line=line))
    text = path.read_text(encoding="utf-8").splitlines()[found - 1]

    assert json.loads(text.strip().rstrip(",")).rstrip("\n") == CELL_2.splitlines()[line - 1]


@pytest.mark.parametrize("indent", [1, 4, None])
def test_a_cell_that_is_one_string(tmp_path, indent):
    """All of its lines are on the string's line."""
    path = tmp_path / "hw.ipynb"
    path.write_text(notebook(indent, whole=True), encoding="utf-8")
    found = line_in_file(path, Place(cell=2, line=3))

    assert "return x" in path.read_text(encoding="utf-8").splitlines()[found - 1]


def test_a_line_of_a_script(tmp_path):
    """Counted over the cells before."""
    path = tmp_path / "hw.py"
    path.write_text("import numpy\n# %%\nx = 1\n# %% two\ndef f():\n    return 1\n", encoding="utf-8")

    assert 6 == line_in_file(path, Place(cell=3, line=3))
    assert 4 == line_in_file(path, Place(cell=3))


@pytest.mark.parametrize(
    "place", [Place(), Place(cell=0, line=1), Place(cell=9, line=1), Place(cell=2, line=99)]
)
def test_a_place_that_is_not_there(tmp_path, place):
    """No line is better than a wrong one."""
    path = tmp_path / "hw.ipynb"
    path.write_text(notebook(1, whole=False), encoding="utf-8")

    assert line_in_file(path, place) is None


@given(
    st.binary(max_size=60)
    | st.sampled_from([b"[]", b"{}", b'{"cells": 3}', b'{"cells": [1, [2]]}', b"[" * 9999])
)
def test_files_that_are_no_notebooks_have_no_lines(tmp_path_factory, raw):
    """Nothing that a student hands in ends an export."""
    path = tmp_path_factory.getbasetemp() / "any.ipynb"
    path.write_bytes(raw)

    assert line_in_file(path, Place(cell=1, line=1)) is None
