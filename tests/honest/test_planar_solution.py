"""The notebook that planar's marks rest on: its gradients are slopes, its prose and its code agree."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pytest
from by_differences import central_differences

from graders.specimens import source_notebook
from pytest_symmetry import check_gradients
from pytest_symmetry.assignment import load_reference

PLANAR = Path(__file__).parents[2] / "assignments" / "planar"


@pytest.fixture(scope="module")
def cells():
    return source_notebook(PLANAR)["cells"]


@pytest.fixture(scope="module")
def solution():
    return load_reference(PLANAR)


@pytest.mark.parametrize("seed", range(10))
def test_the_solutions_gradients_are_the_slopes_of_its_cost(solution, seed):
    """By plain central differences on every entry, and by the check itself; sizes differ by seed."""
    rng = np.random.default_rng(seed)
    n_x, n_h, m = rng.choice([1, 2, 3, 5, 7, 11], size=3, replace=False)
    X, Y = rng.normal(size=(n_x, m)), rng.integers(0, 2, size=(1, m)).astype(float)
    shapes = {"W1": (n_h, n_x), "b1": (n_h, 1), "W2": (1, n_h), "b2": (1, 1)}
    parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def cost(p):
        return solution.cost(solution.forward(X, p)[0], Y)

    def gradients(p):
        return solution.backward(X, Y, p)

    assert check_gradients(cost, gradients, parameters, seed=seed).passed
    expected = central_differences(cost, parameters)
    for name, value in gradients(parameters).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-6, atol=1e-8)


def test_the_notebook_runs_without_matplotlib(cells, monkeypatch, capsys):
    """Figures are an extra; and what the experiment prints is what the text around it says."""
    real_import = builtins.__import__

    def without_matplotlib(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    namespace: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)
    printed = capsys.readouterr().out.splitlines()
    told_apart = {line[:20].strip(): line[20:].split(";")[0] for line in printed if "told apart" in line}

    assert told_apart == {
        "random": " units told apart: 5 before, 5 after",
        "constant": " units told apart: 1 before, 1 after",
        "zero": " units told apart: 1 before, 1 after",
        "equal incoming only": " units told apart: 5 before, 5 after",
    }
    assert all("w5 = w6: 0.000000" in line for line in printed if "w5 = w6" in line)


@pytest.mark.sweep
def test_the_notebook_runs_in_a_kernel(tmp_path):
    """From top to bottom, as a teacher opens it, figures included."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(PLANAR / "planar.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    errors = [o for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "error"]

    assert errors == []
