"""Where the units of each hidden layer lie in a container of arrays, read from names and shapes alone.

Shapes do not always decide: a square matrix may be (n_out, n_in) or (n_in, n_out), a (3, 1) array may be a
bias or the weights of a single input. :func:`readings` therefore returns every reading that is consistent,
and a verdict may only be given where all of them agree.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from pytest_symmetry.partition import FloatArray, IntArray, LabelledArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Shapes = Mapping[str, tuple[int, ...]]
Role = Literal["weight", "bias", "other"]

MIXED = "mixed"
"""The orientation of a reading in which dense arrays disagree: possible, but no ground for an accusation."""

_MOST_READINGS = 64
_MOST_ROLES = 256


@dataclass(frozen=True, slots=True)
class Member:
    """The units of one layer in one array: they lie along ``axis``, from entry ``start`` on.

    The entries of the axis are counted as (before, units, inner): a plain axis has before = inner = 1, a
    flattened (C, H, W) axis has inner = H*W, a flattened (H, W, C) axis and stacked gates have before > 1.
    """

    array: str
    axis: int
    start: int = 0
    before: int = 1
    inner: int = 1

    def positions(self, units: int) -> IntArray:
        """Return the entries along the axis as an array of shape (units, before * inner)."""
        grid = np.arange(self.before * units * self.inner).reshape(self.before, units, self.inner)
        return (self.start + np.moveaxis(grid, 1, 0).reshape(units, -1)).astype(np.intp)


@dataclass(frozen=True, slots=True)
class Layer:
    """One hidden layer: the members that compute its units (``incoming``) and those that use them."""

    name: str
    units: int
    incoming: tuple[Member, ...]
    outgoing: tuple[Member, ...]

    @property
    def members(self) -> tuple[Member, ...]:
        """All members, each once."""
        return tuple(dict.fromkeys((*self.incoming, *self.outgoing)))


@dataclass(frozen=True, slots=True)
class Layout:
    """All hidden layers, from the input on.

    ``orientation`` is said in notes; ``weights`` and ``biases`` name the arrays of each step, inputs first;
    ``sizes`` are the widths from the inputs to the outputs; ``unread`` are arrays left over.
    """

    layers: tuple[Layer, ...]
    orientation: str
    unread: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    biases: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()


def labelled(arrays: Mapping[str, FloatArray], layout: Layout) -> list[LabelledArray]:
    """Return the arrays in pieces whose axes are each labelled with one layer, or with none."""
    pieces = []
    for name, values in arrays.items():
        cuts = [_segments(layout, name, axis, length) for axis, length in enumerate(values.shape)]
        for combination in itertools.product(*cuts):
            piece = values[tuple(slice(start, stop) for start, stop, _, _ in combination)]
            shape = tuple(n for *_, parts in combination for n in parts)
            labels = tuple(x for *_, marks, _ in combination for x in marks)
            pieces.append(LabelledArray(name, piece.reshape(shape), labels))
    return pieces


_Segment = tuple[int, int, tuple[int | None, ...], tuple[int, ...]]


def _segments(layout: Layout, name: str, axis: int, length: int) -> list[_Segment]:
    """Cut one axis where members begin and end: (start, stop, labels, shape) of each piece."""
    found: list[_Segment] = []
    for number, layer in enumerate(layout.layers):
        for member in layer.members:
            if (member.array, member.axis) == (name, axis):
                stop = member.start + member.before * layer.units * member.inner
                shape = (member.before, layer.units, member.inner)
                found.append((member.start, stop, (None, number, None), shape))
    found.sort(key=lambda segment: segment[:2])
    pieces: list[_Segment] = []
    at = 0
    for segment in found:
        if segment[0] > at:
            pieces.append((at, segment[0], (None,), (segment[0] - at,)))
        pieces.append(segment)
        at = segment[1]
    if at < length or not pieces:
        pieces.append((at, length, (None,), (length - at,)))
    return pieces


# --- reading names -------------------------------------------------------------------------------------


def _role_by_name(name: str) -> Role | None:
    word = re.sub(r"\[\d+\]", "", name).rsplit(".", maxsplit=1)[-1].strip("_0123456789").lower()
    if re.fullmatch(r"b\w{0,2}|.*bias(es)?|intercepts?|beta", word) or word.startswith("bias"):
        return "bias"
    if re.match(r"w|theta|kernel|coef|filter", word) or re.search(r"weight|kernel", word):
        return "weight"
    return None


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", name))


def _in_order(names: Sequence[str]) -> list[str]:
    """Return names in the order of the numbers in them where all have distinct ones, else as they come."""
    keys = [_numbers(name) for name in names]
    if all(keys) and len(set(keys)) == len(keys):
        return [name for _, name in sorted(zip(keys, names, strict=True))]
    return list(names)


def _is_vector(shape: tuple[int, ...]) -> bool:
    return len(shape) == 1 or (len(shape) == 2 and 1 in shape)


def _role_choices(shapes: Shapes) -> Iterator[dict[str, Role]]:
    """Yield every assignment of roles that names and shapes allow; arrays of other kinds have none."""
    options: dict[str, tuple[Role, ...]] = {}
    told = {name: _role_by_name(name) for name in shapes}
    anonymous = not any(told.values())
    for name, shape in shapes.items():
        role = told[name]
        if role == "weight" and len(shape) == 1:
            options[name] = ("weight", "other")  # of one output, or the scale of a normalisation
        elif role == "weight" or (role is None and anonymous and len(shape) >= 2 and not _is_vector(shape)):
            options[name] = ("weight",)
        elif role == "bias":
            options[name] = ("bias",)
        elif anonymous:
            options[name] = ("bias", "weight") if shape else ("bias",)
    total = int(np.prod([len(o) for o in options.values()], dtype=float))
    if total > _MOST_ROLES:
        options = {name: o[:1] if len(shapes[name]) == 1 else o for name, o in options.items()}
    choices = [
        dict(zip(options, roles, strict=True))
        for roles in itertools.islice(itertools.product(*options.values()), _MOST_ROLES)
    ]
    yield from sorted(choices, key=lambda roles: _vector_weights(shapes, roles))


def _vector_weights(shapes: Shapes, roles: Mapping[str, Role]) -> int:
    """Return how many arrays of one axis are taken for weights: the rarer reading, tried last."""
    return sum(role == "weight" and len(shapes[name]) == 1 for name, role in roles.items())


# --- chains ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Weight:
    """A weight array in one orientation: the axis of its outputs, of its inputs, and their lengths."""

    name: str
    out_axis: int | None
    in_axis: int | None
    n_out: int
    n_in: int
    dense: bool


def _oriented(name: str, shape: tuple[int, ...], outputs_first: bool) -> _Weight | None:
    if len(shape) == 1:
        return _Weight(name, None, 0, 1, shape[0], dense=True)
    if len(shape) not in (2, 3, 4, 5):
        return None
    out_axis, in_axis = (0, 1) if outputs_first else (len(shape) - 1, len(shape) - 2)
    return _Weight(name, out_axis, in_axis, shape[out_axis], shape[in_axis], dense=len(shape) == 2)


def _joints(lower: _Weight, upper: _Weight) -> list[Member]:
    """Return the ways in which the outputs of ``lower`` can be the inputs of ``upper``."""
    if upper.in_axis is None:
        return []
    if upper.n_in == lower.n_out:
        return [Member(upper.name, upper.in_axis)]
    if upper.dense and not lower.dense and upper.n_in % lower.n_out == 0:
        cells = upper.n_in // lower.n_out
        return [
            Member(upper.name, upper.in_axis, inner=cells),
            Member(upper.name, upper.in_axis, before=cells),
        ]
    if upper.dense and upper.n_in == lower.n_out + 1:  # a column of ones carries the bias
        return [Member(upper.name, upper.in_axis, start=1), Member(upper.name, upper.in_axis)]
    return []


def _chains(weights: Sequence[_Weight]) -> Iterator[tuple[Member, ...]]:
    yield from itertools.product(*(_joints(a, b) for a, b in itertools.pairwise(weights)))


def _pairings(
    shapes: Shapes, weights: Sequence[_Weight], biases: Sequence[str]
) -> Iterator[tuple[str | None, ...]]:
    """Yield a bias or None for every weight array, in order: as many pairs as there can be."""
    pairs = min(len(biases), len(weights))
    numbered = {_numbers(w.name): n for n, w in enumerate(weights)}
    told = len(numbered) == len(weights) and all(_numbers(b) in numbered for b in biases)
    for chosen in itertools.islice(itertools.combinations(biases, pairs), _MOST_READINGS):
        for at in itertools.combinations(range(len(weights)), pairs):
            if told and any(numbered[_numbers(b)] != n for b, n in zip(chosen, at, strict=True)):
                continue  # b1 belongs to W1
            if all(_fits(shapes[bias], weights[n].n_out) for bias, n in zip(chosen, at, strict=True)):
                paired = dict(zip(at, chosen, strict=True))
                yield tuple(paired.get(n) for n in range(len(weights)))


def _fits(shape: tuple[int, ...], units: int) -> bool:
    return int(np.prod(shape)) == units and (not shape or _is_vector(shape))


def _layout(
    shapes: Shapes, weights: Sequence[_Weight], joints: Sequence[Member],
    biases: Sequence[str | None], said: str,
) -> Layout:  # fmt: skip
    layers = []
    for number, (weight, joint) in enumerate(zip(weights, joints, strict=False)):
        incoming = [Member(weight.name, weight.out_axis)] if weight.out_axis is not None else []
        if (bias := biases[number]) is not None:
            incoming.append(Member(bias, int(np.argmax(shapes[bias]))))
        layers.append(Layer(f"layer {number + 1}", weight.n_out, tuple(incoming), (joint,)))
    read = {w.name for w in weights} | set(biases)
    return Layout(
        layers=tuple(layers),
        orientation=said,
        unread=tuple(name for name in shapes if name not in read),
        weights=tuple(w.name for w in weights),
        biases=tuple(b for b in biases if b is not None),
        sizes=(weights[0].n_in - _bias_inside(weights), *(w.n_out for w in weights)),
    )


def _bias_inside(weights: Sequence[_Weight]) -> bool:
    """Return whether the arrays have one more input than there are units below: a column for the bias."""
    pairs = list(itertools.pairwise(weights))
    return bool(pairs) and all(upper.n_in == lower.n_out + 1 for lower, upper in pairs)


def _orders(names: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield the container's order; the others too where neither numbers nor places tell it."""
    yield tuple(names)
    if not all(_numbers(name) for name in names) and len(names) <= 4:
        yield from itertools.islice(itertools.permutations(names), 1, None)


