"""The cells of a submission -> the functions asked for.

Definitions are run first, in the order of the notebook: imports, functions, classes, constants. No other
statement runs until a name is missing; then the one cell that binds it is run, and the report says so. What
cannot be read or run costs only the functions that need it. Used in the student's process for submissions
and in the judge's for the reference; standard library only.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import linecache
import re
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import CodeType

_MAGIC = re.compile(r"^\s*[%!?]|\?\s*$|^\s*[\w, ]+=\s*[!%]")
_TIMED_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%memit")
_SALVAGES = 50
_RESCUES = 25


class MissingModuleError(ImportError):
    """A library that is not here was used."""


class _MissingName:
    """Stands for a name of a library that is not here; using it raises, naming the library does not."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, name: str) -> _MissingName:
        if name.startswith("__"):
            raise AttributeError(name)
        return _MissingName(f"{self.__dict__['_name']}.{name}")

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        name = self.__dict__["_name"]
        msg = f"{name} was used, but {name.split('.')[0]} is not installed here"
        raise MissingModuleError(msg, name=name)

    __getitem__ = __iter__ = __enter__ = __len__ = __float__ = __array__ = __call__
    __add__ = __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __matmul__ = __truediv__ = __call__


@dataclass(slots=True)
class Problem:
    """A statement that could not be read or run, and the names it would have bound."""

    cell: int
    line: int
    kind: str
    message: str
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Statement:
    """One top-level statement of a cell."""

    cell: int
    node: ast.stmt
    binds: frozenset[str]
    definition: bool
    done: bool = False


@dataclass(slots=True)
class Namespace:
    """The names of one submission, bound as they are needed.

    ``cells_run`` lists (cell, name) for each cell that had to be run because only it binds a name. A script
    has no cells: with ``whole_cells`` off only the statements that bind the name are run.
    """

    cells: list[tuple[int, str]]
    aliases: Mapping[str, Iterable[str]] = field(default_factory=dict)
    label: str = "cell"
    whole_cells: bool = True
    names: dict[str, Any] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    cells_run: list[tuple[int, str]] = field(default_factory=list)

    def load(self) -> Namespace:
        """Read every cell and run the definitions; nothing is raised for what a cell holds."""
        self.names.update({"__name__": "submission", "__builtins__": builtins, "__doc__": None})
        for number, text in self.cells:
            self._read(number, text)
        for statement in self.statements:
            if statement.definition:
                self._define(statement)
        return self

    def filename(self, cell: int) -> str:
        """Return the file name that tracebacks show for a cell."""
        return f"<{self.label} {cell}>"

    def _read(self, number: int, text: str) -> None:
        tree, source, problems = parse_leniently(text, number, self.filename(number))
        self.problems += problems
        lines = [line + "\n" for line in source.splitlines()]
        linecache.cache[self.filename(number)] = (len(source), None, lines, self.filename(number))
        for node in tree.body:
            if not _is_main_guard(node):
                self.statements.append(Statement(number, node, bound_names(node), is_definition(node)))

    def _define(self, statement: Statement) -> None:
        if isinstance(statement.node, ast.Import | ast.ImportFrom):
            self._import(statement)
            return
        try:
            self._with_rescue(lambda: self._run(statement))
        except BaseException as error:  # noqa: BLE001 - a class body may raise anything, even SystemExit
            self._note(statement, error)

    def _import(self, statement: Statement) -> None:
        try:
            self._run(statement)
        except Exception:  # noqa: BLE001 - a library that breaks while it is imported is not here either
            assert isinstance(statement.node, ast.Import | ast.ImportFrom)
            for alias in statement.node.names:
                whole = alias.name
                if isinstance(statement.node, ast.ImportFrom):
                    whole = f"{statement.node.module or ''}.{alias.name}"
                self.names[alias.asname or alias.name.split(".")[0]] = _MissingName(whole)

    def _run(self, statement: Statement) -> None:
        statement.done = True
        code = compile(
            ast.Module([statement.node], []), self.filename(statement.cell), "exec", dont_inherit=True
        )
        exec(code, self.names)  # noqa: S102 - running the submission is what this process is for

    def _note(self, statement: Statement, error: BaseException) -> None:
        line = last_place(error, self.label)[1] or statement.node.lineno
        self.problems.append(
            Problem(statement.cell, line, type(error).__name__, str(error), tuple(sorted(statement.binds)))
        )

    def _with_rescue(self, action: Callable[[], Any]) -> Any:
        """Run ``action``; when a global name is missing, run the cell that binds it and try again."""
        for _ in range(_RESCUES):
            try:
                return action()
            except NameError as error:
                if isinstance(error, UnboundLocalError) or not self._bind(error.name):
                    raise
        return action()

    def _bind(self, name: str | None) -> bool:
        """Run the first cell not yet run that binds ``name``; return whether it is bound now."""
        if name is None or name in self.names:
            return False
        waiting = [s for s in self.statements if not s.done and name in s.binds]
        for cell in dict.fromkeys(s.cell for s in waiting):
            self.cells_run.append((cell, name))
            self._run_cell(cell, name)
            if name in self.names:
                return True
        return False

    def _run_cell(self, cell: int, name: str) -> None:
        for statement in self.statements:
            wanted = self.whole_cells or name in statement.binds
            if statement.cell == cell and wanted and not statement.done:
                statement.done = True
                try:
                    self._with_rescue(lambda s=statement: self._run(s))  # type: ignore[misc]
                except Exception as error:  # noqa: BLE001 - as a notebook: the cell stops, the report says why
                    self._note(statement, error)
                    return

    def find(self, name: str) -> Any:
        """Return the object bound to ``name`` or one of its aliases.

        Raises:
            KeyError: nothing of that name can be had.
        """
        for candidate in (name, *self.aliases.get(name, ())):
            if candidate in self.names or self._bind(candidate):
                return self.names[candidate]
        raise KeyError(name)

    def call(self, name: str, arguments: Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]) -> Any:
        """Call a function with fresh ``arguments()``; cells that bind missing globals are run on the way."""
        function = self.find(name)

        def attempt() -> Any:
            args, kwargs = arguments()
            return function(*args, **kwargs)

        return self._with_rescue(attempt)

    def node(self, name: str) -> tuple[int, ast.stmt] | None:
        """Return the cell and the syntax tree of the last top-level definition of ``name``."""
        for statement in reversed(self.statements):
            if statement.definition and name in statement.binds:
                return statement.cell, statement.node
        return None

    def nearest(self, name: str) -> list[tuple[str, int]]:
        """Return up to three function names most like ``name``, with the cell of each."""
        known = {
            s.node.name: s.cell for s in self.statements if isinstance(s.node, ast.FunctionDef | ast.ClassDef)
        }
        return [(near, known[near]) for near in difflib.get_close_matches(name, known, n=3, cutoff=0.5)]

    def definitions(self) -> str:
        """Return the text of all definitions as one module (for a trusted reference)."""
        return "\n\n".join(ast.unparse(s.node) for s in self.statements if s.definition) + "\n"


