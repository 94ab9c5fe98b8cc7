"""A class of students who do not exist: planted mistakes, correct work, and files that are broken.

It is what `symmetry demo` grades. Deterministic: the same assignment and count give the same files.
"""

from __future__ import annotations

import ast
import itertools
import json
import os
from typing import TYPE_CHECKING, Any

from graders.specimens import Patch, load_specimens, notebook_bytes, notebook_with, patched, source_notebook
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.errors import AssignmentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# Invented. Some are here for what they do to encodings, markup, spreadsheets and SQL.
NAMES = (
    "Amara Okafor", "Zoë Lindqvist", "Ming-Hui Tan", "Søren Dahl", "Priya Raghunathan", "李 思远",
    "Mateus Conceição", "Élodie Brémond", "Kwabena Asante", "Саша Ковальчук", "Yusuf Demirağ",
    "Anna-Lena Groß", "佐藤 ひかり", "Niamh O'Dowd", "Łukasz Wójcik", "Ayşe Şahin", "Tomás Ñáñez",
    "نور الحداد", "Ingrid Ó Súilleabháin", "Chinedu Eze", "Θεοδώρα Παππά", "Bat-Erdene Ganbold",
    "Leilani Kahale", "김 서연", "Oluwaseun Adébáyò", "Björk Árnadóttir", "Rafael de la Cruz", "Mei Ling Wu",
    "אורי לביא", "Vivaan Iyer", "Đặng Thu Hà", "Ilse van 't Hoff", "Jiří Šťastný", "Fatoumata Diallo",
    "Noa Ben-Ami", "अनन्या शर्मा", "Zyanya Ixchel", "Robert'); DROP TABLE students;--", "=SUM(1,2)",
)  # fmt: skip

MARKUP_NAME = "<img src=x onerror=alert(1)>" if os.name == "posix" else "&lt;img src=x onerror=alert(1)&gt;"
"""A name that a careless page would run; some file systems refuse its brackets."""

_TROUBLES = {
    "loops for ever": "while True:\n    pass",
    "ends the program": "import sys\nsys.exit(3)",
    "ends the process": "import os\nos._exit(3)",
    "asks for 4 GB": "hoard = bytearray(4 << 30)",
    "prints for ever": 'while True:\n    print("still computing")',
}


def broken_files(folder: Path) -> dict[str, bytes]:
    """Return notebooks that are broken in one way each, by what is broken, for the assignment in ``folder``.

    Raises:
        AssignmentError: the assignment cannot be read, or names no function.
    """
    solution = notebook_with(source_notebook(folder), Patch())
    functions = list(load_assignment(folder).functions)
    if not functions:
        raise AssignmentError(folder / "assignment.toml", "it names no function", "functions")
    victim = functions[len(functions) // 2]
    return {
        "one cell cannot be read": notebook_bytes(_with_cell(solution, victim, _cut_short)),
        **{
            what: notebook_bytes(_with_cell(solution, victim, _starting(victim, statements)))
            for what, statements in _TROUBLES.items()
        },
        "an empty file": b"",
        "not a notebook": b"Dear Professor, my notebook would not upload.\n",
        "an empty notebook": notebook_bytes({**solution, "cells": []}),
        "an old notebook format": notebook_bytes(_as_version_3(solution)),
    }


def demo_class(folder: Path, out: Path, count: int = 40) -> list[Path]:
    """Write ``count`` notebooks of students who do not exist into ``out``, and return their paths.

    About a third of the readable ones are correct, in several styles; the rest hold one planted mistake each,
    the first few of them made by several students. A quarter of the class, ten at most, handed in something
    broken.

    Raises:
        AssignmentError: the assignment or a patch in its specimens.toml is at fault.
    """
    files = _files(folder, count)
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{name}.ipynb" for name in itertools.islice(_names(), count)]
    for path, content in zip(paths, files, strict=True):
        path.write_bytes(content)
    return paths


def _files(folder: Path, count: int) -> list[bytes]:
    """Return the contents of ``count`` files, kinds mixed so that no kind sits together."""
    specimens = load_specimens(folder)
    broken = list(broken_files(folder).values())[: count // 4]
    right = _spread([s for s in specimens if s.correct], (count - len(broken)) // 3)
    faulty = [s for s in specimens if not s.correct]
    wanted = count - len(broken) - len(right) if faulty else 0
    mistakes = _spread(faulty, wanted - wanted // 4)
    mistakes += [mistakes[i % 3] for i in range(wanted - len(mistakes))] if mistakes else []
    readable = [notebook_bytes(patched(folder, s)) for s in (*right, *mistakes)]
    plain = notebook_bytes(notebook_with(source_notebook(folder), Patch()))
    readable += [plain] * (count - len(broken) - len(readable))
    return _mixed(readable, broken)


def _spread(items: list[Any], count: int) -> list[Any]:
    """Return at most ``count`` of the items, evenly spread, the first among them."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def _mixed(many: list[bytes], few: list[bytes]) -> list[bytes]:
    """Return both lists as one, the few at even distances among the many."""
    total = len(many) + len(few)
    at = {(2 * i + 1) * total // (2 * len(few)): item for i, item in enumerate(few)}
    others = iter(many)
    return [at[i] if i in at else next(others) for i in range(total)]


def _names() -> itertools.chain[str]:
    """Yield names without end; the second round is numbered."""
    names = (MARKUP_NAME, *NAMES)
    again = (f"{name} {turn}" for turn in itertools.count(2) for name in names)
    return itertools.chain(names, again)


def _with_cell(notebook: Mapping[str, Any], function: str, change: Callable[[str], str]) -> dict[str, Any]:
    """Return the notebook with the text of the cell that defines ``function`` changed."""
    new = json.loads(json.dumps(notebook))
    for cell in new["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code" and f"def {function}(" in text:
            cell["source"] = change(text).splitlines(keepends=True)
    return dict(new)


def _cut_short(text: str) -> str:
    """Lose the last bracket of a cell, and what follows."""
    last = max(text.rfind(")"), text.rfind("}"), text.rfind("]"))
    return text[:last] if last > 0 else text + "\n("


def _starting(function: str, statements: str) -> Callable[[str], str]:
    """Return a change that makes ``function`` begin with some statements."""

    def change(text: str) -> str:
        node = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == function)
        first = node.body[0]
        line = (first.end_lineno or first.lineno) if ast.get_docstring(node) is not None else first.lineno - 1
        lines = text.split("\n")
        lines[line:line] = [" " * first.col_offset + s for s in statements.split("\n")]
        return "\n".join(lines)

    return change


def _as_version_3(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notebook as IPython of 2013 wrote it."""
    cells = [
        {"cell_type": "code", "collapsed": False, "input": c["source"], "language": "python", "metadata": {},
         "outputs": [], "prompt_number": i}
        if c["cell_type"] == "code"
        else {"cell_type": "markdown", "metadata": {}, "source": c["source"]}
        for i, c in enumerate(notebook["cells"], start=1)
    ]  # fmt: skip
    return {
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
