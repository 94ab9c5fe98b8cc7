"""How a black box is probed: its outputs, its random parameters, units moved about, and what layers allow."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_symmetry.layouts import Layer, Layout, Member
from pytest_symmetry.units import (
    BlackBox,
    CannotFind,
    find_layout,
    is_homogeneous,
    is_odd,
    outputs,
    permuted,
    scaled,
    shifted,
    silent_units,
)


def relu(z):
    return np.maximum(z, 0.0)


def dense(inputs, activation=np.tanh):
    """Return a network of any depth over a dict W1, b1, W2, b2, …"""

    def network(p):
        values = inputs
        for n in range(1, len(p) // 2 + 1):
            z = p[f"W{n}"] @ values + p[f"b{n}"]
            values = activation(z) if f"W{n + 1}" in p else z
        return values

    return network


def start(rng, *sizes):
    """Return random parameters of those widths."""
    found = {}
    for n, (below, above) in enumerate(itertools.pairwise(sizes), start=1):
        found |= {f"W{n}": rng.normal(size=(above, below)), f"b{n}": rng.normal(size=(above, 1))}
    return found


def chain(*sizes):
    """Return the layout of a dense net of those widths."""
    return Layout(
        tuple(
            Layer(f"layer {n}", units, (Member(f"W{n}", 0), Member(f"b{n}", 0)), (Member(f"W{n + 1}", 1),))
            for n, units in enumerate(sizes[1:-1], start=1)
        ),
        "(n_out, n_in)",
    )


# --- outputs -----------------------------------------------------------------------------------------


class Tensor:
    """An array that has to be detached before it is one."""

    def __init__(self, values):
        self.values = values

    def detach(self):
        return np.asarray(self.values)


def test_outputs_are_one_array_of_floats():
    """The first part of a tuple, however deep; a list of numbers as it is; float32 stays."""
    array = np.array([[1.0, 2.0]])

    assert np.array_equal(outputs((array, {"A1": 3 * array})), array)
    assert np.array_equal(outputs([(array, 1), 2]), array)
    assert outputs([1, 2]).tolist() == [1.0, 2.0]
    assert outputs((1, 2)).dtype == np.float64
    assert outputs(()).tolist() == []
    assert outputs(3).shape == ()
    assert outputs(np.array([True, False])).dtype == np.float64
    assert outputs(array.astype(np.float32)).dtype == np.float32
    assert outputs((Tensor([1, 2]), None)).tolist() == [1.0, 2.0]
    with pytest.raises(TypeError):
        outputs({"A2": array})


def test_a_black_box_answers_in_float64_and_counts_its_calls():
    """None where the network raises; warnings of its arithmetic are its own."""

    def network(p):
        if p["a"][0] < 0:
            raise ArithmeticError
        return np.log(p["a"] * 0), "cache"

    box = BlackBox(network, {"a": np.ones(2)})

    assert box({"a": np.ones(2)}).tolist() == [-np.inf, -np.inf]
    assert box({"a": -np.ones(2)}) is None
    assert box.calls == 2


def test_outputs_are_the_same_within_a_part_of_their_size():
    """1e-7 of the largest, or 3e-4 after the network answered in float32; near zero of a thousandth."""
    box = BlackBox(lambda p: p["a"].astype(np.float32), {"a": np.ones(2)})
    for tolerance in (1e-7, 3e-4):
        for size in (0.0, 1.0, 1e6):
            one = np.array([size, -size])
            for part, same in ((0.98, True), (1.02, False)):
                off = part * tolerance * (1e-3 + size)

                assert box.same(one, one + np.array([0.0, off])) is same
                assert box.same(one, one - np.array([off, 0.0])) is same
        answer = box({"a": np.ones(2)})
        assert answer.dtype == np.float64
    assert not box.same(None, np.ones(2))
    assert not box.same(np.ones(2), None)
    assert not box.same(None, None)
    assert not box.same(np.ones(2), np.ones((2, 1)))
    assert not box.same(np.full(2, np.nan), np.full(2, np.nan))
    assert box.same(np.zeros(0), np.zeros(0))


def test_random_parameters_keep_signals_at_their_size():
    """Vectors of 0.5, arrays by the smaller of their sides; variances are positive; each draw is new."""
    shapes = {
        "W": (300, 30),
        "V": (30, 300),
        "F": (40, 5, 5, 3),
        "b": (4000, 1),
        "r": (1, 4000),
        "s": (4000,),
    }
    shapes |= {"running_Var": (4000,), "one": (1, 1)}
    box = BlackBox(lambda p: 0.0, None, 3)
    arrays = {name: np.zeros(shape) for name, shape in shapes.items()}
    drawn, again = box.random(arrays), box.random(arrays)

    assert {name: values.shape for name, values in drawn.items()} == shapes
    for name, size in (("W", 1.2 / 30**0.5), ("V", 1.2 / 30**0.5), ("F", 1.2 / 75**0.5)):
        assert drawn[name].std() == pytest.approx(size, rel=0.05)
    for name in ("b", "r", "s"):
        assert drawn[name].std() == pytest.approx(0.5, rel=0.05)
        assert (drawn[name] < 0).any()
    assert (drawn["running_Var"] > 0).all()
    assert np.sqrt((drawn["running_Var"] ** 2).mean()) == pytest.approx(0.5, rel=0.05)
    assert all((drawn[name] != again[name]).all() for name in shapes)
    same = BlackBox(lambda p: 0.0, None, 3).random(arrays)
    assert all(np.array_equal(drawn[name], same[name]) for name in shapes)


# --- moving units about ------------------------------------------------------------------------------------

blocks = st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(1, 3))


@given(blocks, st.integers(1, 4), st.integers(0, 2), st.integers(0, 2**31))
def test_units_move_entry_by_entry(block, units, axis, seed):
    """Permuted, scaled and shifted, a unit's entries are where its member says; nothing else changes."""
    rng = np.random.default_rng(seed)
    first, before, inner = block
    shape = list(rng.integers(1, 4, size=3))
    shape[axis] = first + before * units * inner + int(rng.integers(0, 2))
    arrays = {"a": rng.normal(size=shape), "other": rng.normal(size=3)}
    kept = {name: values.copy() for name, values in arrays.items()}
    member = Member("a", axis, first, before, inner)
    order, numbers = rng.permutation(units), rng.normal(size=units)
    expected = {name: arrays["a"].copy() for name in ("permuted", "scaled", "shifted")}
    for b in range(before):
        for unit in range(units):
            for i in range(inner):
                here, there = (
                    (slice(None),) * axis + (first + (b * units + u) * inner + i,)
                    for u in (unit, order[unit])
                )
                expected["permuted"][here] = arrays["a"][there]
                expected["scaled"][here] = arrays["a"][here] * numbers[unit]
                expected["shifted"][here] = arrays["a"][here] + numbers[unit]
    found = {
        "permuted": permuted(arrays, units, [member], order),
        "scaled": scaled(arrays, units, [member], numbers),
        "shifted": shifted(arrays, units, member, numbers),
    }

    for name, moved in found.items():
        assert np.array_equal(moved["a"], expected[name]), name
        assert np.array_equal(moved["other"], kept["other"])
        assert not np.shares_memory(moved["other"], arrays["other"])
    assert np.array_equal(arrays["a"], kept["a"])


