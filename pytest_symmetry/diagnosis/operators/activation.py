"""Mistakes with activations, their derivatives, and the error at the output."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_symmetry.diagnosis.activations import (
    ACTIVATIONS,
    Activation,
    Recognised,
    is_plain,
    recognise_activation,
    recognise_derivative,
    same,
)
from pytest_symmetry.diagnosis.observation import Scope, Site, is_atom
from pytest_symmetry.diagnosis.operators.change import Change, called, code, product

MOST_FACTORS = 6
"""Factors of a product of which every two are looked at."""


def derivative(site: Site, scope: Scope) -> Iterator[Change]:
    """Where g'(z) stands: nothing, another activation's, at another place, or half the formula."""
    if not isinstance(site.node, ast.BinOp | ast.Compare | ast.Call) or is_atom(site.node):
        return
    found = recognise_derivative(site.value, scope.around(site))
    if found is None:
        return
    facts = {"activation": found.activation.name, "target": site.target}
    yield Change(ast.Constant(1.0), "activation-derivative-missing", facts)
    for text, cause, more in _instead(found):
        yield Change(code(text), cause, facts | more)
    yield Change(product(site.node, site.node), "activation-derivative-twice", facts)
    shape = np.shape(site.value)
    for text, array in scope.atoms.items():
        if (
            isinstance(array, np.ndarray)
            and is_plain(array)
            and array.shape != shape
            and _stretches(array, shape)
        ):
            for g in {found.activation, *_candidates(array)}:
                facts = {"activation": found.activation.name, "target": site.target, "instead": text}
                yield Change(code(g.from_a.format(a=text)), "derivative-at-another-layer", facts)


def derivative_in_product(site: Site, scope: Scope) -> Iterator[Change]:
    """Where two factors of a longer product are g'(z) between them, wherever they stand in it."""
    if isinstance(site.parent, ast.BinOp) and isinstance(site.parent.op, ast.Mult):
        return
    factors = list(_factors(site.node))
    if not 2 < len(factors) <= MOST_FACTORS:
        return
    for one, two in combinations(factors, 2):
        values = [scope.value_of(one), scope.value_of(two)]
        if not all(is_plain(value) for value in values) or values[0].shape != values[1].shape:
            continue
        found = recognise_derivative(values[0] * values[1], scope.around(site))
        if found is not None:
            facts = {"activation": found.activation.name, "target": site.target}
            rest = reduce(product, [factor for factor in factors if factor not in (one, two)])
            yield Change(rest, "activation-derivative-missing", facts)
            for text, cause, more in _instead(found):
                yield Change(product(rest, code(text)), cause, facts | more)


