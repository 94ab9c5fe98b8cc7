"""The reference's source as a program that can be run again, whole or with one function changed.

The source is the course staff's own; what is run with it are changed copies of it, which may loop for ever
or raise. So loops count their rounds against a limit, and the names that reach files or the interpreter are
not there.
"""

from __future__ import annotations

import ast
import builtins
import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.diagnosis.limits import Tick, counted_itertools, counted_numpy, counted_range
from pytest_symmetry.diagnosis.sizes import walked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.context import Call

ROUNDS = 20_000
"""Rounds of loops and comprehensions, and calls, that one run of all steps may take."""

NOBODY = -1
"""The call that gave what no call gave: an argument that the test made itself."""

PATIENCE = 10
"""A changed program may take this many times the rounds of the reference."""

_MODULES = frozenset(
    {"__future__", "abc", "collections", "copy", "dataclasses", "enum", "functools", "itertools", "math"}
    | {"numpy", "operator", "random", "typing"}
)
_REFUSED = frozenset({"open", "exec", "eval", "compile", "input", "breakpoint", "exit", "quit", "__import__"})
_WRITERS = frozenset(
    {"save", "savez", "savez_compressed", "savetxt", "tofile", "dump", "memmap", "open_memmap"}
)
_TICK = "__tick__"


