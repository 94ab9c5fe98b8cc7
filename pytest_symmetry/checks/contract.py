"""What a loss and its gradients owe their caller before a single number is compared.

A number that is finite; a gradient for every parameter, of its shape, finite; arguments left as they were;
and the same answer to the same question. Two calls of each function are made at the point of the check.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.arrays import FloatArray
from pytest_symmetry.checks.naming import fits, gradient_name, keys_off_by, pick_gradients
from pytest_symmetry.checks.program import Answer, Program, changed_names, number_of, real
from pytest_symmetry.differences import EPS, EPS32
from pytest_symmetry.errors import StudentTrouble
from pytest_symmetry.findings import Finding, Place

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.checks.surroundings import Surroundings

_SAME_LOSS = {"float64": 1e-9, "float32": 1e-5}
"""How far two losses of one point may lie apart, relative to their size: threads and memory alignment change
the last digits of a sum, randomness changes the first ones."""

_SAME_GRADIENT = {"float64": 1e-9, "float32": 1e-4}
"""The same for gradients, relative to the largest entry of the array."""


@dataclass(slots=True)
class Contract:
    """What the first calls at a point have shown.

    ``precision`` is the machine epsilon of the type each gradient came in (``loss_precision``: that of the
    loss), ``place`` where the gradient
    function stands, ``absent`` the parameters without a gradient, ``fixed`` and ``numbers`` the
    integer arrays and plain whole numbers that have one.
    """

    value: float = np.nan
    loss_precision: float = EPS
    gradients: dict[str, FloatArray] = field(default_factory=dict)
    precision: dict[str, float] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    returned: dict[str, Any] = field(default_factory=dict)
    copied: bool = True
    notes: list[Finding] = field(default_factory=list)
    loss_place: Place = field(default_factory=Place)
    place: Place = field(default_factory=Place)


class Broken(Exception):
    """The contract is broken: carries the finding."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.code)


def keep_contract(
    program: Program, arrays: Mapping[str, FloatArray], names: list[str], around: Surroundings
) -> Contract:
    """Call each function twice at ``arrays`` and return what they gave.

    Raises:
        Broken: with the first finding.
    """
    kept = Contract()
    loss = program.ask(program.loss, arrays)
    kept.loss_place = place_of(loss, program.loss)
    _loss_is_number(kept, loss.value)
    _unchanged(kept.loss_place, loss, arrays, around, "PUR101")
    around.look_again()
    around.replaced.clear()
    _first_gradients(kept, program, arrays, names, around)
    _loss_repeats(kept, program.ask(program.loss, arrays).value, program)
    _gradients_repeat(kept, program.ask(program.gradients, arrays).value, arrays, names, program, around)
    return kept


def _first_gradients(
    kept: Contract,
    program: Program,
    arrays: Mapping[str, FloatArray],
    names: list[str],
    around: Surroundings,
) -> None:
    """Ask for the gradients; what was returned is let go before the next call needs the memory."""
    first = program.ask(program.gradients, arrays)
    kept.place = place_of(first, program.gradients)
    read_gradients(kept, first.value, arrays, names, program)
    overwritten = around.overwritten()
    _unchanged(kept.place, first, arrays, around, "PUR102")
    kept.notes += around.cache_notes(first.calls, kept.place)
    if overwritten and _differs_now(kept, arrays, names, program):
        kept.notes.append(_cache_note(kept, overwritten))


def _differs_now(
    kept: Contract, arrays: Mapping[str, FloatArray], names: list[str], program: Program
) -> bool:
    """Return whether the gradients are others without a loss in between."""
    again = Contract(place=kept.place)
    try:
        read_gradients(again, program.ask(program.gradients, arrays).value, arrays, names, program)
    except StudentTrouble:
        raise
    except Exception:  # noqa: BLE001 - a call that cannot be repeated says nothing on what was overwritten
        return False
    return any(True for _ in _different(kept, again))


