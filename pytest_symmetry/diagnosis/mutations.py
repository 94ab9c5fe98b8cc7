"""Every planted mistake of a reference, one at a time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_symmetry.diagnosis.observation import Scope, Site, observe
from pytest_symmetry.diagnosis.operators import OPERATORS
from pytest_symmetry.diagnosis.operators.change import Change
from pytest_symmetry.diagnosis.replay import Program, Step, writes_files

Operator = Callable[[Site, Scope], Iterator[Change]]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One planted mistake: where it is, what it stands for, and the operator that made it."""

    function: str
    line: int
    cause: str
    facts: Mapping[str, Any]
    specific: bool
    operator: str
    site: Site
    change: Change

    def run(self, program: Program, steps: Sequence[Step], scope: Scope) -> list[Any]:
        """Run the steps with this mistake in place.

        Raises:
            Exception: whatever the changed program raises.
        """
        with self.planted(program, scope):
            return program.run(steps)

    def planted(self, program: Program, scope: Scope) -> Any:
        """Return a context in which the program has this mistake."""
        return _Planted(self, program, scope)


class _Planted:
    """Puts the changed node into the tree, compiles the function, and puts the old node back."""

    def __init__(self, mutation: Mutation, program: Program, scope: Scope) -> None:
        self._mutation, self._program, self._scope = mutation, program, scope
        self._inner: Any = None

    def __enter__(self) -> None:
        site, new = self._mutation.site, self._mutation.change.node
        site.put(new)
        try:
            ast.fix_missing_locations(self._scope.function)
            self._inner = self._program.changed(self._scope.function)
            self._inner.__enter__()
        finally:
            site.put(site.node)

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)


def mutations(
    program: Program,
    steps: Sequence[Step],
    sizes: Mapping[int, str],
    operators: Sequence[Operator] = OPERATORS,
) -> Iterator[tuple[Mutation, Scope]]:
    """Yield every mistake that the operators can plant in the functions that the steps reach.

    Raises:
        Exception: whatever the unchanged program raises.
    """
    for scope in observe(program, steps, sizes):
        if writes_files(scope.function):
            continue
        seen: set[tuple[int, str]] = set()
        for site in scope.sites:
            for operator in operators:
                for change in operator(site, scope):
                    text = (id(site.node), _text(change.node))
                    if text in seen:
                        continue
                    seen.add(text)
                    yield _mutation(scope, site, operator, change), scope


def _text(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node))


def _mutation(scope: Scope, site: Site, operator: Operator, change: Change) -> Mutation:
    return Mutation(
        function=scope.function.name,
        line=getattr(site.node, "lineno", site.statement.lineno),
        cause=change.cause,
        facts=change.facts,
        specific=change.specific,
        operator=getattr(operator, "__name__", ""),
        site=site,
        change=change,
    )