def parse_leniently(text: str, cell: int, filename: str) -> tuple[ast.Module, str, list[Problem]]:
    """Parse a cell; IPython lines are blanked, and a block that is not Python costs only itself.

    Returns the tree, the text that was parsed (same line numbers), and what could not be read.
    """
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\x00", "")
    problems: list[Problem] = []
    if text.lstrip().startswith("%%"):
        text = _without_cell_magic(text)
    for _ in range(_SALVAGES):
        try:
            return ast.parse(text, filename), text, problems
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None) or 1
            lines = text.split("\n")
            at = min(line, len(lines)) - 1
            if _MAGIC.search(lines[at]):
                lines[at] = re.match(r"\s*", lines[at])[0] + "pass"  # type: ignore[index]
            elif not _drop_block(lines, at, cell, error, problems):
                break
            text = "\n".join(lines)
    return ast.Module([], []), text, problems


def _without_cell_magic(text: str) -> str:
    """Blank the line of a magic that times its cell; blank the whole cell of any other language."""
    start = text.index("%%")
    first, _, rest = text[start:].partition("\n")
    if first.split()[0] in _TIMED_MAGICS:
        return text[:start] + "\n" + rest
    return "\n" * text.count("\n")


def _drop_block(lines: list[str], at: int, cell: int, error: BaseException, problems: list[Problem]) -> bool:
    """Blank the top-level block around line ``at``; return whether anything was left to blank."""
    starts = [i for i, line in enumerate(lines) if line[:1].strip() and line[0] not in "#)]}"]
    before = [i for i in starts if i <= at]
    first = before[-1] if before else 0
    while first in starts and lines[first].startswith("@") is False and first - 1 in starts:
        if not lines[first - 1].startswith("@"):
            break
        first -= 1
    after = [i for i in starts if i > at]
    last = after[0] if after else len(lines)
    if not any(line.strip() for line in lines[first:last]):
        return False
    names = re.findall(r"^(?:async\s+)?(?:def|class)\s+(\w+)", "\n".join(lines[first:last]), re.MULTILINE)
    message = getattr(error, "msg", None) or str(error)
    problems.append(Problem(cell, at + 1, type(error).__name__, message, tuple(names)))
    lines[first:last] = [""] * (last - first)
    return True


