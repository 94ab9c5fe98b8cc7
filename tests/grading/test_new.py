"""`symmetry new` writes an assignment that works as it stands."""

import pytest
from typer.testing import CliRunner

from graders import cli
from graders.authoring.new import notebook_of, write_new
from graders.batch import run_tests
from graders.intake import Entry
from graders.release import release
from graders.specimens import load_specimens, write_specimens
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.errors import AssignmentError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The assignment as it is written."""
    folder = tmp_path_factory.mktemp("new") / "layer"
    write_new("layer", folder)
    return load_assignment(folder)


def test_a_new_assignment_grades_its_solution_its_specimens_and_its_variants_as_promised(made, tmp_path):
    """Full marks for what is right; code and cause for what is not."""
    entries = [Entry("solution", made.source, made.notebook)]
    entries += [Entry(p.stem, p, p.name) for p in write_specimens(made.folder, tmp_path)]
    results = {r.student: r for r in run_tests(made, entries, 20)}

    assert (5, 5) == (results["solution"].points, results["solution"].max_points)
    for specimen in load_specimens(made.folder):
        result = results[specimen.name]
        if specimen.correct:
            assert result.points == result.max_points, specimen.name
            continue
        verdict = next(v for v in result.tests if v.findings)
        found = verdict.findings[0]

        assert (specimen.test, specimen.code) == (verdict.name, found.code), specimen.name
        assert specimen.cause in ("", found.cause)


def test_a_new_assignment_can_be_released(made, tmp_path):
    """All its points are decided at the students'."""
    released = release(made, tmp_path / "out")

    assert (5, 0, (), ()) == (released.here, released.after, released.undecided, released.free)


def test_new_says_what_it_wrote_and_what_to_do_next(tmp_path, monkeypatch):
    """Four files, and the next command."""
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(cli.app, ["new", "two_layers"])

    assert 0 == shown.exit_code, shown.output
    assert "test_two_layers.py" in shown.output
    assert "symmetry check two_layers" in shown.output
    assert 'title = "Two layers"' in (tmp_path / "two_layers/assignment.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["", "Layer", "two layers", "../up", "2nd", "a.b", "a/b"])
def test_a_name_that_cannot_name_files_is_refused(name, tmp_path):
    """In one sentence, and nothing is written."""
    with pytest.raises(AssignmentError, match="no name for an assignment"):
        write_new(name, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    """Nobody's work is overwritten."""
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(AssignmentError, match="not empty"):
        write_new("layer", tmp_path)


def test_a_text_becomes_a_notebook_of_its_cells():
    """Words and code, each with its name."""
    found = notebook_of("# %% [markdown] words\nHello\n\n# %% code-cell\nx = 1\n")

    assert [("markdown", "words", ["Hello"]), ("code", "code-cell", ["x = 1"])] == [
        (c["cell_type"], c["id"], c["source"]) for c in found["cells"]
    ]
