"""Mistakes of a function as a whole: which examples it looks at, and which loss it is."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import numpy as np

from pytest_symmetry.diagnosis.observation import Scope, Site
from pytest_symmetry.diagnosis.operators.change import Change, code


def examples(site: Site, scope: Scope) -> Iterator[Change]:
    """Only the first or last example is used, or the last is left out."""
    if site.parent is not scope.function or not isinstance(site.node, ast.stmt):
        return
    if site.index is None or site.index > 3:
        return
    data = {}
    for argument in scope.function.args.args:
        array = scope.atoms.get(argument.arg)
        if isinstance(array, np.ndarray) and any(scope.is_m(n) for n in array.shape):
            data[argument.arg] = [i for i, n in enumerate(array.shape) if scope.is_m(n)][-1]
    if not data:
        return
    for cut, cause in (
        (":1", "only-first-example"),
        ("-1:", "only-last-example"),
        (":-1", "last-example-left-out"),
    ):
        lines = [f"{name} = {name}[{':, ' * axis}{cut}]" for name, axis in data.items()]
        body = [*ast.parse("\n".join(lines)).body, site.node]
        yield Change(ast.If(ast.Constant(True), body, []), cause, {"target": scope.function.name})


def loss(site: Site, scope: Scope) -> Iterator[Change]:
    """The squared error where the cross-entropy belongs."""
    node = site.node
    if not isinstance(node, ast.Return) or node.value is None:
        return
    value = next((s.value for s in scope.sites if s.node is node.value), None)
    arrays = [(a.arg, scope.atoms.get(a.arg)) for a in scope.function.args.args]
    named = [(name, array) for name, array in arrays if isinstance(array, np.ndarray)]
    if not isinstance(value, float | np.floating) or len(named) < 2:
        return
    (a, outputs), (y, labels) = named[:2]
    if outputs.shape != labels.shape or not np.isin(labels, (0, 1)).all() or not scope.m_code:
        return
    squares = f"np.sum(({a} - {y}) ** 2)"
    for text in (
        f"{squares} / {scope.m_code}",
        f"{squares} / (2 * {scope.m_code})",
        f"np.mean(({a} - {y}) ** 2)",
    ):
        yield Change(
            ast.Return(code(text)), "squared-error-for-cross-entropy", {"target": scope.function.name}
        )


WHOLE_OPERATORS: tuple[Callable[[Site, Scope], Iterator[Change]], ...] = (examples, loss)