def _cache_note(kept: Contract, names: list[str]) -> Finding:
    facts = {"arrays": names, "function": kept.place.function or "gradients"}
    return Finding("PUR104", severity="warn", place=kept.place, facts=facts)


def place_of(answer: Answer, function: Callable[[Any], Any]) -> Place:
    """Return where the code of a call stands: the submission's last function in it, else the caller's own."""
    if answer.calls:
        last = answer.calls[-1]
        return Place(function=last.function, cell=last.cell, line=last.line)
    name = getattr(function, "__name__", "")
    return Place(function=name if name.isidentifier() else None)


def _loss_is_number(kept: Contract, raw: Any) -> None:
    value = raw[0] if isinstance(raw, tuple | list) and len(raw) else raw
    number = number_of(raw)
    if number is None or np.iscomplexobj(number):
        shape = list(value.shape) if hasattr(value, "shape") else None
        raise Broken(
            Finding("GRD110", place=kept.loss_place, facts={"type": type(value).__name__, "shape": shape})
        )
    if not np.isfinite(number):
        raise Broken(Finding("GRD111", place=kept.loss_place, facts={"value": str(float(number))}))
    kept.value = float(number)
    if getattr(number, "dtype", None) in (np.float32, np.float16):
        kept.loss_precision = float(np.finfo(number.dtype).eps)
    if len(getattr(value, "shape", ())):
        facts = {"shape": list(value.shape)}
        kept.notes.append(Finding("GRD124", severity="note", place=kept.loss_place, facts=facts))


def _unchanged(
    place: Place, answer: Answer, arrays: Mapping[str, FloatArray], around: Surroundings, code: str
) -> None:
    changed = changed_names(answer.given, arrays, answer.calls)
    if changed:
        raise Broken(Finding(code, place=_at(place, changed[0]), facts={"arrays": changed}))
    if harmed := around.harmful(answer, arrays):
        raise Broken(Finding("PUR103", place=_at(place, harmed[0]), facts={"arrays": harmed}))


def _at(place: Place, array: str) -> Place:
    return Place(place.function, place.cell, place.line, array or None)


def read_gradients(
    kept: Contract, raw: Any, arrays: Mapping[str, FloatArray], names: list[str], program: Program
) -> None:
    """Sort out the gradients: one for each name, numbers, of the parameter's shape, finite.

    Raises:
        Broken: with the first finding, the one of the last layer first.
    """
    picked = pick_gradients(raw, {n: arrays[n].shape for n in names}, program.order)
    kept.absent = [name for name in names if name not in picked]
    kept.numbers = _offered_numbers(raw, program.parameters)
    if program.offers_fixed and isinstance(raw, Mapping | tuple | list):
        shapes = {n: a.shape for n, a in program.unmoved.items() if a.size}
        offered = pick_gradients(raw, shapes, program.order) if shapes else {}
        kept.fixed = [n for n, value in offered.items() if fits(value, shapes[n])]
    kept.returned = {
        "found": sorted(map(str, raw))[:20] if isinstance(raw, Mapping) else [],
        "returned": type(raw).__name__,
        "length": len(raw) if isinstance(raw, tuple | list) else None,
        "off_by": keys_off_by(raw, {n: arrays[n].shape for n in names}) if kept.absent else 0,
    }
    if kept.absent and (len(kept.absent) == len(names) or not isinstance(program.parameters, Mapping)):
        raise missing(kept, names)
    try:
        for name in filter(picked.__contains__, reversed(names)):
            _read_one(kept, name, picked[name], arrays[name])
    except Broken as broken:
        # Under a key of another layer stands another shape: the keys are what is to be told.
        moved = broken.finding.code == "GRD102" and kept.returned["off_by"]
        raise (missing(kept, names) if moved else broken) from None


def _offered_numbers(raw: Any, parameters: Any) -> list[str]:
    """Return the plain whole numbers among the parameters with a gradient: ``b = 0`` is a bias as well."""
    if not isinstance(raw, Mapping) or not isinstance(parameters, Mapping):
        return []
    return [n for n, value in parameters.items() if type(value) is int and gradient_name(str(n)) in raw]


