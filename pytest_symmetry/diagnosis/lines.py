"""The line of the student's function in which a named mistake stands.

Looking at code is a second opinion only: the mistake has its name already. A line is shown where, given the
right values of all that it reads, it gives the very value that the planted mistake gives. So a right line is
never shown, whatever its variables are called; and where anything is unclear the function's own line stands.
"""

from __future__ import annotations

import ast
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.diagnosis.formulas import NotArithmetic, computed, is_length, plain_name
from pytest_symmetry.diagnosis.mutations import mutations
from pytest_symmetry.diagnosis.observation import Scope, observe
from pytest_symmetry.diagnosis.replay import qualified
from pytest_symmetry.namespace import parse_leniently

if TYPE_CHECKING:
    from pytest_symmetry.diagnosis.mutations import Mutation
    from pytest_symmetry.diagnosis.replay import Program, Step

_Body = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class _Known:
    """A planted mistake in one statement: its quantity, what the function knows, and both values of it."""

    quantity: str
    values: Mapping[str, Any]
    right: Any
    wrong: Any


_MEMORY: OrderedDict[tuple[str, int], _Known | None] = OrderedDict()
_REMEMBERED = 64


def wrong_line(
    text: str,
    at: int,
    program: Program,
    steps: Sequence[Step],
    sizes: Mapping[int, str],
    number: int,
    key: str = "",
) -> int | None:
    """Return the line of a cell that makes a planted mistake, or None where that cannot be told.

    Args:
        text: the student's cell.
        at: the line in it on which their function begins.
        program: the reference.
        steps: the calls on which the mistake was found.
        sizes: what lengths mean, as for the dictionary.
        number: which of all planted mistakes it is.
        key: what program, steps and sizes are remembered by; "" remembers nothing.
    """
    function = _function_at(text, at)
    known = _known(program, steps, sizes, number, key) if function is not None else None
    if function is None or known is None:
        return None
    found = list(_assignments(function, known.quantity))
    if len(found) != 1:
        return None
    line, formula = found[0]
    try:
        theirs = computed(formula, {**known.values, **_own_names(function, formula, known.values)})
    except NotArithmetic:
        return None
    return line if _agree(theirs, known.wrong) and not _agree(theirs, known.right) else None


def line_in_relation(
    text: str,
    at: int,
    program: Program,
    steps: Sequence[Step],
    sizes: Mapping[int, str],
    function: str,
    related: Callable[[str, Any, Any, Mapping[str, Any]], bool],
    key: str = "",
) -> int | None:
    """Return the one line of a cell that leaves the reference's values, if it does so in the way it should.

    Every quantity that the two functions both have is computed as the student does, from right values: what
    is right that way is not the place, and where two lines are off neither is shown.

    Args:
        text: the student's cell.
        at: the line in it on which their function begins.
        program: the reference.
        steps: the calls on which the mistake was found.
        sizes: what lengths mean.
        function: the reference's function.
        related: told a quantity, the student's value of it, the right one, and what else is known; returns
            whether the difference is the one that was found in the results.
        key: what program, steps and sizes are remembered by; "" remembers nothing.
    """
    body = _function_at(text, at)
    values = _right_values(program, steps, sizes, function, key) if body is not None else {}
    off = []
    for quantity, right in values.items():
        found = list(_assignments(body, quantity)) if body is not None else []
        known = {name: value for name, value in values.items() if name != quantity}
        if len(found) != 1 or body is None:
            continue
        line, formula = found[0]
        try:
            theirs = computed(formula, {**known, **_own_names(body, formula, known)})
        except NotArithmetic:
            continue
        if not _agree(theirs, right):
            off.append((line, related(quantity, theirs, right, known)))
    return off[0][0] if len(off) == 1 and off[0][1] else None


_RIGHT: OrderedDict[tuple[str, str], Mapping[str, Any]] = OrderedDict()


def _right_values(
    program: Program, steps: Sequence[Step], sizes: Mapping[int, str], function: str, key: str
) -> Mapping[str, Any]:
    """Return what a function's variables are worth in the reference, remembered."""
    if not key or (key, function) not in _RIGHT:
        scopes = [s for s in observe(program, steps, sizes) if qualified(s.function) == function]
        values = _values(scopes[0]) if scopes else {}
        if not key:
            return values
        _RIGHT[key, function] = values
        while len(_RIGHT) > _REMEMBERED:
            _RIGHT.popitem(last=False)
    return _RIGHT[key, function]


def _known(
    program: Program, steps: Sequence[Step], sizes: Mapping[int, str], number: int, key: str
) -> _Known | None:
    """Return what a planted mistake does, remembered: planting takes longer than all the rest."""
    if key and (key, number) in _MEMORY:
        _MEMORY.move_to_end((key, number))
        return _MEMORY[key, number]
    found = _planted(next(islice(mutations(program, steps, sizes), number, None)))
    if key:
        _MEMORY[key, number] = found
        while len(_MEMORY) > _REMEMBERED:
            _MEMORY.popitem(last=False)
    return found


