"""Two nestings of values laid side by side: what differs, and where.

Structure comes before shape, shape before finiteness, finiteness before values, because a later question
makes no sense where an earlier one has the answer no.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.arrays import is_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far one entry may be off: ``relative * |entry| + of_largest * max|array| + absolute``.

    ``close`` is the relative deviation that rounding alone explains; between it and ``relative`` a note is
    made. The number of entries never enters, so one wrong entry of a large array does not hide.
    """

    relative: float
    of_largest: float
    absolute: float
    close: float


TOLERANCES: dict[str, Tolerance] = {
    # relative: log(p + 1e-8) for log(p) moves a loss by 1e-6 of itself and is not a mistake.
    # of_largest: a sum whose terms cancel keeps an error of its terms' size, 1e-16 each, some 1e4 of them.
    # absolute: an array that is zero in exact arithmetic (a bias before batch norm) keeps about 1e-15.
    "float64": Tolerance(relative=1e-6, of_largest=1e-11, absolute=1e-12, close=1e-9),
    # 6e-8 per operation; log(1 - a) next to a = 1 loses three more digits.
    "float32": Tolerance(relative=1e-3, of_largest=1e-5, absolute=1e-6, close=1e-4),
    # 5e-4 per operation: little more than two digits survive a network.
    "float16": Tolerance(relative=5e-2, of_largest=1e-2, absolute=1e-3, close=2e-2),
    # Labels, counts and truth values are right or they are not.
    "exact": Tolerance(relative=0.0, of_largest=0.0, absolute=0.0, close=0.0),
}


def tolerance_for(student: NDArray[Any], expected: NDArray[Any]) -> Tolerance:
    """Return the table's line for a pair: the coarser of the two floating types decides."""
    kinds = {a.dtype.kind for a in (student, expected)}
    if not kinds & set("fc"):
        return TOLERANCES["exact"]
    bits = min(_precision(a) for a in (student, expected))
    return TOLERANCES[{16: "float16", 32: "float32"}.get(bits, "float64")]


def _precision(array: NDArray[Any]) -> int:
    """Return the bits of one real number of ``array``; integers are exact and never the coarser side."""
    if array.dtype.kind == "c":
        return array.dtype.itemsize * 4
    return array.dtype.itemsize * 8 if array.dtype.kind == "f" else 64


@dataclass(frozen=True, slots=True)
class Compared:
    """One value beside its reference.

    ``problem`` is "" where they agree, else "missing", "extra", "length", "type", "shape", "empty",
    "not finite" or "values". ``wrong`` marks the entries outside the tolerance ``allowed``.
    """

    path: str
    problem: str
    student: Any
    expected: Any
    error: float = 0.0
    allowed: float = 0.0
    wrong: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def compare(student: Any, expected: Any, path: str = "", depth: int = 0) -> Iterator[Compared]:
    """Yield one :class:`Compared` per leaf, and one per difference in structure, in the reference's order."""
    if student is None and expected is not None:
        yield Compared(path, "empty", student, expected)
    elif depth >= _DEPTH or is_leaf(expected):
        yield compare_leaf(student, expected, path)
    elif isinstance(expected, Mapping):
        yield from _compare_mappings(student, expected, path, depth)
    elif isinstance(expected, list | tuple):
        yield from _compare_sequences(student, expected, path, depth)
    else:
        yield from _compare_objects(student, expected, path, depth)


def is_leaf(value: Any) -> bool:
    """Return whether ``value`` is compared as a whole."""
    return not isinstance(value, Mapping | list | tuple) and (
        hasattr(value, "__array__") or not is_object(value)
    )


def _compare_mappings(student: Any, expected: Mapping[Any, Any], path: str, depth: int) -> Iterator[Compared]:
    if not isinstance(student, Mapping):
        yield Compared(path, "type", student, expected)
        return
    missing = [key for key in expected if key not in student]
    extra = [key for key in student if key not in expected]
    if missing or extra:
        facts = {"missing": [str(k) for k in missing], "extra": [str(k) for k in extra]}
        yield Compared(path, "missing" if missing else "extra", student, expected, facts=facts)
    for key, value in expected.items():
        if key in student:
            suffix = f".{key}" if isinstance(key, str) else f"[{key!r}]"
            yield from compare(student[key], value, path + suffix, depth + 1)


def _compare_sequences(
    student: Any, expected: list[Any] | tuple[Any, ...], path: str, depth: int
) -> Iterator[Compared]:
    if not isinstance(student, list | tuple):
        yield Compared(path, "type", student, expected)
    elif len(student) != len(expected):
        facts = {"length": len(student), "expected_length": len(expected)}
        yield Compared(path, "length", student, expected, facts=facts)
    else:
        for i, (mine, theirs) in enumerate(zip(student, expected, strict=True)):
            yield from compare(mine, theirs, f"{path}[{i}]", depth + 1)