def test_all_members_move_together():
    """Each array of the layer, in one go."""
    arrays = {"W": np.arange(6.0).reshape(2, 3), "b": np.arange(2.0), "V": np.arange(4.0).reshape(2, 2)}
    members = [Member("W", 0), Member("b", 0), Member("V", 1)]
    moved = permuted(arrays, 2, members, np.array([1, 0]))
    larger = scaled(arrays, 2, members, np.array([1.0, 10.0]))

    assert [moved[name].tolist() for name in arrays] == [[[3, 4, 5], [0, 1, 2]], [1, 0], [[1, 0], [3, 2]]]
    assert [larger[name].tolist() for name in arrays] == [
        [[0, 1, 2], [30, 40, 50]],
        [0, 10],
        [[0, 10], [2, 30]],
    ]


# --- finding layers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (
            lambda p: p["W1"].sum() + np.random.default_rng().normal(),
            "answers differently when it is called twice",
        ),
        (lambda p: np.ones(3), "does not change with the parameters"),
        (lambda p: np.full(3, np.nan), "gives no finite outputs at random parameters"),
        (lambda p: np.zeros(0), "gives no finite outputs at random parameters"),
        (lambda p: p["nothing"], "gives no finite outputs at random parameters"),
        (
            lambda p: (100 * p["W1"].sum(axis=1)).round(),
            "returns whole numbers, such as predicted classes, that hide most changes",
        ),
    ],
    ids=["random", "constant", "NaN", "empty", "raises", "classes"],
)
def test_the_reason_is_a_clause_that_can_stand_in_a_sentence(network, reason):
    """Said as it is, without capital or full stop."""
    parameters = start(np.random.default_rng(0), 3, 5, 2)
    with pytest.raises(CannotFind) as caught:
        find_layout(parameters, parameters, network)

    assert str(caught.value) == reason


