"""Mistakes of the field: averages, biases, regularisation, dropout, recurrence, steps, starts."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pytest_symmetry.diagnosis.activations import is_plain
from pytest_symmetry.diagnosis.observation import Scope, Site, number
from pytest_symmetry.diagnosis.operators.change import Change, called, code, names_in, product, renamed
from pytest_symmetry.diagnosis.stepping import RATE

_STRENGTH = re.compile(r"^(lambd|lambd?a_?|lam|reg|regularization|l2|weight_decay|reg_strength)$")
_BIAS = re.compile(r"(^|self\.|[\"'\[])(b|bias|beta|db|c)(_?[a-z0-9]{0,2}|\{\w+\})(\"|'|\]|$)")
_MASK = re.compile(r"mask|drop|keep|^[DU]_?\d*$", re.IGNORECASE)
_EPSILON = re.compile(r"^(eps|epsilon|tiny|small)$", re.IGNORECASE)


def mean(site: Site, scope: Scope) -> Iterator[Change]:
    """The average over the examples: never taken, taken twice, or taken along the wrong axis."""
    node = site.node
    facts = {"target": site.target}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _counts_examples(node.right, scope):
        yield Change(node.left, "factor-m", facts)
        yield Change(ast.BinOp(node, ast.Div(), node.right), "factor-1-over-m", facts)
        for text in _other_sizes(scope, number(_value_of(node.right, scope)) or 0):
            other = ast.BinOp(node.left, ast.Div(), code(text))
            yield Change(other, "divided-by-wrong-size", facts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for kept, dropped in ((node.left, node.right), (node.right, node.left)):
            if _is_reciprocal(dropped, scope):
                yield Change(kept, "factor-m", facts)
                yield Change(product(node, dropped), "factor-1-over-m", facts)
    if (
        isinstance(node, ast.AugAssign)
        and isinstance(node.op, ast.Div)
        and _counts_examples(node.value, scope)
    ):
        yield Change(ast.Pass(), "factor-m", facts)
    name = called(node)
    if name in ("mean", "average") and isinstance(node, ast.Call) and is_reduced(site, scope):
        yield Change(renamed(node, "sum"), "factor-m", facts)
    if isinstance(node, ast.expr) and site.is_quantity and scope.m_code and is_plain(site.value):
        twice = ast.BinOp(node, ast.Div(), code(scope.m_code))
        yield Change(twice, "factor-1-over-m", facts)


def _other_sizes(scope: Scope, m: float) -> list[str]:
    """Return code for each length of the function's own arguments that is not the number of examples.

    A length that is twice or half of m is left out: such a factor has simpler reasons.
    """
    found: dict[int, str] = {}
    for argument in scope.function.args.args:
        array = scope.atoms.get(argument.arg)
        for axis, length in enumerate(array.shape if isinstance(array, np.ndarray) else ()):
            if length > 1 and not scope.is_m(length):
                found.setdefault(length, f"{argument.arg}.shape[{axis}]")
        if isinstance(array, np.ndarray) and array.ndim > 1:
            found.setdefault(array.size, f"{argument.arg}.size")
    return [text for length, text in found.items() if length / m not in (0.25, 0.5, 1, 2, 4)]


def penalty(site: Site, scope: Scope) -> Iterator[Change]:
    """A sum of squares over the weights that takes in the biases as well."""
    if number(site.value) is None or not isinstance(site.node, ast.Call | ast.BinOp):
        return
    named = {**scope.given, **scope.atoms}
    arrays = {text: a for text, a in named.items() if isinstance(a, np.ndarray) and a.dtype.kind == "f"}
    for weights in arrays.values():
        if weights.size < 2 or not np.isclose(site.value, np.sum(weights**2), rtol=1e-12, atol=0):
            continue
        for text, other in arrays.items():
            if _is_bias(text) and other is not weights:
                both = ast.BinOp(site.node, ast.Add(), code(f"np.sum({text} ** 2)"))
                yield Change(both, "bias-in-penalty", {"target": site.target, "term": text})
        biases = [text for text, other in arrays.items() if _is_bias(text) and other is not weights]
        if len(biases) > 1:
            every = ast.BinOp(site.node, ast.Add(), code(" + ".join(f"np.sum({t} ** 2)" for t in biases)))
            yield Change(every, "bias-in-penalty", {"target": site.target, "term": ", ".join(biases)})


def _is_bias(text: str) -> bool:
    """Return whether a variable is a bias itself, not its gradient."""
    return bool(_BIAS.search(text)) and "d" not in text[-4:]


def is_reduced(site: Site, scope: Scope) -> bool:
    """Return whether a call reduces an array over the examples."""
    node = site.node
    if not isinstance(node, ast.Call):
        return False
    inner = node.args[0] if node.args else node.func.value if isinstance(node.func, ast.Attribute) else None
    value = _value_of(inner, scope) if inner is not None else None
    if not isinstance(value, np.ndarray):
        return False
    before = [n for n in value.shape if scope.is_m(n)]
    after = [n for n in np.shape(site.value) if scope.is_m(n)]
    return len(after) < len(before)


def _value_of(node: ast.AST, scope: Scope) -> Any:
    return scope.value_of(node)


def _counts_examples(node: ast.AST, scope: Scope) -> bool:
    return scope.is_m(_value_of(node, scope))


def _is_reciprocal(node: ast.AST, scope: Scope) -> bool:
    value = number(_value_of(node, scope))
    return bool(value) and value is not None and abs(value) < 1 and scope.is_m(round(1 / value, 9))


def wrong_size(site: Site, scope: Scope) -> Iterator[Change]:
    """The number of examples read from the wrong axis."""
    node = site.node
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Attribute):
        return
    if node.value.attr != "shape" or not scope.is_m(site.value):
        return
    shape = np.shape(_value_of(node.value.value, scope))
    for axis, length in enumerate(shape):
        if not scope.is_m(length):
            other = ast.Subscript(node.value, ast.Constant(axis), ast.Load())
            yield Change(other, "divided-by-wrong-size", {"target": site.target, "axis": axis})
    yield Change(
        ast.Attribute(node.value.value, "size", ast.Load()), "divided-by-wrong-size", {"target": site.target}
    )


def terms(site: Site, _scope: Scope) -> Iterator[Change]:
    """A term that is left out and has a name: a bias, a regularisation, what comes through time."""
    node = site.node
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add | ast.Sub):
        return
    for kept, dropped in ((node.left, node.right), (node.right, node.left)):
        if isinstance(node.op, ast.Sub) and kept is node.right:
            continue
        cause = _term(dropped)
        if cause == "bias-missing" and isinstance(node.op, ast.Sub):
            continue  # nobody subtracts a bias: the beta of 1 - beta is a share
        if cause:
            yield Change(kept, cause, {"target": site.target, "term": ast.unparse(dropped)})
            if cause == "regularisation-missing":
                for factor in (2.0, 0.5):
                    more = ast.BinOp(kept, node.op, product(ast.Constant(factor), dropped))
                    yield Change(more, "regularisation-factor", {"target": site.target, "factor": factor})


def _term(node: ast.expr) -> str:
    """Return the cause of leaving a term out, or "" where the term has no name."""
    text = ast.unparse(node)
    names = names_in(node)
    if any(_STRENGTH.match(name) for name in names):
        return "regularisation-missing"
    if _BIAS.search(text) and not isinstance(node, ast.BinOp | ast.Call):
        return "bias-missing"
    if any("prev" in name for name in names) and not isinstance(node, ast.Constant):
        return "recurrent-term-missing"
    if any("next" in name for name in names):
        return "recurrent-gradient-missing"
    return ""


def strength(site: Site, scope: Scope) -> Iterator[Change]:
    """A rate, a regularisation strength or a dropout mask that is left out of a product."""
    node = site.node
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult | ast.Div):
        return
    for kept, dropped in ((node.left, node.right), (node.right, node.left)):
        if isinstance(node.op, ast.Div) and dropped is node.left:
            continue
        text = dropped.id if isinstance(dropped, ast.Name) else ""
        facts = {"target": site.target}
        if RATE.match(text):
            yield Change(kept, "learning-rate-missing", facts)
        elif _STRENGTH.match(text):
            yield Change(kept, "regularisation-strength-missing", facts)
        elif "keep" in text.lower() or text in ("p", "q"):
            yield Change(kept, "mask-not-rescaled", facts)
        elif _MASK.search(text) and _is_mask(_value_of(dropped, scope)):
            yield Change(kept, "mask-not-applied", facts)


def _is_mask(value: Any) -> bool:
    """Return whether an array holds zeros and one other number."""
    if not isinstance(value, np.ndarray) or value.size < 3 or value.dtype.kind not in "fbi":
        return False
    return len(np.unique(value)) == 2 and not np.all(value)


def step(site: Site, _scope: Scope) -> Iterator[Change]:
    """The update: uphill, or without the old value."""
    node = site.node
    facts = {"target": site.target}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _has_rate(node.right):
        yield Change(ast.BinOp(node.left, ast.Add(), node.right), "step-uphill", facts)
        yield Change(node.left, "step-not-taken", facts)
        yield Change(node.right, "old-value-forgotten", facts)
        yield Change(ast.UnaryOp(ast.USub(), node.right), "old-value-forgotten", facts)
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub) and _has_rate(node.value):
        yield Change(ast.AugAssign(node.target, ast.Add(), node.value), "step-uphill", facts)


def _has_rate(node: ast.AST) -> bool:
    return any(RATE.match(name) for name in names_in(node))


def bias_correction(site: Site, _scope: Scope) -> Iterator[Change]:
    """A running mean that is not divided by 1 - beta**t."""
    node = site.node
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div):
        return
    if re.fullmatch(r"1 - \w+ ?\*\* ?\w+", ast.unparse(node.right)):
        yield Change(node.left, "bias-correction-missing", {"target": site.target})


def logarithm(site: Site, _scope: Scope) -> Iterator[Change]:
    """Another logarithm, or one that is not taken of the complement."""
    node = site.node
    if called(node) != "log" or not isinstance(node, ast.Call):
        return
    for name in ("log10", "log2", "log1p"):
        yield Change(renamed(node, name), "logarithm-base", {"target": site.target, "instead": name})
    inner = node.args[0] if node.args else None
    guarded = isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add)
    minus = inner.left if isinstance(inner, ast.BinOp) and guarded else inner
    if (
        isinstance(minus, ast.BinOp)
        and isinstance(minus.op, ast.Sub)
        and isinstance(minus.left, ast.Constant)
    ):
        plain = minus.right
        if isinstance(inner, ast.BinOp) and guarded:  # log(1 - a + tiny)
            plain = ast.BinOp(minus.right, inner.op, inner.right)
        taken = ast.Call(node.func, [plain], node.keywords)
        yield Change(taken, "complement-missing", {"target": site.target})


def logarithm_of_all(site: Site, scope: Scope) -> Iterator[Change]:
    """Another logarithm in the whole of a number, wherever it is taken."""
    node = site.node
    if isinstance(node, ast.BinOp) and number(site.value) and "log(" in ast.unparse(scope.function):
        for name, base in (("log10", 10.0), ("log2", 2.0)):
            facts = {"target": site.target, "instead": name}
            yield Change(product(ast.Constant(1 / math.log(base)), node), "logarithm-base", facts)


def epsilon(site: Site, _scope: Scope) -> Iterator[Change]:
    """The small number that keeps a root or a quotient finite: inside, outside, or missing."""
    node = site.node
    facts = {"target": site.target}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and _is_epsilon(node.right):
        yield Change(node.left, "epsilon-missing", facts)
        if called(node.left) == "sqrt" and isinstance(node.left, ast.Call):
            inside = ast.BinOp(node.left.args[0], ast.Add(), node.right)
            yield Change(ast.Call(node.left.func, [inside], []), "epsilon-inside-root", facts)
    if called(node) == "sqrt" and isinstance(node, ast.Call) and isinstance(node.args[0], ast.BinOp):
        inner = node.args[0]
        if isinstance(inner.op, ast.Add) and _is_epsilon(inner.right):
            root = ast.Call(node.func, [inner.left], [])
            yield Change(ast.BinOp(root, ast.Add(), inner.right), "epsilon-outside-root", facts)


def _is_epsilon(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return bool(_EPSILON.match(node.id))
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value < 1e-3


def start(site: Site, _scope: Scope) -> Iterator[Change]:
    """How weights are drawn: another law, or without the root in its width."""
    node = site.node
    facts = {"target": site.target}
    others = {"randn": "rand", "normal": "uniform", "standard_normal": "random"}
    if isinstance(node, ast.Call) and called(node) in others:
        yield Change(renamed(node, others[called(node)]), "uniform-for-normal", facts)
        if called(node) == "normal" and not node.args:
            yield Change(renamed(node, "random"), "uniform-for-normal", facts)
    if called(node) == "sqrt" and isinstance(node, ast.Call) and node.args:
        yield Change(node.args[0], "root-missing", facts)


def softmax_axis(site: Site, _scope: Scope) -> Iterator[Change]:
    """Probabilities that are normalised along the other axis."""
    node, value = site.node, site.value
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Div) or not is_plain(value):
        return
    if value.ndim != 2 or min(value.shape) < 2 or (value <= 0).any():
        return
    for axis in (0, 1):
        if np.allclose(value.sum(axis=axis), 1, rtol=0, atol=1e-9):
            text = f"np.sum({ast.unparse(node.left)}, axis={1 - axis}, keepdims=True)"
            facts = {"target": site.target}
            yield Change(ast.BinOp(node.left, ast.Div(), code(text)), "softmax-axis", facts)
            text = f"np.sum({ast.unparse(node.left)})"
            yield Change(ast.BinOp(node.left, ast.Div(), code(text)), "softmax-over-everything", facts)


def bias_gradient(site: Site, _scope: Scope) -> Iterator[Change]:
    """The gradient of a bias: taken from the weights' gradient, ones, or shared by all units."""
    node = site.node
    if not site.is_quantity or not re.match(r"^(db|grad_?b|gb)", site.target):
        return
    if not isinstance(site.value, np.ndarray):
        return
    facts = {"target": site.target}
    right = ast.unparse(node)
    for text, cause in (
        (f"np.ones_like({right})", "constant-gradient"),
        (f"np.zeros_like({right})", "all-zero"),
        (f"np.full_like({right}, np.sum({right}))", "summed-over-all"),
    ):
        yield Change(code(text), cause, facts)


