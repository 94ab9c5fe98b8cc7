"""Files to code cells, and which files are submissions."""

import json

import pytest

from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.submission import copies_of, find_submissions, read_submission


def notebook(*sources, version=4, **cell):
    cells = [{"cell_type": "code", "metadata": {}, "source": s, "outputs": [], **cell} for s in sources]
    return json.dumps({"nbformat": version, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def test_code_cells_are_counted_from_one_and_markdown_is_not_counted(tmp_path):
    """As a student counts them."""
    data = json.loads(notebook("a = 1", ["b = ", "2"]))
    data["cells"].insert(1, {"cell_type": "markdown", "metadata": {}, "source": "# Title"})
    path = tmp_path / "ada.ipynb"
    path.write_text(json.dumps(data))
    submission = read_submission(path)

    assert ((1, "a = 1"), (2, "b = 2")) == submission.cells
    assert "ada" == submission.student


def test_version_3_notebooks_are_upgraded(tmp_path):
    """nbformat knows how."""
    old = {
        "nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
        "worksheets": [{"metadata": {}, "cells": [
            {"cell_type": "code", "input": ["x = 1"], "language": "python", "metadata": {}, "outputs": []},
        ]}],
    }  # fmt: skip
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(old))

    assert ((1, "x = 1"),) == read_submission(path).cells


def test_scripts_are_split_at_percent_lines(tmp_path):
    """Line numbers then count from the cell's start, as in editors that know these cells."""
    path = tmp_path / "ada.py"
    path.write_text("a = 1\n# %% two\nb = 2\n# %%\nc = 3\n")

    assert ["a = 1\n", "# %% two\nb = 2\n", "# %%\nc = 3\n"] == [
        text for _, text in read_submission(path).cells
    ]


BROKEN = {
    "empty": (b"", "empty"),
    "blank": (b"  \n", "empty"),
    "prose": (b"Dear professor", "not a notebook"),
    "cut": (notebook("x = 1").encode()[:-10], "not a notebook"),
    "number": (b"3", "not a notebook that Jupyter could open"),
    "list": (b"[]", "not a notebook that Jupyter could open"),
    "no cells": (b'{"nbformat": 4}', "not a notebook that Jupyter could open"),
    "cells is text": (
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": "x"}',
        "not a notebook",
    ),
    "source is a number": (notebook(3).encode(), "not a notebook"),
    "latin": ("é".encode("latin-1"), "not UTF-8"),
    "deep": (b"[" * 200_000, "not a notebook"),
    "huge number": (b'{"nbformat": ' + b"9" * 10_000 + b"}", "not a notebook"),
    "version 99": (notebook("x", version=99).encode(), "not a notebook"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_no_notebook_is_told_in_one_sentence(tmp_path, kind):
    """The message names the file and says what was found."""
    content, expected = BROKEN[kind]
    path = tmp_path / "ada.ipynb"
    path.write_bytes(content)

    with pytest.raises(SubmissionError) as caught:
        read_submission(path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    """Outputs with pictures make such files."""
    path = tmp_path / "ada.ipynb"
    path.write_bytes(b" " * (11 << 20))

    with pytest.raises(SubmissionError, match="larger than 10 MB"):
        read_submission(path)


def test_too_many_cells_are_refused(tmp_path):
    """A notebook of a hundred thousand cells is nobody's homework."""
    path = tmp_path / "ada.ipynb"
    path.write_text(notebook(*["x = 1"] * 2001))

    with pytest.raises(SubmissionError, match="more than 2000 code cells"):
        read_submission(path)


def test_a_byte_order_mark_is_no_text(tmp_path):
    """Windows editors write one."""
    path = tmp_path / "ada.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + notebook("x = 1").encode())

    assert ((1, "x = 1"),) == read_submission(path).cells


@pytest.fixture
def inbox(tmp_path):
    for name in (
        "ada.ipynb", "ben.py", "notes.txt", "test_x.py", "conftest.py", ".hid.ipynb", "ada-checkpoint.ipynb",
        "cho/planar.ipynb", "cho/other.ipynb", "dee/mine.ipynb", "eve/work.py", "fay/readme.md",
        ".ipynb_checkpoints/ada-checkpoint.ipynb", "__pycache__/x.py",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(notebook("x = 1"))
    return tmp_path


def test_a_folder_gives_one_submission_per_student(inbox):
    """Files by their name, folders by theirs; leftovers of editors are not students."""
    found = {f.student: f.path.relative_to(inbox).as_posix() for f in find_submissions(inbox, "planar.ipynb")}

    assert {
        "ada": "ada.ipynb", "ben": "ben.py", "cho": "cho/planar.ipynb", "dee": "dee/mine.ipynb",
        "eve": "eve/work.py",
    } == found  # fmt: skip


def test_a_pattern_gives_what_it_matches(inbox):
    """As a shell would."""
    assert ["cho", "dee", "eve"] == [
        f.student for f in find_submissions(inbox / "???", "planar.ipynb") if f.path.parent != inbox
    ]


@pytest.mark.parametrize("name", ["nothing", "*.xyz", "fay"])
def test_nothing_there_is_an_error(inbox, name):
    """With what may be given."""
    with pytest.raises(SubmissionError, match="no submission found"):
        find_submissions(inbox / name, "planar.ipynb")


def test_copies_are_recognised_by_their_names(tmp_path):
    """What browsers, Jupyter, Windows and macOS call a copy."""
    copies = [
        "planar (1).ipynb",
        "planar-Copy1.ipynb",
        "planar - Copy.ipynb",
        "planar copy 2.ipynb",
        "planar_v2.ipynb",
    ]
    for name in ["planar.ipynb", *copies, "other.ipynb", "planarity.ipynb"]:
        (tmp_path / name).write_text("")

    assert sorted(copies) == [p.name for p in copies_of(tmp_path / "planar.ipynb")]