class Stopped(Exception):
    """A run used up its rounds."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An argument that is (a part of) what an earlier step returned."""

    step: int
    path: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a function of the program; arguments may be :class:`Earlier` results."""

    function: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


class Program:
    """The functions of a source text, run in a namespace of their own.

    Raises:
        ValueError: the text is not Python, or its definitions cannot be run.
    """

    def __init__(self, source: str) -> None:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError) as error:
            msg = f"the reference's source cannot be read: {error}"
            raise ValueError(msg) from error
        tree.body = [node for node in tree.body if not _is_foreign_import(node)]
        _Ticks().visit(tree)
        ast.fix_missing_locations(tree)
        self.functions = dict(_functions(tree))
        self._rounds = 0
        self._limit = ROUNDS
        self._namespace: dict[str, Any] = {
            "__builtins__": _builtins(self._tick),
            "__name__": "reference",
            _TICK: self._tick,
        }
        try:
            with _quiet():
                code = compile(_counted(tree), "<reference>", "exec")
                exec(code, self._namespace)  # noqa: S102 - the staff's own source
        except Exception as error:
            msg = f"the reference's definitions cannot be run: {error}"
            raise ValueError(msg) from error
        self._namespace.setdefault("np", self._namespace["__builtins__"]["__import__"]("numpy"))

    def _tick(self, rounds: int = 1) -> None:
        self._rounds += rounds
        if self._rounds > self._limit:
            raise Stopped

    def rounds_of(self, steps: Sequence[Step]) -> int:
        """Run the steps, return the rounds that took, and allow later runs :data:`PATIENCE` times as many.

        Raises:
            Exception: whatever the program raises; :class:`Stopped` where it takes more than :data:`ROUNDS`.
        """
        self._limit = ROUNDS
        self.run(steps)
        taken = self._rounds
        self._limit = min(ROUNDS, PATIENCE * taken + 100)
        return taken

    def reachable(self, steps: Sequence[Step]) -> list[str]:
        """Return the functions that the steps call, directly or not, callers first."""
        found: list[str] = []
        waiting = list(dict.fromkeys(step.function for step in steps))
        while waiting:
            name = waiting.pop(0)
            if name in found or name not in self.functions:
                continue
            found.append(name)
            waiting.extend(self._used_by(self.functions[name]))
        return found

    def leads_to(self, function: str) -> frozenset[str]:
        """Return the functions that one calls, directly or not, without itself."""
        return frozenset(self.reachable([Step(function)])) - {function}

    def _used_by(self, function: ast.FunctionDef) -> list[str]:
        """Return the functions that one names, and all methods of the classes it names and of their bases."""
        names = dict.fromkeys(n.id for n in ast.walk(function) if isinstance(n, ast.Name))
        bases = {b.__name__: None for n in names for b in getattr(self._namespace.get(n), "__mro__", ())}
        named = {**names, **bases}
        return [f for name in named for f in self.functions if f == name or f.startswith(f"{name}.")]

    @contextmanager
    def changed(self, *functions: ast.FunctionDef, **names: Any) -> Iterator[None]:
        """Put ``functions`` in the place of those of their names, with further ``names`` in reach."""
        self._namespace.update(names)
        old: list[tuple[ast.FunctionDef, Any]] = []
        try:
            for function in functions:
                made: dict[str, Any] = {}
                code = compile(_counted(ast.Module([function], [])), "<changed>", "exec")
                exec(code, self._namespace, made)  # noqa: S102 - a changed copy of the staff's source
                old.append((function, self._put(function, made[function.name])))
            yield
        finally:
            for function, value in reversed(old):
                self._put(function, value)
            for name in names:
                self._namespace.pop(name, None)

    def _put(self, function: ast.FunctionDef, value: Any) -> Any:
        """Bind a function or a method anew and return what was bound before."""
        owner = getattr(function, "owner", "")
        holder = vars(self._namespace[owner]) if owner else self._namespace
        before = holder[function.name]
        if owner:
            setattr(self._namespace[owner], function.name, value)
        else:
            self._namespace[function.name] = value
        return before

    def run(self, steps: Sequence[Step]) -> list[Any]:
        """Run the steps on copies of their arguments and return what each gave.

        Raises:
            Exception: whatever the program raises; :class:`Stopped` where its rounds are used up.
        """
        self._rounds = 0
        results: list[Any] = []
        with _quiet():
            for step in steps:
                args = [_argument(value, results) for value in step.args]
                kwargs = {key: _argument(value, results) for key, value in step.kwargs.items()}
                results.append(self._namespace[step.function](*args, **kwargs))
        return results


def qualified(function: ast.FunctionDef) -> str:
    """Return what a function is called in :attr:`Program.functions`: ``backward``, or ``Layer.backward``."""
    owner = getattr(function, "owner", "")
    return f"{owner}.{function.name}" if owner else function.name


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the functions and the methods of a module; not those whose super() needs its class around it."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(method, ast.FunctionDef) and "super" not in _names_in(method):
                method.owner = node.name  # type: ignore[attr-defined]  # copies keep it
                yield qualified(method), method


def _names_in(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


@lru_cache(maxsize=16)
def program_of(source: str) -> Program:
    """Return the program of a source, made once.

    Raises:
        ValueError: as :class:`Program`.
    """
    return Program(source)


def _argument(value: Any, results: list[Any]) -> Any:
    if isinstance(value, Earlier):
        found = results[value.step]
        for key in value.path:
            found = found[key]
        return _copied(found)
    return _copied(value)


def _copied(value: Any) -> Any:
    """Return a copy that shares nothing; much faster than deepcopy for what arguments are made of."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) is dict:
        return {key: _copied(member) for key, member in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_copied(member) for member in value)
    if value is None or isinstance(value, bool | int | float | str | np.generic):
        return value
    return copy.deepcopy(value)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings to ourselves and the global random state as it was."""
    state = np.random.get_state()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(state)


def _builtins(tick: Tick) -> dict[str, Any]:
    kept = {name: value for name, value in vars(builtins).items() if name not in _REFUSED}
    counted = {"numpy": counted_numpy(tick), "itertools": counted_itertools(tick)}

    def importing(name: str, *rest: Any) -> Any:
        level = rest[3] if len(rest) > 3 else 0
        if level or name.split(".")[0] not in _MODULES:
            msg = f"no module {name!r} here"
            raise ImportError(msg)
        found = builtins.__import__(name, *rest)
        return counted.get(found.__name__, found)

    made = {"print": lambda *_, **__: None, "range": counted_range(tick), "__import__": importing}
    return {**kept, **made}


def _is_foreign_import(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] not in _MODULES for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in _MODULES


class _Ticks(ast.NodeTransformer):
    """Counts loop rounds and entries of functions."""

    def _tick(self, node: Any) -> Any:
        self.generic_visit(node)
        call = ast.Expr(ast.Call(ast.Name(_TICK, ast.Load()), [], []))
        first = 1 if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None else 0
        node.body.insert(first, call)
        return node

    visit_For = visit_While = visit_FunctionDef = _tick  # noqa: N815 - ast finds them by these names


class _InnerTicks(ast.NodeTransformer):
    """Counts calls of lambdas and rounds of comprehensions too: a changed size can make them endless."""

    def _counting(self, value: ast.expr) -> ast.expr:
        call = ast.Call(ast.Name(_TICK, ast.Load()), [], [])
        both = ast.Tuple([call, value], ast.Load())
        return ast.Subscript(both, ast.Constant(1), ast.Load())

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self.generic_visit(node)
        node.body = self._counting(node.body)
        return node

    def _comprehension(self, node: Any) -> Any:
        self.generic_visit(node)
        node.generators[-1].ifs.insert(0, self._counting(ast.Constant(value=True)))
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 - as above


_INNER = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _counted(module: ast.Module) -> ast.Module:
    """Return what is to be run: the module, or a copy that counts inside expressions too.

    The tree itself stays as it is, because mistakes are planted in it.
    """
    if not any(isinstance(node, _INNER) for node in ast.walk(module)):
        return module
    counted: ast.Module = _InnerTicks().visit(copy.deepcopy(module))
    return ast.fix_missing_locations(counted)


def is_tick(node: ast.AST) -> bool:
    """Return whether a statement is one of the counters that were put in."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Name)
        and node.value.func.id == _TICK
    )


