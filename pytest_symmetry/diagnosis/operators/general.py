"""Ways in which any formula goes wrong: a part left out, swapped, scaled, or taken from elsewhere."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pytest_symmetry.diagnosis.observation import Scope, Site, is_atom, number
from pytest_symmetry.diagnosis.operators.change import Change, called, renamed, scaled
from pytest_symmetry.diagnosis.operators.field import is_reduced


def _change(node: ast.AST, cause: str, site: Site, **facts: Any) -> Change:
    return Change(node, cause, {"target": site.target, **facts}, specific=False)


def parts(site: Site, _scope: Scope) -> Iterator[Change]:
    """A factor, divisor or term is left out."""
    node = site.node
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, ast.Mult | ast.MatMult):
        yield _change(node.left, "factor-missing", site)
        yield _change(node.right, "factor-missing", site)
    elif isinstance(node.op, ast.Div):
        yield _change(node.left, "divisor-missing", site)
        yield _change(node.right, "numerator-missing", site)
    elif isinstance(node.op, ast.Add):
        yield _change(node.left, "term-missing", site)
        yield _change(node.right, "term-missing", site)
    elif isinstance(node.op, ast.Sub):
        yield _change(node.left, "term-missing", site)
        yield _change(ast.UnaryOp(ast.USub(), node.right), "term-missing", site)
        one = isinstance(node.left, ast.Constant) and node.left.value == 1
        yield _change(node.right, "one-minus-missing" if one else "difference-lost", site)
    elif isinstance(node.op, ast.Pow):
        yield _change(node.left, "power-missing", site)


def operations(site: Site, _scope: Scope) -> Iterator[Change]:
    """Another operation between the same two parts, or the parts swapped."""
    node = site.node
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, ast.Add):
        yield _change(ast.BinOp(node.left, ast.Sub(), node.right), "term-sign", site)
    elif isinstance(node.op, ast.Sub):
        yield _change(ast.BinOp(node.left, ast.Add(), node.right), "term-sign", site)
        yield _change(ast.BinOp(node.right, ast.Sub(), node.left), "subtraction-reversed", site)
    elif isinstance(node.op, ast.Mult):
        yield _change(ast.BinOp(node.left, ast.Div(), node.right), "quotient-for-product", site)
        yield _change(ast.BinOp(node.left, ast.MatMult(), node.right), "matrix-product-for-elementwise", site)
    elif isinstance(node.op, ast.Div):
        yield _change(ast.BinOp(node.left, ast.Mult(), node.right), "product-for-quotient", site)
        yield _change(ast.BinOp(node.right, ast.Div(), node.left), "quotient-inverted", site)
    elif isinstance(node.op, ast.MatMult):
        yield _change(ast.BinOp(node.right, ast.MatMult(), node.left), "matrix-product-order", site)
        yield _change(ast.BinOp(node.left, ast.Mult(), node.right), "elementwise-for-matrix-product", site)


def scaling(site: Site, _scope: Scope) -> Iterator[Change]:
    """A computed value has the wrong sign, or is twice or half of itself."""
    node = site.node
    if not isinstance(node, ast.BinOp | ast.Call) or site.slot in ("func", "slice", "iter", "keys"):
        return
    if not _is_float(site.value):
        return
    yield _change(ast.UnaryOp(ast.USub(), node), "sign-reversed-inside", site)
    yield _change(scaled(2.0, node), "doubled-inside", site)
    yield _change(scaled(0.5, node), "halved-inside", site)


def _is_float(value: Any) -> bool:
    return isinstance(value, float | np.floating) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )


def transposes(site: Site, _scope: Scope) -> Iterator[Change]:
    """A transpose too few or too many."""
    node = site.node
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield _change(node.value, "transpose-missing", site)
    elif isinstance(node, ast.Name | ast.Subscript) and is_atom(node) and _is_read(node):
        turned = isinstance(site.parent, ast.Attribute) and site.parent.attr in ("T", "shape")
        if isinstance(site.value, np.ndarray) and site.value.ndim == 2 and not turned:
            yield _change(ast.Attribute(node, "T", ast.Load()), "transpose-extra", site)


def _is_read(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Load)


def variables(site: Site, scope: Scope) -> Iterator[Change]:
    """Another variable of the same shape, or an entry of another container, is read."""
    node = site.node
    if not is_atom(node) or not _is_read(node) or site.value is None or site.slot == "func":
        return
    if isinstance(site.parent, ast.Attribute) and site.parent.attr == "shape":
        return
    used = ast.unparse(node)
    for text, value in {**scope.pieces, **scope.atoms}.items():
        if text == used or text.startswith("__"):
            continue
        if _alike(site.value, value) or (_is_operand(site) and _is_matrix(value) and _is_matrix(site.value)):
            other = ast.parse(text, mode="eval").body
            yield _variable(other, used, text, site)


def renamed_variables(site: Site, scope: Scope) -> Iterator[Change]:
    """Another variable in every place of one statement where this one is read."""
    if not isinstance(site.node, ast.Assign | ast.AugAssign | ast.Return):
        return
    read = [n for n in ast.walk(site.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    for name in dict.fromkeys(n.id for n in read):
        value = scope.atoms.get(name)
        if value is None or sum(n.id == name for n in read) < 2:
            continue
        for text, other in scope.atoms.items():
            if text != name and text.isidentifier() and _alike(value, other):
                new = _Renamer(name, text).visit(copy.deepcopy(site.node))
                yield _change(new, "another-variable", site, used=name, instead=text)


class _Renamer(ast.NodeTransformer):
    """Reads one name where another is read."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Return the name, changed where it is the old one and read."""
        if node.id == self._old and isinstance(node.ctx, ast.Load):
            return ast.Name(self._new, ast.Load())
        return node


