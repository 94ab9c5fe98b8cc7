"""The planted mistakes of an assignment, as notebooks.

``specimens.toml`` beside an assignment holds patches of its source notebook: ``[[specimen]]`` plants one
mistake and names the test, the code and the cause that it must get; ``[[variant]]`` is correct work in
another style and must get full marks. A patch is any of

* ``replace = [["old text", "new text"], …]``: each old text occurs exactly once in the code cells;
* ``define = '''def backward(…): …'''``: takes the place of the functions of those names in their cell;
* ``cell = '''…'''``: one more code cell, before all others.
"""

from __future__ import annotations

import ast
import copy
import json
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.errors import AssignmentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "specimens.toml"

_KEYS = {"name", "test", "code", "cause", "replace", "define", "cell"}
_MARKER = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Patch:
    """How a notebook differs from the source: texts replaced, functions redefined, a cell added."""

    replace: tuple[tuple[str, str], ...] = ()
    define: str = ""
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Specimen:
    """One patched solution; ``test`` is the test that reports first. A correct variant has only a name."""

    name: str
    patch: Patch
    test: str = ""
    code: str = ""
    cause: str = ""

    @property
    def correct(self) -> bool:
        """Whether this is correct work in another style, which no check may accuse."""
        return not self.test


class PatchError(ValueError):
    """A patch does not fit the notebook."""


