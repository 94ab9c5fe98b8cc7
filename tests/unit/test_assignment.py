"""assignment.toml, and what is said about one that is not right."""

import pytest

from pytest_symmetry.assignment import assignment_above, bundled_assignments, find_assignment, load_assignment
from pytest_symmetry.errors import AssignmentError

GOOD = 'schema = 1\nname = "tiny"\ntitle = "Tiny"\nnotebook = "tiny.ipynb"\n'
CAUSE = GOOD + '[[causes]]\nname = "t"\ntitle = "T"\nhint = "H."\nreplace = [["a", "b"]]\n'


def written(folder, text):
    (folder / "tiny.ipynb").write_text("{}")
    (folder / "assignment.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_small_file_is_enough(tmp_path):
    """Four keys; the others have defaults."""
    assignment = load_assignment(written(tmp_path, GOOD))

    assert ("tiny", "Tiny", 5.0, "hint") == (
        assignment.name, assignment.title, assignment.seconds_per_call, assignment.reveal,
    )  # fmt: skip


WRONG = [
    ("", "schema", "it is missing"),
    (GOOD.replace('name = "tiny"\n', ""), "name", "it is missing"),
    (GOOD.replace("schema = 1", "schema = 2"), "schema", "reads schema 1"),
    (GOOD + "tittle = 'x'", "tittle", "did you mean 'title'"),
    (GOOD + "colour = 'x'", "colour", "known keys are"),
    (GOOD + "reveal = 'all'", "reveal", "must be one of"),
    (GOOD + "reveal = 3", "reveal", "must be a text"),
    (GOOD + "[limits]\nseconds_per_call = 0", "limits.seconds_per_call", "more than 0"),
    (GOOD + "[limits]\nseconds_per_call = '5'", "limits.seconds_per_call", "must be a number"),
    (GOOD + "[limits]\nmemory_mb = 1", "limits.memory_mb", "at least 16"),
    (GOOD + "[limits]\nmemory_gb = 1", "limits.memory_gb", "did you mean 'memory_mb'"),
    (GOOD + "[aliases]\nf = 'g'", "aliases.f", "list of function names"),
    (GOOD + "accept = ['penalty-doubbled']", "accept", "did you mean 'penalty-doubled'"),
    (GOOD + "accept = ['xyz']", "accept", "known are transposed-results"),
    (GOOD + "causes = [3]", "causes[1]", "write [[causes]]"),
    (CAUSE.replace('title = "T"\n', ""), "causes[1].title", "it is missing"),
    (CAUSE.replace('name = "t"', 'name = "T 1"'), "causes[1].name", "lower-case words joined by hyphens"),
    (CAUSE + "hind = 'x'", "causes[1].hind", "did you mean 'hint'"),
    (CAUSE.replace('[["a", "b"]]', '["a", "b"]'), "causes[1].replace", "a list of pairs"),
    (CAUSE.replace('[["a", "b"]]', "3"), "causes[1].replace", "must be a list"),
    (CAUSE + CAUSE.removeprefix(GOOD), "causes", "two causes are called 't'"),
    (GOOD.replace("tiny.ipynb", "other.ipynb"), "notebook", "there is no other.ipynb"),
    (GOOD.replace("tiny.ipynb", "../tiny.ipynb"), "notebook", "name of a file in this folder"),
]


@pytest.mark.parametrize(("text", "key", "said"), WRONG, ids=[f"{w[1]}-{i}" for i, w in enumerate(WRONG)])
def test_an_error_names_file_and_key(tmp_path, text, key, said):
    """One sentence that says what to do."""
    with pytest.raises(AssignmentError) as caught:
        load_assignment(written(tmp_path, text))

    assert str(tmp_path / "assignment.toml") in str(caught.value)
    assert f"key {key!r}" in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_is_not_toml_is_told_as_such(tmp_path):
    """tomllib knows the place."""
    with pytest.raises(AssignmentError, match="cannot be read: Invalid value"):
        load_assignment(written(tmp_path, "schema = "))


def test_the_nearest_file_above_a_test_counts(tmp_path):
    """Tests may lie in subfolders of an assignment."""
    written(tmp_path, GOOD)
    (tmp_path / "tests").mkdir()

    assert "tiny" == assignment_above(tmp_path / "tests").name


def test_bundled_assignments_are_found_by_name():
    """In a checkout and in an installed package."""
    assert "planar" in bundled_assignments()
    assert "planar" == find_assignment("planar").name


def test_an_unknown_name_lists_the_bundled_ones():
    """What one may have meant."""
    with pytest.raises(AssignmentError, match=r"no such assignment.*planar"):
        find_assignment("plannar")
