"""What is not released, with the sentence that staff read; and the parts that need no run."""

import json
import os
import subprocess
import sys

import pytest
import release_course
import tiny_course
from typer.testing import CliRunner

from graders.cli import app
from graders.release import Release, own_names, release, search
from graders.release_files import needed_version, write
from graders.specimens import source_notebook
from graders.student_notebook import Solution, split, student_notebook, telling_statements
from pytest_symmetry import sealing
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.errors import AssignmentError


def refused(folder, out):
    """Return the sentence with which a release is refused."""
    with pytest.raises(AssignmentError) as caught:
        release(load_assignment(folder), out)
    assert "\n" not in str(caught.value)
    assert not out.exists()
    return str(caught.value)


def test_a_solution_repeated_in_another_cell_is_refused(tmp_path):
    """Its cell is named, as the notebook counts them."""
    extra = ["def mine(X, Y, parameters, A):\n    " + release_course.SECRET + "\n    return D"]
    said = refused(release_course.write_course(tmp_path / "tiny", extra=extra), tmp_path / "out")

    assert "cell 4 repeats a statement of the solution in cell 3" in said


def test_a_solution_repeated_in_the_prose_is_refused(tmp_path):
    """Spaces and quotes do not hide it."""
    prose = "Now think:\n\n    " + release_course.SECRET.replace('"', "'").replace(" ", "") + "\n"
    said = refused(release_course.write_course(tmp_path / "tiny", prose=prose), tmp_path / "out")

    assert "cell 1 repeats a statement" in said


def test_a_solution_repeated_in_a_test_is_refused(tmp_path):
    """Students read the tests."""
    tests = "\ndef by_hand(X, Y, parameters, A):\n    " + release_course.SECRET + "\n    return D\n"
    said = refused(release_course.write_course(tmp_path / "tiny", tests=tests), tmp_path / "out")

    assert "test_tiny.py repeats a statement" in said


def test_a_solution_that_its_tests_fail_is_refused(tmp_path):
    """Before anything is written."""
    folder = release_course.write_course(
        tmp_path / "tiny", tests="\ndef test_no(submission):\n    assert False\n"
    )

    assert "its own solution fails test_no" in refused(folder, tmp_path / "out")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("### BEGIN SOLUTION", "### BEGINS", "a line '### END SOLUTION' without its partner"),
        ("### END SOLUTION", "### ENDS", "without its partner"),
    ],
)
def test_a_marker_without_its_partner_is_refused(old, new, what, tmp_path):
    """The cell is named."""
    folder = release_course.write_course(tmp_path / "tiny")
    notebook = folder / "tiny.ipynb"
    notebook.write_text(notebook.read_text().replace(old, new, 1))
    said = refused(folder, tmp_path / "out")

    assert what in said
    assert "cell 2" in said


def test_a_notebook_without_markers_is_refused(tmp_path):
    """Students would receive the solution."""
    said = refused(tiny_course.write_course(tmp_path / "tiny"), tmp_path / "out")

    assert "'### BEGIN SOLUTION'" in said


def test_a_folder_in_use_is_left_alone(tmp_path):
    """Nothing of somebody's own is written over."""
    folder = release_course.write_course(tmp_path / "tiny")
    kept = tiny_course.write(tmp_path / "out" / "mine.txt", "mine")
    with pytest.raises(AssignmentError, match="this folder is not empty"):
        release(load_assignment(folder), tmp_path / "out")

    assert ["mine.txt"] == [path.name for path in kept.parent.iterdir()]


def students(*cells):
    """Return the sources of the student's cells."""
    source = json.loads(tiny_course.notebook(*cells))
    return [cell["source"] for cell in student_notebook(source, "tiny.ipynb")["cells"]]