def load_specimens(folder: Path) -> list[Specimen]:
    """Return the specimens and then the variants of the assignment in ``folder``, in the file's order.

    Raises:
        AssignmentError: the file is missing or unreadable, a key is unknown or missing, or a name is
            there twice.
    """
    file = folder / FILE
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssignmentError(file, "there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AssignmentError(file, f"it is not TOML: {error}") from None
    if unknown := sorted(set(tables) - {"specimen", "variant"}):
        raise AssignmentError(file, "expected tables [[specimen]] and [[variant]] only", unknown[0])
    found = [_specimen(file, entry, faulty=True) for entry in tables.get("specimen", [])]
    found += [_specimen(file, entry, faulty=False) for entry in tables.get("variant", [])]
    names = [s.name for s in found]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise AssignmentError(file, f"two entries are called {twice[0]!r}", "name")
    return found


def _specimen(file: Path, entry: Mapping[str, Any], *, faulty: bool) -> Specimen:
    name = entry.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise AssignmentError(file, f"expected lower-case words joined by hyphens, found {name!r}", "name")
    wanted = {"test", "code", "cause"} if faulty else set()
    if missing := sorted(wanted - set(entry)):
        raise AssignmentError(file, f"{name!r} lacks it", missing[0])
    allowed = _KEYS if faulty else _KEYS - {"test", "code", "cause"}
    if unknown := sorted(set(entry) - allowed):
        raise AssignmentError(
            file, f"{name!r} may not have it; known are {', '.join(sorted(allowed))}", unknown[0]
        )
    pairs = entry.get("replace", [])
    if not all(isinstance(p, list) and len(p) == 2 and all(isinstance(t, str) for t in p) for p in pairs):
        raise AssignmentError(file, f'{name!r} needs pairs ["old text", "new text"]', "replace")
    texts = {key: entry.get(key, "") for key in ("define", "cell", *sorted(wanted))}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise AssignmentError(file, f"{name!r} needs a text", key)
    patch = Patch(tuple((old, new) for old, new in pairs), texts.pop("define"), texts.pop("cell"))
    return Specimen(name, patch, **texts)


def notebook_with(source: Mapping[str, Any], patch: Patch) -> dict[str, Any]:
    """Return a copy of the notebook ``source`` (as nbformat 4 JSON) with ``patch`` made to its code cells.

    The lines that mark a solution are left out, as they are in a student's notebook.

    Raises:
        PatchError: a text to replace does not occur exactly once, or no function to redefine is there.
    """
    notebook: dict[str, Any] = copy.deepcopy(dict(source))
    cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    texts = ["".join(c["source"]) for c in cells]
    for old, new in patch.replace:
        _replace(texts, old, new)
    if patch.define:
        _define(texts, patch.define.strip("\n"))
    for cell, text in zip(cells, texts, strict=True):
        cell["source"] = _MARKER.sub("", text).splitlines(keepends=True)
    if patch.cell:
        notebook["cells"].insert(0, code_cell("added", patch.cell.strip("\n")))
    return notebook


def _replace(texts: list[str], old: str, new: str) -> None:
    """Replace ``old`` by ``new`` in the one cell that holds it."""
    times = sum(text.count(old) for text in texts)
    if times != 1:
        msg = f"the text {old!r} occurs {times} times in the code cells, and must occur once"
        raise PatchError(msg)
    where = next(i for i, text in enumerate(texts) if old in text)
    texts[where] = texts[where].replace(old, new)


def _define(texts: list[str], definition: str) -> None:
    """Put ``definition`` where the first of its functions was; its others go from their cells."""
    names = {n.name for n in ast.parse(definition).body if isinstance(n, ast.FunctionDef)}
    new = definition.split("\n")
    for i, text in enumerate(texts):
        lines = text.split("\n")
        for first, last in reversed(spans := _spans(names, text)):
            lines[first - 1 : last] = new if (first, last) == spans[0] else []
        if spans:
            texts[i] = "\n".join(lines).strip("\n")
            new = []
    if new:
        msg = f"none of the functions to define ({', '.join(sorted(names))}) is in the notebook"
        raise PatchError(msg)


def _spans(names: set[str], text: str) -> list[tuple[int, int]]:
    """Return the first and last line, from 1, of each top-level function of a cell that is in ``names``."""
    return [
        (min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.end_lineno or node.lineno)
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name in names
    ]


def code_cell(identifier: str, text: str) -> dict[str, Any]:
    """Return a code cell of nbformat 4.5 without outputs."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": identifier,
        "metadata": {},
        "outputs": [],
        "source": text.splitlines(keepends=True),
    }


def source_notebook(folder: Path) -> dict[str, Any]:
    """Return the source notebook of the assignment in ``folder`` as JSON data.

    Raises:
        AssignmentError: assignment.toml is at fault, or the notebook is not one of version 4.
    """
    assignment = load_assignment(folder)
    try:
        notebook: dict[str, Any] = json.loads(assignment.source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AssignmentError(assignment.source, f"it cannot be read as a notebook: {error}") from None
    if notebook.get("nbformat") != 4:
        raise AssignmentError(assignment.source, "it is no notebook of version 4; save it in Jupyter")
    return notebook


def patched(folder: Path, specimen: Specimen, source: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the source notebook of ``folder``, read already or not, with one specimen's patch.

    Raises:
        AssignmentError: the patch does not fit; the message names the specimen.
    """
    try:
        return notebook_with(source or source_notebook(folder), specimen.patch)
    except (PatchError, SyntaxError) as error:
        raise AssignmentError(folder / FILE, f"{specimen.name!r}: {error}") from None


def notebook_bytes(notebook: Mapping[str, Any]) -> bytes:
    """Return a notebook as the file that Jupyter writes; the same notebook gives the same bytes."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def write_specimens(folder: Path, out: Path) -> list[Path]:
    """Write each specimen and variant of the assignment in ``folder`` as ``out/NAME.ipynb``.

    All are made before the first is written, so a patch that does not fit leaves nothing behind.

    Raises:
        AssignmentError: specimens.toml, or a patch in it, is at fault.
    """
    source = source_notebook(folder)
    made = {
        out / f"{s.name}.ipynb": notebook_bytes(patched(folder, s, source)) for s in load_specimens(folder)
    }
    out.mkdir(parents=True, exist_ok=True)
    for path, content in made.items():
        path.write_bytes(content)
    return list(made)
