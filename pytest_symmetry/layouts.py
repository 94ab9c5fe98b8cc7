"""Where the units of each hidden layer lie in a container of arrays, read from names and shapes alone.

Shapes do not always decide: a square matrix may be (n_out, n_in) or (n_in, n_out), a (3, 1) array may be a
bias or the weights of a single input. :func:`readings` therefore returns every reading that is consistent,
and a verdict may only be given where all of them agree.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pytest_symmetry.partition import FloatArray, IntArray, LabelledArray
from pytest_symmetry.roles import Shapes, in_order, is_vector, numbers, role_choices, vector_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MIXED = "mixed"
"""The orientation of a reading in which dense arrays disagree: possible, but no ground for an accusation."""

_MOST_READINGS = 256
_MOST_TRIALS = 20_000


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
    ``sizes`` are the widths from the inputs to the outputs; ``unread`` are arrays left over. ``complete`` is
    False where there may be more readings than were tried.
    """

    layers: tuple[Layer, ...]
    orientation: str
    unread: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    biases: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    complete: bool = True


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


class _Patience:
    """Counts trials: many square arrays with few biases can be paired in millions of ways."""

    def __init__(self) -> None:
        self.left = _MOST_TRIALS

    def spent(self) -> bool:
        """Count one trial, and return whether it is one too many."""
        self.left -= 1
        return self.left < 0


def _pairings(
    shapes: Shapes, weights: Sequence[_Weight], biases: Sequence[str], patience: _Patience
) -> Iterator[tuple[str | None, ...]]:
    """Yield a bias or None for every weight array, in order: as many pairs as there can be."""
    pairs = min(len(biases), len(weights))
    numbered = {numbers(w.name): n for n, w in enumerate(weights)}
    told = len(numbered) == len(weights) and all(numbers(b) in numbered for b in biases)
    for chosen in itertools.combinations(biases, pairs):
        for at in itertools.combinations(range(len(weights)), pairs):
            if patience.spent():
                return
            if told and any(numbered[numbers(b)] != n for b, n in zip(chosen, at, strict=True)):
                continue  # b1 belongs to W1
            if all(_fits(shapes[bias], weights[n].n_out) for bias, n in zip(chosen, at, strict=True)):
                paired = dict(zip(at, chosen, strict=True))
                yield tuple(paired.get(n) for n in range(len(weights)))


def _fits(shape: tuple[int, ...], units: int) -> bool:
    return int(np.prod(shape)) == units and (not shape or is_vector(shape))


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
    if not all(numbers(name) for name in names) and len(names) <= 4:
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
    patience = _Patience()
    found: dict[tuple[Layer, ...], Layout] = {}
    for layout in _every_reading(shapes, patience):
        found.setdefault(layout.layers, layout)
        if len(found) >= _MOST_READINGS:
            patience.left = 0
            break
    best = min((_left_over(layout) for layout in found.values()), default=(0, 0))
    complete = patience.left > 0
    return [replace(x, complete=complete) for x in found.values() if _left_over(x) == best]


def _every_reading(shapes: Shapes, patience: _Patience) -> Iterator[Layout]:
    """Yield readings by roles and orders; the rarer roles only where no other leaves nothing over."""
    explained = finished = False
    for roles in role_choices(shapes):
        if explained and vector_weights(shapes, roles) > 0:
            return
        weights = in_order([n for n, role in roles.items() if role == "weight"])
        biases = in_order([n for n, role in roles.items() if role == "bias"])
        if finished and len(biases) not in (0, len(weights)):
            continue  # some weight array would lack its bias, and a reading without that is known
        for order in _orders(weights):
            plain = _readings_in_order(shapes, order, biases, patience)
            yield from plain
            explained = explained or any(_left_over(layout) == (0, 0) for layout in plain)
            if biases and any(_left_over(layout) == (0, 0) for layout in plain):
                # With a bias for every weight array nothing is left that a recurrent reading could explain
                # better, and in deep nets of square arrays there are a great many of those.
                finished = True
                continue
            for layout in _recurrent(shapes, order, biases, patience):
                explained = explained or _left_over(layout) == (0, 0)
                yield layout


def _left_over(layout: Layout) -> tuple[int, int]:
    """Return what a reading leaves unexplained: arrays, then weight arrays that lack a bias."""
    missing = len(layout.weights) - len(layout.biases) if layout.biases else 0
    return len(layout.unread), missing


def _readings_in_order(
    shapes: Shapes, order: Sequence[str], biases: Sequence[str], patience: _Patience
) -> list[Layout]:
    uniform: list[Layout] = []
    mixed: list[Layout] = []
    if not order or any(len(shapes[name]) == 1 for name in order[:-1]):
        return []  # a vector holds the weights of one output: it comes last
    for weights, said in _orientations(shapes, order):
        if said == MIXED and uniform:
            break
        into = mixed if said == MIXED else uniform
        for paired in _pairings(shapes, weights, biases, patience):
            into.extend(_layout(shapes, weights, joints, paired, said) for joints in _chains(weights))
    return uniform or mixed


def _recurrent(
    shapes: Shapes, order: Sequence[str], biases: Sequence[str], patience: _Patience
) -> Iterator[Layout]:
    """Yield the readings in which one square array feeds a layer back into itself."""
    for name in order:
        if len(shapes[name]) != 2 or len(set(shapes[name])) != 1 or len(order) < 3:
            continue
        rest = [other for other in order if other != name]
        for layout in _readings_in_order(shapes, rest, biases, patience):
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