def _variable(other: ast.expr, used: str, instead: str, site: Site) -> Change:
    """Return the change, by its own name where the pair of variables has one."""
    facts = {"target": site.target, "used": used, "instead": instead}
    plain, d = _bare(used), _bare(instead)
    if d == f"d{plain}":
        return Change(other, "gradient-for-parameter", facts)
    if plain.startswith("d") and d.startswith("d") and plain[:2] == d[:2]:
        return Change(other, "gradient-of-another-layer", facts)
    if plain[:1] in ("A", "a") and d == f"{'Z' if plain[0] == 'A' else 'z'}{plain[1:]}":
        return Change(other, "preactivation-for-activation", facts)
    if plain[:1] in ("Z", "z") and d == f"{'A' if plain[0] == 'Z' else 'a'}{plain[1:]}":
        return Change(other, "activation-for-preactivation", facts)
    return Change(other, "another-variable", facts, specific=False)


def _is_operand(site: Site) -> bool:
    """Return whether a node takes part in a matrix product, as it is or transposed."""
    parent = site.parent
    if isinstance(parent, ast.Attribute):
        return parent.attr == "T"
    return (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult)) or called(parent) == "dot"


def _is_matrix(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind == "f"


def _bare(text: str) -> str:
    """Return "W1" for W1 and for parameters["W1"]."""
    return text.split("['")[-1].removesuffix("']")


def _alike(value: Any, other: Any) -> bool:
    """Return whether one value could stand where the other stands, with another result."""
    if isinstance(value, np.ndarray):
        if not isinstance(other, np.ndarray) or other.shape != value.shape:
            return False
        return other.dtype.kind in "fiub" and not np.array_equal(value, other)
    if isinstance(value, dict):
        return isinstance(other, dict) and value.keys() == other.keys()
    mine, theirs = number(value), number(other)
    return mine is not None and theirs is not None and mine != theirs


def constants(site: Site, _scope: Scope) -> Iterator[Change]:
    """Another small number."""
    node = site.node
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool | str | bytes | type(None)):
        return
    if site.slot == "slice" or isinstance(site.parent, ast.keyword):
        return
    value = node.value
    if not isinstance(value, int | float):
        return
    others: set[float] = {
        0,
        1,
        2,
        3,
        -value,
        value + 1,
        value - 1,
        value / 2,
        2 * value,
        10 * value,
        value / 10,
    }
    for other in sorted(o for o in others if o != value):
        whole = isinstance(value, int) and float(other).is_integer()
        yield _change(
            ast.Constant(int(other) if whole else other), "another-constant", site, used=value, instead=other
        )


def indices(site: Site, _scope: Scope) -> Iterator[Change]:
    """An index is off by one, or a slice begins or ends one place off."""
    node = site.node
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        spot = node.slice
        if isinstance(spot, ast.Tuple) or (isinstance(spot, ast.Constant) and isinstance(spot.value, str)):
            return
        if not isinstance(spot, ast.Slice) and not isinstance(spot, ast.Compare):
            for step in (1, -1):
                moved = ast.BinOp(spot, ast.Add(), ast.Constant(step))
                yield _change(ast.Subscript(node.value, moved, ast.Load()), "index-off-by-one", site)


def ranges(site: Site, _scope: Scope) -> Iterator[Change]:
    """A loop that begins late, ends early, or runs the other way."""
    node = site.node
    if called(node) != "range" or not isinstance(node, ast.Call):
        return
    if len(node.args) == 1:
        first, last = ast.Constant(0), node.args[0]
    else:
        first, last = node.args[0], node.args[1]  # type: ignore[assignment]
    rest = node.args[2:]
    for begin, end in ((1, 0), (0, -1), (0, 1), (-1, 0)):
        args = [_plus(first, begin), _plus(last, end), *rest]
        yield _change(ast.Call(node.func, args, []), "range-off-by-one", site)
    if not rest:
        backwards = ast.Call(ast.Name("reversed", ast.Load()), [node], [])
        yield _change(backwards, "loop-reversed", site)


