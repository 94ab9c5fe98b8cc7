"""A notebook of another grader, made an assignment: which tool's it is, and what a person must decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graders.authoring.imported import read_notebook, write_imported
from graders.authoring.nbgrader import from_nbgrader, is_nbgrader
from graders.authoring.otter import from_otter, is_otter
from pytest_symmetry.errors import AssignmentError

if TYPE_CHECKING:
    from pathlib import Path


def import_notebook(name: str, out: Path, source: Path) -> tuple[list[Path], list[str]]:
    """Write an assignment made from ``source`` into the new folder ``out``.

    Returns:
        Its files, and a sentence for everything that a person must decide, each naming its cell or test.

    Raises:
        AssignmentError: the notebook is of neither tool, the name cannot name files, or the folder is not
            empty.
    """
    notebook = read_notebook(source)
    if is_otter(notebook):
        made = from_otter(notebook)
    elif is_nbgrader(notebook):
        made = from_nbgrader(notebook)
    else:
        problem = "it has neither nbgrader's metadata nor otter's raw cells; give the source notebook"
        raise AssignmentError(source, problem)
    return write_imported(name, out, made), made.decide