def _planted(mutation: Mutation) -> _Known | None:
    """Return what a mistake does; None where it is not in one statement, or does not change its value."""
    spot = _statement(mutation)
    if spot is None:
        return None
    quantity, statement = spot
    values = _values(mutation.scope)
    values.pop(quantity, None)
    try:
        right = computed(statement.value, values)
        wrong = _changed(mutation, statement, values)
    except NotArithmetic:
        return None
    if not _agree(right, _recorded(mutation.scope, statement)) or _agree(right, wrong):
        return None
    return _Known(quantity, values, right, wrong)


def _statement(mutation: Mutation) -> tuple[str, ast.Assign] | None:
    """Return the quantity that a mistake is in and the one statement that computes it, outside of loops."""
    statements = {id(site.statement): site.statement for site, _ in mutation.parts}
    statement = next(iter(statements.values()))
    if len(statements) != 1 or not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    function = mutation.scope.function
    name = plain_name(statement.targets[0])
    if name is None or statement not in function.body:
        return None
    if len(list(_assignments(function, name))) != 1:
        return None
    return name, statement


def _values(scope: Scope) -> dict[str, Any]:
    """Return what the function's variables are worth, those that are assigned once or never."""
    found: dict[str, Any] = {}
    for text, value in {**scope.given, **scope.atoms}.items():
        name = plain_name(ast.parse(text, mode="eval").body)
        if name is None or not isinstance(value, np.ndarray | int | float | np.number):
            continue
        if name in found and not _agree(found[name], value):  # two variables of one name: neither is sure
            found[name] = None
        found.setdefault(name, value)
    once = {name for name in found if len(list(_assignments(scope.function, name))) < 2}
    return {name: value for name, value in found.items() if value is not None and name in once}


def _recorded(scope: Scope, statement: ast.Assign) -> Any:
    return scope.value_of(statement.value)


def _changed(mutation: Mutation, statement: ast.Assign, values: Mapping[str, Any]) -> Any:
    """Return what the statement gives with the mistake in it."""
    for site, node in mutation.parts:
        site.put(node)
    try:
        return computed(statement.value, values)
    finally:
        for site, _ in reversed(mutation.parts):
            site.put(site.node)


def _function_at(text: str, at: int) -> _Body | None:
    tree, _, _ = parse_leniently(text, 0, "<cell>")
    for node in ast.walk(tree):
        if isinstance(node, _Body):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first <= at <= node.body[0].lineno:
                return node
    return None


def _own_names(function: _Body, formula: ast.expr, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the student's own names stand for: lengths, and other names of known values."""
    found = {}
    for node in _names(formula):
        name = plain_name(node)
        given = list(_assignments(function, name)) if name and name not in values else []
        if name and len(given) == 1 and (is_length(given[0][1]) or plain_name(given[0][1]) in values):
            found[name] = computed(given[0][1], values)
    return found


def _assignments(function: _Body, quantity: str) -> Iterator[tuple[int, ast.expr]]:
    """Yield every formula whose value a function keeps under a name: in a variable, or under a key.

    A name that is bound in another way (by a loop, by adding to it) yields twice: it is not sure then.
    """
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            yield from (
                (node.lineno, node.value) for target in node.targets if _binds(target, node.value, quantity)
            )
        elif isinstance(node, ast.Dict):
            yield from _under_key(node, quantity)
        elif isinstance(node, ast.AugAssign) and plain_name(node.target) == quantity:
            yield from [(node.lineno, node.value)] * 2
        elif isinstance(node, ast.For | ast.comprehension) and quantity in map(
            plain_name, _names(node.target)
        ):
            yield from [(function.lineno, ast.Constant(0))] * 2


def _binds(target: ast.expr, value: ast.expr, quantity: str) -> bool:
    """Return whether an assignment gives the quantity a new value, not only another home."""
    if isinstance(target, ast.Tuple):
        return quantity in map(plain_name, target.elts)
    return plain_name(target) == quantity and not _only_stored(value, quantity)


def _under_key(node: ast.Dict, quantity: str) -> Iterator[tuple[int, ast.expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        named = isinstance(key, ast.Constant) and str(key.value).replace("_", "").lower() == quantity
        if named and not _only_stored(value, quantity):
            yield value.lineno, value


def _only_stored(value: ast.expr, quantity: str) -> bool:
    """Return whether a value is only passed on under its own name: dW1 in {"dW1": dW1}."""
    return plain_name(value) == quantity


def _names(node: ast.expr) -> Iterator[ast.expr]:
    yield from (n for n in ast.walk(node) if isinstance(n, ast.Name))


def _agree(one: Any, other: Any) -> bool:
    if one is None or other is None or np.shape(one) != np.shape(other):
        return False
    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12))
