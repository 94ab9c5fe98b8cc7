"""Mistakes in what is mixed: which product is summed, whose share is which, how many terms count."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator

import numpy as np

from pytest_symmetry.diagnosis.observation import Scope, Site, number
from pytest_symmetry.diagnosis.operators.change import Change, called, code, product

_BIAS_GRADIENT = re.compile(r"^(db|grad_?b|gb)")


def summed_product(site: Site, scope: Scope) -> Iterator[Change]:
    """A bias gradient that sums the product which makes the weight gradient, before anything is added."""
    node = site.node
    if not _BIAS_GRADIENT.match(site.target) or called(node) != "sum":
        return
    if not isinstance(node, ast.Call) or len(node.args) != 1:
        return
    error = ast.unparse(node.args[0])
    for other in ast.walk(scope.function):
        if not isinstance(other, ast.BinOp) or not isinstance(other.op, ast.MatMult):
            continue
        if error in (ast.unparse(other.left), ast.unparse(other.right)):
            summed = ast.Call(node.func, [other], node.keywords)
            yield Change(summed, "bias-from-weight-gradient", {"target": site.target})


def logarithm_slope(site: Site, scope: Scope) -> Iterator[Change]:
    """The error of a softmax where the loss is the probability of the true class, not its logarithm."""
    node = site.node
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
        return
    a, y = ast.unparse(node.left), ast.unparse(node.right)
    outputs, labels = scope.atoms.get(a), scope.atoms.get(y)
    if not isinstance(outputs, np.ndarray) or not isinstance(labels, np.ndarray):
        return
    if outputs.ndim != 2 or outputs.shape != labels.shape:
        return
    for axis in (0, 1):
        if np.allclose(outputs.sum(axis=axis), 1) and np.array_equal(labels.max(axis=axis), labels.sum(axis)):
            chosen = code(f"np.sum({a} * {y}, axis={axis}, keepdims=True)")
            yield Change(product(node, chosen), "logarithm-slope-missing", {"target": site.target})


def kept_where_nothing_comes(site: Site, _scope: Scope) -> Iterator[Change]:
    """A place that is overwritten, but only where something is written to it."""
    node = site.node
    if not isinstance(node, ast.AugAssign) or not isinstance(node.op, ast.Add):
        return
    if isinstance(node.target, ast.Subscript):
        place, value = ast.unparse(node.target), ast.unparse(node.value)
        written = ast.Assign([node.target], code(f"np.where(({value}) != 0, {value}, {place})"))
        yield Change(written, "overwritten-not-added", {"target": site.target})


def shares(site: Site, scope: Scope) -> Iterator[Change]:
    """A running mean whose two shares are exchanged: beta stands at the new value."""
    node = site.node
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
        return
    for inner in ast.walk(node.right):
        if ast.unparse(inner).startswith("1 - ") and isinstance(inner, ast.BinOp):
            share = inner.right
            if isinstance(share, ast.Name) and _reads(node.left, share.id) and _is_share(scope, share.id):
                turned = _Exchanged(share.id).visit(copy.deepcopy(node))
                yield Change(turned, "shares-exchanged", {"target": site.target})
                return


def _is_share(scope: Scope, name: str) -> bool:
    """Return whether a variable is one number between 0 and 1: labels are no shares."""
    value = number(scope.atoms.get(name))
    return value is not None and 0 < value < 1


def _reads(node: ast.AST, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


class _Exchanged(ast.NodeTransformer):
    """Reads 1 - share where share is read, and the other way round."""

    def __init__(self, share: str) -> None:
        self._share = share

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Return the share itself for 1 - share."""
        if ast.unparse(node) == f"1 - {self._share}":
            return ast.Name(self._share, ast.Load())
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return 1 - share for the share."""
        return code(f"(1 - {self._share})") if node.id == self._share else node


def first_term(site: Site, _scope: Scope) -> Iterator[Change]:
    """Of three terms or more only the first is left."""
    node = site.node
    if not _is_sum(node) or _is_sum(site.parent) or not isinstance(node, ast.BinOp):
        return
    if not _is_sum(node.left):
        return
    first = node.left
    while _is_sum(first) and isinstance(first, ast.BinOp):
        first = first.left
    yield Change(first, "one-term-left", {"target": site.target}, specific=False)


def _is_sum(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def squares(site: Site, _scope: Scope) -> Iterator[Change]:
    """A variance or a standard deviation that is divided by one less than the number of values."""
    node = site.node
    if called(node) not in ("var", "std") or not isinstance(node, ast.Call):
        return
    if all(keyword.arg != "ddof" for keyword in node.keywords):
        call = ast.Call(node.func, node.args, [*node.keywords, ast.keyword("ddof", ast.Constant(1))])
        yield Change(call, "divided-by-m-minus-1", {"target": site.target})


MIXTURE_OPERATORS: tuple[Callable[[Site, Scope], Iterator[Change]], ...] = (
    summed_product,
    logarithm_slope,
    kept_where_nothing_comes,
    shares,
    first_term,
    squares,
)
