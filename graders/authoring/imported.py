"""What an imported notebook comes to: cells with markers, tests, and what people mark and decide.

Each importer reads one tool's format into these records; one writer makes the assignment of them.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graders.authoring.new import check_name, markdown_cell, notebook_from, write_files
from graders.release import vacant
from graders.specimens import code_cell, notebook_bytes
from pytest_symmetry.assignment import HIDDEN
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.namespace import parse_leniently

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Question:
    """One test to be: its name, points, and the statements of its cell; a ``hidden`` one stays with staff."""

    name: str
    points: float
    text: str
    hidden: bool = False


@dataclass(slots=True)
class Imported:
    """A notebook of another grader, taken apart.

    ``manual`` are questions that a person marks, with their points; ``decide`` are sentences about what could
    not be carried over, each naming its cell.
    """

    cells: list[dict[str, Any]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    manual: dict[str, float] = field(default_factory=dict)
    decide: list[str] = field(default_factory=list)

    def keep(self, cell: dict[str, Any], text: str) -> None:
        """Keep a cell for the source notebook with another text, without outputs and metadata."""
        name = f"cell-{len(self.cells) + 1}"
        self.cells.append((code_cell if cell["cell_type"] == "code" else markdown_cell)(name, text))


def read_notebook(path: Path) -> dict[str, Any]:
    """Return a notebook of format 4 as JSON data.

    Raises:
        AssignmentError: it is none.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssignmentError(path, f"it cannot be read as a notebook: {error}") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise AssignmentError(path, "it is no notebook of version 4; save it in Jupyter")
    return notebook


def write_imported(name: str, out: Path, made: Imported) -> list[Path]:
    """Write an imported assignment into the new folder ``out``; return its files.

    Raises:
        AssignmentError: the name cannot name files, or the folder is not empty.
    """
    check_name(name)
    vacant(out)
    functions = _functions(made)
    contents = {
        "assignment.toml": _toml(name, made, functions).encode(),
        f"{name}.ipynb": notebook_bytes(notebook_from(made.cells)),
    }
    for hidden, file in ((False, f"test_{name}.py"), (True, f"{HIDDEN}{name}.py")):
        questions = [q for q in made.questions if q.hidden is hidden]
        if questions:
            contents[file] = _tests(name, questions, functions, made).encode()
    return write_files(out, contents)


def _functions(made: Imported) -> list[str]:
    """Return the functions that have a solution between markers."""
    found = []
    for cell in made.cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code" and "### BEGIN SOLUTION" in text:
            found += [n.name for n in _body(text) if isinstance(n, ast.FunctionDef)]
    return list(dict.fromkeys(found))


def _body(text: str) -> list[ast.stmt]:
    return parse_leniently(text, 0, "cell")[0].body


def _toml(name: str, made: Imported, functions: Sequence[str]) -> str:
    total = sum(q.points for q in made.questions) + sum(made.manual.values())
    lines = ["schema = 1", f'name = "{name}"', f'title = "{name.replace("_", " ").capitalize()}"']
    lines += [f'notebook = "{name}.ipynb"', f"total = {total:g}", 'reveal = "hint"', "", "[functions]"]
    lines += [f'{function} = ""' for function in functions]
    for question, points in made.manual.items():
        lines += ["", f"[questions.{question}]", "manual = true", f"points = {points:g}"]
    return "\n".join(lines) + "\n"


def _tests(name: str, questions: Sequence[Question], functions: Sequence[str], made: Imported) -> str:
    """Return a test file: those imports of the notebook that it needs, and one test for each question."""
    words = set(re.findall(r"\w+", "\n".join(question.text for question in questions)))
    imports = dict.fromkeys(
        ast.unparse(node)
        for cell in made.cells
        if cell["cell_type"] == "code"
        for node in _body("".join(cell["source"]))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and words & {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    )
    lines = [f'"""The questions of {name}.ipynb, as they were imported."""', ""]
    lines += [*imports, *([""] if imports else []), "import pytest"]
    for question in questions:
        lines += ["", "", *_test(question, functions, made)]
    return "\n".join(lines) + "\n"


def _test(question: Question, functions: Sequence[str], made: Imported) -> list[str]:
    """Return one test; names of students' functions in its statements become the submission's."""
    used = {n.id for s in _body(question.text) for n in ast.walk(s) if isinstance(n, ast.Name)}
    given = [f for f in functions if f in used]
    left = _unknown(question.text, functions, made)
    if left:
        made.decide.append(
            f"test_{question.name}: it uses {', '.join(left)}, which a cell sets; a test sees "
            "the submission's functions only, so give it these values"
        )
    lines = [f"@pytest.mark.points({question.points:g})", f"def test_{question.name}(submission):"]
    lines += [f"    {f} = submission.{f}" for f in given]
    body = textwrap.indent(question.text.strip("\n"), "    ").splitlines()
    if not given:
        made.decide.append(f"test_{question.name}: it calls no function with a solution; decide what it asks")
    return lines + body


def _unknown(text: str, functions: Sequence[str], made: Imported) -> list[str]:
    """Return the names that a question reads and that neither it nor an import gives, but a cell does."""
    nodes = [n for s in _body(text) for n in ast.walk(s)]
    own = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {n.name for n in nodes if isinstance(n, ast.FunctionDef)} | set(functions)
    read = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    cells = [n for c in made.cells if c["cell_type"] == "code" for n in _body("".join(c["source"]))]
    kinds = ast.Assign | ast.FunctionDef | ast.ClassDef | ast.For | ast.With | ast.AugAssign | ast.AnnAssign
    given = {m for n in cells if isinstance(n, kinds) for m in _bound(n)}
    return [name for name in dict.fromkeys(read) if name in given and name not in own]


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def identifier(text: str, taken: Sequence[str]) -> str:
    """Return a name for a test from another tool's, different from those that are taken."""
    plain = re.sub(r"\W+", "_", text.lower()).strip("_").removeprefix("test_") or "question"
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name