def _orientations(shapes: Shapes, names: Sequence[str]) -> Iterator[tuple[list[_Weight], str]]:
    """Yield the weights in one orientation, then in the other, then mixed."""
    words = {True: "(n_out, n_in)", False: "(n_in, n_out)"}
    flags = sorted(itertools.product((True, False), repeat=min(len(names), 6)), key=lambda f: len(set(f)))
    for choice in flags:
        outputs_first = choice if len(choice) == len(names) else (choice[0],) * len(names)
        weights = [_oriented(n, shapes[n], o) for n, o in zip(names, outputs_first, strict=True)]
        if all(w is not None for w in weights):
            kept = [w for w in weights if w is not None]
            yield kept, words[choice[-1]] if len(set(_dense(kept, outputs_first))) <= 1 else MIXED


def _dense(weights: Sequence[_Weight], outputs_first: Sequence[bool]) -> list[bool]:
    """Return the orientations of the dense arrays: filters have their own convention."""
    kept = [
        first for w, first in zip(weights, outputs_first, strict=True) if w.dense and w.out_axis is not None
    ]
    return kept or [outputs_first[-1]]


def readings(shapes: Shapes) -> list[Layout]:
    """Return every consistent reading of the arrays as a network, the most usual first.

    Uniform orientations shut out mixed ones; readings that leave no array over shut out others. A square
    array may be the recurrent weights of the layer before it. An empty list says that no reading fits.
    """
    found: dict[tuple[Layer, ...], Layout] = {}
    finished = False
    for roles in _role_choices(shapes):
        if (
            any(_left_over(layout) == (0, 0) for layout in found.values())
            and _vector_weights(shapes, roles) > 0
        ):
            break
        weights = _in_order([n for n, role in roles.items() if role == "weight"])
        biases = _in_order([n for n, role in roles.items() if role == "bias"])
        if finished and len(biases) not in (0, len(weights)):
            continue  # some weight array would lack its bias, and a reading without that is known
        for order in _orders(weights):
            plain = _readings_in_order(shapes, order, biases)
            # With a bias for every weight array nothing is left that a recurrent reading could explain
            # better, and in deep nets of square arrays there are a great many of those.
            complete = bool(biases) and any(_left_over(layout) == (0, 0) for layout in plain)
            finished = finished or complete
            for layout in (*plain, *(() if complete else _recurrent(shapes, order, biases))):
                found.setdefault(layout.layers, layout)
            if len(found) >= _MOST_READINGS:
                break
    best = min((_left_over(layout) for layout in found.values()), default=(0, 0))
    return [layout for layout in found.values() if _left_over(layout) == best]


