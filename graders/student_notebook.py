"""The source notebook -> the student's: stubs for solutions, and nothing left of them anywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_symmetry.errors import AssignmentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "raise NotImplementedError  # write your code here"
"""What stands where the solution was: a function that only raises it is not attempted, and not wrong."""

_REGION = {BEGIN: END, "### BEGIN HIDDEN TESTS": "### END HIDDEN TESTS"}
_ATTACHED = re.compile(r"attachment:([^)\"'\s]+)")
_COMMENT = "# Write your code here."
_PROSE = "*Write your answer here.*"
_MODULES = {"np", "numpy", "math", "scipy", "random", "plt"}
TELLING = 2
"""Operations from which on a statement is a solution's own: below it, it is what everybody writes."""


@dataclass(frozen=True, slots=True)
class Solution:
    """The lines between one pair of markers, and the number of their cell among all cells, from 1."""

    cell: int
    text: str


def split(source: Mapping[str, Any], file: Path) -> tuple[list[str], list[Solution]]:
    """Return the text of every cell without solutions, and the solutions.

    Raises:
        AssignmentError: a marker has no partner; the message names the cell.
    """
    texts, solutions = [], []
    for number, cell in enumerate(source["cells"], start=1):
        text = "".join(cell["source"])
        try:
            kept, taken = _without_solutions(text, code=cell["cell_type"] == "code")
        except ValueError as error:
            raise AssignmentError(file, f"cell {number}: {error}") from None
        texts.append(kept)
        solutions += [Solution(number, part) for part in taken]
    return texts, solutions


def _without_solutions(text: str, *, code: bool) -> tuple[str, list[str]]:
    kept: list[str] = []
    taken: list[str] = []
    begun, end, region = "", "", list[str]()
    for line in text.splitlines():
        mark = line.strip()
        if mark in _REGION and not end:
            begun, end, region = line, _REGION[mark], []
        elif end and mark == end:
            taken.append("\n".join(region))
            if begun.strip() == BEGIN:
                kept += _stub(begun, region, code=code)
            end = ""
        elif mark in _REGION or mark in _REGION.values():
            msg = f"there is a line {mark!r} without its partner"
            raise ValueError(msg)
        else:
            (region if end else kept).append(line)
    if end:
        msg = f"there is a line {begun.strip()!r} without its partner {end!r}"
        raise ValueError(msg)
    return "\n".join(kept), taken


def _stub(begun: str, region: Sequence[str], *, code: bool) -> list[str]:
    """Return what stands in the place of a solution.

    Inside a function it raises; at the top of a cell a comment is enough, so that the cells below still run.
    """
    indent = begun[: len(begun) - len(begun.lstrip())]
    if not code:
        return [_PROSE]
    if indent:
        return [indent + STUB]
    return _stubs_of_functions("\n".join(region)) or [_COMMENT]


def _stubs_of_functions(text: str) -> list[str]:
    """Return the heads of the functions of a solution that holds whole functions, with stubs for bodies."""
    try:
        nodes = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    except SyntaxError:
        return []
    lines: list[str] = []
    for node in nodes:
        words = ast.get_docstring(node, clean=False)
        said = [f'    """{words}"""'] if words is not None else []
        lines += [f"def {node.name}({ast.unparse(node.args)}):", *said, f"    {STUB}", "", ""]
    return lines[:-2]


def student_notebook(source: Mapping[str, Any], file: Path) -> Any:
    """Return the student's notebook, as nbformat's own: no outputs, metadata, counts, or unused attachments.

    Raises:
        AssignmentError: the markers do not match, there is no solution, or what is made is no notebook.
    """
    import nbformat
    from nbformat import v4

    texts, solutions = split(source, file)
    if not solutions:
        problem = f"no cell has a solution between {BEGIN!r} and {END!r}: students would receive everything"
        raise AssignmentError(file, problem)
    notebook = v4.new_notebook(metadata=_kernel(source))  # type: ignore[no-untyped-call] # unannotated
    makers = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}
    for number, (cell, text) in enumerate(zip(source["cells"], texts, strict=True), start=1):
        made = makers[cell["cell_type"]](text, id=_identifier(cell, number))  # type: ignore[no-untyped-call]
        if pictures := _pictures(cell, text):
            made["attachments"] = pictures
        notebook["cells"].append(made)
    notebook["nbformat_minor"] = 5
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise AssignmentError(file, f"the student's notebook would not be valid: {error.message}") from None
    return notebook


def _kernel(source: Mapping[str, Any]) -> dict[str, Any]:
    kernel = source.get("metadata", {}).get("kernelspec", {})
    name, shown = str(kernel.get("name", "python3")), str(kernel.get("display_name", "Python 3"))
    kernelspec = {"name": name, "display_name": shown, "language": "python"}
    return {"kernelspec": kernelspec, "language_info": {"name": "python"}}


def _identifier(cell: Mapping[str, Any], number: int) -> str:
    """Return an id: the cell's own, where it is one."""
    own = str(cell.get("id", ""))
    return own if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", own) else f"cell-{number}"


def _pictures(cell: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return the attachments that the text which is left still shows."""
    named = set(_ATTACHED.findall(text))
    return {name: data for name, data in cell.get("attachments", {}).items() if name in named}


def repeated(solutions: Sequence[Solution], texts: Mapping[str, str]) -> Iterator[tuple[str, Solution, str]]:
    """Yield (where, solution, statement) for each statement of a solution that is repeated elsewhere.

    Args:
        solutions: what must not be seen.
        texts: what students see, by the name that a message gives it: cells, tests.
    """
    squeezed = {name: _squeezed(text) for name, text in texts.items()}
    for solution in solutions:
        for statement in telling_statements(solution.text):
            wanted = _squeezed(statement)
            yield from ((where, solution, statement) for where, text in squeezed.items() if wanted in text)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text).replace('"', "'")


def telling_statements(text: str) -> list[str]:
    """Return the statements of a solution that say how it is done, as they are written."""
    tree = parsed(text)
    if tree is None:
        return [line.strip() for line in text.splitlines() if len(line.split()) > 3]
    found = []
    for node in ast.walk(tree):
        simple = isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Expr)
        if simple and _operations(node) >= TELLING:
            found.append(ast.unparse(node))
    return list(dict.fromkeys(found))


def parsed(text: str) -> ast.Module | None:
    """Return the syntax tree of a solution, which may be a part of a function; None where it is no Python."""
    lines = text.splitlines()
    widths = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    cut = min(widths, default=0)
    body = "\n".join("    " + line[cut:] for line in lines)
    try:
        return ast.parse(f"async def _():\n{body}\n    pass")
    except SyntaxError:
        return None


def _operations(node: ast.AST) -> int:
    """Count what a statement does: operators, calls, indices, attributes of things that are no modules."""
    kinds = ast.BinOp | ast.UnaryOp | ast.Call | ast.Compare | ast.Lambda | ast.Subscript
    return sum(isinstance(part, kinds) or _is_member(part) for part in ast.walk(node))


def _is_member(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and _root(node) not in _MODULES and node.attr != "shape"


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