def test_two_random_parameters_with_an_answer_are_enough():
    """Of the four; with one or none nothing can be said. Both happen among these seeds."""
    parameters = start(np.random.default_rng(1), 3, 5, 2)
    inside = dense(np.random.default_rng(2).normal(size=(3, 8)))
    seen = set()
    for seed in range(30):
        box = BlackBox(inside, parameters, seed)
        answers = sum(bool(box.random(parameters)["b2"][0, 0] > 0) for _ in range(4))

        def network(p):
            return inside(p) if p["b2"][0, 0] > 0 else np.full(1, np.nan)

        seen.add(answers)
        if answers < 2:
            with pytest.raises(CannotFind, match="no finite"):
                find_layout(parameters, parameters, network, seed)
        else:
            assert [layer.units for layer in find_layout(parameters, parameters, network, seed).layers] == [5]
    assert {1, 2} <= seen


@pytest.mark.parametrize("widths", [(4, 6), (6, 4)])
@pytest.mark.parametrize(
    ("order", "first"), [("W2 b1 W1 b3 b2 W3", 1), ("W3 b2 b3 W1 b1 W2", 2), ("W2 b2 b3 W3 b1 W1", 2)]
)
def test_a_layout_that_is_searched_says_all_that_was_found(order, first, widths):
    """Layers in the order of the arrays, whatever their widths, with names, both sides, and the weights."""
    rng = np.random.default_rng(3)
    known = start(rng, 3, *widths, 2)
    names = dict(zip(order.split(), "qzkvjx", strict=True))
    parameters = {name: known[old].T.copy() for old, name in names.items()}
    inside = dense(rng.normal(size=(3, 9)))
    found = find_layout(
        parameters, parameters, lambda p: inside({old: p[name].T for old, name in names.items()})
    )

    assert found.orientation == "found by permutation"
    assert found.weights == tuple(name for old, name in names.items() if old[0] == "W")
    for number, (layer, step) in enumerate(zip(found.layers, (first, 3 - first), strict=True), start=1):
        assert (layer.name, layer.units) == (f"layer {number}", widths[step - 1])
        assert set(layer.incoming) == {Member(names[f"W{step}"], 1), Member(names[f"b{step}"], 1)}
        assert layer.outgoing == (Member(names[f"W{step + 1}"], 0),)


def test_an_array_that_is_only_summed_joins_no_layer():
    """Its entries may be permuted with the units or without them."""
    rng = np.random.default_rng(16)
    parameters = start(rng, 3, 4, 2)
    inside = dense(rng.normal(size=(3, 8)))
    parameters = {"p": rng.normal(size=4), "q": rng.normal(size=(4, 1))} | parameters

    def network(p):
        return (
            inside({name: p[name] for name in ("W1", "b1", "W2", "b2")}) * np.exp(p["p"]).sum() + p["q"].max()
        )

    (layer,) = find_layout(parameters, parameters, network).layers
    assert set(layer.members) == {Member("W1", 0), Member("b1", 0), Member("W2", 1)}