def _compare_objects(student: Any, expected: Any, path: str, depth: int) -> Iterator[Compared]:
    """Compare the public attributes of two objects; the student's may live in another process."""
    for name in vars(expected):
        if name.startswith("_"):
            continue
        try:
            mine = getattr(student, name)
        except AttributeError:
            yield Compared(path, "missing", student, expected, facts={"missing": [name], "extra": []})
        else:
            yield from compare(mine, getattr(expected, name), f"{path}.{name}", depth + 1)


def stands_for(item: Compared) -> int:
    """Return how many leaves of the reference a comparison speaks of."""
    if item.problem not in ("missing", "length", "type", "empty"):
        return 1
    missing = set(item.facts.get("missing", ()))
    return max(1, sum(_leaves(v) for k, v in _members(item.expected) if not missing or str(k) in missing))


def _leaves(value: Any, depth: int = 0) -> int:
    if depth >= _DEPTH or is_leaf(value):
        return 1
    return sum(_leaves(member, depth + 1) for _, member in _members(value))


def _members(value: Any) -> list[tuple[Any, Any]]:
    """Return the members of a container by key, position or attribute, as :func:`compare` takes them."""
    if is_leaf(value):
        return []
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    return [(name, member) for name, member in vars(value).items() if not name.startswith("_")]


def compare_leaf(student: Any, expected: Any, path: str) -> Compared:
    """Compare two arrays, numbers or texts."""
    theirs = _as_array(expected)
    if theirs is None or expected is None:
        return Compared(path, "" if _same(student, expected) else "values", student, expected)
    mine = None if isinstance(student, list | tuple) else _as_array(student)
    if mine is None:
        return Compared(path, "type", student, expected)
    if mine.shape != theirs.shape:
        return Compared(path, "shape", mine, theirs)
    notes = ("narrow",) if _precision(mine) < _precision(theirs) else ()
    if not np.isfinite(mine[np.isfinite(theirs)]).all():
        wrong = ~np.isfinite(mine) & np.isfinite(theirs)
        return Compared(path, "not finite", mine, theirs, np.inf, 0.0, wrong, notes)
    return _compare_values(mine, theirs, path, notes)


def _compare_values(
    student: NDArray[Any], expected: NDArray[Any], path: str, notes: tuple[str, ...]
) -> Compared:
    """Compare two arrays of one shape, entry by entry; equal infinities and NaNs agree."""
    limit = tolerance_for(student, expected)
    if expected.dtype.kind == "f" and expected.size and bool((student == expected).all()):
        return _equal(student, expected, path, notes, limit)
    wide = np.complex128 if "c" in (student.dtype.kind, expected.dtype.kind) else np.float64
    mine, theirs = student.astype(wide), expected.astype(wide)
    finite = np.isfinite(theirs)
    same = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
    with np.errstate(all="ignore"):
        error = np.where(same, 0.0, np.abs(mine - theirs))
    largest = float(np.abs(theirs[finite]).max(initial=0.0))
    size = np.where(finite, np.abs(theirs), 0.0)
    allowed = limit.relative * size + limit.of_largest * largest + limit.absolute
    wrong = ~(error <= allowed)
    if not wrong.any() and bool(
        (error > limit.close * size + limit.of_largest * largest + limit.absolute).any()
    ):
        notes = (*notes, "close")
    worst = int(np.argmax(np.where(np.isnan(error), np.inf, error) - allowed)) if error.size else 0
    return Compared(
        path,
        "values" if wrong.any() else "",
        student,
        expected,
        float(error.ravel()[worst]) if error.size else 0.0,
        float(np.ravel(allowed)[worst]) if error.size else 0.0,
        wrong,
        notes,
    )


def _equal(
    student: NDArray[Any], expected: NDArray[Any], path: str, notes: tuple[str, ...], limit: Tolerance
) -> Compared:
    """Return what :func:`_compare_values` finds where all entries are equal, without looking at each.

    Most of a class is right, to the last bit where it computes as the reference does.
    """
    sizes = np.abs(expected.astype(np.float64))
    finite = sizes[np.isfinite(sizes)]
    largest = float(finite.max(initial=0.0))
    smallest = float(sizes.min()) if finite.size == sizes.size else 0.0
    allowed = limit.relative * smallest + limit.of_largest * largest + limit.absolute
    return Compared(path, "", student, expected, 0.0, allowed, np.zeros(sizes.shape, dtype=bool), notes)


def _as_array(value: Any) -> NDArray[Any] | None:
    """Return ``value`` as an array of numbers or truth values, or None where it is something else."""
    if value is None or isinstance(value, str | bytes | Mapping):
        return None
    if hasattr(value, "detach"):  # a torch tensor that requires grad refuses __array__
        value = value.detach()
    if not isinstance(value, bool | int | float | complex | np.generic) and not hasattr(value, "__array__"):
        return None
    array = np.asarray(value)
    return array if array.dtype.kind in "fciub" else None


def _same(student: Any, expected: Any) -> bool:
    """Compare two values that are not numbers; arrays of texts or objects count by their entries."""
    if hasattr(student, "__array__") or hasattr(expected, "__array__"):
        return bool(np.array_equal(np.asarray(student), np.asarray(expected)))
    return bool(student == expected)
