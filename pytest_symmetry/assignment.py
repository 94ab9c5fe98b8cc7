"""assignment.toml -> Assignment, and the reference that its source notebook holds.

Every key is checked when the file is read; an error names the file and the key.
"""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from pytest_symmetry.errors import AssignmentError, SubmissionError
from pytest_symmetry.namespace import Namespace, last_place
from pytest_symmetry.points import PointsPolicy, read_points
from pytest_symmetry.reveal import REVEAL as REVEAL
from pytest_symmetry.reveal import Policy, read_policy
from pytest_symmetry.submission import read_submission

FILE = "assignment.toml"
SCHEMA = 1

HIDDEN = "test_hidden_"
"""How the names of test files begin that stay with staff."""

_KEYS: dict[str, type | tuple[type, ...]] = {
    "schema": int,
    "name": str,
    "title": str,
    "notebook": str,
    "reveal": str,
    "reveal_after_due": str,
    "due": date,
    "timezone": str,
    "accept": list,
    "licence": str,
    "limits": dict,
    "functions": dict,
    "aliases": dict,
    "conventions": dict,
    "quantities": dict,
    "causes": list,
    "costs": dict,
    "questions": dict,
    "late": dict,
    "total": (int, float),  # what staff mean all points to be; `symmetry check` counts
}
_NEEDED = ("schema", "name", "title", "notebook")
_LIMITS: dict[str, type | tuple[type, ...]] = {"seconds_per_call": (int, float), "memory_mb": int}
_CAUSE_KEYS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "title": str,
    "hint": str,
    "cause": str,
    "replace": list,
}

CONVENTIONS = (
    "transposed-results",
    "sum-over-examples",
    "twice-the-loss",
    "half-the-loss",
    "biases-in-penalty",
    "penalty-doubled",
    "penalty-halved",
    "epsilon-inside-root",
    "epsilon-outside-root",
)
"""What ``accept`` may list; ``diagnosis.conventions`` says what each means."""

PLANTED = "__planted__"
"""The name under which the reference's source carries the course's own mistakes."""

_KINDS = {
    int: "a whole number",
    str: "a text",
    list: "a list",
    dict: "a table",
    (int, float): "a number",
    date: "a date or a time without quotes, such as 2026-12-01 or 2026-12-01T23:59:00",
}


