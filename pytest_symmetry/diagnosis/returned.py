"""What the parts of a function's result are called, read from the reference's source."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=64)
def returned_names(source: str, function: str) -> tuple[str, ...]:
    """Return the variable names in ``function``'s return statement, or () where they are not plain names.

    ``return dW1, db1`` gives ``("dW1", "db1")`` and ``return A2`` gives ``("A2",)``. Parts that have no name
    of their own are called by their position, ``result[1]``.
    """
    if not source or not function:
        return ()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return _names(node)
    return ()


def _names(function: ast.FunctionDef) -> tuple[str, ...]:
    found = {
        _parts(node.value) for node in _own_nodes(function) if isinstance(node, ast.Return) and node.value
    }
    return found.pop() if len(found) == 1 else ()


def _own_nodes(function: ast.FunctionDef) -> list[ast.AST]:
    """Return the nodes of a function without those of functions defined inside it."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))
    return found


def _parts(value: ast.expr) -> tuple[str, ...]:
    if isinstance(value, ast.Name):
        return (value.id,)
    if isinstance(value, ast.Tuple):
        return tuple(e.id if isinstance(e, ast.Name) else f"result[{i}]" for i, e in enumerate(value.elts))
    return ()
