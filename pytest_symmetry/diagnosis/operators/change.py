"""One planted mistake, and the few words of syntax that all operators need."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """What to write into a site's slot, and the mistake it stands for.

    ``specific`` marks a mistake of the field ("the derivative of tanh is missing"); one that merely says how
    the formula differs ("a factor is missing") is not specific and gives way to one that is.
    """

    node: ast.AST
    cause: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    specific: bool = True


@lru_cache(maxsize=4096)
def code(text: str) -> ast.expr:
    """Return the expression that ``text`` spells."""
    return ast.parse(text, mode="eval").body


def product(left: ast.expr, right: ast.expr) -> ast.expr:
    """Return ``left * right``."""
    return ast.BinOp(left, ast.Mult(), right)


def scaled(factor: float, node: ast.expr) -> ast.expr:
    """Return a number times ``node``."""
    return product(ast.Constant(factor), node)


def called(node: ast.AST) -> str:
    """Return the last name of the function that a call calls: "sum" for np.sum(…) and x.sum(…)."""
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def renamed(call: ast.Call, name: str) -> ast.Call:
    """Return the same call of another function of the same module or object."""
    if isinstance(call.func, ast.Attribute):
        return ast.Call(ast.Attribute(call.func.value, name, ast.Load()), call.args, call.keywords)
    return ast.Call(ast.Name(name, ast.Load()), call.args, call.keywords)


def names_in(node: ast.AST) -> set[str]:
    """Return every name that a node reads."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
