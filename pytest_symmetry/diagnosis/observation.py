"""What every expression of the reference is worth while it runs: the ground on which mistakes are planted.

A copy of a function with each expression wrapped in a recorder is run on the probes. The last value of each
expression tells what it is (the derivative of tanh, the number of examples, a bias), whatever it is called.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pytest_symmetry.diagnosis.replay import Program, Step, is_tick

_RECORDED = (
    ast.BinOp,
    ast.Call,
    ast.Attribute,
    ast.Subscript,
    ast.UnaryOp,
    ast.Name,
    ast.Compare,
    ast.Constant,
)
_NOTE = "__note__"
_TAKE = "__take__"
_LARGE = 50_000


@dataclass(slots=True)
class Site:
    """One node of a function, its slot in the tree, and what surrounds it.

    ``target`` is the quantity that the node's statement computes; ``value`` what the node was worth last.
    """

    node: ast.AST
    parent: ast.AST
    slot: str
    index: int | None
    statement: ast.stmt
    target: str
    value: Any = None

    @property
    def is_quantity(self) -> bool:
        """Whether the node is all of what is stored or returned under the target's name."""
        if not isinstance(self.node, ast.expr):
            return False
        if isinstance(self.parent, ast.Dict):
            return self.slot == "values"
        return isinstance(self.parent, ast.Assign | ast.Return) and self.slot == "value"

    def put(self, node: Any) -> None:
        """Write another node into the slot."""
        if self.index is None:
            setattr(self.parent, self.slot, node)
        else:
            getattr(self.parent, self.slot)[self.index] = node


@dataclass(slots=True)
class Scope:
    """One function of the reference: its nodes in order, and its variables by the text that reads them.

    ``pieces`` are the parts of arrays that the function reads, such as ``a[:, :, t]``; ``given`` are the
    arrays among its arguments and in the dicts among them, whether it reads them or not.
    """

    function: ast.FunctionDef
    sites: list[Site]
    atoms: dict[str, Any]
    sizes: Mapping[int, str] = field(default_factory=dict)
    pieces: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    _values: dict[int, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._values = {id(site.node): site.value for site in self.sites}

    def value_of(self, node: ast.AST | None) -> Any:
        """Return what a node of the function was worth last, or None."""
        return self._values.get(id(node))

    def around(self, site: Site) -> dict[str, Any]:
        """Return the arrays inside a site's own expression, then the variables and the pieces of arrays.

        The site's own come first: a piece of another expression may be of an earlier round of a loop.
        """
        inside = {
            _bracketed(node): value
            for node in ast.walk(site.node)
            if node is not site.node and isinstance(value := self.value_of(node), np.ndarray)
        }
        return {**inside, **{k: v for k, v in {**self.pieces, **self.atoms}.items() if k not in inside}}

    def is_m(self, value: Any) -> bool:
        """Return whether a value is the number of examples."""
        return number(value) is not None and self.sizes.get(int(value)) == "m" and float(value) == int(value)

    @property
    def m_code(self) -> str | None:
        """Code that gives the number of examples inside this function, or None."""
        for text, value in self.atoms.items():
            if isinstance(value, int | np.integer) and self.is_m(value):
                return text
        for text, value in self.atoms.items():
            for axis, length in enumerate(value.shape if isinstance(value, np.ndarray) else ()):
                if self.is_m(length):
                    return f"{text}.shape[{axis}]"
        return None


def _bracketed(node: ast.AST) -> str:
    """Return a node's text, in brackets where it is more than one term."""
    text = ast.unparse(node)
    return text if isinstance(node, ast.Name | ast.Subscript | ast.Call | ast.Attribute) else f"({text})"


def number(value: Any) -> float | None:
    """Return a value as a number, or None where it is not a single finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    return float(value) if np.isfinite(value) else None


def observe(program: Program, steps: Sequence[Step], sizes: Mapping[int, str]) -> list[Scope]:
    """Run the steps once with every reachable function recorded, and return what each one holds."""
    scopes = []
    for name in program.reachable(steps):
        function = program.functions[name]
        for k, node in enumerate(ast.walk(function)):
            node.mark = k  # type: ignore[attr-defined]  # found again in the recorded copy
        values: dict[int, Any] = {}
        given: dict[str, Any] = {}

        def note(mark: int, value: Any, values: dict[int, Any] = values) -> Any:
            values[mark] = _kept(value)
            return value

        def take(arguments: dict[str, Any], given: dict[str, Any] = given) -> None:
            given.update(_arrays(arguments))

        recorded = _Recorder().visit(copy.deepcopy(function))
        recorded.body.insert(0, ast.parse(f"{_TAKE}(locals())").body[0])
        ast.fix_missing_locations(recorded)
        with program.changed(recorded, **{_NOTE: note, _TAKE: take}):
            program.run(steps)
        scopes.append(_scope(function, values, sizes))
        scopes[-1].given = given
    return scopes


def _arrays(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the arrays among some arguments, by the code that reads them."""
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            yield name, _kept(value)
        elif isinstance(value, Mapping):
            arrays = {key: member for key, member in value.items() if isinstance(member, np.ndarray)}
            yield from ((f"{name}[{key!r}]", _kept(member)) for key, member in arrays.items())


def _kept(value: Any) -> Any:
    """Return what is remembered of a value: arrays and numbers as they are now, of a container its keys."""
    if isinstance(value, np.ndarray):
        return value.copy() if value.size <= _LARGE else None
    if isinstance(value, Mapping):
        return {"keys": sorted(map(str, value))}
    if isinstance(value, bool | int | float | str | np.generic | np.random.Generator):
        return value
    return {"length": len(value)} if isinstance(value, list | tuple) else None


class _Recorder(ast.NodeTransformer):
    """Wraps expressions in calls of the recorder."""

    def visit(self, node: ast.AST) -> Any:
        """Wrap a node that is read; leave what is stored to, annotated or formatted."""
        if isinstance(node, ast.JoinedStr | ast.Slice | ast.arguments) or is_tick(node):
            return node
        self.generic_visit(node)
        stored = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
        if not isinstance(node, _RECORDED) or stored:
            return node
        mark = ast.Constant(node.mark)  # type: ignore[union-attr]
        return ast.Call(ast.Name(_NOTE, ast.Load()), [mark, node], [])


def _scope(function: ast.FunctionDef, values: Mapping[int, Any], sizes: Mapping[int, str]) -> Scope:
    sites = []
    atoms: dict[str, Any] = {}
    for site in _sites(function):
        mark = getattr(site.node, "mark", -1)
        site.value = values.get(mark)
        sites.append(site)
        if site.value is not None and is_atom(site.node):
            atoms.setdefault(ast.unparse(site.node), site.value)
        if isinstance(site.node, ast.Assign) and is_atom(site.node.targets[0]):
            value = values.get(getattr(site.node.value, "mark", -1))
            if value is not None:
                atoms.setdefault(ast.unparse(site.node.targets[0]), value)
    pieces = {
        ast.unparse(site.node): site.value
        for site in sites
        if isinstance(site.node, ast.Subscript) and isinstance(site.value, np.ndarray)
    }
    return Scope(function, sites, atoms, sizes, pieces)


def is_atom(node: ast.AST) -> bool:
    """Return whether a node reads one variable: a name, an entry under a fixed text, or one of self's."""
    if isinstance(node, ast.Name):
        return True
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "self"
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )


def _sites(function: ast.FunctionDef) -> Iterator[Site]:
    """Yield every node below the function's body with its slot, outermost first."""
    for i, statement in enumerate(function.body):
        if not is_tick(statement) and not _is_docstring(statement):
            yield from _below(statement, function, "body", i, statement, function.name)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _below(
    node: ast.AST, parent: ast.AST, slot: str, index: int | None, statement: ast.stmt, target: str
) -> Iterator[Site]:
    if isinstance(node, ast.stmt):
        statement, target = node, _target(node) or target
    yield Site(node, parent, slot, index, statement, target)
    for name, value in ast.iter_fields(node):
        if name in ("ctx", "annotation", "returns", "decorator_list", "args") and not isinstance(
            node, ast.Call
        ):
            continue
        members = value if isinstance(value, list) else [value]
        for i, member in enumerate(members):
            if isinstance(member, ast.AST) and not is_tick(member):
                inner = _key(node, i) if isinstance(node, ast.Dict) else ""
                at = i if isinstance(value, list) else None
                yield from _below(member, node, name, at, statement, inner or target)


def _key(node: ast.Dict, i: int) -> str:
    key = node.keys[i] if i < len(node.keys) else None
    return str(key.value) if isinstance(key, ast.Constant) else ""


def _target(statement: ast.stmt) -> str:
    """Return what a statement computes: a variable, or the key it is stored under."""
    if isinstance(statement, ast.Assign):
        return _target_name(statement.targets[0])
    if isinstance(statement, ast.AugAssign | ast.AnnAssign):
        return _target_name(statement.target)
    return ""


def _target_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Tuple):
        return ", ".join(filter(None, map(_target_name, node.elts)))
    if isinstance(node, ast.Subscript):
        texts = [
            n.value for n in ast.walk(node.slice) if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        return texts[0] if texts and texts[0] else _target_name(node.value)
    return ""