def test_stubs_stand_where_solutions_stood():
    """In a function they raise; a cell of its own keeps running; whole functions keep their heads."""
    inside = (
        "def f(x):\n    '''Return it.'''\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION\n"
    )
    alone = "### BEGIN SOLUTION\nanswer = 42 * other\n### END SOLUTION"
    whole = "### BEGIN SOLUTION\ndef g(a, b=2):\n    return a * b\n### END SOLUTION"
    tests = "x = 1\n### BEGIN HIDDEN TESTS\nassert f(1) == 2\n### END HIDDEN TESTS"
    stub = "raise NotImplementedError  # write your code here"

    assert [
        f"def f(x):\n    '''Return it.'''\n    {stub}",
        "# Write your code here.",
        f"def g(a, b=2):\n    {stub}",
        "x = 1",
    ] == students(inside, alone, whole, tests)


def test_an_answer_in_words_is_taken_out_too():
    """A cell of prose may hold the model answer."""
    source = json.loads(tiny_course.notebook("### BEGIN SOLUTION\nx = 1\n### END SOLUTION"))
    prose = {
        "cell_type": "markdown",
        "metadata": {},
        "source": "Why?\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION",
    }
    source["cells"].append(prose)

    assert "Why?\n*Write your answer here.*" == student_notebook(source, "t.ipynb")["cells"][1]["source"]


def test_a_picture_that_is_shown_stays():
    """What the text that is left refers to is no leaving."""
    source = json.loads(tiny_course.notebook("### BEGIN SOLUTION\nx = 1\n### END SOLUTION"))
    attachments = {"net.png": {"image/png": "aGk="}, "answer.png": {"image/png": "aGk="}}
    source["cells"].append(
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": "![](attachment:net.png)",
            "attachments": attachments,
        }
    )
    cell = student_notebook(source, "t.ipynb")["cells"][1]

    assert ["net.png"] == list(cell["attachments"])


def test_what_tells_a_solution_is_told_from_what_everybody_writes():
    """`m = X.shape[1]` gives nothing away."""
    text = "m = X.shape[1]\nrng = np.random.default_rng(seed)\ndZ = (A - Y) / m\nreturn dZ @ X.T\n"

    assert ["dZ = (A - Y) / m", "return dZ @ X.T"] == telling_statements(text)
    assert {"dZ", "rng", "np", "seed", "A1"} == own_names(Solution(1, text + "x = d['A1']"))


def test_assignment_toml_keeps_what_is_the_staffs(tmp_path):
    """Neither comments, nor the course's own mistakes, nor what they cost."""
    toml = 'timezone = "Europe/Zurich"\n'
    folder = release_course.write_course(tmp_path / "tiny", toml=toml)
    with (folder / "assignment.toml").open("a") as file:
        file.write('[functions]\nloss = "The \\"loss\\"; é"\n[costs]\ntransposed = 1\n')
        file.write('[[causes]]\nname = "no-tanh"\ntitle = "t"\nhint = "h"\nreplace = [["np.tanh(", "("]]\n')
    assignment = load_assignment(folder)
    write(assignment, tmp_path / "out", student_notebook(source_notebook(folder), assignment.source), "hint")
    text = (tmp_path / "out" / "assignment.toml").read_text()

    assert {"loss": 'The "loss"; é'} == load_assignment(tmp_path / "out").functions
    assert not any(word in text for word in ("no-tanh", "costs", "staff:", "Zurich", "replace"))


def test_the_start_is_told_in_a_few_lines(tmp_path):
    """What to install, what to type."""
    folder = release_course.write_course(tmp_path / "tiny")
    assignment = load_assignment(folder)
    write(assignment, tmp_path / "out", student_notebook(source_notebook(folder), assignment.source), "hint")
    text = (tmp_path / "out" / "START.txt").read_text()

    assert f'python -m pip install "pytest-symmetry>={needed_version()}"' in text
    assert "python -m pytest" in text
    assert "@" not in text


