"""The notebooks that marks rest on: clean, prose and settings agree, and each runs from top to bottom."""

from __future__ import annotations

import builtins

import pytest

from graders.specimens import source_notebook
from pytest_symmetry.assignment import bundled_assignments, load_assignment

FOLDERS = bundled_assignments()
each_assignment = pytest.mark.parametrize("name", FOLDERS)


def cells_of(name):
    return source_notebook(FOLDERS[name])["cells"]


@each_assignment
def test_the_conventions_in_the_notebook_are_those_of_the_assignment(name):
    """The table at the head states each of them, word for word."""
    (table,) = [c for c in cells_of(name) if c["id"] == "conventions"]
    text = "".join(table["source"]).replace("`", "")

    for topic, rule in load_assignment(FOLDERS[name]).conventions.items():
        assert f"| {topic} | {rule}" in text


@each_assignment
def test_the_notebook_is_clean(name):
    """No outputs, no counts, no metadata; the identifiers of its cells are words that stay."""
    cells = cells_of(name)
    for cell in cells:
        assert cell["metadata"] == {}
        assert cell["id"].replace("-", "").isalpha()
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
    assert len({c["id"] for c in cells}) == len(cells)


@each_assignment
def test_every_function_asked_for_has_a_docstring_and_a_marked_solution(name):
    """What is between the markers goes from the students' notebook; all else stays."""
    code = {c["id"]: "".join(c["source"]) for c in cells_of(name) if c["cell_type"] == "code"}
    for function in load_assignment(FOLDERS[name]).functions:
        (text,) = [t for t in code.values() if f"def {function}(" in t]
        before, _, rest = text.partition("    ### BEGIN SOLUTION\n")
        solution, _, after = rest.partition("    ### END SOLUTION")

        assert before.rstrip().endswith('"""')
        assert "return" in solution
        assert after == ""


@pytest.mark.sweep
@each_assignment
def test_the_notebook_runs_without_matplotlib(name, monkeypatch):
    """Figures are an extra: everything else runs from top to bottom with numpy alone."""
    real_import = builtins.__import__

    def without_matplotlib(module, *args, **kwargs):
        if module.startswith("matplotlib"):
            raise ImportError(module)
        return real_import(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    monkeypatch.chdir(FOLDERS[name])  # where its data are
    namespace: dict[str, object] = {}
    for cell in cells_of(name):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)
