"""Mistakes of where and when: places that are written more than once, strides, the order of time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

import numpy as np

from pytest_symmetry.diagnosis.observation import Scope, Site
from pytest_symmetry.diagnosis.operators.change import Change, called, code, names_in


def gates(site: Site, _scope: Scope) -> Iterator[Change]:
    """Sums written into overlapping or repeated places that are overwritten, and the reverse."""
    node = site.node
    facts = {"target": site.target}
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        assigned = ast.Assign([node.target], node.value)
        yield Change(assigned, "overwritten-not-added", facts)
    if isinstance(node, ast.Expr) and called(node.value) == "at" and isinstance(node.value, ast.Call):
        array, index, value = node.value.args[:3]
        text = f"{ast.unparse(array)}[{ast.unparse(index)}] = {ast.unparse(value)}"
        yield Change(ast.parse(text).body[0], "overwritten-not-added", facts)


def reused(site: Site, scope: Scope) -> Iterator[Change]:
    """A value that is used twice keeps one of its two gradients; sums of the same function are kept so too.

    In a loop back through time one comes from the loss and the other, carried along, from the step after.
    """
    node, facts = site.node, {"target": site.target}
    if not (carried := _carried(scope.function)):
        return
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        once = ast.Assign([node.target], ast.BinOp(node.value, ast.Add(), ast.Constant(0)))
        yield Change(once, "overwritten-not-added", facts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for own, name in ((node.left, node.right), (node.right, node.left)):
            if isinstance(name, ast.Name) and name.id in carried:
                later = code(f"np.where(np.any({name.id}), {name.id}, {ast.unparse(own)})")
                yield Change(later, "overwritten-not-added", facts)


def _carried(function: ast.FunctionDef) -> set[str]:
    """Return the variables that start as zeros and get a new value in each round of a loop."""
    loops = [node for node in ast.walk(function) if isinstance(node, ast.For | ast.While)]
    rounds = {id(node) for loop in loops for node in ast.walk(loop)}
    given = [(id(n), name, value) for n in ast.walk(function) for name, value in _bound(n)]
    starts = {name for _, name, value in given if called(value).startswith("zeros")}
    return starts & {name for node, name, _ in given if node in rounds}


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the variables that an assignment binds, with their formulas."""
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        yield from ((one.id, value) for one, value in pairs if isinstance(one, ast.Name))


def another_example(site: Site, scope: Scope) -> Iterator[Change]:
    """An array of labels that is read one example too early or too late where it picks entries."""
    if not isinstance(site.node, ast.Name) or not isinstance(site.parent, ast.Tuple | ast.Subscript):
        return
    labels = scope.atoms.get(site.node.id)
    if site.slot not in ("slice", "elts") or not isinstance(labels, np.ndarray):
        return
    if labels.dtype.kind in "iu" and labels.ndim == 1 and labels.size > 1:
        for step in (1, -1):
            moved = code(f"np.roll({site.node.id}, {step})")
            yield Change(moved, "index-off-by-one", {"target": site.target})


def inside_sum(site: Site, _scope: Scope) -> Iterator[Change]:
    """A term that is added to each entry before the sum, not once after it."""
    node = site.node
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
        return
    total, term = node.left, node.right
    if isinstance(total, ast.Call) and called(total) == "sum" and total.args:
        inner = ast.BinOp(total.args[0], ast.Add(), term)
        moved = ast.Call(total.func, [inner, *total.args[1:]], total.keywords)
        yield Change(moved, "term-inside-the-sum", {"target": site.target})


def overlap(site: Site, _scope: Scope) -> Iterator[Change]:
    """A place that several rounds of an outer loop add to, and that each round clears first."""
    node = site.node
    if not isinstance(node, ast.For) or not isinstance(node.target, ast.Name):
        return
    for statement in node.body:
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Subscript):
            if node.target.id in names_in(statement.target.slice):
                continue
            cleared = ast.Assign([statement.target], ast.Constant(0))
            facts = {"target": ast.unparse(statement.target.value)}
            yield Change(ast.If(ast.Constant(True), [cleared, node], []), "overwritten-not-added", facts)


def strided_place(site: Site, scope: Scope) -> Iterator[Change]:
    """A place that is written to: each index that counts in strides counts in ones there, and only there."""
    node = site.node
    if not isinstance(node, ast.AugAssign) or not isinstance(node.target, ast.Subscript):
        return
    plain = {name: index for name, index in _strided(scope.function) if name in names_in(node.target.slice)}
    if plain:
        moved = ast.Subscript(node.target.value, _Replaced(plain).visit(copy.deepcopy(node.target.slice)))
        moved.ctx = ast.Store()
        yield Change(ast.AugAssign(moved, node.op, node.value), "stride-ignored", {"target": site.target})


def _strided(function: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that are an index times a stride, and the index."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
                for index, factor in ((value.left, value.right), (value.right, value.left)):
                    if isinstance(factor, ast.Name) and "stride" in factor.id.lower():
                        yield node.targets[0].id, index


class _Replaced(ast.NodeTransformer):
    """Reads an expression where a name is read."""

    def __init__(self, plain: dict[str, ast.expr]) -> None:
        self._plain = plain

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return what stands for the name."""
        return copy.deepcopy(self._plain.get(node.id, node))


def stride(site: Site, _scope: Scope) -> Iterator[Change]:
    """A stride or a padding that is left out of an index."""
    node = site.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for kept, dropped in ((node.left, node.right), (node.right, node.left)):
            if isinstance(dropped, ast.Name) and "stride" in dropped.id.lower():
                yield Change(kept, "stride-ignored", {"target": site.target})


def recurrence(site: Site, _scope: Scope) -> Iterator[Change]:
    """Time that runs the wrong way."""
    node = site.node
    if isinstance(node, ast.For) and called(node.iter) == "reversed" and isinstance(node.iter, ast.Call):
        forwards = ast.For(node.target, node.iter.args[0], node.body, node.orelse)
        yield Change(forwards, "loop-runs-forwards", {"target": site.target})


PLACE_OPERATORS: tuple[Callable[[Site, Scope], Iterator[Change]], ...] = (
    gates,
    reused,
    another_example,
    inside_sum,
    overlap,
    strided_place,
    stride,
    recurrence,
)
