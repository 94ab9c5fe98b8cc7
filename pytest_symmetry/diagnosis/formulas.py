"""A formula of somebody's code, computed here without running their code: plain array arithmetic only.

Names get the values that they are given; whatever is not arithmetic of small arrays is refused.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pytest_symmetry.diagnosis.operators.change import called

LARGEST = 1_000_000
"""Entries that a result may have: the sizes of what enters, multiplied, are no more than this."""


class NotArithmetic(Exception):
    """The formula holds something that is not computed here."""


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.MatMult: operator.matmul,
    ast.Pow: operator.pow,
}
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
_FUNCTIONS = frozenset(
    {
        "abs",
        "add",
        "cosh",
        "divide",
        "dot",
        "exp",
        "log",
        "matmul",
        "maximum",
        "mean",
        "multiply",
        "ones_like",
    }
    | {"power", "sqrt", "square", "subtract", "sum", "tanh", "transpose", "where", "zeros_like", "full_like"}
)
_METHODS = frozenset({"dot", "mean", "sum", "transpose"})
_NUMPY = ("np", "numpy")


def computed(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """Return what an expression is worth.

    Args:
        node: the expression.
        values: what its names stand for, by :func:`plain_name`.

    Raises:
        NotArithmetic: it holds a name without a value, a call that is not known, or too large an array.
    """
    with np.errstate(all="ignore"):
        try:
            return _value(node, values)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError, IndexError, MemoryError) as error:
            raise NotArithmetic(str(error)) from None


def plain_name(node: ast.expr) -> str | None:
    """Return what a node is called, spelling apart: "w1" for W1, W_1, parameters["W1"]; None for others."""
    text = None
    if isinstance(node, ast.Name):
        text = node.id
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        text = node.slice.value if isinstance(node.slice.value, str) else None
    return text.replace("_", "").lower() if text is not None else None


def is_length(node: ast.expr) -> bool:
    """Return whether a node is a length of an array: ``X.shape[1]``."""
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "shape"
        and isinstance(node.slice, ast.Constant | ast.UnaryOp)
    )


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value if isinstance(node.value, bool) else float(node.value)
    if (name := plain_name(node)) is not None:
        if name not in values:
            raise NotArithmetic(name)
        return values[name]
    if is_length(node) and isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
        return float(np.shape(_value(node.value.value, values))[_plain(node.slice)])
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _small(_value(node.left, values), _value(node.right, values))
        return _BINARY[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _value(node.operand, values)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
        return _COMPARED[type(node.ops[0])](_value(node.left, values), _value(node.comparators[0], values))
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return np.transpose(_value(node.value, values))
    if isinstance(node, ast.Call):
        return _called(node, values)
    raise NotArithmetic(type(node).__name__)


def _called(node: ast.Call, values: Mapping[str, Any]) -> Any:
    name, owner = called(node), node.func.value if isinstance(node.func, ast.Attribute) else None
    keywords = {k.arg: _plain(k.value) for k in node.keywords if k.arg in ("axis", "keepdims")}
    if owner is None or len(keywords) < len(node.keywords):
        raise NotArithmetic(name)
    if isinstance(owner, ast.Name) and owner.id in _NUMPY:
        if name not in _FUNCTIONS:
            raise NotArithmetic(name)
        return getattr(np, name)(*_small(*_arguments(node, values)), **keywords)
    if name not in _METHODS:
        raise NotArithmetic(name)
    array, *rest = _small(np.asarray(_value(owner, values)), *_arguments(node, values))
    return getattr(array, name)(*rest, **keywords)


def _arguments(node: ast.Call, values: Mapping[str, Any]) -> list[Any]:
    """Return the arguments of a call; whole numbers stay whole, for they may be axes."""
    return [
        argument.value
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int)
        else _value(argument, values)
        for argument in node.args
    ]


def _plain(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise NotArithmetic(ast.dump(node)) from None


def _small(*values: Any) -> tuple[Any, ...]:
    """Return what enters an operation, unless its result may be too large."""
    if math.prod(map(np.size, values)) > LARGEST:
        msg = "too large"
        raise NotArithmetic(msg)
    return values
