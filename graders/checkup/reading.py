"""What can be seen of an assignment without running it: functions, markers, points, clocks and dice."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from graders.specimens import source_notebook
from graders.student_notebook import BEGIN, END, split
from pytest_symmetry.assignment import HIDDEN
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.namespace import parse_leniently
from pytest_symmetry.questions import functions_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_symmetry.assignment import Assignment

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_CLOCKS = ("time.", "datetime.", "date.today", "uuid.", "secrets.", "os.urandom", "os.getpid")
_MADE_WITH_A_SEED = ("default_rng", "RandomState", "Generator", "SeedSequence", "PCG64", "Random", "seed")
_NO_SEED = ("default_rng", "RandomState", "SeedSequence", "PCG64", "Random")


def read_over(assignment: Assignment) -> Iterator[str]:
    """Yield a sentence for everything wrong that reading alone shows."""
    yield from _functions(assignment)
    yield from _stray_tests(assignment)
    for file in assignment.tests:
        tree = _tree(file)
        if isinstance(tree, str):
            yield tree
            continue
        yield from _points(file, tree)
        yield from _clocks_and_dice(file, tree)


def _tree(file: Path) -> ast.Module | str:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        return f"{file.name}, line {error.lineno}: it is not Python ({error.msg}); pytest cannot read it"
    except (OSError, ValueError) as error:
        return f"{file.name}: it cannot be read ({error})"


def _functions(assignment: Assignment) -> Iterator[str]:
    """Yield what does not fit between [functions], the notebook, its markers and the tests."""
    try:
        source = source_notebook(assignment.folder)
        split(source, assignment.source)
    except AssignmentError as error:
        yield str(error)
        return
    places = _definitions(source)
    try:
        wanted = functions_of(assignment)
    except AssignmentError:  # a test file that is not Python is told on its own
        return
    for name in wanted:
        if name not in places:
            yield (
                f"{assignment.notebook}: there is no function {name!r}, which assignment.toml or a test asks "
                "for; write it, or take the name away"
            )
    given = [name for name in wanted if name in places and not places[name]]
    if any(places.values()):
        for name in given:
            yield (
                f"{assignment.notebook}: the function {name!r} has no lines between {BEGIN!r} and {END!r}; "
                "students would receive it complete"
            )
    for name in assignment.aliases:
        if assignment.functions and name not in assignment.functions:
            yield f"assignment.toml: aliases.{name}: [functions] does not list it; list it, or mend the name"


def _definitions(source: Any) -> dict[str, bool]:
    """Return the functions and classes of a notebook, and whether a part of each is between the markers."""
    found: dict[str, bool] = {}
    for cell in source["cells"]:
        if cell["cell_type"] != "code":
            continue
        text = "".join(cell["source"])
        tree, _, _ = parse_leniently(text, 0, "cell")  # lines for Jupyter itself are left out
        marked = _marked_lines(text)
        for node in tree.body:
            if isinstance(node, Definition):
                inside = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                found[node.name] = found.get(node.name, False) or bool(marked & set(inside))
            for name in _assigned(node):
                found[name] = found.get(name, False) or node.lineno in marked
    return found


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _marked_lines(text: str) -> set[int]:
    marked, inside = set(), False
    for number, line in enumerate(text.splitlines(), start=1):
        inside = (inside or line.strip() == BEGIN) and line.strip() != END
        if inside:
            marked.add(number)
    return marked


def _stray_tests(assignment: Assignment) -> Iterator[str]:
    if not assignment.tests:
        yield f"{assignment.folder.name}: there is no test file in this folder; add a test_….py"
    for file in sorted(assignment.folder.glob("*.py")):
        if file in assignment.tests or file.name == "conftest.py":
            continue
        tree = _tree(file)
        nodes = [] if isinstance(tree, str) else tree.body
        if any(isinstance(n, ast.FunctionDef) and n.name.startswith("test_") for n in nodes):
            better = (
                HIDDEN + re.sub(r"hidden|tests?", "", file.stem).strip("_") if "hidden" in file.stem else ""
            )
            name = f"{better or 'test_' + file.stem}.py"
            yield f"{file.name}: it holds tests that nobody runs; files of tests begin with test_: {name}"


def _points(file: Path, tree: ast.Module) -> Iterator[str]:
    """Yield what is wrong with points markers, as far as their values stand there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for marker in node.decorator_list:
                yield from _marker(file, node.name, marker)


def _marker(file: Path, test: str, marker: ast.expr) -> Iterator[str]:
    where = f"{file.name}, line {marker.lineno}: {test}"
    example = "write for example @pytest.mark.points(2)"
    if isinstance(marker, ast.Attribute) and marker.attr == "points":
        yield f"{where}: the marker says no points; {example}"
        return
    named = isinstance(marker, ast.Call) and isinstance(marker.func, ast.Attribute)
    if not named or ast.unparse(marker).split("(")[0] != "pytest.mark.points":
        return
    assert isinstance(marker, ast.Call)
    given = [*marker.args, *(k.value for k in marker.keywords if k.arg == "n")]
    if not given:
        yield f"{where}: the marker says no points; {example}"
        return
    try:
        worth = ast.literal_eval(given[0])
    except ValueError:  # worked out when the file is run: the run tells
        return
    if isinstance(worth, bool) or not isinstance(worth, int | float) or not 0 <= worth < float("inf"):
        yield f"{where}: its points are {worth!r}, which is no number of points; {example}"
    elif worth == 0:
        yield f"{where}: it is worth 0 points, which nobody gains or loses; {example}, or take it away"


def _clocks_and_dice(file: Path, tree: ast.Module) -> Iterator[str]:
    """Yield each use of the time, or of random numbers that no seed fixes."""
    names = _imported(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    # A test that sets the global seed asks the same each time; the run shows where that is not so.
    seeded = any(ast.unparse(c.func).endswith("random.seed") and c.args for c in calls)
    for node in calls:
        head, _, rest = ast.unparse(node.func).partition(".")
        called = f"{names.get(head, '')}.{rest}".strip(".")
        where = f"{file.name}, line {node.lineno}: {ast.unparse(node)}"
        if head not in names:
            continue
        if called.startswith(_CLOCKS):
            yield f"{where}: what a test asks would depend on when it is run; take it out"
        elif _is_loose(called, node, seeded=seeded):
            yield f"{where}: no seed fixes these numbers; draw them from the fixture probe_rng"


def _is_loose(called: str, node: ast.Call, *, seeded: bool) -> bool:
    last = called.rpartition(".")[2]
    if "(" in called or not called.startswith(
        ("numpy.random.", "random.")
    ):  # a method: its maker is looked at
        return False
    if last in _NO_SEED and not node.args and not node.keywords:
        return True
    return last not in _MADE_WITH_A_SEED and not seeded


def _imported(tree: ast.Module) -> dict[str, str]:
    """Return what the names at the head of calls stand for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {
                (a.asname or a.name.partition(".")[0]): (a.name if a.asname else a.name.partition(".")[0])
                for a in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {(a.asname or a.name): f"{node.module}.{a.name}" for a in node.names}
    return found