def writes_files(function: ast.FunctionDef) -> bool:
    """Return whether a function uses one of numpy's ways to write a file: such functions are not changed."""
    return any(isinstance(n, ast.Attribute) and n.attr in _WRITERS for n in ast.walk(function))


def steps_of(calls: Sequence[Call], chosen: Sequence[int]) -> tuple[list[Step], dict[int, int]]:
    """Return the steps that repeat the chosen calls, and which step stands for which call.

    An argument that is a result of an earlier call (a cache handed from forward to backward) becomes an
    :class:`Earlier`, and that call becomes a step too: so a change in forward reaches backward, and the steps
    are the same for every student.
    """
    owners: dict[int, tuple[int, tuple[Any, ...]]] = {}
    needed = set(chosen)
    links: dict[int, dict[int | str, tuple[int, tuple[Any, ...]]]] = {}
    for i, call in enumerate(calls):
        slots: list[tuple[int | str, Any]] = [*enumerate(call.args), *call.kwargs.items()]
        owned = [(key, owners.get(id(value), (NOBODY, ()))) for key, value in slots if _owned(value)]
        links[i] = {key: owner for key, owner in owned if owner[0] != NOBODY}
        # A result may hold an argument of its own call (a cache with X in it): that one is nobody's result.
        for value in (*call.args, *call.kwargs.values()):
            _own(value, NOBODY, (), owners)
        _own(call.result, i, (), owners)
    for i in sorted(needed, reverse=True):
        needed |= {owner for owner, _ in links[i].values()}
    while grown := {owner for i in needed for owner, _ in links[i].values()} - needed:
        needed |= grown
    order = sorted(needed)
    place = {call: step for step, call in enumerate(order)}
    steps = []
    for i in order:
        known = {key: Earlier(place[owner], path) for key, (owner, path) in links[i].items()}
        args = tuple(known.get(k, value) for k, value in enumerate(calls[i].args))
        kwargs = {key: known.get(key, value) for key, value in calls[i].kwargs.items()}
        steps.append(Step(calls[i].function, args, kwargs))
    return steps, place


def _owned(value: Any) -> bool:
    """Return whether identity means something: small numbers and texts are shared by everybody."""
    return value is not None and not isinstance(value, bool | int | float | str | bytes)


def _own(
    value: Any, call: int, path: tuple[Any, ...], owners: dict[int, tuple[int, tuple[Any, ...]]]
) -> None:
    if not _owned(value) or len(path) > 4:
        return
    owners.setdefault(id(value), (call, path))
    if isinstance(value, Mapping):
        for key, member in value.items():
            _own(member, call, (*path, key), owners)
    elif isinstance(value, list | tuple):
        for i, member in enumerate(value):
            _own(member, call, (*path, i), owners)


def measured(value: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays and numbers of a result with their paths."""
    for path, member in walked(value):
        if isinstance(member, bool | int | float | np.generic | np.ndarray):
            array = np.asarray(member)
            if array.dtype.kind in "fiub":
                yield path, array