def _left_over(layout: Layout) -> tuple[int, int]:
    """Return what a reading leaves unexplained: arrays, then weight arrays that lack a bias."""
    missing = len(layout.weights) - len(layout.biases) if layout.biases else 0
    return len(layout.unread), missing


def _readings_in_order(shapes: Shapes, order: Sequence[str], biases: Sequence[str]) -> list[Layout]:
    uniform: list[Layout] = []
    mixed: list[Layout] = []
    if not order:
        return []
    for weights, said in _orientations(shapes, order):
        if said == MIXED and uniform:
            break
        into = mixed if said == MIXED else uniform
        for paired in _pairings(shapes, weights, biases):
            into.extend(_layout(shapes, weights, joints, paired, said) for joints in _chains(weights))
    return uniform or mixed


def _recurrent(shapes: Shapes, order: Sequence[str], biases: Sequence[str]) -> Iterator[Layout]:
    """Yield the readings in which one square array feeds a layer back into itself."""
    for name in order:
        if len(shapes[name]) != 2 or len(set(shapes[name])) != 1 or len(order) < 3:
            continue
        rest = [other for other in order if other != name]
        for layout in _readings_in_order(shapes, rest, biases):
            for number, layer in enumerate(layout.layers):
                if layer.units == shapes[name][0]:
                    yield _fed_back(layout, number, name)


def _fed_back(layout: Layout, number: int, name: str) -> Layout:
    """Return the layout with a recurrent array at one layer, its units along both axes."""
    axis = layout.layers[number].incoming[0].axis
    layer = layout.layers[number]
    fed = replace(
        layer,
        incoming=(*layer.incoming, Member(name, axis)),
        outgoing=(Member(name, 1 - axis), *layer.outgoing),
    )
    layers = tuple(fed if place == number else other for place, other in enumerate(layout.layers))
    unread = tuple(other for other in layout.unread if other != name)
    return replace(layout, layers=layers, unread=unread, orientation=f"{layout.orientation}, recurrent")
