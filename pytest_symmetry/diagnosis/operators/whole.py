"""Mistakes of a function as a whole: which examples it looks at, and which loss it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.diagnosis.observation import Scope, Site, number
from pytest_symmetry.diagnosis.operators.change import Change, code, product

if TYPE_CHECKING:
    from numpy.typing import NDArray


_EXAMPLES = re.compile(r"example|sample|data|batch", re.IGNORECASE)


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


def turns(site: Site, scope: Scope) -> Iterator[Change]:
    """Examples that should take turns, and of which only the first or last is used."""
    node = site.node
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.BinOp):
        return
    if isinstance(node.slice.op, ast.Mod) and _EXAMPLES.search(ast.unparse(node.value)):
        for index, cause in ((0, "only-first-example"), (-1, "only-last-example")):
            one = ast.Subscript(node.value, ast.Constant(index), ast.Load())
            yield Change(one, cause, {"target": scope.function.name})


def errors_of_one(site: Site, scope: Scope) -> Iterator[Change]:
    """The error of all examples but one is lost on the way, while the average still counts them all."""
    node, value = site.node, site.value
    if not isinstance(node, ast.expr) or not site.is_quantity:
        return
    if not site.target.lower().startswith(("d", "err", "g")):
        return
    axes = [i for i, n in enumerate(value.shape) if scope.is_m(n)] if isinstance(value, np.ndarray) else []
    if not isinstance(value, np.ndarray) or len(axes) != 1 or value.ndim > 2:
        return
    m = value.shape[axes[0]]
    shape = tuple(m if i == axes[0] else 1 for i in range(value.ndim))
    for rule, cause in (
        ("== 0", "only-first-example"),
        (f"== {m - 1}", "only-last-example"),
        (f"< {m - 1}", "last-example-left-out"),
        ("> 0", "first-example-left-out"),
    ):
        kept = product(node, code(f"(np.arange({m}) {rule}).reshape({shape})"))
        yield Change(kept, cause, {"target": site.target})


def loss(site: Site, scope: Scope) -> Iterator[Change]:
    """The squared error where the cross-entropy belongs: recognised by its value, its sum or its mean."""
    if not isinstance(site.node, ast.BinOp | ast.UnaryOp | ast.Call) or number(site.value) is None:
        return
    for (a, outputs), (y, labels) in permutations(_arguments(scope), 2):
        if outputs.shape != labels.shape or not np.isin(labels, (0, 1)).all() or labels.size < 2:
            continue
        if not ((outputs > 0) & (outputs < 1)).all():
            continue
        entropy = -float(np.sum(labels * np.log(outputs) + (1 - labels) * np.log(1 - outputs)))
        squares = f"np.sum(({a} - {y}) ** 2)"
        facts = {"target": scope.function.name}
        for divisor in (1, *(n for n in set(labels.shape) if scope.is_m(n)), labels.size):
            if np.isclose(site.value, entropy / divisor, rtol=1e-10, atol=0):
                by = "" if divisor == 1 else f" / {divisor}"
                for text in (f"({squares}{by})", f"({squares}{by} / 2)"):
                    yield Change(code(text), "squared-error-for-cross-entropy", facts)


def _arguments(scope: Scope) -> list[tuple[str, NDArray[Any]]]:
    """Return the arrays that the function is given, by name."""
    named = [(a.arg, scope.atoms.get(a.arg)) for a in scope.function.args.args]
    return [(name, array) for name, array in named if isinstance(array, np.ndarray)]


WHOLE_OPERATORS: tuple[Callable[[Site, Scope], Iterator[Change]], ...] = (
    examples,
    turns,
    errors_of_one,
    loss,
)
