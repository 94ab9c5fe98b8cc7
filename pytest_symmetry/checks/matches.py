"""Does a value, or what a function returns, equal the reference's?"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.assignment import CONVENTIONS
from pytest_symmetry.checks.comparisons import Compared, compare, compare_leaf, stands_for
from pytest_symmetry.checks.failing import fail
from pytest_symmetry.checks.naming import keys_off_by
from pytest_symmetry.checks.pictures import difference_figure
from pytest_symmetry.context import Call, current, record
from pytest_symmetry.diagnosis.conventions import CAUSES, convention_of, excused
from pytest_symmetry.diagnosis.explain import argument_names, explain
from pytest_symmetry.diagnosis.finite import why_not_finite
from pytest_symmetry.diagnosis.pairs import moved_along, shape_cause
from pytest_symmetry.diagnosis.returned import returned_names
from pytest_symmetry.findings import Comparison, Finding, MatchEvidence, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from numpy.typing import NDArray

# Structure first: where it differs, a later difference is its consequence.
_ORDER = ("empty", "type", "missing", "length", "shape", "not finite", "values")
_CODES = {
    "values": "MAT101",
    "missing": "MAT102",
    "length": "MAT102",
    "type": "MAT103",
    "shape": "MAT104",
    "not finite": "MAT105",
    "empty": "MAT106",
}


def check_matches(student: Any, reference: Any, *args: Any, **kwargs: Any) -> MatchEvidence:
    """Check that ``student(*args, **kwargs)`` equals ``reference(*args, **kwargs)``.

    Both are called with equal but separate copies of the arguments, so neither sees what the other does to
    them. Where one of the two is not callable it is itself the value to compare. Results may be arrays,
    numbers, texts, dicts, lists, tuples or objects with attributes, nested in any way.

    Entries are compared one by one within the tolerances of
    :data:`pytest_symmetry.checks.comparisons.TOLERANCES`, by the coarser dtype of the two.

    Returns:
        What was compared. Its notes say what is not a failure: arguments changed in place, results in a
        narrower dtype, values that agree only to six digits, keys nobody asked for.

    Raises:
        CheckFailed: something differs: MAT101 values, MAT102 keys or length, MAT103 type, MAT104 shape,
            MAT105 not finite, MAT106 still None.
        StudentTrouble: the submission gave no answer.
    """
    __tracebackhide__ = True
    expected = reference(*separate(args), **separate(kwargs)) if callable(reference) else reference
    context = current()
    before = len(context.calls) if context else 0
    given_args, given_kwargs = separate((args, kwargs))
    result = student(*given_args, **given_kwargs) if callable(student) else student
    calls = context.calls[before:] if context else []
    place = _place(student, calls)
    compared = list(compare(result, expected))
    names = _Names(reference, place.function)
    notes = [*_purity(calls, place, args, kwargs, given_args, given_kwargs), *_notes(compared, place, names)]
    evidence = MatchEvidence(
        passed=all(c.problem in ("", "extra") for c in compared),
        comparisons=tuple(_comparison(c, names) for c in compared),
        notes=tuple(notes),
    )
    if not evidence.passed:
        finding = _explained_unless_accepted(compared, place, names)
        if finding.severity == "fail":
            fail(finding, evidence)
        evidence = replace(evidence, passed=True, notes=(*notes, finding))
    record(evidence)
    return evidence


def separate(value: Any) -> Any:
    """Return a copy that shares nothing a function could change; opaque objects are passed on."""
    if isinstance(value, np.ndarray):
        return np.array(value, order="K")
    if type(value) is dict:
        return {key: separate(member) for key, member in value.items()}
    if type(value) in (list, tuple):
        return type(value)(separate(member) for member in value)
    if isinstance(value, np.random.Generator | np.random.RandomState) or hasattr(value, "_fields"):
        return copy.deepcopy(value)
    # An object that answers any attribute stands for one in another process: it has no inside to copy.
    if hasattr(value, "__dict__") and not callable(value) and not hasattr(type(value), "__getattr__"):
        return copy.deepcopy(value)
    return value


class _Names:
    """What the parts of a result are called: by key, or by the variable that the reference returns."""

    def __init__(self, reference: Any, function: str | None) -> None:
        context = current()
        source = context.reference_source if context else ""
        self._returned = returned_names(source, str(getattr(reference, "__name__", "") or function or ""))

    def __call__(self, path: str) -> str:
        """Return what the part at ``path`` is called: "W1" for ".W1", "result[1]" where nothing is known."""
        if not path:
            return self._returned[0] if len(self._returned) == 1 else "result"
        for i, name in enumerate(self._returned if len(self._returned) > 1 else ()):
            if path == f"[{i}]" or path.startswith((f"[{i}].", f"[{i}][")):
                return name + path.removeprefix(f"[{i}]")
        return path[1:] if path.startswith(".") else f"result{path}"


def _place(student: Any, calls: list[Call]) -> Place:
    if calls:
        return Place(function=calls[-1].function, cell=calls[-1].cell, line=calls[-1].line)
    name = getattr(student, "__name__", None)
    return Place(function=name if isinstance(name, str) and name.isidentifier() else None)


def _comparison(item: Compared, names: _Names) -> Comparison:
    array = isinstance(item.expected, np.ndarray)
    return Comparison(
        path=names(item.path),
        passed=item.problem in ("", "extra"),
        kind=item.problem or ("array" if array and item.expected.ndim else "number" if array else "value"),
        shape=item.expected.shape if array else (),
        error=item.error,
        tolerance=item.allowed,
        entries_wrong=int(item.wrong.sum()) if item.wrong is not None else 0,
        stands_for=stands_for(item),
    )


def _finding(item: Compared, place: Place, names: _Names) -> Finding:
    name = names(item.path)
    facts: dict[str, Any] = {"array": name, **item.facts}
    cause, index, figure = None, None, None
    if item.wrong is not None:
        index = _first(item.wrong)
        figure = difference_figure(name, item.student, item.expected)
        facts |= _entry(item, index) | {"entries_wrong": int(item.wrong.sum()), "entries": item.wrong.size}
    elif item.problem == "values":
        facts |= {"student": repr(item.student)[:80], "expected": repr(item.expected)[:80], "tolerance": 0.0}
        facts |= {"index": "", "entries_wrong": 1, "entries": 1}
    elif item.problem == "shape":
        facts |= {"shape": item.student.shape, "expected_shape": item.expected.shape}
        cause = shape_cause(item.student.shape, item.expected.shape)
    elif item.problem in ("type", "empty"):
        facts |= {"type": _kind(item.student), "expected_type": _kind(item.expected)}
    elif item.problem in ("missing", "length"):
        facts = {"missing": [], "extra": [], "length": 0, "expected_length": 0} | facts
        facts |= {"kind": item.problem, "off_by": _keys_off_by(item)}
        cause = "keys-off-by-one" if facts["off_by"] else None
    return Finding(_CODES[item.problem], cause=cause, place=place, facts=facts, figure=figure).at(
        array=name, index=index or None
    )


def _keys_off_by(item: Compared) -> int:
    """Return by how much the numbers in all keys of a dict of arrays are off; 0 where they are not."""
    if item.problem != "missing" or not isinstance(item.expected, Mapping):
        return 0
    if not all(isinstance(array, np.ndarray) for array in item.expected.values()):
        return 0
    return keys_off_by(item.student, {str(key): array.shape for key, array in item.expected.items()})


def _first(wrong: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape))


def _entry(item: Compared, index: tuple[int, ...]) -> dict[str, Any]:
    """Return the facts of one entry, with as many digits as its tolerance needs."""
    return {
        "index": f"[{', '.join(map(str, index))}]" if index else "",
        "student": item.student[index],
        "expected": item.expected[index],
        "tolerance": item.allowed,
    }


def _kind(value: Any) -> str:
    """Return what a value is, in a reader's words."""
    if value is None:
        return "None"
    words = {dict: "a dict", list: "a list", tuple: "a tuple", str: "a text", bool: "a truth value"}
    if type(value) in words:
        return words[type(value)]
    if isinstance(value, np.ndarray) and value.ndim:
        return "an array"
    if isinstance(value, int | float | complex | np.generic | np.ndarray):
        return "a number"
    return "a function" if callable(value) else f"an object of type {type(value).__name__}"


