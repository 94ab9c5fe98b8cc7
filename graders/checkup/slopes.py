"""Is the reference's gradient the gradient of its own cost? Where tests only compare with it, nobody asks."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.assignment import load_reference
from pytest_symmetry.checks.gradients import check_gradients
from pytest_symmetry.errors import CheckFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from graders.checkup.watching import Asked
    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.context import Call

_GRADIENT = re.compile(r"grad|backward|back_?prop|slope|deriv", re.IGNORECASE)
_NO_GRADIENT = re.compile(r"descent|step|update|check|train|numer|fit|clip", re.IGNORECASE)
_COST = re.compile(r"cost|loss|objective|error|risk", re.IGNORECASE)


def doubtful_gradients(assignment: Assignment, asked: Mapping[str, Asked]) -> Iterator[str]:
    """Yield a sentence for each gradient that differs from its cost's, or that nothing compares with it.

    A function is taken for a gradient by its name or by what it returns: {"dW": …} for {"W": …}. What a test
    with ``check_gradients`` or ``check_backward`` calls is compared there, and nothing is said of it.

    Args:
        assignment: whose reference.
        asked: what each test asked of the solution.
    """
    source = load_reference(assignment.folder).source
    functions = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}
    compared = {call.function for one in asked.values() if one.slopes for call in one.calls}
    seen: dict[str, tuple[str, Call]] = {}
    for one in asked.values():
        for call in one.calls:
            seen.setdefault(call.function, (one.test, call))
    for name, (test, call) in seen.items():
        if name in compared or name not in functions or not _is_gradient(call):
            continue
        said = _compared(assignment, name, call, functions)
        if said is None:
            yield (
                f"{test}: nothing compares {name} with differences of a cost, so a mistake in the solution's "
                "own gradient would not show; use check_gradients or check_backward in a test"
            )
        elif said:
            yield f"{assignment.notebook}: {said}"


def _is_gradient(call: Call) -> bool:
    if _NO_GRADIENT.search(call.function):
        return False
    result = call.result
    keys = [k for k in result if isinstance(k, str)] if isinstance(result, dict) else []
    given = [a for a in (*call.args, *call.kwargs.values()) if isinstance(a, dict)]
    fits = bool(keys) and any(k[1:] in a for k in keys for a in given if k.startswith("d"))
    return fits or bool(_GRADIENT.search(call.function))


def _compared(
    assignment: Assignment, name: str, call: Call, functions: Mapping[str, ast.FunctionDef]
) -> str | None:
    """Return "" where it is the gradient of a cost of the same arguments, what differs, or None: unknown."""
    reference = load_reference(assignment.folder)
    names = [a.arg for a in functions[name].args.args]
    given = dict(zip(names, call.args, strict=False)) | dict(call.kwargs)
    point = _point(functions[name], call.result, given)
    if point is None:
        return None
    verdicts = []
    for cost, node in functions.items():
        wanted = [a.arg for a in node.args.args]
        if not _COST.search(cost) or not set(wanted) <= set(given) or not set(point) & set(wanted):
            continue
        verdicts.append(
            _differs(getattr(reference, cost), getattr(reference, name), wanted, names, given, point)
        )
        if verdicts[-1]:
            verdicts[-1] = f"the solution's {name} is not the gradient of its own {cost}: {verdicts[-1]}"
    known = [v for v in verdicts if v is not None]
    return min(known, key=len) if known else None


def _point(function: ast.FunctionDef, result: Any, given: Mapping[str, Any]) -> list[str] | None:
    """Return the names of the arguments that a gradient goes by, or None."""
    if isinstance(result, dict):
        own = [
            n
            for n, v in given.items()
            if isinstance(v, dict) and all(k[:1] == "d" and k[1:] in v for k in result)
        ]
        return own[:1] or None
    returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return)]
    last = returned[-1] if returned else None
    parts = last.elts if isinstance(last, ast.Tuple) else [last]
    names = [p.id[1:] if isinstance(p, ast.Name) and p.id.startswith("d") else "" for p in parts]
    return names if all(n in given for n in names) else None


def _differs(
    cost: Callable[..., Any],
    gradient: Callable[..., Any],
    wanted: list[str],
    names: list[str],
    given: Mapping[str, Any],
    point: list[str],
) -> str | None:
    """Return "" where they agree, what differs in a few words, or None where it cannot be told."""

    def at(p: Mapping[str, Any]) -> dict[str, Any]:
        return dict(given) | dict(p)

    start = {name: given[name] for name in point}
    whole = isinstance(start[point[0]], dict)

    def slopes(p: Mapping[str, Any]) -> Any:
        result = gradient(*(at(p)[n] for n in names if n in given))
        parts = (result,) if whole or len(point) == 1 else result
        return parts[0] if whole else {f"d{n}": v for n, v in zip(point, parts, strict=True)}

    def loss(p: Mapping[str, Any]) -> Any:
        return cost(*(at({point[0]: p} if whole else p)[n] for n in wanted))

    def grads(p: Mapping[str, Any]) -> Any:
        return slopes({point[0]: p} if whole else p)

    try:
        with np.errstate(all="ignore"):
            check_gradients(loss, grads, start[point[0]] if whole else start)
    except CheckFailed as failure:
        facts = failure.finding.facts
        return (
            str(facts.get("array") or failure.finding.place.array or "an array") + " differs from the slope"
        )
    except Exception:  # noqa: BLE001 - functions of unknown meaning were put together; then it cannot be told
        return None
    return ""
