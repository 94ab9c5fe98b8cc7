"""`symmetry check`: each planted fault of an assignment gets its sentence; a good assignment gets none."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graders import cli
from graders.authoring.new import write_new
from graders.checkup.examination import examine


def files(folder):
    """Return the files of the assignment that `symmetry new layer` writes, by what they are."""
    return {
        "toml": folder / "assignment.toml",
        "notebook": folder / "layer.ipynb",
        "tests": folder / "test_layer.py",
        "specimens": folder / "specimens.toml",
    }


def change(folder, what, old, new):
    """Replace a text that is there once."""
    path = files(folder)[what]
    if what == "notebook":  # as JSON writes it
        old, new = json.dumps(old)[1:-1], json.dumps(new)[1:-1]
    text = path.read_text(encoding="utf-8")
    assert 1 == text.count(old), (old, text.count(old))
    path.write_text(text.replace(old, new), encoding="utf-8")


def add(folder, what, text):
    """Put a text at the end."""
    path = files(folder)[what]
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def cell(folder, text, kind="code"):
    """Put one more cell into the notebook."""
    path = files(folder)["notebook"]
    notebook = json.loads(path.read_text(encoding="utf-8"))
    made = {"cell_type": kind, "id": "more", "metadata": {}, "source": text}
    notebook["cells"].append(made | ({"outputs": [], "execution_count": None} if kind == "code" else {}))
    path.write_text(json.dumps(notebook), encoding="utf-8")


MATCHED = """
@pytest.mark.points(3)
def test_gradients(submission, reference, layer):
    check_matches(
        submission.gradients, reference.gradients, layer["X"], layer["Y"], layer["parameters"]
    )
"""
SPECIMEN = """
[[specimen]]
name = "one-more"
test = "test_cost"
code = "MAT101"
cause = ""
replace = [["return np.sum((A - Y) ** 2) / X.shape[1]", "return {0}"]]
"""


def matched_only(folder):
    """Compare the gradients with the reference's alone."""
    text = files(folder)["tests"].read_text(encoding="utf-8")
    files(folder)["tests"].write_text(
        text[: text.index("@pytest.mark.points(3)")] + MATCHED.lstrip(), encoding="utf-8"
    )


def a_solution_that_is_wrong(folder):
    change(folder, "notebook", "dZ = 2 * (A - Y)", "dZ = 3 * (A - Y)")


def a_solution_that_raises(folder):
    change(folder, "notebook", "return np.sum((A - Y) ** 2)", "return np.sum((A - Z) ** 2)")


def a_test_that_nothing_fails(folder):
    add(folder, "tests", "\n\ndef test_answers(submission, layer):\n    submission.cost(**layer)\n")


def weak_tests(folder):
    matched_only(folder)
    change(folder, "tests", "reference.gradients, layer", "shape_of(reference), layer")
    change(folder, "tests", "submission.gradients, shape", "shape_of(submission), shape")
    add(folder, "tests", WEAK)


WEAK = """

def shape_of(who):
    def gradients(X, Y, parameters):
        found = who.gradients(X, Y, parameters)
        return {"dW": found["dW"] * 0, "db": found["db"] * 0}

    return gradients
"""


def a_total_that_does_not_add_up(folder):
    change(folder, "toml", "total = 5", "total = 6")


def points_that_are_no_number(folder):
    change(folder, "tests", "points(2)", 'points("two")')


def points_that_are_zero(folder):
    change(folder, "tests", "points(2)", "points(0)")


def a_marker_without_points(folder):
    change(folder, "tests", "points(2)", "points")


def a_test_that_depends_on_the_seed(folder):
    add(folder, "tests", "\n\ndef test_luck(submission, reference, probe_rng, layer):\n"
        "    check_matches(submission.cost, reference.cost, **layer)\n"
        "    assert probe_rng.bit_generator.state['state']['state'] % 2 == 0\n")  # fmt: skip


def a_test_that_asks_the_time(folder):
    change(folder, "tests", "import pytest\n", "import time\n\nimport pytest\n")
    add(
        folder,
        "tests",
        "\n\ndef test_late(submission, layer):\n    assert time.time() > submission.cost(**layer)\n",
    )


def a_test_with_numbers_of_its_own(folder):
    change(folder, "tests", "import pytest\n", "import numpy as np\nimport pytest\n")
    change(folder, "tests", '"Y": probe_rng.normal', '"Y": np.random.normal')


def a_test_with_numbers_that_hide(folder):
    change(folder, "tests", "import pytest\n", "import os\n\nimport pytest\n")
    change(
        folder,
        "tests",
        '"Y": probe_rng.normal(size=(2, 5))',
        '"Y": [list(os.urandom(5)), [1, 2, 3, 4, 5]] @ probe_rng.normal(size=(5, 5))',
    )