def bound_names(node: ast.AST) -> frozenset[str]:
    """Return the names that a top-level statement binds in the module."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset([node.name])
    if isinstance(node, ast.Import | ast.ImportFrom):
        return frozenset(a.asname or a.name.split(".")[0] for a in node.names)
    if isinstance(node, ast.Name):
        return frozenset([node.id] if isinstance(node.ctx, ast.Store) else [])
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return frozenset()
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        found |= bound_names(child)
    if isinstance(node, ast.ExceptHandler) and node.name:
        found.add(node.name)
    return frozenset(found)


def is_definition(node: ast.stmt) -> bool:
    """Return whether a top-level statement only defines: import, function, class, constant, plain alias."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return True
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        plain = all(isinstance(t, ast.Name | ast.Tuple) for t in targets)
        return plain and node.value is not None and _is_constant(node.value)
    if isinstance(node, ast.Try):
        parts = [*node.body, *node.orelse, *node.finalbody, *(s for h in node.handlers for s in h.body)]
        return all(is_definition(s) or isinstance(s, ast.Pass) for s in parts)
    if isinstance(node, ast.If):
        return _is_constant(node.test) and all(is_definition(s) for s in [*node.body, *node.orelse])
    return False


def _is_constant(node: ast.expr) -> bool:
    """Return whether evaluating an expression calls nothing: literals, their arithmetic, names, lambdas."""
    if isinstance(node, ast.Lambda):
        return True
    allowed = (
        ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Name, ast.Attribute, ast.expr_context,
        ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Compare, ast.cmpop,
    )  # fmt: skip
    return all(isinstance(part, allowed) for part in ast.walk(node))


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__main__" in ast.dump(node.test)


def is_stub(node: ast.AST | None) -> bool:
    """Return whether a function is the template's stub: nothing but a docstring, pass, ..., None, a raise."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    blank: set[str] = set()
    for statement in node.body:
        if isinstance(statement, ast.Assign) and _is_blank(statement.value, blank):
            blank |= bound_names(statement)
        elif isinstance(statement, ast.Return):
            return statement.value is None or _is_blank(statement.value, blank)
        elif isinstance(statement, ast.Raise):
            return "NotImplementedError" in ast.dump(statement)
        elif not (isinstance(statement, ast.Pass | ast.Assert) or _is_literal_line(statement)):
            return False
    return True


def _is_literal_line(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_blank(value: ast.expr, blank: set[str]) -> bool:
    """Return whether an expression is None or ..., or a container of such and of names still blank."""
    if isinstance(value, ast.Constant):
        return value.value is None or value.value is ...
    if isinstance(value, ast.Name):
        return value.id in blank
    if isinstance(value, ast.Tuple | ast.List):
        return bool(value.elts) and all(_is_blank(v, blank) for v in value.elts)
    if isinstance(value, ast.Dict):
        return bool(value.values) and all(_is_blank(v, blank) for v in value.values)
    return False


def last_place(error: BaseException, label: str = "cell") -> tuple[int | None, int | None, str | None]:
    """Return cell, line and function of the innermost frame of ``error`` that lies in the submission."""
    cell, line, function = None, None, None
    for frame, lineno in traceback.walk_tb(error.__traceback__):
        if (number := cell_of(frame.f_code.co_filename, label)) is not None:
            cell, line, function = number, lineno, function_of(frame.f_code)
    return cell, line, function


def function_of(code: CodeType) -> str:
    """Return the function that a piece of code stands in: a comprehension or a lambda has no name itself."""
    parts = code.co_qualname.replace(".<locals>.", ".").split(".")
    named = [part for part in parts if not part.startswith("<")]
    return named[-1] if named else code.co_name


def cell_of(filename: str, label: str = "cell") -> int | None:
    """Return the number of the cell that a code object's file name stands for."""
    found = re.fullmatch(rf"<{label} (\d+)>", filename)
    return int(found[1]) if found else None


def student_traceback(error: BaseException, label: str = "cell") -> str:
    """Return the traceback of ``error`` with the submission's own frames only."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if cell_of(f.filename, label) is not None]
    lines = traceback.format_list(frames[-8:]) + traceback.format_exception_only(type(error), error)
    return "".join(lines)
