"""Why a value is wrong: the one place that checks ask for a cause.

Relations between the arrays come first: they need no source and say what everybody can verify. What they
leave open is looked up among the mistakes that the reference's source suggests. What is still open is
located: the first step that is off. Nothing is said that more than one explanation fits, except as
"one of".
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.context import Call, Context, current
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.diagnosis.dictionary import content_key
from pytest_symmetry.diagnosis.lines import line_in_relation, wrong_line
from pytest_symmetry.diagnosis.locating import located
from pytest_symmetry.diagnosis.lookup import Sight, explanation, look, planted_by_course
from pytest_symmetry.diagnosis.naming import Explanation, title_of
from pytest_symmetry.diagnosis.quantities import in_words, vocabulary
from pytest_symmetry.diagnosis.relations import Relation, relate
from pytest_symmetry.diagnosis.replay import program_of
from pytest_symmetry.diagnosis.sizes import leaves, named_sizes
from pytest_symmetry.diagnosis.stepping import takes_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_symmetry.findings import Finding

    Arrays = Mapping[str, NDArray[Any]]


MOST_LINES = 6
"""Planted mistakes of one cause for which a line is looked for."""


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
        The finding with ``cause``; where several causes fit equally it is ``one-of-several`` and the fact
        ``one_of`` lists their titles; unchanged where nothing is known. The fact ``also`` lists further
        mistakes that show in other arrays.
    """
    try:
        return _explained(finding, student, expected, parameters, noise)
    except Exception:  # noqa: BLE001 - what is wrong with the diagnosis must not hide what the check found
        return finding


def _explained(
    finding: Finding, student: Arrays, expected: Arrays, parameters: Arrays | None, noise: float
) -> Finding:
    context = current()
    sizes = the_call_sizes(parameters)
    sight = look(context, student, sizes, context.dictionaries) if context else None
    precision = noise_of(student)
    if sight is not None and (own := planted_by_course(sight, precision)) is not None:
        return _with_explanation(finding, own, context, sight)
    if sight is not None and parameters is not None and gradient_is_right(sight, precision):
        about_loss = _with_explanation(finding, _about_the_loss(sight, precision), context, sight)
        return _found_by("loss", about_loss, context)
    wrong = [name for name in student if name in expected and _differ(student[name], expected[name], noise)]
    given = dict(_given(context)) if context and parameters is None else {}
    around = _Around(parameters or {}, sizes, given, _takes_step(context, given))
    found = _relations(wrong, student, expected, around, noise)
    array = str(finding.facts.get("parameter") or finding.place.array or finding.facts.get("array", ""))
    if _one_relation_for_all(found, wrong, student, expected, noise):
        related = _with_relation(finding, array, {array: next(iter(found.values())), **found})
        return _found_by("one relation", _on_its_line(related, context, sight), context)
    about = student.get(array)
    mixed = not all(name in found and found[name].sharp for name in wrong)
    if sight is not None and (known := explanation(sight, precision, about, mixed=mixed)) is not None:
        return _found_by("planted", _with_explanation(finding, known, context, sight), context)
    if array in found:
        related = _on_its_line(_with_relation(finding, array, found), context, sight)
        return _found_by("relation", related, context)
    wrong += [name for name in student if _label(finding, name) in finding.facts.get("also_wrong", ())]
    if parameters is not None and (spot := located(array, wrong, list(student))) is not None:
        placed = replace(finding, cause=spot.cause, facts={**finding.facts, **spot.facts})
        return _found_by("located", placed, context)
    changed = sorted(_changed(context)) if context else []
    if changed:
        caused = replace(finding, cause="argument-changed", facts={**finding.facts, "changed": changed})
        return _found_by("changed", caused, context)
    return finding


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around the wrong arrays; ``stepping`` says whether the last call moves what it is given."""

    parameters: Arrays
    sizes: Mapping[int, str]
    given: Arrays
    stepping: bool


def _takes_step(context: Context | None, given: Arrays) -> bool:
    if context is None or not context.calls:
        return True
    call = context.calls[-1]
    return takes_step(call.function, [*given, *argument_names(context, call), *call.kwargs])


def _found_by(way: str, finding: Finding, context: Context | None) -> Finding:
    if context is not None and finding.cause is not None:
        context.ways.append((finding.cause, way))
    return finding


def _changed(context: Context) -> set[str]:
    """Return the arguments that a call changed in place: "W2", or "X", as the reference calls them."""
    return {
        _argument_name(path, argument_names(context, call))
        for call in context.calls
        for path in call.changed_paths
    }


def _argument_name(path: str, names: Sequence[str]) -> str:
    match = re.fullmatch(r"args\[(\d+)\](.*)", path)
    if match is None or int(match[1]) >= len(names):
        return path
    key = re.fullmatch(r"\['(\w+)'\]", match[2])
    return key[1] if key else names[int(match[1])] + match[2]


def _relations(
    wrong: list[str],
    student: Arrays,
    expected: Arrays,
    around: _Around,
    noise: float,
) -> dict[str, Relation]:
    found: dict[str, Relation] = {}
    for name in wrong:
        relation = relate(
            student[name],
            expected[name],
            name=name,
            parameter=around.parameters.get(name),
            others={key: value for key, value in {**student, **expected}.items() if key != name},
            sizes=around.sizes,
            bases=around.given,
            stepping=around.stepping,
            noise=noise,
        )
        if relation is not None:
            found[name] = relation
    return found


def _one_relation_for_all(
    found: Mapping[str, Relation], wrong: list[str], student: Arrays, expected: Arrays, noise: float
) -> bool:
    """Return whether every wrong array is wrong in one and the same way, and that way has a name.

    An array of one entry proves nothing by itself; it only must not contradict the others' factor.
    """
    if not found or len({r.cause for r in found.values()}) > 1 or not all(r.sharp for r in found.values()):
        return False
    factor = next(iter(found.values())).facts.get("factor", np.nan)
    return all(
        name in found
        or (np.size(expected[name]) == 1 and not _differ(student[name], factor * expected[name], noise))
        for name in wrong
    )


def noise_of(student: Arrays) -> float:
    """Return the noise of the coarsest dtype among the student's arrays."""
    narrow = any(
        np.asarray(a).dtype.itemsize < 8 and np.asarray(a).dtype.kind == "f" for a in student.values()
    )
    return 1e-6 if narrow else 1e-9