def _plus(node: ast.expr, step: int) -> ast.expr:
    return ast.BinOp(node, ast.Add(), ast.Constant(step)) if step else node


def reductions(site: Site, scope: Scope) -> Iterator[Change]:
    """A sum or mean along another axis, along all, without keepdims, or in place of the other."""
    node = site.node
    name = called(node)
    if not isinstance(node, ast.Call) or name not in (
        "sum",
        "mean",
        "max",
        "min",
        "std",
        "var",
        "prod",
        "average",
    ):
        return
    swapped = {
        "sum": ("mean", "mean-for-sum"),
        "mean": ("sum", "sum-for-mean"),
        "std": ("var", "variance-for-std"),
    }
    swapped["var"] = ("std", "std-for-variance")
    swapped["max"] = ("min", "minimum-for-maximum")
    if name in swapped:
        other, cause = swapped[name]
        if name == "sum" and is_reduced(site, scope):
            cause = "factor-1-over-m"
        yield Change(renamed(node, other), cause, {"target": site.target})
    for k, keyword in enumerate(node.keywords):
        rest = [*node.keywords[:k], *node.keywords[k + 1 :]]
        if keyword.arg == "axis":
            yield Change(ast.Call(node.func, node.args, rest), "summed-without-axis", {"target": site.target})
            for axis in (0, 1, 2, -1):
                other_axis = ast.keyword("axis", ast.Constant(axis))
                call = ast.Call(node.func, node.args, [*rest, other_axis])
                facts = {"target": site.target, "axis": axis}
                single = name in ("sum", "mean") and _length(node, axis, scope) == 1
                cause = "not-summed" if single else "summed-over-other-axis"
                yield Change(call, cause, facts)
                yield Change(ast.Attribute(call, "T", ast.Load()), cause, facts)
        elif keyword.arg == "keepdims":
            yield Change(ast.Call(node.func, node.args, rest), "keepdims-missing", {"target": site.target})


def _length(call: ast.Call, axis: int, scope: Scope) -> int:
    """Return the length of the axis that a reduction would run over, or 0 where it is not known."""
    inner = call.args[0] if call.args else call.func.value if isinstance(call.func, ast.Attribute) else None
    shape = np.shape(scope.value_of(inner)) if isinstance(scope.value_of(inner), np.ndarray) else ()
    return int(shape[axis]) if -len(shape) <= axis < len(shape) else 0


def calls(site: Site, scope: Scope) -> Iterator[Change]:
    """A call that is skipped, or another function of the same arguments."""
    node = site.node
    if not isinstance(node, ast.Call) or not node.args or _is_starred(node) or site.slot == "func":
        return
    value = scope.value_of(node.args[0])
    if isinstance(value, np.ndarray) and np.shape(site.value) == value.shape:
        yield _change(node.args[0], "call-skipped", site, used=called(node))


def _is_starred(node: ast.Call) -> bool:
    return any(isinstance(arg, ast.Starred) for arg in node.args)


def statements(site: Site, _scope: Scope) -> Iterator[Change]:
    """A statement that is left out, or a sum that forgets what was there."""
    node = site.node
    if isinstance(node, ast.AugAssign):
        yield _change(ast.Pass(), "step-left-out", site)
    elif isinstance(node, ast.Assign):
        if isinstance(node.targets[0], ast.Subscript):
            yield _change(ast.Pass(), "step-left-out", site)
            added = ast.AugAssign(node.targets[0], ast.Add(), node.value)
            yield _change(added, "added-not-assigned", site)
        elif isinstance(node.targets[0], ast.Name) and node.targets[0].id in _names(node.value):
            yield _change(ast.Pass(), "step-left-out", site)


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def comparisons(site: Site, _scope: Scope) -> Iterator[Change]:
    """A comparison the other way round."""
    node = site.node
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return
    other: dict[type[ast.cmpop], type[ast.cmpop]] = {
        ast.Gt: ast.Lt,
        ast.Lt: ast.Gt,
        ast.GtE: ast.LtE,
        ast.LtE: ast.GtE,
    }
    if type(node.ops[0]) in other:
        turned = ast.Compare(node.left, [other[type(node.ops[0])]()], node.comparators)
        yield _change(turned, "comparison-reversed", site)


GENERAL_OPERATORS: tuple[Callable[[Site, Scope], Iterator[Change]], ...] = (
    parts,
    operations,
    scaling,
    transposes,
    variables,
    renamed_variables,
    constants,
    indices,
    ranges,
    reductions,
    calls,
    statements,
    comparisons,
)