@dataclass(frozen=True, slots=True)
class CourseCause:
    """A mistake that the course itself has a name for: the solution with texts replaced, and what is said.

    ``hint`` says which quantity and which kind of mistake, ``cause`` the mistake outright.
    """

    name: str
    title: str
    hint: str
    cause: str
    replace: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment: a folder with its notebook, its tests and its data."""

    folder: Path
    name: str
    title: str
    notebook: str
    policy: Policy = field(default_factory=Policy)
    accept: tuple[str, ...] = ()
    seconds_per_call: float = 5.0
    memory_mb: int = 1024
    functions: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    conventions: Mapping[str, str] = field(default_factory=dict)
    quantities: Mapping[str, str] = field(default_factory=dict)
    causes: tuple[CourseCause, ...] = ()
    points: PointsPolicy = field(default_factory=PointsPolicy)
    timezone: str = "UTC"

    @property
    def reveal(self) -> str:
        """How much feedback says today, to whom it is due when the assignment says."""
        return self.policy.today()

    @property
    def file(self) -> Path:
        """The path of assignment.toml."""
        return self.folder / FILE

    @property
    def source(self) -> Path:
        """The path of the source notebook."""
        return self.folder / self.notebook

    @property
    def data(self) -> Path | None:
        """The folder of files that submissions may read, if there is one."""
        folder = self.folder / "data"
        return folder if folder.is_dir() else None

    @property
    def tests(self) -> list[Path]:
        """The test files, in order."""
        return sorted(self.folder.glob("test_*.py"))


def load_assignment(folder: Path) -> Assignment:
    """Read ``folder/assignment.toml``.

    Raises:
        AssignmentError: the file or a key is missing, unknown or of the wrong kind.
    """
    file = folder / FILE
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssignmentError(file, "there is no such file; an assignment is a folder that has one") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AssignmentError(file, f"it cannot be read: {error}") from None
    _check_keys(file, data)
    limits = data.get("limits", {})
    aliases = data.get("aliases", {})
    _check_table(file, "limits", limits, _LIMITS)
    for name, others in aliases.items():
        if not isinstance(others, list) or not all(isinstance(other, str) for other in others):
            raise AssignmentError(file, "it must be a list of function names", f"aliases.{name}")
    assignment = Assignment(
        folder=folder.resolve(),
        name=data["name"],
        title=data["title"],
        notebook=data["notebook"],
        policy=read_policy(file, data),
        accept=tuple(data.get("accept", ())),
        seconds_per_call=float(limits.get("seconds_per_call", 5.0)),
        memory_mb=limits.get("memory_mb", 1024),
        functions=data.get("functions", {}),
        aliases=aliases,
        conventions={key: str(value) for key, value in data.get("conventions", {}).items()},
        quantities={key: str(value) for key, value in data.get("quantities", {}).items()},
        causes=tuple(_cause(file, i, table) for i, table in enumerate(data.get("causes", ()), start=1)),
        points=read_points(file, data),
        timezone=data.get("timezone", "UTC"),
    )
    _check_values(file, assignment)
    return assignment


def _cause(file: Path, number: int, table: Any) -> CourseCause:
    """Return one entry of [[causes]].

    Raises:
        AssignmentError: a key is missing, unknown or of the wrong kind.
    """
    key = f"causes[{number}]"
    if not isinstance(table, dict):
        raise AssignmentError(file, f"it is {table!r}, but must be a table; write [[causes]]", key)
    _check_table(file, key, table, _CAUSE_KEYS)
    for needed in ("name", "title", "hint", "replace"):
        if not table.get(needed):
            raise AssignmentError(file, f"it is missing; add a line {needed} = …", f"{key}.{needed}")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", table["name"]):
        problem = f"it is {table['name']!r}, but must be lower-case words joined by hyphens"
        raise AssignmentError(file, problem, f"{key}.name")
    pairs = table["replace"]
    if not all(isinstance(p, list) and len(p) == 2 and all(isinstance(t, str) for t in p) for p in pairs):
        problem = 'it must be a list of pairs, [["old text", "new text"]]'
        raise AssignmentError(file, problem, f"{key}.replace")
    return CourseCause(
        name=table["name"],
        title=table["title"],
        hint=table["hint"],
        cause=str(table.get("cause") or table["title"]),
        replace=tuple((old, new) for old, new in pairs),
    )


def _check_keys(file: Path, data: Mapping[str, Any]) -> None:
    for key in _NEEDED:
        if key not in data:
            raise AssignmentError(file, f"it is missing; add a line {key} = …", key)
    if data["schema"] != SCHEMA:
        problem = f"it is {data['schema']!r}, but this version of pytest-symmetry reads schema {SCHEMA}"
        raise AssignmentError(file, problem, "schema")
    _check_table(file, "", data, _KEYS)


def _check_table(
    file: Path, table: str, data: Mapping[str, Any], kinds: Mapping[str, type | tuple[type, ...]]
) -> None:
    for key, value in data.items():
        name = f"{table}.{key}" if table else key
        if key not in kinds:
            near = difflib.get_close_matches(key, kinds, n=1)
            meant = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(kinds)}"
            raise AssignmentError(file, f"there is no such key; {meant}", name)
        if not isinstance(value, kinds[key]) or isinstance(value, bool):
            raise AssignmentError(file, f"it is {value!r}, but must be {_KINDS[kinds[key]]}", name)


def _check_values(file: Path, assignment: Assignment) -> None:
    if assignment.seconds_per_call <= 0:
        raise AssignmentError(file, "it must be more than 0", "limits.seconds_per_call")
    if assignment.memory_mb < 16:
        raise AssignmentError(file, "it must be at least 16", "limits.memory_mb")
    for name in assignment.accept:
        if name not in CONVENTIONS:
            near = difflib.get_close_matches(str(name), CONVENTIONS, n=1)
            meant = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(CONVENTIONS)}"
            raise AssignmentError(file, f"{name!r} is no convention; {meant}", "accept")
    names = [cause.name for cause in assignment.causes]
    if twice := [name for name in names if names.count(name) > 1]:
        raise AssignmentError(file, f"two causes are called {twice[0]!r}", "causes")
    if Path(assignment.notebook).name != assignment.notebook:
        raise AssignmentError(file, "it must be the name of a file in this folder", "notebook")
    if not assignment.source.is_file():
        raise AssignmentError(file, f"there is no {assignment.notebook} in {assignment.folder}", "notebook")


def is_hidden(nodeid: str) -> bool:
    """Return whether a test (or a test file) stays with staff: its file is called ``test_hidden_….py``."""
    return nodeid.partition("::")[0].rpartition("/")[2].startswith(HIDDEN)


@functools.cache
def assignment_above(path: Path) -> Assignment | None:
    """Return the assignment of the nearest assignment.toml at or above ``path``, or None.

    Raises:
        AssignmentError: that file is not right.
    """
    for folder in (path, *path.parents):
        if (folder / FILE).is_file():
            return load_assignment(folder)
    return None


def bundled_assignments() -> dict[str, Path]:
    """Return the folders of the assignments that come with the package, by name."""
    package = Path(str(files("pytest_symmetry")))
    for root in (package / "bundled", package.parent / "assignments"):
        if root.is_dir():
            return {f.name: f for f in sorted(root.iterdir()) if (f / FILE).is_file()}
    return {}


def find_assignment(name: str) -> Assignment:
    """Return the assignment in the folder ``name``, or the bundled one of that name.

    Raises:
        AssignmentError: there is neither; the message lists the bundled ones.
    """
    folder = Path(name)
    if folder.is_dir():
        return load_assignment(folder)
    bundled = bundled_assignments()
    if name in bundled:
        return load_assignment(bundled[name])
    known = ", ".join(bundled) or "none"
    problem = f"there is no such assignment; give a folder with an {FILE}, or a bundled one ({known})"
    raise AssignmentError(name, problem)


class Reference:
    """The staff's solution: every attribute is a function of the source notebook, run in this process."""

    def __init__(self, namespace: Namespace, planted: Sequence[Mapping[str, str]] = ()) -> None:
        self._namespace = namespace
        self._planted = planted

    @functools.cached_property
    def source(self) -> str:
        """The text of all definitions, as one module, and the course's own mistakes as a literal."""
        planted = f"\n{PLANTED} = {[dict(p) for p in self._planted]!r}\n" if self._planted else ""
        return self._namespace.definitions() + planted

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        namespace = self._namespace
        try:
            function = namespace.find(name)
        except KeyError:
            msg = f"the source notebook has no function {name!r}"
            raise AttributeError(msg) from None
        if not callable(function):
            return function

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return namespace.call(name, lambda: (args, kwargs))

        return call