@pytest.mark.parametrize(
    ("package", "python", "line"),
    [
        ("raise ImportError", "", "pytest-symmetry is not installed:"),
        ("__version__ = '0.0.9'", "", "pytest-symmetry 0.0.9 is too old:"),
        (
            "__version__ = '99.0'",
            "import sys; sys.version_info = (3, 9, 1)",
            "This is Python 3.9; with Python 3.11",
        ),
    ],
)
def test_the_conftest_says_what_is_missing_in_one_line(package, python, line, tmp_path):
    """Before a fixture is missing."""
    folder = release_course.write_course(tmp_path / "tiny")
    assignment = load_assignment(folder)
    out = tmp_path / "out"
    write(assignment, out, student_notebook(source_notebook(folder), assignment.source), "hint")
    tiny_course.write(tmp_path / "fake" / "pytest_symmetry" / "__init__.py", package)
    tiny_course.write(tmp_path / "fake" / "sitecustomize.py", "")
    if python:
        conftest = out / "conftest.py"
        conftest.write_text(python + "\n" + conftest.read_text())
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "fake"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, check=False)
    said = [text for text in (done.stdout + done.stderr).splitlines() if "pip install" in text]

    assert 1 == len(said)
    assert line in said[0]
    assert f'python -m pip install -U "pytest-symmetry>={needed_version()}"' in said[0]
    assert 4 == done.returncode


def test_the_command_says_what_is_decided_where(tmp_path, monkeypatch):
    """And what staff should look at."""
    asked = []

    def released(assignment, out, **options):
        asked.append((assignment.name, out.name, options))
        return Release(out, "hint", 6.0, 4.0, undecided=("test_a",), hidden=("test_b",), free=("test_c",))

    monkeypatch.setattr("graders.release.release", released)
    folder = release_course.write_course(tmp_path / "tiny")
    done = CliRunner().invoke(
        app, ["release", str(folder), "--out", str(tmp_path / "out"), "--reveal", "cause"]
    )

    assert [("tiny", "out", {"level": "cause"})] == asked
    assert "6 of 10 points are decided there, 4 after hand-in." in done.output
    assert "the answers cannot be recorded: test_a." in done.output
    assert "Passed by a notebook without any work: test_c." in done.output
    assert 0 == done.exit_code


def test_an_unknown_level_is_refused(tmp_path):
    """The message lists the levels."""
    folder = release_course.write_course(tmp_path / "tiny")
    with pytest.raises(AssignmentError, match="'all' is no level; give one of hint, cause"):
        release(load_assignment(folder), tmp_path / "out", level="all")


def test_a_damaged_pack_is_told_in_one_sentence(tmp_path):
    """At collection, before any question."""
    folder = release_course.write_course(tmp_path / "tiny", hidden=False)
    (folder / sealing.FILE).write_bytes(b"half a download")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert "pack.npz: it is damaged or no pack; fetch the assignment's folder again" in done.stdout
    assert "Traceback" not in done.stdout


def test_words_of_every_pack_are_nobodys_own(tmp_path):
    """A solution may call a variable `result` or `steps`: that a pack has these words gives nothing away."""
    solution = "def f(x):\n    ### BEGIN SOLUTION\n    state = x * 2 + 1\n    ### END SOLUTION\n"
    folder = tmp_path / "tiny"
    tiny_course.write_course(folder)
    tiny_course.write(
        folder / "tiny.ipynb", tiny_course.notebook(solution.replace("state", "own_thing"), solution)
    )
    out = tmp_path / "out"
    out.mkdir()
    sealing.write(out / sealing.FILE, {"calls": {}, "state": {}, "hints": "own_thing"}, {})
    found = list(search(out, load_assignment(folder), source_notebook(folder)))

    assert ["pack.npz, member text.npy holds the name 'own_thing', which only the solution has"] == found


def test_solutions_are_counted_by_the_cells_of_the_notebook(tmp_path):
    """Prose counts too: the number is the one that a reader would count."""
    folder = release_course.write_course(tmp_path / "tiny")
    _, solutions = split(source_notebook(folder), folder / "tiny.ipynb")

    assert [2, 3, 3] == [solution.cell for solution in solutions]
