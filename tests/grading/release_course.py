"""The tiny course as staff keep it: solutions between markers, a hidden test, leavings in the notebook."""

import base64
import json

import tiny_course

BEGIN, END = "    ### BEGIN SOLUTION\n", "    ### END SOLUTION\n"


def marked(cell):
    """Put the body of every function of a cell between the markers."""
    lines, inside = [], False
    for line in cell.rstrip("\n").splitlines(keepends=True):
        if inside and not line.strip():
            lines, inside = [*lines, END], False
        lines.append(line)
        if line.startswith("def "):
            lines, inside = [*lines, BEGIN], True
    if inside and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines, END] if inside else lines)


SOLUTION = tuple(marked(cell) for cell in tiny_course.SOLUTION)
SECRET = 'D = 2 * (parameters["W2"] @ A + parameters["b2"] - Y) / X.shape[1]'

HIDDEN = """\
import pytest
from pytest_symmetry import check_matches

@pytest.mark.points(4, topic="the loss of other sizes")
@pytest.mark.parametrize("m", [3, 4711])
def test_loss_of_many(submission, reference, probe_rng, m):
    sizes = {"W1": (4, 2), "b1": (4, 1), "W2": (1, 4), "b2": (1, 1)}
    p = {k: probe_rng.normal(size=v) for k, v in sizes.items()}
    X, Y = probe_rng.normal(size=(2, m)), probe_rng.normal(size=(1, m))
    check_matches(submission.loss, reference.loss, X, Y, p)
"""


def source_notebook(*cells, prose="Write the loss."):
    """Return a source notebook that keeps its solution in every corner where one can be kept."""
    notebook = json.loads(tiny_course.notebook(*cells))
    for cell in notebook["cells"]:
        cell["execution_count"] = 7
        cell["metadata"] = {"solution": SECRET, "tags": ["solution"]}
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": SECRET}]
    picture = {"image/png": base64.b64encode(SECRET.encode()).decode()}
    words = {
        "cell_type": "markdown",
        "id": "words",
        "metadata": {"note": SECRET},
        "source": prose,
        "attachments": {"unused.png": picture},
    }
    notebook["cells"].insert(0, words)
    notebook["metadata"] = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "history": [SECRET],
    }
    return json.dumps(notebook)


def write_course(folder, *, tests="", toml="", prose="Write the loss.", hidden=True, extra=()):
    """Write the assignment as staff keep it."""
    tiny_course.write_course(folder)
    tiny_course.write(folder / "tiny.ipynb", source_notebook(*SOLUTION, *extra, prose=prose))
    tiny_course.write(folder / "test_tiny.py", tiny_course.TESTS + tests)
    tiny_course.write(folder / "assignment.toml", toml + tiny_course.TOML + "# staff: remember the exam\n")
    if hidden:
        tiny_course.write(folder / "test_hidden_sizes.py", HIDDEN)
    return folder