def the_call_sizes(parameters: Arrays | None = None) -> dict[int, str]:
    """Return what the lengths in the arguments of this test's calls mean."""
    context = current()
    return named_sizes(_arguments(context) if context else (), parameters)


def _differ(student: NDArray[Any], expected: NDArray[Any], noise: float) -> bool:
    """Return whether two arrays differ by more than the noise they may carry."""
    mine, theirs = np.asarray(student), np.asarray(expected)
    if mine.shape != theirs.shape:
        return True
    if mine.dtype.kind not in "fciub" or theirs.dtype.kind not in "fciub":
        return False
    scale = float(np.abs(theirs).max(initial=0.0))
    return not bool((np.abs(mine.astype(complex) - theirs) <= 10 * noise * scale + 1e-14).all())


def gradient_is_right(sight: Sight, noise: float) -> bool:
    """Return whether the gradient equals the reference's and something else does not: then it is the loss."""
    differing = sight.dictionary.differing(sight.seen, noise)
    return bool(sight.own) and bool(differing) and not set(differing) & set(sight.own)


def _about_the_loss(sight: Sight, noise: float) -> Explanation:
    """Return what is known about a loss that is off while its gradient is right."""
    known = explanation(sight, noise)
    if known is not None and not known.also:
        return known
    for leaf in sight.dictionary.differing(sight.seen, noise):
        relation = relate(sight.arrays[leaf], sight.right[leaf], name="cost", sizes=sight.sizes, noise=noise)
        if relation is not None and relation.sharp:
            title = all_causes()[relation.cause].title
            return Explanation("loss-related", {"relation": title}, function=sight.steps[leaf[0]].function)
    return Explanation("loss-differs")


def _with_explanation(
    finding: Finding, known: Explanation, context: Context | None, sight: Sight | None
) -> Finding:
    facts: dict[str, Any] = {**finding.facts, **_said(known, context)}
    if known.one_of:
        facts["one_of"] = list(known.one_of)
    if known.function:
        facts["where"] = known.function
    if known.also:
        facts["also"] = [
            {"array": "", "cause": other.cause, "title": title_of(other.cause)}
            | _said(other, context)
            | ({"one_of": list(other.one_of)} if other.one_of else {})
            for other in known.also
        ]
    found = replace(finding, cause=known.cause, facts=facts)
    return _placed(found, known, context, sight)


def _said(known: Explanation, context: Context | None) -> dict[str, Any]:
    """Return an explanation's facts with the names that a student of this assignment has."""
    assignment = context.assignment if context else None
    if context is None or assignment is None:
        return in_words(known.facts, known.function, None, {})
    declared: Mapping[str, str] = getattr(assignment, "quantities", {})
    functions = frozenset(getattr(assignment, "functions", ())) | {call.function for call in context.calls}
    names = vocabulary(context.reference_source, functions) | set(declared)
    return in_words(known.facts, known.function, names, declared)


