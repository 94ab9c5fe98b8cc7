"""Every planted mistake of a reference, one at a time."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_symmetry.diagnosis.observation import Scope, Site, observe
from pytest_symmetry.diagnosis.operators import OPERATORS
from pytest_symmetry.diagnosis.operators.change import Change
from pytest_symmetry.diagnosis.replay import Program, Step, qualified, writes_files

ABOUT_SLOPES = frozenset(
    {
        "activation-derivative-extra",
        "activation-derivative-missing",
        "activation-derivative-twice",
        "activation-for-derivative",
        "derivative-at-activated-value",
        "derivative-at-another-layer",
        "derivative-formula-given-z",
        "derivative-incomplete",
        "derivative-of-another-activation",
        "preactivation-for-derivative",
    }
)
"""Mistakes with the derivative of an activation: a function that computes no slopes can make none of them."""

_SLOPE = re.compile(r"^(d_?[A-Z]\w*|d[a-z]{0,2}_?\d*|d_\w+)$|back|grad|delt|err|slope|prime|deriv|diff|bptt")

Operator = Callable[[Site, Scope], Iterator[Change]]
Part = tuple[Site, ast.AST]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One planted mistake: where it is, what it stands for, and the operator that made it.

    Most have one part; a habit (every sum of a function is a mean) has several.
    """

    scope: Scope
    line: int
    cause: str
    facts: Mapping[str, Any]
    specific: bool
    operator: str
    parts: tuple[Part, ...]

    @property
    def function(self) -> str:
        """The function that holds the mistake."""
        return qualified(self.scope.function)

    def run(self, program: Program, steps: Sequence[Step]) -> list[Any]:
        """Run the steps with this mistake in place.

        Raises:
            Exception: whatever the changed program raises.
        """
        return run_planted(program, steps, [self])


def run_planted(program: Program, steps: Sequence[Step], planted: Sequence[Mutation]) -> list[Any]:
    """Run the steps with several mistakes in place, and leave the program as it was.

    Raises:
        Exception: whatever the changed program raises.
    """
    parts = [part for mutation in planted for part in mutation.parts]
    for site, node in parts:
        site.put(node)
    try:
        functions = {mutation.function: mutation.scope.function for mutation in planted}
        changed = program.changed(*functions.values())
        changed.__enter__()
    finally:
        for site, _ in reversed(parts):
            site.put(site.node)
    try:
        return program.run(steps)
    finally:
        changed.__exit__(None, None, None)


def mutations(
    program: Program,
    steps: Sequence[Step],
    sizes: Mapping[int, str],
    operators: Sequence[Operator] = OPERATORS,
) -> Iterator[Mutation]:
    """Yield every mistake that the operators can plant in the functions that the steps reach.

    Raises:
        Exception: whatever the unchanged program raises.
    """
    for scope in observe(program, steps, sizes):
        if writes_files(scope.function):
            continue
        single = []
        for mutation in _single(scope, operators):
            single.append(mutation)
            yield mutation
        yield from _habits(single)


def _single(scope: Scope, operators: Sequence[Operator]) -> Iterator[Mutation]:
    seen: set[tuple[int, str]] = set()
    slopes = computes_slopes(scope.function)
    for site in scope.sites:
        for operator in operators:
            for change in operator(site, scope):
                if change.cause in ABOUT_SLOPES and not slopes:
                    continue
                text = (id(site.node), _text(change.node))
                if text not in seen:
                    seen.add(text)
                    yield _mutation(scope, site, operator, change)


def computes_slopes(function: ast.FunctionDef) -> bool:
    """Return whether a function's name, or a name or key in it, is that of a derivative or an error."""
    names = {qualified(function)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name | ast.arg | ast.Attribute):
            names.add(
                node.id
                if isinstance(node, ast.Name)
                else node.arg
                if isinstance(node, ast.arg)
                else node.attr
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    return any(_SLOPE.search(name) for name in names)


def _habits(single: Sequence[Mutation]) -> Iterator[Mutation]:
    """Yield the mistakes of the field that are made everywhere in a function, not in one place only."""
    groups: dict[tuple[str, str, str], list[Mutation]] = {}
    for mutation in single:
        if mutation.specific:
            kind = {
                key: value for key, value in mutation.facts.items() if key in ("instead", "axis", "factor")
            }
            groups.setdefault((mutation.operator, mutation.cause, repr(kind)), []).append(mutation)
    for group in groups.values():
        first: dict[int, Mutation] = {}
        for mutation in group:
            first.setdefault(id(mutation.parts[0][0].node), mutation)
        parts = [part for mutation in first.values() for part in mutation.parts]
        if len(parts) > 1 and not nested(parts):
            targets = list(dict.fromkeys(str(m.facts["target"]) for m in first.values()))
            facts = {**group[0].facts, "target": " and ".join(targets[:3])}
            head = group[0]
            yield Mutation(head.scope, head.line, head.cause, facts, True, head.operator, tuple(parts))


def nested(parts: Sequence[Part]) -> bool:
    """Return whether one place lies inside another, so that both cannot be changed."""
    nodes = [site.node for site, _ in parts]
    marked = {id(node) for node in nodes}
    if len(marked) < len(nodes):
        return True
    return any(id(inner) in marked for node in nodes for inner in ast.walk(node) if inner is not node)


def _text(node: ast.AST) -> str:
    """Return a new node's text; this also gives it the line numbers that compiling asks for."""
    return ast.unparse(ast.fix_missing_locations(node))


def _mutation(scope: Scope, site: Site, operator: Operator, change: Change) -> Mutation:
    return Mutation(
        scope=scope,
        line=getattr(site.node, "lineno", site.statement.lineno),
        cause=change.cause,
        facts=change.facts,
        specific=change.specific,
        operator=getattr(operator, "__name__", ""),
        parts=((site, change.node),),
    )