def missing(kept: Contract, names: list[str]) -> Broken:
    """Return the finding that parameters have no gradient."""
    facts = {
        "missing": [gradient_name(n) for n in kept.absent],
        "array": gradient_name(kept.absent[0]),
        "wanted": len(names),
        **kept.returned,
    }
    cause = "keys-off-by-one" if facts.get("off_by") else None
    place = _at(kept.place, gradient_name(kept.absent[0]))
    return Broken(Finding("GRD103", cause=cause, place=place, facts=facts))


def _read_one(kept: Contract, name: str, raw: Any, parameter: FloatArray) -> None:
    place = _at(kept.place, gradient_name(name))
    label = gradient_name(name)
    try:
        array = real(raw)
        if raw is None or array.dtype.kind not in "fiu":
            raise TypeError
    except (TypeError, ValueError):
        kind = getattr(getattr(raw, "dtype", None), "name", None)
        facts = {"array": label, "type": type(raw).__name__, "dtype": kind}
        raise Broken(Finding("GRD106", place=place, facts=facts)) from None
    if array.shape != parameter.shape:
        _judge_shape(kept, place, label, array, parameter.shape)
    if not _surely_finite(array) and not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        index = [int(i) for i in bad[0]]
        facts = {
            "array": label,
            "index": index,
            "value": str(float(array[tuple(index)])),
            "entries": array.size,
            "entries_wrong": len(bad),
        }
        where = Place(place.function, place.cell, place.line, label, tuple(index) or None)
        raise Broken(Finding("GRD104", place=where, facts=facts))
    single = array.dtype in (np.float32, np.float16)
    if single:
        facts = {"array": label, "dtype": array.dtype.name}
        kept.notes.append(Finding("GRD128", severity="note", place=place, facts=facts))
    kept.precision[name] = float(np.finfo(array.dtype).eps) if single else EPS
    # A copy, because the function may use its own arrays again at the next call.
    own = np.array(array, np.float64) if kept.copied else np.asarray(array, np.float64)
    kept.gradients[name] = own.reshape(parameter.shape)


def _surely_finite(array: NDArray[Any]) -> bool:
    """Return whether the sum of the squares is finite, which costs half as much as to ask every entry."""
    with np.errstate(all="ignore"):
        return math.isfinite(float(np.vdot(array, array)))


def _judge_shape(
    kept: Contract, place: Place, label: str, array: NDArray[Any], wanted: tuple[int, ...]
) -> None:
    """Refuse a gradient of another shape; one that an update would use rightly all the same gets a note."""
    facts = {"array": label, "shape": list(array.shape), "expected_shape": list(wanted)}
    if array.size == math.prod(wanted) and (array.size == 1 or _spreads(array.shape, wanted)):
        kept.notes.append(Finding("GRD125", severity="note", place=place, facts=facts))
        return
    finding = Finding("GRD102", cause=_shape_cause(array.shape, wanted), place=place, facts=facts)
    raise Broken(finding if finding.cause else _explained(finding, label, array))


def _explained(finding: Finding, label: str, array: NDArray[Any]) -> Finding:
    """Ask for the mistake that gives this shape, where the shape alone does not tell."""
    from pytest_symmetry.diagnosis.explain import explain

    return explain(finding, student={label: array}, expected={})