def a_gradient_of_another_cost(folder):
    matched_only(folder)
    change(folder, "notebook", "dZ = 2 * (A - Y)", "dZ = (A - Y)")


def a_gradient_that_nothing_compares(folder):
    matched_only(folder)  # and no cost has arguments of the same names
    path = files(folder)["notebook"]
    notebook = json.loads(path.read_text(encoding="utf-8"))
    own = next(c for c in notebook["cells"] if c["id"] == "cost")
    own["source"] = "".join(own["source"]).replace("parameters", "weights")
    path.write_text(json.dumps(notebook), encoding="utf-8")


def a_solution_written_twice(folder):
    cell(folder, "dZ = 2 * (A - Y) * (1 - A**2) / X.shape[1]")


def a_solution_in_the_tests(folder):
    add(
        folder,
        "tests",
        "\n\ndef own(A, Y, X):\n    dZ = 2 * (A - Y) * (1 - A**2) / X.shape[1]\n    return dZ\n",
    )


def a_solution_in_the_data(folder):
    (folder / "data").mkdir()
    (folder / "data" / "notes.txt").write_text("dZ = 2*(A - Y)*(1 - A**2) / X.shape[1]", encoding="utf-8")


def markers_that_are_missing(folder):
    path = files(folder)["notebook"]
    text = path.read_text(encoding="utf-8")
    for mark in ("    ### BEGIN SOLUTION\\n", "    ### END SOLUTION"):
        text = text.replace(mark, "")
    path.write_text(text, encoding="utf-8")


def a_marker_without_its_partner(folder):
    cell(folder, "def more():\n    ### BEGIN SOLUTION\n    return 1")


def a_function_handed_out_whole(folder):
    cell(folder, "def square(x):\n    return x**2")
    change(folder, "toml", 'gradients = "The', 'square = "A number times itself"\ngradients = "The')


def a_function_that_is_not_there(folder):
    change(folder, "toml", 'gradients = "The', 'update = "A step"\ngradients = "The')


def a_specimen_that_gets_something_else(folder):
    change(folder, "specimens", 'cause = "factor-m"', 'cause = "sign-reversed"')


def a_specimen_that_nothing_catches(folder):
    add(folder, "specimens", SPECIMEN.format("np.mean(np.sum((A - Y) ** 2, axis=0))"))


def a_variant_that_is_accused(folder):
    add(
        folder,
        "specimens",
        '\n[[variant]]\nname = "half"\nreplace = [["return np.sum(", "return 0.5 * np.sum("]]\n',
    )


def a_patch_that_does_not_fit(folder):
    add(folder, "specimens", '\n[[variant]]\nname = "half"\nreplace = [["return sum(", "return np.sum("]]\n')


def an_unknown_key(folder):
    change(folder, "toml", "reveal =", "revael =")


def an_unknown_key_of_specimens(folder):
    change(folder, "specimens", 'code = "GRD102"', 'code = "GRD102"\ncolour = "red"')


def a_question_for_nothing(folder):
    add(folder, "tests", "\n\ndef test_square(submission):\n    assert submission.square(3) == 9\n")
    cell(folder, "def square(x):\n    return x**2")


def hidden_tests_that_nobody_runs(folder):
    text = "def test_more(submission):\n    assert submission\n"
    (folder / "hidden_sizes.py").write_text(text, encoding="utf-8")


def a_test_that_stops_with_an_error_of_its_own(folder):
    add(folder, "tests", "\n\ndef test_first(submission, layer):\n"
        "    found = submission.gradients(**layer)\n    assert len(found['db'][:, 0]) == 2\n")  # fmt: skip


def tests_that_are_not_python(folder):
    add(folder, "tests", "\n\ndef test_more(submission:\n")


def tests_that_cannot_be_imported(folder):
    change(folder, "tests", "check_gradients, check_matches\n", "check_gradients, check_matches, check_all\n")


