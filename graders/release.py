"""What students receive: their notebook, the tests, the data, and the pack in the place of the solution.

Nothing is left in the folder that was not looked through: every file and every part of the pack is searched
for the solution's statements and for names that only the solution has.
"""

from __future__ import annotations

import ast
import builtins
import io
import json
import keyword
import re
import shutil
import string
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders import release_files
from graders.batch import check_solution, run_tests
from graders.intake import Entry
from graders.perturbed import write_perturbed
from graders.specimens import FILE as SPECIMENS
from graders.specimens import load_specimens, source_notebook, write_specimens
from graders.student_notebook import Solution, parsed, repeated, split, student_notebook, telling_statements
from pytest_symmetry import sealing
from pytest_symmetry.answers import answered_by
from pytest_symmetry.assignment import REVEAL, Assignment, is_hidden, load_assignment
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.findings import Outcome, Result, Verdict
from pytest_symmetry.grading import DEFAULT_SEED
from pytest_symmetry.points import is_manual
from pytest_symmetry.recording import Recorder, write_pack

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_OF_PACKS = frozenset(
    _WORD.findall(
        "after args arguments bit_generator box_of boxes by calls cause changes constants dictionaries draws "
        "format functions has_uint32 hint inc keys kwargs layer leaves lengths level made message "
        "method name npy numbers of outline points questions raised reads result returns right salt seed "
        "size sizes state steps text the tokens tried uinteger wraps"
    )
)
"""Words that stand in every pack, and say nothing about a solution that uses them too."""
_LONG = 6
"""Letters from which on a name among arbitrary bytes is no accident."""


@dataclass(frozen=True, slots=True)
class Release:
    """What was released.

    ``here`` and ``after`` are the points that students' own runs decide, and those that are decided after
    hand-in; ``undecided`` are the released questions among the latter, ``hidden`` those whose tests stay with
    staff. ``free`` are questions that a notebook without any work passes.
    """

    folder: Path
    level: str
    here: float
    after: float
    undecided: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    free: tuple[str, ...] = ()


def release(
    assignment: Assignment, out: Path, *, level: str = "", seed: int = DEFAULT_SEED, isolation: str = "best"
) -> Release:
    """Write what students receive into the new folder ``out``.

    Args:
        assignment: what to release.
        out: a folder that is not there, or is empty.
        level: how much the pack says: "hint" or "cause"; the assignment's own ``reveal`` if not given.
        seed: the seed of students' own runs; recorded answers belong to it.
        isolation: as for grading.

    Returns:
        What was released, and what staff should know about it.

    Raises:
        AssignmentError: the folder is not empty, the solution fails, the notebook's markers do not match, or
            the solution can be read somewhere in what would be released.
    """
    level = level or assignment.reveal
    if level not in REVEAL:
        raise AssignmentError(assignment.file, f"{level!r} is no level; give one of {', '.join(REVEAL)}")
    vacant(out)
    source = source_notebook(assignment.folder)
    _check_repeated(assignment, source)
    notebook = student_notebook(source, assignment.source)
    solved = check_solution(assignment, seed, isolation)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "released"
        release_files.write(assignment, folder, notebook, level)
        seen = known_to(seen_names(folder))
        recorder = record(assignment, seed, isolation, Path(scratch) / "asked")
        about = {"seed": str(seed), "questions": [_question(verdict) for verdict in solved.tests]}
        write_pack(recorder, folder / sealing.FILE, about=about, level=level, seen=seen)
        leaks = list(search(folder, assignment, source))
        if leaks:
            raise AssignmentError(assignment.source, f"the release would show the solution: {leaks[0]}")
        made = _tried(assignment, folder, out, level, solved, seed, isolation)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, out, dirs_exist_ok=True)
    return made