def _spreads(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        return False


def _shape_cause(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str | None:
    if not shape:
        return "single-number"
    same_size = math.prod(shape) == math.prod(wanted)
    squeezed = [n for n in shape if n != 1] == [n for n in wanted if n != 1]
    if same_size and squeezed and len(shape) < len(wanted):
        return "keepdims-missing"
    if same_size and squeezed and len(shape) > len(wanted):
        return "keepdims-extra"
    if len(shape) > 1 and shape == wanted[::-1]:
        return "transposed"
    if same_size and len(shape) == 1:
        return "shape-flattened"
    return None


def _loss_repeats(kept: Contract, raw: Any, program: Program) -> None:
    number = number_of(raw)
    again = np.nan if number is None else float(number)
    apart = abs(again - kept.value)
    tolerance = _SAME_LOSS["float64" if kept.loss_precision == EPS else "float32"]
    if not apart <= tolerance * max(abs(kept.value), abs(again)):
        facts = {"first": kept.value, "second": again, "reseed": program.reseed is not None}
        raise Broken(Finding("GRD112", place=kept.loss_place, facts=facts))


def _gradients_repeat(
    kept: Contract,
    raw: Any,
    arrays: Mapping[str, FloatArray],
    names: list[str],
    program: Program,
    around: Surroundings,
) -> None:
    again = Contract(place=kept.place, copied=False)
    read_gradients(again, raw, arrays, names, program)
    different = [name for name, *_ in _different(kept, again)]
    if not different:
        return
    again.gradients = {n: array.copy() for n, array in again.gradients.items()}
    twice = all(_is_multiple(kept.gradients[n], again.gradients[n], 2.0) for n in different)
    if not twice and (found := around.put_back(again.gradients)):
        if not _differs_now(kept, arrays, names, program):
            kept.notes.append(_cache_note(kept, found))
            return
        program.restored = []
        again = Contract(place=kept.place)
        read_gradients(again, program.ask(program.gradients, arrays).value, arrays, names, program)
    adds = twice or _keeps_adding(kept, again, different, arrays, names, program)
    raise Broken(_changing(kept, again, different, adds=adds, reseed=program.reseed is not None))


def _changing(kept: Contract, again: Contract, different: list[str], *, adds: bool, reseed: bool) -> Finding:
    """Return the finding that gradients change from call to call."""
    name = different[-1]
    worst = np.unravel_index(
        int(np.argmax(np.abs(again.gradients[name] - kept.gradients[name]))), kept.gradients[name].shape
    )
    index = [int(i) for i in worst]
    facts = {
        "array": gradient_name(name),
        "index": index,
        "first": float(kept.gradients[name][worst]),
        "second": float(again.gradients[name][worst]),
        "arrays": [gradient_name(n) for n in different],
        "twice": adds,
        "reseed": reseed,
    }
    place = Place(
        kept.place.function, kept.place.cell, kept.place.line, gradient_name(name), tuple(index) or None
    )
    return Finding("GRD105", cause="accumulates" if adds else None, place=place, facts=facts)


def _different(kept: Contract, again: Contract) -> Iterator[tuple[str, float]]:
    for name, first in kept.gradients.items():
        if np.array_equal(first, again.gradients[name]):
            continue
        tolerance = _SAME_GRADIENT["float64" if kept.precision[name] == EPS else "float32"]
        size = max(float(np.abs(first).max(initial=0)), float(np.abs(again.gradients[name]).max(initial=0)))
        apart = float(np.abs(again.gradients[name] - first).max(initial=0))
        if apart > max(tolerance, 10 * kept.precision[name]) * size:
            yield name, apart


def _is_multiple(first: FloatArray, second: FloatArray, factor: float) -> bool:
    size = float(np.abs(first).max(initial=0))
    return size > 0 and float(np.abs(second - factor * first).max(initial=0)) <= 10 * EPS32 * size


def _keeps_adding(
    kept: Contract,
    again: Contract,
    different: list[str],
    arrays: Mapping[str, FloatArray],
    names: list[str],
    program: Program,
) -> bool:
    """Return whether a third call adds the same again: gradients summed since before the check."""
    third = Contract(place=kept.place)
    read_gradients(third, program.ask(program.gradients, arrays).value, arrays, names, program)
    return all(
        _is_multiple(again.gradients[n] - kept.gradients[n], third.gradients[n] - kept.gradients[n], 2.0)
        for n in different
    )
