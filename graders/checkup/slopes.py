"""Is the reference's gradient the gradient of its own cost? Where tests only compare with it, nobody asks."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.assignment import load_reference
from pytest_symmetry.checks.gradients import check_gradients
from pytest_symmetry.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graders.checkup.watching import Asked
    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.context import Call

_GRADIENT = re.compile(r"grad|backward|back_?prop|slope|deriv", re.IGNORECASE)
_NO_GRADIENT = re.compile(r"descent|step|update|check|train|numer|fit|clip", re.IGNORECASE)
_COST = re.compile(r"cost|loss|objective", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Reference:
    """The reference's functions, to be called by the names of their arguments."""

    functions: Any
    nodes: Mapping[str, ast.FunctionDef]

    def arguments(self, name: str) -> list[str]:
        return [a.arg for a in self.nodes[name].args.args]

    def returned(self, name: str) -> list[str]:
        """Return the names in a function's last return, "" for what is none."""
        values = [n.value for n in ast.walk(self.nodes[name]) if isinstance(n, ast.Return)]
        last = values[-1] if values else None
        parts = last.elts if isinstance(last, ast.Tuple) else [last]
        return [part.id if isinstance(part, ast.Name) else "" for part in parts]

    def call(self, name: str, given: Mapping[str, Any]) -> Any:
        """Call a function; an argument that is not given is what another function returns by that name.

        Raises:
            LookupError: an argument is to be had nowhere.
        """
        values = [given[a] if a in given else self._made(a, given) for a in self.arguments(name)]
        return getattr(self.functions, name)(*values)

    def _made(self, argument: str, given: Mapping[str, Any]) -> Any:
        for name in self.nodes:
            returned = self.returned(name)
            if argument in returned and set(self.arguments(name)) <= set(given):
                result = self.call(name, given)
                return result[returned.index(argument)] if len(returned) > 1 else result
        raise LookupError(argument)


def doubtful_gradients(assignment: Assignment, asked: Mapping[str, Asked]) -> Iterator[str]:
    """Yield a sentence for each gradient that differs from its cost's, or that nothing compares with it.

    A function is taken for a gradient by its name or by what it returns: {"dW": …} for {"W": …}. What a test
    with ``check_gradients`` or ``check_backward`` calls is compared there, and nothing is said of it.

    Args:
        assignment: whose reference.
        asked: what each test asked of the solution.
    """
    functions = load_reference(assignment.folder)
    nodes = {n.name: n for n in ast.parse(functions.source).body if isinstance(n, ast.FunctionDef)}
    compared = _with_tools({c.function for one in asked.values() if one.slopes for c in one.calls}, nodes)
    seen: dict[str, tuple[str, Call]] = {}
    for one in asked.values():
        for call in one.calls:
            seen.setdefault(call.function, (one.test, call))
    for name, (test, call) in seen.items():
        if name in compared or name not in nodes or not _is_gradient(call):
            continue
        said = _compared(_Reference(functions, nodes), call)
        if said is None:
            yield (
                f"{test}: nothing compares {name} with differences of a cost, so a mistake in the solution's "
                "own gradient would not show; use check_gradients or check_backward in a test"
            )
        elif said:
            yield f"{assignment.notebook}: {said}"


def _with_tools(names: set[str], nodes: Mapping[str, ast.FunctionDef]) -> set[str]:
    """Return functions with those that they use: a mistake in a tool shows in what is made with it."""
    found, waiting = set(names), list(names)
    while waiting:
        node = nodes.get(waiting.pop())
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node is not None else set()
        waiting += (used & set(nodes)) - found
        found |= used & set(nodes)
    return found


def _is_gradient(call: Call) -> bool:
    if _NO_GRADIENT.search(call.function):
        return False
    keys = [k for k in call.result if isinstance(k, str)] if isinstance(call.result, dict) else []
    given = [a for a in (*call.args, *call.kwargs.values()) if isinstance(a, dict)]
    fits = any(k[1:] in a for k in keys for a in given if k.startswith("d"))
    return fits or bool(_GRADIENT.search(call.function))


def _compared(reference: _Reference, call: Call) -> str | None:
    """Return "" where it is the gradient of a cost of the same arguments, what differs, or None: unknown."""
    name = call.function
    given = dict(zip(reference.arguments(name), call.args, strict=False)) | dict(call.kwargs)
    point = _point(reference, call, given)
    if point is None:
        return None
    verdicts = []
    for cost in reference.nodes:
        if _COST.search(cost) and not _GRADIENT.search(cost) and cost != name:
            said = _differs(reference, cost, name, given, point)
            verdicts.append(
                f"the solution's {name} is not the gradient of its own {cost}: {said}" if said else said
            )
    known = [v for v in verdicts if v is not None]
    return min(known, key=len) if known else None


def _point(reference: _Reference, call: Call, given: Mapping[str, Any]) -> list[str] | None:
    """Return the names of the arguments that a gradient goes by, or None."""
    result = call.result
    if isinstance(result, dict):
        keys = [key[1:] for key in result if isinstance(key, str) and key.startswith("d")]
        own = [
            n for n, value in given.items() if isinstance(value, dict) and keys and set(keys) >= set(value)
        ]
        return own[:1] or None
    if isinstance(result, np.ndarray):
        alike = [
            n for n, value in given.items() if isinstance(value, np.ndarray) and value.shape == result.shape
        ]
        if len(alike) == 1:
            return alike
    names = [n[1:] if n.startswith("d") else "" for n in reference.returned(call.function)]
    return names if names and all(n in given for n in names) else None


def _differs(
    reference: _Reference, cost: str, gradient: str, given: Mapping[str, Any], point: list[str]
) -> str | None:
    """Return "" where they agree, what differs in a few words, or None where it cannot be told."""
    whole = isinstance(given[point[0]], dict)

    def at(p: Any) -> dict[str, Any]:
        return dict(given) | ({point[0]: p} if whole else dict(p))

    def slopes(p: Any) -> Any:
        result = reference.call(gradient, at(p))
        if whole:
            return {f"d{key}": result[f"d{key}"] for key in p}
        parts = result if isinstance(result, tuple | list) else (result,)
        return {f"d{name}": part for name, part in zip(point, parts, strict=True)}

    start = given[point[0]] if whole else {name: given[name] for name in point}
    try:
        with np.errstate(all="ignore"):
            if np.size(reference.call(cost, at(start))) != 1:
                return None
            check_gradients(lambda p: reference.call(cost, at(p)), slopes, start)
    except CheckFailed as failure:
        array = failure.finding.place.array or failure.finding.facts.get("array") or "an array"
        return f"{array} is not the slope"
    except Exception:  # noqa: BLE001 - functions of unknown meaning were put together; then it cannot be told
        return None
    return ""