def _factors(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the factors of a product of products, from left to right."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factors(node.left)
        yield from _factors(node.right)
    elif isinstance(node, ast.expr):
        yield node


def _stretches(array: NDArray[Any], shape: tuple[int, ...]) -> bool:
    """Return whether an array is silently stretched to a shape."""
    try:
        return np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        return False


def _instead(found: Recognised) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the code of what may stand in the derivative's place, with its cause."""
    g, z, a = found.activation, found.z, found.a
    yield g.from_z.format(z=a), "derivative-at-activated-value", {}
    yield a, "activation-for-derivative", {}
    yield f"(1 - {a})", "derivative-incomplete", {}
    yield f"({a}**2)", "derivative-incomplete", {}
    if z is not None:
        yield z, "preactivation-for-derivative", {}
        yield g.from_a.format(a=z), "derivative-formula-given-z", {}
    for other in ACTIVATIONS:
        if other.name == g.name:
            continue
        more = {"instead": other.name}
        yield other.from_a.format(a=a), "derivative-of-another-activation", more
        if z is not None:
            yield other.from_z.format(z=z), "derivative-of-another-activation", more


def masked_derivative(site: Site, scope: Scope) -> Iterator[Change]:
    """A ReLU derivative that is taken by choosing or by overwriting entries."""
    node = site.node
    if called(node) == "where" and isinstance(node, ast.Call) and len(node.args) == 3:
        missing = Change(
            node.args[1], "activation-derivative-missing", {"activation": "ReLU", "target": site.target}
        )
        if (
            site.target.lower().startswith("d")
            and recognise_activation(site.value, scope.around(site)) is None
        ):
            yield missing
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        chosen = node.targets[0].slice
        if isinstance(chosen, ast.Compare) and isinstance(node.value, ast.Constant):
            facts = {"activation": "ReLU", "target": site.target}
            yield Change(ast.Pass(), "activation-derivative-missing", facts)


def derivative_call(site: Site, scope: Scope) -> Iterator[Change]:
    """Where a helper multiplies an error by g'(z): it is not called, or stands for another activation."""
    node = site.node
    if not isinstance(node, ast.Call) or len(node.args) < 2 or not isinstance(site.value, np.ndarray):
        return
    error = scope.value_of(node.args[0])
    if not isinstance(error, np.ndarray) or error.shape != site.value.shape or not error.all():
        return
    if recognise_activation(site.value, scope.around(site)) is not None:  # max(z, 0) is z times its slope
        return
    found = recognise_derivative(site.value / error, scope.around(site))
    if found is None:
        return
    facts = {"activation": found.activation.name, "target": site.target}
    yield Change(node.args[0], "activation-derivative-missing", facts)
    for text, cause, more in _instead(found):
        yield Change(product(node.args[0], code(text)), cause, facts | more)


def output_slope(site: Site, scope: Scope) -> Iterator[Change]:
    """Where the derivative of the cross-entropy with respect to the output is computed, by its value."""
    if not isinstance(site.node, ast.BinOp | ast.UnaryOp) or not is_plain(site.value):
        return
    for (a, outputs), (y, labels) in permutations(scope.atoms.items(), 2):
        if not isinstance(labels, np.ndarray) or not isinstance(outputs, np.ndarray):
            continue
        if outputs.shape != labels.shape or outputs.shape != site.value.shape or not is_plain(outputs):
            continue
        if not np.isin(labels, (0, 1)).all() or not ((outputs > 0) & (outputs < 1)).all():
            continue
        if same(site.value, (outputs - labels) / (outputs * (1 - outputs))):
            facts = {"target": site.target, "a": a, "y": y}
            yield Change(code(f"(-{y} / {a} - (1 - {y}) / (1 - {a}))"), "output-error-bracket", facts)
            yield Change(code(f"(({y} - {a}) / ({a} * (1 - {a})))"), "output-error-reversed", facts)
            yield Change(code(f"({a} - {y})"), "output-derivative-extra", facts)
            yield Change(code(f"(-{y} / {a})"), "only-true-class", facts)
            yield Change(code(f"((1 - {y}) / (1 - {a}))"), "only-other-classes", facts)


def activation(site: Site, scope: Scope) -> Iterator[Change]:
    """Where g(z) is computed: nothing, another activation, or twice."""
    if not isinstance(site.node, ast.BinOp | ast.Call):
        return
    found = recognise_activation(site.value, scope.around(site))
    if found is None or found.z is None:
        return
    facts = {"activation": found.activation.name, "target": site.target}
    yield Change(code(found.z), "activation-missing", facts)
    for other in ACTIVATIONS:
        if other.name != found.activation.name:
            text = other.code.format(z=found.z)
            yield Change(code(text), "another-activation", facts | {"instead": other.name})
    twice = found.activation.code.format(z=f"({found.a})")
    yield Change(code(twice), "activation-twice", facts)


def output_error(site: Site, scope: Scope) -> Iterator[Change]:
    """Where the error a - y is computed, y holding zeros and ones."""
    node = site.node
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub) or not is_plain(site.value):
        return
    a, y = ast.unparse(node.left), ast.unparse(node.right)
    labels = scope.atoms.get(y)
    outputs = scope.atoms.get(a)
    if not isinstance(labels, np.ndarray) or not np.isin(labels, (0, 1)).all():
        return
    if not isinstance(outputs, np.ndarray) or outputs.shape != labels.shape:
        return
    if not ((outputs > 0) & (outputs < 1)).all():
        return
    facts = {"target": site.target, "a": a, "y": y}
    yield Change(code(f"({y} - {a})"), "output-error-reversed", facts)
    yield Change(code(f"(({a} - {y}) * {a} * (1 - {a}))"), "output-derivative-extra", facts)
    yield Change(code(f"(({a} - {y}) / ({a} * (1 - {a})))"), "output-derivative-missing", facts)
    yield Change(code(f"(-{y} * (1 - {a}) - (1 - {y}) * {a})"), "output-error-bracket", facts)
    yield Change(code(f"(({a} - {y}) * {y})"), "only-true-class", facts)
    yield Change(code(f"({a} * (1 - {y}))"), "only-other-classes", facts)
    yield Change(code(a), "target-not-subtracted", facts)
    for axis, length in enumerate(labels.shape):
        for step in (1, -1) if scope.is_m(length) else ():
            yield Change(code(f"({a} - np.roll({y}, {step}, axis={axis}))"), "index-off-by-one", facts)


def derivative_extra(site: Site, scope: Scope) -> Iterator[Change]:
    """An error that is multiplied by a derivative which does not belong there."""
    node, mark = site.node, site.value
    if not isinstance(node, ast.expr) or not site.is_quantity or not _is_error(site.target):
        return
    if not isinstance(mark, np.ndarray) or not is_plain(mark):
        return
    for text, array in scope.atoms.items():
        if not is_plain(array) or array.shape != mark.shape or _is_error(text):
            continue
        for g in _candidates(array):
            extra = product(node, code(g.from_a.format(a=text)))
            facts = {"activation": g.name, "target": site.target}
            at_output = f"{text} - " in ast.unparse(node)
            cause = "output-derivative-extra" if at_output else "activation-derivative-extra"
            yield Change(extra, cause, facts)


def _candidates(array: NDArray[Any]) -> list[Activation]:
    """Return the activations that may have given these values."""
    inside = bool((np.abs(array) < 1).all())
    positive = bool((array > 0).all())
    names = {"sigmoid"} if inside and positive else {"tanh"} if inside else set()
    if bool((array >= 0).all()) and bool((array == 0).any()) and not np.isin(array, (0, 1)).all():
        names.add("ReLU")
    return [g for g in ACTIVATIONS if g.name in names]


def _is_error(name: str) -> bool:
    return name.lower().startswith(("d", "err", "g"))


ACTIVATION_OPERATORS: tuple[Callable[[Site, Scope], Iterator[Change]], ...] = (
    derivative,
    derivative_in_product,
    masked_derivative,
    derivative_call,
    output_slope,
    activation,
    output_error,
    derivative_extra,
)