def _explained(finding: Finding, compared: Iterable[Compared], names: _Names) -> Finding:
    """Ask the diagnosis why, where values or shapes are off."""
    context = current()
    if finding.code == "MAT105" and context is not None and context.calls:
        return why_not_finite(finding, context.calls[-1], argument_names(context, context.calls[-1]))
    if finding.cause is not None or finding.code not in ("MAT101", "MAT104"):
        return finding
    pairs = [c for c in compared if _is_measured(c)]
    student = {names(c.path): c.student for c in pairs}
    expected = {names(c.path): c.expected for c in pairs}
    if (shifted := _shifted(finding, student, expected)) is not None:
        return shifted
    return explain(finding, student=student, expected=expected)


def _shifted(
    finding: Finding, student: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]
) -> Finding | None:
    """Return the finding with its cause where all that is off is one list of numbers, moved by one place.

    Several results that a function returns side by side are no list: each has a meaning of its own.
    """
    name = finding.place.array or ""
    row = name.rpartition("[")[0]
    entries = [key for key in expected if key.rpartition("[")[0] == row and np.ndim(expected[key]) == 0]
    if row in ("", "result") or name not in entries or finding.code != _CODES["values"]:
        return None
    rest = [compare_leaf(student[key], expected[key], key) for key in expected if key not in entries]
    mine, theirs = (np.array([side[key] for key in entries]) for side in (student, expected))
    if any(c.problem for c in rest) or not moved_along(mine, theirs, 0):
        return None
    return replace(finding, cause="shifted-by-one", facts={**finding.facts, "axis": 0, "row": row})