def vacant(out: Path) -> None:
    """See that a folder is free to be written.

    Raises:
        AssignmentError: there is something in it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise AssignmentError(out, "this folder is not empty; give a new one")


def _question(verdict: Verdict) -> dict[str, Any]:
    """Return what a pack says of a question; of a hidden one no more than its points."""
    hidden = is_hidden(verdict.nodeid)
    after = hidden or is_manual(verdict)
    return {"name": "" if hidden else verdict.name, "points": verdict.max_points, "after": after}


def _check_repeated(assignment: Assignment, source: Mapping[str, Any]) -> None:
    """Refuse a solution that is written down a second time where students see it."""
    texts, solutions = split(source, assignment.source)
    seen = {f"cell {number}": text for number, text in enumerate(texts, start=1)}
    tests = [path for path in assignment.tests if not is_hidden(path.name)]
    seen |= {path.name: path.read_text(encoding="utf-8") for path in tests}
    for where, solution, statement in repeated(solutions, seen):
        problem = f"{where} repeats a statement of the solution in cell {solution.cell}, {statement!r}"
        raise AssignmentError(assignment.source, f"{problem}; write one of the two in another way")


def record(assignment: Assignment, seed: int, isolation: str, folder: Path) -> Recorder:
    """Run the tests over the solution and the planted mistakes, and return what they asked of the reference.

    Args:
        assignment: whose tests.
        seed: the seed of students' own runs.
        isolation: as for grading.
        folder: where the planted mistakes may be written.
    """
    entries = [Entry("solution", assignment.source, assignment.notebook)]
    if (assignment.folder / SPECIMENS).is_file():
        planted = {s.name for s in load_specimens(assignment.folder) if not s.correct}
        written = [p for p in write_specimens(assignment.folder, folder) if p.stem in planted]
    else:
        written = write_perturbed(assignment, source_notebook(assignment.folder), folder)
    entries += [Entry(p.stem, p, p.name) for p in written]
    recorder = Recorder(assignment)
    with answered_by(recorder):
        run_tests(assignment, entries, seed, isolation)
    return recorder


def seen_names(folder: Path) -> set[str]:
    """Return every word that students see in a released folder: in the notebook, the tests, the texts."""
    found: set[str] = set()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name != sealing.FILE:
            text = "\n".join(_texts(file)) if file.suffix == ".ipynb" else _text(file)
            found |= set(_WORD.findall(text))
    return found


def known_to(names: set[str]) -> Callable[[str], bool]:
    """Return whether who sees ``names`` knows a name: also ``dW4`` from ``dW1``, or from ``f"dW{layer}"``."""
    stems = {name.rstrip(string.digits) for name in names}
    return lambda name: name in names or name.rstrip(string.digits) in stems


def _texts(notebook: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):
        return ""


def search(folder: Path, assignment: Assignment, source: Mapping[str, Any]) -> Iterator[str]:
    """Yield, in words, every place of a released folder where the solution can be read.

    Looked for are the telling statements of every solution, and the names that only solutions have, in every
    file, every member of every archive, and every value of a notebook's JSON.
    """
    texts, solutions = split(source, assignment.source)
    given = known_to(set(_WORD.findall("\n".join(texts))) | seen_names(folder))
    own = {name for solution in solutions for name in own_names(solution)} - _OF_PACKS
    names = {name for name in own if not given(name)}
    statements = [s for solution in solutions for s in telling_statements(solution.text)]
    for where, data in _everything(folder):
        text, known = _readable(data), names
        if "\x00" in text:  # numbers: two letters side by side prove nothing there
            known = {name for name in names if len(name) >= _LONG}
        squeezed = re.sub(r"\s+|\\n", "", text).replace('\\"', "'").replace('"', "'")
        for statement in statements:
            if re.sub(r"\s+", "", statement).replace('"', "'") in squeezed:
                yield f"{where} holds the statement {statement!r}"
        for name in sorted(known & set(_WORD.findall(text))):
            yield f"{where} holds the name {name!r}, which only the solution has"


def own_names(solution: Solution) -> set[str]:
    """Return the names that a solution uses: variables, attributes, keys; without those of the language."""
    tree = parsed(solution.text)
    if tree is None:
        return set(_WORD.findall(solution.text))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            found.add(node.value)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
    usual = set(dir(builtins))
    return {name for name in found if len(name) > 1 and name not in usual and not keyword.iskeyword(name)}


def _readable(data: bytes) -> str:
    """Return bytes as text; of an array's file what stands after its head."""
    if data.startswith(b"\x93NUMPY"):
        data = data[10 + int.from_bytes(data[8:10], "little") :]
    return data.decode("utf-8", "replace")


def _everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield everything in a folder that may hold text: files, and the members of archives."""
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        where, data = file.relative_to(folder).as_posix(), file.read_bytes()
        yield where, data
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield from ((f"{where}, member {name}", archive.read(name)) for name in archive.namelist())


def _tried(
    assignment: Assignment,
    folder: Path,
    out: Path,
    level: str,
    solved: Result,
    seed: int,
    isolation: str,
) -> Release:
    """Run the released tests over the solution and over the student's notebook as it is handed out."""
    released = load_assignment(folder)
    solution = Entry("solution", assignment.source, assignment.notebook)
    empty = Entry("nothing written", released.source, released.notebook)
    here, nothing = run_tests(released, [solution, empty], seed, isolation)
    lost = [v for v in here.tests if v.outcome not in (Outcome.PASSED, Outcome.WAITS)]
    if lost:
        problem = f"the solution fails {lost[0].name} with the pack, and not without it"
        raise AssignmentError(assignment.folder, f"{problem}; please report this with the assignment")
    hidden = [v for v in solved.tests if is_hidden(v.nodeid)]
    waiting = [v for v in here.tests if v.outcome is Outcome.WAITS]
    return Release(
        folder=out,
        level=level,
        here=here.points,
        after=sum(v.max_points for v in [*hidden, *waiting]),
        undecided=tuple(v.name for v in waiting if not is_manual(v)),
        hidden=tuple(v.name for v in hidden),
        free=tuple(v.name for v in nothing.tests if v.outcome is Outcome.PASSED),
    )