def _placed(finding: Finding, known: Explanation, context: Context | None, sight: Sight | None) -> Finding:
    """Return the finding placed in the function that the mistake is in, where that was called."""
    for call in context.calls if context and known.function else ():
        if call.function == known.function and call.cell is not None:
            line = _line(call, known, context, sight) or call.line
            return finding.at(function=known.function, cell=call.cell, line=line)
    return finding


def _line(call: Call, known: Explanation, context: Context | None, sight: Sight | None) -> int | None:
    """Return the one line of the student's function that makes the mistake, or None."""
    opened = context.submission if context else None
    text = dict(opened.submission.cells).get(call.cell, "") if opened is not None else ""
    if sight is None or not text or call.line is None or not 0 < len(known.numbers) <= MOST_LINES:
        return None
    try:
        program = program_of(sight.source)
        key = content_key(sight.source, sight.steps, sight.sizes)
        found = {
            wrong_line(text, call.line, program, sight.steps, sight.sizes, number, key)
            for number in known.numbers
        }
    except Exception:  # noqa: BLE001 - a place is a courtesy: nothing that goes wrong here may cost the cause
        return None
    found.discard(None)
    return found.pop() if len(found) == 1 else None


def _on_its_line(finding: Finding, context: Context | None, sight: Sight | None) -> Finding:
    """Return the finding placed on the one line of the student's function that its relation stands in."""
    opened = context.submission if context else None
    if context is None or sight is None or not sight.source or opened is None:
        return finding
    place = finding.place
    call = next((c for c in context.calls if c.function == place.function and c.cell == place.cell), None)
    if call is None or call.line is None:
        return finding

    def related(quantity: str, theirs: Any, right: Any, known: Mapping[str, Any]) -> bool:
        parameter = known.get(quantity.removeprefix("d"))
        others = {name: value for name, value in known.items() if isinstance(value, np.ndarray)}
        found = relate(theirs, right, name=quantity, parameter=parameter, others=others, sizes=sight.sizes)
        if found is None or found.cause != finding.cause:
            return False
        return math.isclose(found.facts.get("factor", 1.0), finding.facts.get("factor", 1.0), rel_tol=1e-6)

    try:
        text = dict(opened.submission.cells).get(call.cell, "")
        program, key = program_of(sight.source), content_key(sight.source, sight.steps, sight.sizes)
        line = line_in_relation(
            text, call.line, program, sight.steps, sight.sizes, call.function, related, key
        )
    except Exception:  # noqa: BLE001 - a place is a courtesy: nothing that goes wrong here may cost the cause
        return finding
    return finding if line is None else finding.at(line=line)


def _with_relation(finding: Finding, array: str, found: Mapping[str, Relation]) -> Finding:
    if array not in found:
        return finding
    relation = found[array]
    also = [
        {**_spoken(finding, other), "array": _label(finding, name), "cause": other.cause}
        | {"title": all_causes()[other.cause].title}
        for name, other in found.items()
        if other.cause != relation.cause
    ]
    facts = {**finding.facts, **_spoken(finding, relation), **({"also": also} if also else {})}
    return replace(finding, cause=relation.cause, facts=facts)


def _spoken(finding: Finding, relation: Relation) -> dict[str, Any]:
    """Return a relation's facts with arrays called what the finding calls them."""
    known = dict(relation.facts)
    if "other" in known:
        known["other"] = _label(finding, known["other"])
    return known


def _label(finding: Finding, name: str) -> str:
    """Return what an array is called in the finding's words: the gradient of W1 is dW1 where b1's is db1."""
    array, parameter = str(finding.facts.get("array", "")), str(finding.facts.get("parameter", ""))
    return array.removesuffix(parameter) + name if parameter and array.endswith(parameter) else name


def _given(context: Context) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays that the last call was given, by name."""
    for call in context.calls[-1:]:
        names = argument_names(context, call)
        for i, value in enumerate(call.args):
            for path, array in leaves(value):
                yield (path.lstrip(".") or (names[i] if i < len(names) else f"argument {i}")), array


def _arguments(context: Context) -> Iterator[tuple[str, Any]]:
    """Yield every argument of the calls made in this test, by the name the reference gives it."""
    for call in context.calls[:20]:
        names = argument_names(context, call)
        for i, value in enumerate(call.args):
            yield (names[i] if i < len(names) else "", value)
        yield from call.kwargs.items()


def argument_names(context: Context, call: Call) -> tuple[str, ...]:
    """Return what the reference calls the arguments of a call; () where it is not at hand."""
    return _arguments_of(context.reference_source, call.function)


@lru_cache(maxsize=256)
def _arguments_of(source: str, function: str) -> tuple[str, ...]:
    """Return the names of a function's arguments in a source text."""
    for node in ast.parse(source).body if source else ():
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return tuple(a.arg for a in node.args.posonlyargs + node.args.args)
    return ()