def _explained_unless_accepted(compared: list[Compared], place: Place, names: _Names) -> Finding:
    """Return the finding with its cause; a note where all that differs is a convention that costs nothing."""
    context = current()
    wrong = ", ".join(names(c.path) for c in compared if c.problem)
    accepted = getattr(context.assignment, "accept", ()) if context else ()
    if (convention := _convention(compared, names, accepted)) is not None:
        facts = {"array": wrong, "convention": convention}
        return Finding("MAT205", severity="note", place=place, facts=facts)
    first = min(compared, key=lambda c: _ORDER.index(c.problem) if c.problem in _ORDER else len(_ORDER))
    finding = _explained(_finding(first, place, names), compared, names)
    if finding.cause in CAUSES and context is not None and context.assignment is not None:
        convention = _convention(compared, names, [c for c in CONVENTIONS if c not in accepted])
    if convention is None:
        return finding
    said = replace(finding, facts={**finding.facts, "convention": convention})
    return excused(convention, wrong, place) or said


def _convention(compared: Iterable[Compared], names: _Names, among: Collection[str]) -> str | None:
    """Return the convention under which the whole result is right, or None."""
    pairs = [c for c in compared if c.problem != "extra"]
    if not among or not all(_is_measured(c) for c in pairs):
        return None
    student = {names(c.path): c.student for c in pairs}
    try:
        return convention_of(student, {names(c.path): c.expected for c in pairs}, among)
    except Exception:  # noqa: BLE001 - a convention that cannot be looked for must not cost the verdict
        return None


def _is_measured(item: Compared) -> bool:
    return item.problem in ("", "values", "shape") and isinstance(item.student, np.ndarray)


def _notes(compared: Iterable[Compared], place: Place, names: _Names) -> Iterator[Finding]:
    """Yield what is worth saying though it is no failure."""
    for item in compared:
        name = names(item.path)
        if item.problem == "extra":
            yield Finding("MAT203", severity="note", place=place, facts={"array": name, **item.facts})
        if "narrow" in item.notes:
            types = {"dtype": str(item.student.dtype), "expected_dtype": str(item.expected.dtype)}
            yield Finding("MAT202", severity="note", place=place, facts={"array": name, **types})
        if "close" in item.notes:
            yield Finding("MAT204", severity="note", place=place, facts={"array": name, "error": item.error})


def _purity(
    calls: list[Call],
    place: Place,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    given_args: tuple[Any, ...],
    given_kwargs: Mapping[str, Any],
) -> Iterator[Finding]:
    """Yield a note for arguments that the function changed in place."""
    if calls:
        for call in calls:
            if call.changed_paths or call.changed:
                paths = list(call.changed_paths) or ["an argument"]
                where = Place(function=call.function, cell=call.cell, line=call.line)
                yield Finding("MAT201", severity="note", place=where, facts={"changed": paths})
        return
    changed = [c for c in compare((given_args, given_kwargs), (args, kwargs)) if c.problem]
    if changed:
        paths = [c.path.removeprefix("[0]").removeprefix("[1].") for c in changed]
        yield Finding(
            "MAT201", severity="note", place=place, facts={"changed": [f"argument {p}" for p in paths]}
        )