FAULTS = {
    a_solution_that_is_wrong: "test_gradients: the solution itself fails it: GRD101 dW[",
    a_solution_that_raises: "test_cost: the solution itself fails it: TST102",
    a_test_that_nothing_fails: "test_answers: no planted mistake and none of ",
    weak_tests: "layer: the tests see ",
    a_total_that_does_not_add_up: "total: it is 6, but the questions are worth 5 points together",
    points_that_are_no_number: "test_cost: its points are 'two', which is no number of points",
    points_that_are_zero: "test_cost: it is worth 0 points, which nobody gains or loses",
    a_marker_without_points: "test_cost: the marker says no points",
    a_test_that_depends_on_the_seed: "test_luck: it depends on the seed: the solution has ",
    a_test_that_asks_the_time: "time.time(): what a test asks would depend on when it is run",
    a_test_with_numbers_of_its_own: "np.random.normal(size=(2, 5)): no seed fixes these numbers",
    a_test_with_numbers_that_hide: "test_cost: two runs with one seed ask different things",
    a_gradient_of_another_cost: "the solution's gradients is not the gradient of its own cost",
    a_gradient_that_nothing_compares: "test_gradients: nothing compares gradients with differences of a cost",
    a_solution_written_twice: "cell 7 repeats a statement of the solution in cell 6",
    a_solution_in_the_tests: "test_layer.py repeats a statement of the solution in cell 6",
    a_solution_in_the_data: "the release would show the solution: data/notes.txt holds the statement",
    markers_that_are_missing: "layer.ipynb: no cell has a solution between '### BEGIN SOLUTION'",
    a_marker_without_its_partner: "cell 7: there is a line '### BEGIN SOLUTION' without its partner",
    a_function_handed_out_whole: "the function 'square' has no lines between '### BEGIN SOLUTION'",
    a_function_that_is_not_there: "there is no function 'update', which assignment.toml or a test asks for",
    a_specimen_that_gets_something_else: "is promised test_cost MAT101 sign-reversed, but gets test_cost",
    a_specimen_that_nothing_catches: "the specimen 'one-more' passes every test; test_cost should fail it",
    a_variant_that_is_accused: "the variant 'half' is correct work, but test_cost answers MAT101",
    a_patch_that_does_not_fit: "'half': the text 'return sum(' occurs 0 times",
    an_unknown_key: "assignment.toml, key 'revael': there is no such key; did you mean 'reveal'?",
    an_unknown_key_of_specimens: "specimens.toml, key 'colour': 'db-as-a-row' may not have it",
    a_question_for_nothing: "test_square: a notebook without any work passes it",
    hidden_tests_that_nobody_runs: "hidden_sizes.py: it holds tests that nobody runs",
    a_test_that_stops_with_an_error_of_its_own: "test_first: it stops with an error of its own",
    tests_that_are_not_python: "it is not Python (",
    tests_that_cannot_be_imported: "test_layer.py: ",
}
FEW = {
    a_total_that_does_not_add_up, points_that_are_no_number, a_gradient_of_another_cost,
    a_solution_in_the_tests, an_unknown_key,
}  # fmt: skip
MUTANTS = {a_test_that_nothing_fails, weak_tests, a_test_that_stops_with_an_error_of_its_own}


@pytest.fixture
def folder(tmp_path):
    """The assignment that `symmetry new` writes."""
    write_new("layer", tmp_path / "layer")
    return tmp_path / "layer"


def few_of_them(fault):
    """For every day some of the faults, for the sweep all."""
    return pytest.param(fault, id=fault.__name__, marks=[] if fault in FEW else pytest.mark.sweep)


@pytest.mark.parametrize("fault", [few_of_them(fault) for fault in FAULTS])
def test_a_planted_fault_gets_its_sentence(fault, folder):
    """One fault each; what is told names the file, the key or the test."""
    fault(folder)
    report = examine(folder, quick=fault not in MUTANTS)

    assert any(FAULTS[fault] in sentence for sentence in report.wrong), report.wrong


@pytest.mark.sweep
def test_nothing_is_said_of_a_good_assignment(folder):
    """No sentence, every mutant seen, exit code 0."""
    shown = CliRunner().invoke(cli.app, ["check", str(folder)])

    assert 0 == shown.exit_code, shown.output
    assert "Mutation score 100.0%" in shown.output
    assert "Nothing to mend was found." in shown.output


def test_check_ends_with_1_where_something_is_wrong(folder):
    """And says how much."""
    a_total_that_does_not_add_up(folder)
    points_that_are_zero(folder)
    shown = CliRunner().invoke(cli.app, ["check", str(folder), "--quick"])

    assert 1 == shown.exit_code
    assert "2 to mend." in shown.output


def test_check_of_no_assignment_is_a_matter_of_usage(tmp_path):
    """Exit code 2, not 1: nothing was looked at."""
    command = [sys.executable, "-m", "graders", "check", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert 2 == done.returncode
    assert "there is no such assignment" in done.stderr


def test_the_page_about_checking_lists_every_fault():
    """With the words of its sentence."""
    page = (Path(__file__).parents[2] / "docs" / "checking-an-assignment.md").read_text(encoding="utf-8")

    assert [] == [said for said in FAULTS.values() if said not in page]