def recurrent(kind, units=3, features=4, steps=4):
    """Return a gated recurrent net whose arrays hold units in blocks, its parameters, and the members."""
    rng = np.random.default_rng(5)
    inputs = rng.normal(size=(steps, features, 6))
    width = features + units
    parameters = {"G": rng.normal(size=(2 * units, width)), "O": rng.normal(size=(2, units))}

    def network(p):
        h = np.zeros((units, 6))
        for x in inputs:
            z = p["G"] @ np.vstack((h, x) if kind["hidden"] == "first" else (x, h))
            gate, new = (z[:units], z[units:]) if kind["gates"] == "stacked" else (z[0::2], z[1::2])
            h = np.tanh(new) / (1 + np.exp(-gate))
        return p["O"] @ h

    rows = Member("G", 0, 0, 2, 1) if kind["gates"] == "stacked" else Member("G", 0, 0, 1, 2)
    columns = Member("G", 1, 0 if kind["hidden"] == "first" else features)
    return network, parameters, rows, columns


@pytest.mark.parametrize("gates", ["stacked", "interleaved"])
@pytest.mark.parametrize("hidden", ["first", "last"])
@pytest.mark.parametrize("features", [4, 6])
def test_units_in_blocks_are_found(gates, hidden, features):
    """Gates one below the other or turn and turn about; hidden values before or after the inputs."""
    kind = {"gates": gates, "hidden": hidden}
    network, parameters, rows, columns = recurrent(kind, features=features)
    (layer,) = find_layout(parameters, parameters, network).layers

    assert layer.units == 3
    assert set(layer.incoming) == {rows}
    assert set(layer.outgoing) == {columns, Member("O", 1)}


def test_a_layer_of_many_arrays_is_found():
    """More than can be tried in all combinations: then all together."""
    rng = np.random.default_rng(6)
    inputs = rng.normal(size=(3, 8))
    names = "abcdef"
    parameters = {name: rng.normal(size=(5, 3)) for name in names} | {"out": rng.normal(size=(2, 5))}

    def network(p):
        hidden = sum(np.tanh((n + 1) * p[name] @ inputs) for n, name in enumerate(names))
        return p["out"] @ np.prod([np.cos(p[name] @ inputs) for name in names], axis=0) + p["out"] @ hidden

    (layer,) = find_layout(parameters, parameters, network).layers
    assert layer.units == 5
    assert set(layer.incoming) == {Member(name, 0) for name in names}
    assert layer.outgoing == (Member("out", 1),)


def test_an_axis_that_may_be_permuted_alone_is_no_layer():
    """Entries that are only summed up belong to no unit."""
    parameters = {"p": np.ones(4), "q": np.ones(4)}
    layout = find_layout(parameters, parameters, lambda p: np.array([p["p"].sum(), np.exp(p["q"]).sum()]))

    assert layout.layers == ()
    assert layout.weights == ()


# --- what the activations allow ---------------------------------------------------------------------------


@pytest.mark.parametrize("units", [1, 2, 5])
@pytest.mark.parametrize(
    ("activation", "odd", "homogeneous"),
    [(np.tanh, True, False), (relu, False, True), (lambda z: z, True, True), (np.exp, False, False)],
    ids=["tanh", "relu", "identity", "exponential"],
)
def test_what_an_activation_allows(units, activation, odd, homogeneous):
    """Of a layer of any width, one unit included."""
    rng = np.random.default_rng(7)
    parameters = start(rng, 3, units, 2)
    network = dense(rng.normal(size=(3, 12)), activation)
    (layer,) = chain(3, units, 2).layers

    assert is_odd(BlackBox(network, parameters), parameters, layer) is odd
    assert is_homogeneous(BlackBox(network, parameters), parameters, layer) is homogeneous


def test_a_layer_with_one_side_allows_nothing():
    """Without arrays behind it or in front of it there is nothing to compare."""
    parameters = start(np.random.default_rng(8), 3, 4, 2)
    box = BlackBox(dense(np.ones((3, 2)), lambda z: z), parameters)
    for layer in (Layer("x", 4, (), (Member("W2", 1),)), Layer("x", 4, (Member("W1", 0),), ())):
        assert not is_odd(box, parameters, layer)
        assert not is_homogeneous(box, parameters, layer)
        assert silent_units(box, parameters, Layout((layer,), ""), 0) == ()
    assert box.calls == 0