def helper_bias(site: Site, scope: Scope) -> Iterator[Change]:
    """A bias that is not handed to the helper that adds it, in one place only."""
    node = site.node
    if not isinstance(site.parent, ast.Call) or site.slot != "args" or not isinstance(node, ast.expr):
        return
    text = ast.unparse(node)
    if _BIAS.search(text) and isinstance(scope.value_of(node), np.ndarray):
        yield Change(code(f"np.zeros_like({text})"), "bias-missing", {"target": site.target, "term": text})


def taken_away(site: Site, _scope: Scope) -> Iterator[Change]:
    """The target, subtracted in place at the true classes, or a regularisation that is added in place."""
    node = site.node
    if not isinstance(node, ast.AugAssign):
        return
    facts = {"target": site.target}
    one = isinstance(node.value, ast.Constant) and node.value.value == 1
    if isinstance(node.op, ast.Sub) and isinstance(node.target, ast.Subscript) and one:
        yield Change(ast.Pass(), "target-not-subtracted", facts)
    if isinstance(node.op, ast.Add) and any(_STRENGTH.match(name) for name in names_in(node.value)):
        yield Change(ast.Pass(), "regularisation-missing", facts)
        for factor in (2.0, 0.5):
            more = product(ast.Constant(factor), node.value)
            added = ast.AugAssign(node.target, node.op, more)
            yield Change(added, "regularisation-factor", {**facts, "factor": factor})


FIELD_OPERATORS: tuple[Callable[[Site, Scope], Iterator[Change]], ...] = (
    mean,
    wrong_size,
    penalty,
    terms,
    strength,
    step,
    bias_correction,
    logarithm,
    epsilon,
    start,
    softmax_axis,
    bias_gradient,
    helper_bias,
    taken_away,
    logarithm_of_all,
)
