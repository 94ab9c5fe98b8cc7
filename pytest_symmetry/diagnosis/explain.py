"""Why a value is wrong: the one place that checks ask for a cause.

Relations between the arrays are tried first: they need no source and say what everybody can verify. What
they leave open is looked up among the mistakes that the reference's source suggests.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.context import Call, Context, current
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.relations import Relation, relate
from pytest_symmetry.diagnosis.sizes import named_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from pytest_symmetry.findings import Finding

    Arrays = Mapping[str, NDArray[Any]]


def explain(
    finding: Finding,
    *,
    student: Arrays,
    expected: Arrays,
    parameters: Arrays | None = None,
    noise: float = 1e-9,
) -> Finding:
    """Return ``finding`` with its cause and the facts that the cause's words need.

    Args:
        finding: a finding about values; ``place.array`` says which array it is about.
        student: the submission's arrays by name.
        expected: what they should be; names that are not known may be left out.
        parameters: for gradients, the parameters by the same names.
        noise: the relative error that ``expected`` or ``student`` may carry.

    Returns:
        The finding with ``cause``; or, where several causes fit equally, with the fact ``one_of`` (their
        titles); or unchanged where nothing is known. The fact ``also`` lists further wrong arrays that
        have a cause of their own.
    """
    context = current()
    sizes = named_sizes(_arguments(context), parameters) if context else named_sizes((), parameters)
    wrong = [name for name in student if name in expected and _differ(student[name], expected[name], noise)]
    found: dict[str, Relation] = {}
    for name in wrong:
        relation = relate(
            student[name],
            expected[name],
            name=name,
            parameter=(parameters or {}).get(name),
            others=_others(name, expected),
            sizes=sizes,
            noise=noise,
        )
        if relation is not None:
            found[name] = relation
    return _with_relations(finding, found)


def _others(name: str, expected: Arrays) -> dict[str, NDArray[Any]]:
    return {key: value for key, value in expected.items() if key != name}


def _differ(student: NDArray[Any], expected: NDArray[Any], noise: float) -> bool:
    """Return whether two arrays differ by more than the noise they may carry."""
    mine, theirs = np.asarray(student), np.asarray(expected)
    if mine.shape != theirs.shape:
        return True
    if mine.dtype.kind not in "fciub" or theirs.dtype.kind not in "fciub":
        return False
    scale = float(np.abs(theirs).max(initial=0.0))
    return not bool((np.abs(mine.astype(complex) - theirs) <= 10 * noise * scale + 1e-14).all())


def _with_relations(finding: Finding, found: Mapping[str, Relation]) -> Finding:
    array = finding.place.array or str(finding.facts.get("array", ""))
    if array not in found:
        return finding
    relation = found[array]
    also = [
        {"array": name, "cause": other.cause, "title": all_causes()[other.cause].title}
        for name, other in found.items()
        if other.cause != relation.cause
    ]
    facts = {**finding.facts, **relation.facts, **({"also": also} if also else {})}
    return replace(finding, cause=relation.cause, facts=facts)


def _arguments(context: Context) -> Iterator[tuple[str, Any]]:
    """Yield every argument of the calls made in this test, by the name the reference gives it."""
    for call in context.calls:
        names = _signature(context.reference_source, call)
        for i, value in enumerate(call.args):
            yield (names[i] if i < len(names) else "", value)
        yield from call.kwargs.items()


def _signature(source: str, call: Call) -> list[str]:
    for node in ast.parse(source).body if source else ():
        if isinstance(node, ast.FunctionDef) and node.name == call.function:
            return [a.arg for a in node.args.posonlyargs + node.args.args]
    return []