# --- silent units ------------------------------------------------------------------------------------------


def silent(parameters, inputs, number=0, layout=None, activation=relu):
    """Return the silent units of one layer of a dense net."""
    sizes = [inputs.shape[0], *(parameters[f"W{n}"].shape[0] for n in range(1, len(parameters) // 2 + 1))]
    box = BlackBox(dense(inputs, activation), parameters)
    return silent_units(box, parameters, layout or chain(*sizes), number)


def test_units_that_no_input_reaches_are_silent():
    """Deep below zero, in the first layer or a later one; all of them, if need be."""
    rng = np.random.default_rng(9)
    inputs = rng.normal(size=(3, 20))
    parameters = start(rng, 3, 6, 5, 2)
    assert silent(parameters, inputs) == silent(parameters, inputs, 1) == ()
    parameters["b1"][[1, 4]] = -1e4
    parameters["b2"][3] = -1e6

    assert silent(parameters, inputs) == (1, 4)
    assert silent(parameters, inputs, 1) == (3,)
    parameters["b1"][:] = -1e4
    assert silent(parameters, inputs) == (0, 1, 2, 3, 4, 5)
    assert silent(parameters, inputs, activation=np.tanh) == ()


def test_what_lies_above_silences_nothing():
    """Weights of 0 behind a layer hide it now, and are generic while it is looked at."""
    rng = np.random.default_rng(10)
    parameters = start(rng, 3, 4, 5, 2)
    parameters["W2"][:] = 0
    parameters["b2"][:] = -1.0
    parameters["W3"][:] = 0

    assert silent(parameters, rng.normal(size=(3, 20))) == ()


def test_units_that_other_inputs_reach_are_not_silent():
    """Inputs of another sign or size: the ones handed in may be too few to tell."""
    rng = np.random.default_rng(11)
    inputs = np.abs(rng.normal(size=(3, 20)))
    parameters = start(rng, 3, 4, 2)
    parameters["W1"] = -np.abs(parameters["W1"])
    parameters["b1"][:] = 0
    assert not (parameters["W1"] @ inputs > 0).any()

    assert silent(parameters, inputs) == ()
    parameters["b1"][:] = -20.0
    assert silent(parameters, inputs) == ()


def test_filters_that_other_pictures_reach_are_not_silent():
    """Of a filter the sign is turned."""
    rng = np.random.default_rng(12)
    pictures = np.abs(rng.normal(size=(4, 2, 5, 5)))
    parameters = {"F": -np.abs(rng.normal(size=(3, 2, 3, 3))), "V": rng.normal(size=(3, 2))}
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (3, 3), axis=(2, 3))

    def network(p):
        maps = relu(np.einsum("ncxyij,fcij->nfxy", windows, p["F"]))
        return maps.sum(axis=(2, 3)) @ p["V"]

    layout = Layout((Layer("layer 1", 3, (Member("F", 0),), (Member("V", 0),)),), "")
    box = BlackBox(network, parameters)

    assert silent_units(box, parameters, layout, 0) == ()
    parameters["F"][1] = 0
    assert silent_units(box, parameters, layout, 0) == (1,)


def test_nothing_is_said_of_units_where_the_network_does_not_answer():
    """It may refuse parameters that were made up."""
    parameters = start(np.random.default_rng(13), 3, 4, 2)
    parameters["b1"][:] = -1e4

    def network(p):
        raise ValueError

    assert silent_units(BlackBox(network, parameters), parameters, chain(3, 4, 2), 0) == ()


def test_looking_at_units_changes_no_parameter():
    """The rows that are turned are copies."""
    rng = np.random.default_rng(14)
    parameters = start(rng, 3, 4, 2)
    kept = {name: values.copy() for name, values in parameters.items()}
    silent(parameters, rng.normal(size=(3, 5)))

    assert all(np.array_equal(parameters[name], kept[name]) for name in kept)
