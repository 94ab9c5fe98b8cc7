"""Finds the hidden layers of a black-box network, and what its activations allow.

A hidden layer is a set of (array, axis) members whose joint permutation leaves the outputs unchanged at
random parameters, while no permutation of fewer of them does (Sussmann 1992, Neural Networks 5:589;
Hecht-Nielsen 1990). The readings of names and shapes are tried first; where none fits, sets of axes of one
length are searched. Every test is repeated at several random parameters, because units that are silent at
one of them make anything look invariant.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pytest_symmetry.arrays import rebuild
from pytest_symmetry.layouts import Layer, Layout, Member, readings
from pytest_symmetry.roles import Shapes

if TYPE_CHECKING:
    from pytest_symmetry.partition import FloatArray, IntArray

Arrays = Mapping[str, "FloatArray"]

DRAWS = 4
"""Random parameters that a symmetry must hold at: four draws of one relu unit are all silent in 1 of 16
cases, of a layer of three in 1 of 4,096, and a second look with other draws follows."""

SAME = {"float64": 1e-7, "float32": 3e-4}
"""Outputs are the same within this part of their size: far above the rounding of their type, far below the
effect of a permutation."""

_MOST_CALLS = 6000
_LARGEST_SET = 5


class CannotFind(Exception):
    """The network function cannot be used to find layers; the message says why, as a clause."""


class BlackBox:
    """The network as a function of named arrays; ``calls`` counts its evaluations."""

    def __init__(self, network: Callable[[Any], Any], container: Any, seed: int = 0) -> None:
        self.network = network
        self.container = container
        self.calls = 0
        self.tolerance = SAME["float64"]
        self.rng = np.random.default_rng(seed)

    def __call__(self, arrays: Arrays) -> FloatArray | None:
        """Return the outputs as one float array, or None where the network cannot answer."""
        self.calls += 1
        try:
            with np.errstate(all="ignore"):
                out = outputs(self.network(rebuild(self.container, arrays)))
        except Exception:  # noqa: BLE001 - a probe may leave the function's domain; that is no finding
            return None
        if out.dtype == np.float32:
            self.tolerance = SAME["float32"]
        exact: FloatArray = out.astype(np.float64)
        return exact

    def same(self, a: FloatArray | None, b: FloatArray | None) -> bool:
        """Return whether two outputs agree; None and NaN agree with nothing."""
        if a is None or b is None or a.shape != b.shape:
            return False
        return bool(np.all(np.abs(a - b) <= self.tolerance * (1e-3 + np.abs(a).max(initial=0.0))))

    def random(self, arrays: Arrays) -> dict[str, FloatArray]:
        """Return generic parameters of the same shapes, scaled so that signals keep their size."""
        drawn = {name: self._drawn(values.shape) for name, values in arrays.items()}
        # A variance is divided by, after a root: a negative one makes every output NaN.
        return {name: abs(values) if "var" in name.lower() else values for name, values in drawn.items()}

    def _drawn(self, shape: tuple[int, ...]) -> FloatArray:
        if sum(n > 1 for n in shape) < 2:
            return np.asarray(self.rng.normal(size=shape) * 0.5)
        fan = int(np.prod(shape)) / max(shape)
        return np.asarray(self.rng.normal(size=shape) * (1.2 / np.sqrt(fan)))


def outputs(value: Any) -> NDArray[Any]:
    """Return a network's outputs as one array; of a tuple (outputs, cache) the first part.

    Raises:
        TypeError: there is no array in it.
    """
    while isinstance(value, tuple | list) and value and not np.isscalar(value[0]):
        value = value[0]
    if hasattr(value, "detach"):  # a torch tensor that requires grad refuses to be an array
        value = value.detach()
    array = np.asarray(value)
    return array if array.dtype == np.float32 else array.astype(np.float64)


# --- moving units about --------------------------------------------------------------------------------


def _axis(values: FloatArray, member: Member) -> FloatArray:
    view: FloatArray = np.moveaxis(values, member.axis, 0)
    return view


def permuted(
    arrays: Arrays, layer_units: int, members: Sequence[Member], order: IntArray
) -> dict[str, FloatArray]:
    """Return the arrays with the units of all ``members`` put into ``order``."""
    moved = {name: values.copy() for name, values in arrays.items()}
    for member in members:
        at = member.positions(layer_units)
        view = _axis(moved[member.array], member)
        view[at.ravel()] = view[at[order].ravel()]
    return moved


def scaled(
    arrays: Arrays, layer_units: int, members: Sequence[Member], factors: FloatArray
) -> dict[str, FloatArray]:
    """Return the arrays with the entries of each unit in all ``members`` multiplied by its factor."""
    moved = {name: values.copy() for name, values in arrays.items()}
    for member in members:
        at = member.positions(layer_units)
        view = _axis(moved[member.array], member)
        shape = (at.size,) + (1,) * (view.ndim - 1)
        view[at.ravel()] *= np.repeat(factors, at.shape[1]).reshape(shape)
    return moved


def shifted(arrays: Arrays, layer_units: int, member: Member, amounts: FloatArray) -> dict[str, FloatArray]:
    """Return the arrays with ``amounts[unit]`` added to all entries of each unit in one member."""
    moved = {name: values.copy() for name, values in arrays.items()}
    at = member.positions(layer_units)
    view = _axis(moved[member.array], member)
    shape = (at.size,) + (1,) * (view.ndim - 1)
    view[at.ravel()] += np.repeat(amounts, at.shape[1]).reshape(shape)
    return moved


# --- finding layers --------------------------------------------------------------------------------------


class _Bench:
    """The random parameters that every candidate is tried at, with the outputs there."""

    def __init__(self, box: BlackBox, arrays: Arrays) -> None:
        self.box = box
        points = [box.random(arrays) for _ in range(DRAWS)]
        self.points = [(point, out) for point in points if (out := box(point)) is not None]
        self.points = [(point, out) for point, out in self.points if np.all(np.isfinite(out)) and out.size]
        if len(self.points) < 2:
            msg = "gives no finite outputs at random parameters"
            raise CannotFind(msg)

    def invariant(self, units: int, members: Sequence[Member]) -> bool:
        """Return whether permuting the members together leaves all outputs unchanged."""
        swapped = np.arange(units)
        swapped[:2] = 1, 0
        for number, (point, out) in enumerate(self.points):
            order = swapped if number % 2 else np.roll(np.arange(units), 1)
            if not self.box.same(out, self.box(permuted(point, units, members, order))):
                return False
        return True

    def minimal(self, units: int, members: Sequence[Member]) -> bool:
        """Return whether every single member is needed for the invariance.

        All together leave the outputs unchanged; then one of them is needed if it does not so by itself.
        """
        return len(members) > 1 and not any(self.invariant(units, [member]) for member in members)


def find_layout(arrays: Arrays, container: Any, network: Callable[[Any], Any], seed: int = 0) -> Layout:
    """Return where the hidden layers of ``network`` lie in ``container``.

    Args:
        arrays: the parameters by name, as ``named_arrays`` gives them.
        container: the caller's own container, which the network is called with.
        network: parameters to outputs (of a tuple, the first part), on inputs of the caller's choice.
        seed: seeds the random parameters.

    Raises:
        CannotFind: the network answers differently each time, or not at all, or depends on nothing.
    """
    box = BlackBox(network, container, seed)
    bench = _Bench(box, arrays)
    point, out = bench.points[0]
    if not box.same(out, box(point)):
        msg = "answers differently when it is called twice"
        raise CannotFind(msg)
    if all(box.same(out, other) for _, other in bench.points[1:]):
        msg = "does not change with the parameters"
        raise CannotFind(msg)
    if all(np.array_equal(values, np.round(values)) for _, values in bench.points):
        msg = "returns whole numbers, such as predicted classes, that hide most changes"
        raise CannotFind(msg)
    shapes = {name: values.shape for name, values in arrays.items()}
    for layout in readings(shapes):
        # A reading without layers proves nothing by itself: tied weights have units that shapes do not show.
        if layout.layers and all(_confirmed(bench, layer) for layer in layout.layers):
            return layout
    return _searched(bench, shapes)


def _confirmed(bench: _Bench, layer: Layer) -> bool:
    if layer.units == 1:
        return True
    return bench.invariant(layer.units, layer.members) and bench.minimal(layer.units, layer.members)


def _searched(bench: _Bench, shapes: Shapes) -> Layout:
    """Look for members without knowing any names: sets of axes of one length, then blocks of axes."""
    found: list[tuple[int, tuple[Member, ...]]] = []
    lengths = sorted({n for shape in shapes.values() for n in shape if n > 1}, reverse=True)
    for units in lengths:
        axes = [Member(name, a) for name, shape in shapes.items() for a, n in enumerate(shape) if n == units]
        found += [(units, members) for members in _smallest_sets(bench, units, axes)]
    for units in lengths:
        # Blocks last, the largest first: the halves of a layer can be exchanged as well.
        found = found or [(units, members) for members in _grouped_sets(bench, shapes, units)]
    layers = []
    for number, (units, members) in enumerate(_by_depth(found, shapes)):
        outgoing = tuple(m for m in members if _is_outgoing(bench, units, members, m))
        incoming = tuple(m for m in members if m not in outgoing)
        layers.append(Layer(f"layer {number + 1}", units, incoming, outgoing))
    weights = tuple(name for name, shape in shapes.items() if sum(n > 1 for n in shape) > 1)
    return Layout(tuple(layers), "found by permutation", weights=weights)


def _by_depth(
    found: list[tuple[int, tuple[Member, ...]]], shapes: Shapes
) -> list[tuple[int, tuple[Member, ...]]]:
    """Order layers as their arrays come in the container."""
    places = {name: place for place, name in enumerate(shapes)}
    return sorted(found, key=lambda layer: sorted(places[m.array] for m in layer[1]))


def _smallest_sets(bench: _Bench, units: int, axes: Sequence[Member]) -> Iterator[tuple[Member, ...]]:
    # What can be permuted alone is no part of the network, or all its entries are summed up.
    axes = [axis for axis in axes if not bench.invariant(units, [axis])]
    used: set[Member] = set()
    sizes = list(range(2, min(len(axes), _LARGEST_SET) + 1))
    if len(axes) > _LARGEST_SET:
        sizes.append(len(axes))
    for size in sizes:
        for members in itertools.combinations(axes, size):
            if used.intersection(members) or bench.box.calls > _MOST_CALLS:
                continue
            if bench.invariant(units, members) and _each_needed(bench, units, members, size):
                used.update(members)
                yield members


def _each_needed(bench: _Bench, units: int, members: Sequence[Member], size: int) -> bool:
    """Smaller sets were tried before, so only a set that skipped sizes needs the test of its parts."""
    return size <= _LARGEST_SET or bench.minimal(units, members)


def _grouped_sets(bench: _Bench, shapes: Shapes, units: int) -> Iterator[tuple[Member, ...]]:
    """Yield sets where an axis holds the units in blocks (stacked gates, hidden and input side by side).

    All arrays of one shape are read alike (the gates of an LSTM), which keeps the number of sets small.
    """
    keys = sorted({(shape, axis) for shape in shapes.values() for axis in range(len(shape))})
    options = [_block_options(shape[axis], units) for shape, axis in keys]
    for choice in itertools.product(*options):
        if bench.box.calls > _MOST_CALLS:
            return
        members = tuple(
            Member(name, axis, start, before, inner)
            for (shape, axis), block in zip(keys, choice, strict=True)
            if block is not None
            for start, before, inner in (block,)
            for name, other in shapes.items()
            if other == shape
        )
        if len(members) > 1 and bench.invariant(units, members) and bench.minimal(units, members):
            yield members
            return


def _block_options(length: int, units: int) -> list[tuple[int, int, int] | None]:
    """Return the ways (start, before, inner) in which units can lie on an axis; None for not at all."""
    if length == units:
        return [(0, 1, 1), None]
    if length > units and length % units == 0:
        return [(0, length // units, 1), (0, 1, length // units), (0, 1, 1), (length - units, 1, 1), None]
    if length > units:
        return [(0, 1, 1), (length - units, 1, 1), None]
    return [None]


def _is_outgoing(bench: _Bench, units: int, members: Sequence[Member], member: Member) -> bool:
    """Return whether the member uses the units: with equal units, weight may move between them there."""
    order = np.arange(units)
    order[1] = 0
    others = [m for m in members if m != member]
    amounts = np.zeros(units)
    amounts[:2] = 0.7, -0.7
    for point, _ in bench.points:
        copied = permuted(point, units, others, order)
        if not bench.box.same(bench.box(copied), bench.box(shifted(copied, units, member, amounts))):
            return False
    return True


# --- what the activations allow --------------------------------------------------------------------------


def is_odd(box: BlackBox, arrays: Arrays, layer: Layer) -> bool:
    """Return whether negating units on both sides leaves the outputs unchanged, as with tanh."""
    return _allows(box, arrays, layer, lambda n: np.where(np.arange(n) % 2 == 0, -1.0, 1.0))


def is_homogeneous(box: BlackBox, arrays: Arrays, layer: Layer) -> bool:
    """Return whether units may be scaled up in front and down behind, as with relu."""
    return _allows(box, arrays, layer, lambda n: np.linspace(2.0, 0.5, n))


def _allows(box: BlackBox, arrays: Arrays, layer: Layer, factors: Callable[[int], FloatArray]) -> bool:
    if not layer.incoming or not layer.outgoing:
        return False
    values = factors(layer.units)
    for _ in range(DRAWS):
        point = box.random(arrays)
        changed = scaled(
            scaled(point, layer.units, layer.incoming, values), layer.units, layer.outgoing, 1 / values
        )
        if not box.same(box(point), box(changed)):
            return False
    return True


def silent_units(
    box: BlackBox, arrays: Arrays, layout: Layout, number: int, probes: int = 8
) -> tuple[int, ...]:
    """Return the units of one layer whose value is 0 for the caller's inputs and wide variations of them.

    Everything above the layer is made generic, so that only the layer itself can silence its units. The
    inputs are varied through the first layer's weights: W1 @ (R x) is (W1 @ R) @ x.
    """
    layer = layout.layers[number]
    if not layer.outgoing or not layer.incoming:
        return ()
    below = {m.array for lower in layout.layers[: number + 1] for m in lower.incoming}
    silent = np.ones(layer.units, dtype=bool)
    for probe in range(probes):
        if not silent.any():
            break
        generic = box.random(arrays)
        point = {name: values.copy() if name in below else generic[name] for name, values in arrays.items()}
        size = 10.0 ** (1.5 * probe / probes)
        if probe:
            _vary_inputs(box.rng, point, layout.layers[0], size)
        base = box(scaled(point, layer.units, layer.outgoing, np.full(layer.units, 1 / size)))
        if base is None:
            return ()
        for unit in np.flatnonzero(silent):
            factors = np.full(layer.units, 1 / size)
            factors[unit] *= 3.0
            moved = box(scaled(point, layer.units, layer.outgoing, factors))
            if moved is None or not np.array_equal(base, moved):
                silent[unit] = False
    return tuple(np.flatnonzero(silent).tolist())


def _vary_inputs(rng: np.random.Generator, point: dict[str, FloatArray], first: Layer, size: float) -> None:
    """Turn and scale the inputs, by turning the rows of the first layer's weights; filters change sign."""
    member = max(first.incoming, key=lambda m: point[m.array].size)
    rows = _axis(point[member.array], member)
    if rows.ndim == 2:
        turn, _ = np.linalg.qr(rng.normal(size=(rows.shape[1],) * 2))
        rows[...] = rows @ turn * size
    else:
        rows[...] *= size * rng.choice((-1.0, 1.0))