@functools.cache
def load_reference(assignment_folder: Path) -> Reference:
    """Load the reference from the source notebook of the assignment in a folder.

    Raises:
        AssignmentError: a cell of the notebook cannot be read, or a definition does not run.
    """
    assignment = load_assignment(assignment_folder)
    try:
        cells = read_submission(assignment.source).cells
    except SubmissionError as error:
        raise AssignmentError(assignment.file, str(error), "notebook") from None
    namespace = Namespace(list(cells), label="reference cell").load()
    for problem in namespace.problems:
        where = f"code cell {problem.cell}, line {problem.line}"
        raise AssignmentError(assignment.source, f"{where}: {problem.kind}: {problem.message}")
    planted = [_planted(assignment, i, list(cells)) for i in range(len(assignment.causes))]
    return Reference(namespace, planted)


def _planted(assignment: Assignment, number: int, cells: list[tuple[int, str]]) -> dict[str, str]:
    """Return one of the course's own mistakes: its words, and the definitions of the changed solution.

    Raises:
        AssignmentError: a text is not there exactly once, or what comes out is not Python.
    """
    cause, key = assignment.causes[number], f"causes[{number + 1}].replace"
    for old, new in cause.replace:
        hits = [i for i, (_, text) in enumerate(cells) if old in text]
        amount = sum(text.count(old) for _, text in cells)
        if amount != 1:
            found = "is in no code cell" if not amount else f"is there {amount} times; take more of the line"
            raise AssignmentError(assignment.file, f"the text {old!r} {found} of {assignment.notebook}", key)
        cell, text = cells[hits[0]]
        cells = [*cells[: hits[0]], (cell, text.replace(old, new)), *cells[hits[0] + 1 :]]
    namespace = Namespace(cells, label="changed cell").load()
    if namespace.problems:
        problem = namespace.problems[0]
        where = f"code cell {problem.cell}, line {problem.line}: {problem.kind}: {problem.message}"
        raise AssignmentError(assignment.file, f"the changed solution cannot be read: {where}", key)
    words = {"name": cause.name, "title": cause.title, "hint": cause.hint, "cause": cause.cause}
    return {**words, "source": namespace.definitions()}


def reference_place(error: BaseException) -> str:
    """Return where in the source notebook an error arose, or "" if it did not arise there."""
    cell, line, _ = last_place(error, "reference cell")
    return f"code cell {cell}, line {line}" if cell else ""
