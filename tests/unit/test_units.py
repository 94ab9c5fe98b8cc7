"""Hidden layers are found in a black box, whatever the layout, and every planted verdict is given."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from small_nets import CONTAINERS, PLANTED, callables, data, forward, plant, random_start

from pytest_symmetry.arrays import named_arrays
from pytest_symmetry.checks.symmetry import check_symmetry
from pytest_symmetry.errors import CheckFailed
from pytest_symmetry.layouts import Member, readings
from pytest_symmetry.units import CannotFind, find_layout

WIDTHS = {1: (3, 5), 2: (4, 5, 5), 3: (3, 6, 6, 4), 4: (4, 5, 5, 5, 5), 5: (3, 4, 4, 4, 5, 5)}


def evidence_of(parameters, **given):
    """Return the evidence of a check, whether it passes or not."""
    try:
        return check_symmetry(parameters, **given)
    except CheckFailed as failure:
        return failure.evidence


def planted_case(verdict, activation, container, hidden, seed):
    """Return the evidence, the number of the planted layer, and whether that layer has a silent unit."""
    rng = np.random.default_rng(seed)
    sizes = (*WIDTHS[hidden], 2)
    layer = int(rng.integers(hidden))
    if verdict == "layers alike":
        layer = 1 if hidden > 2 else 0
        sizes = (5, *(5,) * hidden, 2)
        layer = min(layer, hidden - 2)
    weights, biases = random_start(rng, sizes)
    plant(verdict, weights, biases, layer)
    inputs, targets = data(rng, sizes[0], sizes[-1])
    network, step = callables(container, activation, inputs, targets)
    parameters = CONTAINERS[container][0](weights, biases)
    silent = activation == "relu" and silent_somewhere(weights, biases, layer, rng)
    return evidence_of(parameters, network=network, step=step), layer, silent


def silent_somewhere(weights, biases, layer, rng):
    """Return whether a unit of the layer is 0 on all but a few wide inputs: relu does that by chance.

    The inputs are as wide as those of the check: up to 30 times the data.
    """
    inputs = rng.normal(size=(weights[0].shape[1], 4000)) * 10 ** rng.uniform(0, 1.5, size=4000)
    active = forward(weights, biases, inputs, "relu")[layer + 1] > 0
    return bool(np.any(active.mean(axis=1) < 0.005))


def wrong_verdicts(hiddens, containers, seeds):
    """Return every case whose planted layer gets another verdict, or where another layer is accused."""
    wrong = []
    for verdict, activations in PLANTED.items():
        for activation, hidden, container, seed in itertools.product(activations, hiddens, containers, seeds):
            if verdict == "layers alike" and hidden < 2:
                continue
            evidence, layer, silent = planted_case(verdict, activation, container, hidden, seed)
            got = evidence.layers[layer].verdict
            others = {x.verdict for n, x in enumerate(evidence.layers) if n != layer}
            harmless = {"ok", "dead", "scaled copy", "layers alike"}
            # Graver than a scaled copy is a unit of the same layer that is silent by chance.
            chance = verdict in ("ok", "scaled copy") and silent and got == "dead"
            if len(evidence.layers) != hidden or not (got == verdict or chance) or others - harmless:
                wrong.append((verdict, activation, container, hidden, seed, got, sorted(others)))
    return wrong


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_planted_verdict_is_given(container):
    """In each container, every verdict of the table is given to the layer that deserves it."""
    assert wrong_verdicts((1, 2), [container], (0,)) == []


@pytest.mark.sweep
@pytest.mark.parametrize(("hidden", "seeds"), [(1, 20), (2, 20), (3, 10), (4, 4), (5, 2)])
def test_every_planted_verdict_is_given_in_deep_nets(hidden, seeds):
    """All verdicts, activations and containers; deeper, and with more seeds: benchmarks/symmetry/run.py."""
    assert wrong_verdicts((hidden,), CONTAINERS, range(seeds)) == []


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("sizes", [(4, 6, 3), (5, 5, 3), (5, 5, 5), (3, 4, 4, 2), (4, 4, 4, 4)], ids=str)
def test_layers_are_found_whatever_the_shape(container, sizes):
    """Square arrays included, both sides of every layer are found."""
    rng = np.random.default_rng(1)
    weights, biases = random_start(rng, sizes)
    inputs, targets = data(rng, sizes[0], sizes[-1])
    network, _ = callables(container, "tanh", inputs, targets)
    parameters = CONTAINERS[container][0](weights, biases)
    arrays = named_arrays(parameters)
    layout = find_layout(arrays, parameters, network)

    rows_are_units = "(n_in, n_out)" not in container
    assert [layer.units for layer in layout.layers] == list(sizes[1:-1])
    for number, layer in enumerate(layout.layers):
        out_axis, in_axis = (0, 1) if rows_are_units else (1, 0)
        first = next(m for m in layer.incoming if min(arrays[m.array].shape, default=1) > 1)
        assert first.axis == out_axis
        assert [m.axis for m in layer.outgoing] == [in_axis]
        assert np.array_equal(arrays[first.array], weights[number] if rows_are_units else weights[number].T)
        assert len(layer.incoming) == 2


def test_layers_are_found_without_any_names():
    """Arrays in an order and with names that say nothing are found by their permutations."""
    rng = np.random.default_rng(2)
    (v, w), (c, d) = random_start(rng, (3, 4, 2))
    x, _ = data(rng, 3, 2)

    def network(p):
        return np.tanh(np.tanh(x.T @ p["q"].T + p["r"].ravel()) @ p["out"] + p["t"].ravel())

    parameters = {"out": w.T.copy(), "t": d, "r": c, "q": v}
    layout = find_layout(named_arrays(parameters), parameters, network)

    assert len(layout.layers) == 1
    assert layout.layers[0].outgoing == (Member("out", 0),)
    assert {m.array for m in layout.layers[0].incoming} == {"q", "r"}


def test_recurrent_units_are_found_on_both_axes():
    """The units of an RNN lie along both axes of its recurrent array."""
    network, parameters = rnn(np.random.default_rng(3))
    layout = find_layout(named_arrays(parameters), parameters, network)

    (layer,) = layout.layers
    assert set(layer.incoming) == {Member("Wxh", 0), Member("Whh", 0), Member("bh", 0)}
    assert set(layer.outgoing) == {Member("Whh", 1), Member("Why", 1)}


def rnn(rng, hidden=4):
    """Return a recurrent network over five steps and its parameters."""
    inputs = rng.normal(size=(5, 3, 8))
    parameters = {
        "Wxh": rng.normal(size=(hidden, 3)),
        "Whh": rng.normal(size=(hidden, hidden)) * 0.5,
        "Why": rng.normal(size=(2, hidden)),
        "bh": rng.normal(size=(hidden, 1)),
        "by": rng.normal(size=(2, 1)),
    }

    def network(p):
        h = np.zeros((p["Whh"].shape[0], 8))
        out = []
        for x in inputs:
            h = np.tanh(p["Wxh"] @ x + p["Whh"] @ h + p["bh"])
            out.append(p["Why"] @ h + p["by"])
        return np.array(out)

    return network, parameters


@pytest.mark.parametrize(
    ("recurrent", "expected"),
    [
        ("zero", "identical for ever"),
        ("constant", "identical for ever"),
        ("identity", "identical for ever"),
        ("scaled identity plus constant", "identical for ever"),
        ("random", "ok"),
    ],
)
@pytest.mark.parametrize("black_box", [True, False])
def test_identity_recurrence_does_not_break_the_symmetry(recurrent, expected, black_box):
    """Of the usual recurrent starts only a random one tells the units apart."""
    rng = np.random.default_rng(4)
    network, parameters = rnn(rng)
    starts = {
        "zero": np.zeros((4, 4)),
        "constant": np.full((4, 4), 0.2),
        "identity": np.eye(4),
        "scaled identity plus constant": 0.5 * np.eye(4) + 0.1,
        "random": parameters["Whh"],
    }
    parameters |= {"Wxh": np.full((4, 3), 0.3), "Why": np.full((2, 4), 0.1), "bh": np.zeros((4, 1))}
    parameters["Whh"] = starts[recurrent]
    evidence = evidence_of(parameters, network=network) if black_box else evidence_of(parameters)

    assert [layer.verdict for layer in evidence.layers] == [expected]


def conv_net(rng, channels_last):
    """Return a one-filter-layer network on 5 x 5 images with a dense layer behind, and its parameters."""
    images = rng.normal(size=(6, 2, 5, 5))
    parameters = {
        "W1": rng.normal(size=(4, 2, 3, 3)),
        "b1": rng.normal(size=4),
        "W2": rng.normal(size=(36, 3)),
        "b2": rng.normal(size=3),
    }

    def network(p):
        windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(2, 3))
        maps = np.tanh(np.einsum("ncxyij,fcij->nfxy", windows, p["W1"]) + p["b1"][:, None, None])
        if channels_last:
            maps = np.moveaxis(maps, 1, -1)
        return maps.reshape(6, -1) @ p["W2"] + p["b2"]

    return network, parameters


@pytest.mark.parametrize("channels_last", [False, True])
def test_filters_are_units(channels_last):
    """A filter's outgoing weights are a block of the flattened axis, or every fourth entry of it."""
    network, parameters = conv_net(np.random.default_rng(5), channels_last)
    layout = find_layout(named_arrays(parameters), parameters, network)
    (layer,) = layout.layers
    expected = Member("W2", 0, before=9) if channels_last else Member("W2", 0, inner=9)

    assert layer.outgoing == (expected,)
    assert evidence_of(parameters, network=network).layers[0].verdict in ("ok", "sign mirrored")

    parameters["W1"][3] = parameters["W1"][1]
    parameters["b1"][3] = parameters["b1"][1]
    at = expected.positions(4)
    parameters["W2"][at[3]] = parameters["W2"][at[1]]
    assert evidence_of(parameters, network=network).layers[0].verdict == "identical for ever"
    parameters["W2"][at[3]] += 0.1
    assert evidence_of(parameters, network=network).layers[0].verdict == "identical now, will differentiate"


def test_units_of_an_lstm_are_found_beside_its_inputs():
    """The gates hold hidden and input columns side by side; the hidden ones are found."""
    rng = np.random.default_rng(6)
    inputs = rng.normal(size=(4, 3, 6))
    gates = ("f", "i", "c", "o")
    parameters = {f"W{g}": rng.normal(size=(5, 8)) for g in gates} | {
        f"b{g}": rng.normal(size=(5, 1)) for g in gates
    }
    parameters |= {"Wy": rng.normal(size=(2, 5)), "by": rng.normal(size=(2, 1))}

    def network(p):
        h = c = np.zeros((5, 6))
        for x in inputs:
            z = {g: p[f"W{g}"] @ np.vstack([h, x]) + p[f"b{g}"] for g in gates}
            s = {g: 1 / (1 + np.exp(-z[g])) for g in gates}
            c = s["f"] * c + s["i"] * np.tanh(z["c"])
            h = s["o"] * np.tanh(c)
        return p["Wy"] @ h + p["by"]

    layout = find_layout(named_arrays(parameters), parameters, network)

    assert [layer.units for layer in layout.layers] == [5]
    assert set(layout.layers[0].outgoing) == {Member("Wy", 1), *(Member(f"W{g}", 1) for g in gates)}
    assert evidence_of(parameters, network=network).layers[0].verdict == "ok"
    constant = {name: np.full_like(values, 0.1) for name, values in parameters.items()}
    assert evidence_of(constant, network=network).layers[0].verdict == "identical for ever"


def test_a_network_with_a_cache_beside_its_outputs_is_read_by_its_outputs():
    """(A2, cache): the hidden values in the cache do permute; the outputs do not."""
    rng = np.random.default_rng(7)
    weights, biases = random_start(rng, (3, 5, 2))
    inputs, targets = data(rng, 3, 2)
    plain, _ = callables("dict (n_out, n_in)", "tanh", inputs, targets)
    parameters = CONTAINERS["dict (n_out, n_in)"][0](weights, biases)

    def network(p):
        return plain(p), {"A1": np.tanh(p["W1"] @ inputs + p["b1"])}

    assert len(find_layout(named_arrays(parameters), parameters, network).layers) == 1


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (lambda p: np.random.default_rng().normal(size=3) + p["W1"].sum(), "differently"),
        (lambda p: np.ones(3), "does not change"),
        (lambda p: np.full(3, np.nan), "no finite"),
    ],
)
def test_a_network_that_cannot_be_used_says_why(network, reason):
    """Dropout left on, a constant, NaN: the check says so, and judges from the arrays alone."""
    rng = np.random.default_rng(8)
    parameters = CONTAINERS["dict (n_out, n_in)"][0](*random_start(rng, (3, 5, 2)))
    with pytest.raises(CannotFind, match=reason):
        find_layout(named_arrays(parameters), parameters, network)
    evidence = check_symmetry(parameters, network=network)

    assert [n.code for n in evidence.notes] == ["SYM290"]
    assert [layer.verdict for layer in evidence.layers] == ["ok"]


def test_the_parameters_handed_in_are_never_changed():
    """Probing works on copies, also where the container's accessors return references."""
    rng = np.random.default_rng(9)
    weights, biases = random_start(rng, (3, 5, 2))
    inputs, targets = data(rng, 3, 2)
    network, _ = callables("layer objects", "relu", inputs, targets)
    parameters = CONTAINERS["layer objects"][0](weights, biases)
    before = {name: values.copy() for name, values in named_arrays(parameters).items()}

    def step_in_place(p):
        for layer in p:
            layer.W -= 0.1
        return None  # noqa: RET501 - a step that changes its argument says nothing

    check_symmetry(parameters, network=network, step=step_in_place)
    after = named_arrays(parameters)
    assert all(np.array_equal(before[name], after[name]) for name in before)


# --- reading shapes ---------------------------------------------------------------------------------------


def widths(shapes):
    """Return the widths of every reading."""
    return {layout.sizes for layout in readings(shapes)}


def test_shapes_read_as_both_orientations():
    """The same net is read from either convention, and from lists without names."""
    planar = {"W1": (4, 2), "b1": (4, 1), "W2": (1, 4), "b2": (1, 1)}
    rows = {"W1": (2, 4), "b1": (4,), "W2": (4, 1), "b2": (1,)}
    flat = {"[0]": (2, 4), "[1]": (4,), "[2]": (4, 3), "[3]": (3,)}

    assert widths(planar) == {(2, 4, 1)}
    assert widths(rows) == {(2, 4, 1)}
    assert widths(flat) == {(2, 4, 3)}


def test_a_square_net_has_both_orientations():
    """Where shapes do not decide, all readings are returned."""
    square = {"W1": (3, 3), "b1": (3,), "W2": (3, 3), "b2": (3,)}
    orientations = {layout.orientation for layout in readings(square)}

    assert orientations == {"(n_out, n_in)", "(n_in, n_out)"}


def test_weights_with_a_column_for_the_bias_are_read():
    """Theta of shape (n_out, n_in + 1) has its bias inside."""
    (first, *_) = readings({"Theta1": (5, 4), "Theta2": (2, 6)})

    assert [layer.units for layer in first.layers] == [5]
    assert first.layers[0].outgoing == (Member("Theta2", 1, start=1),)


def test_arrays_that_form_no_chain_have_no_reading():
    """Nothing is made up where nothing fits."""
    assert readings({"W1": (3, 5), "W2": (7, 11)}) == []


def test_models_of_other_libraries_go_straight_in():
    """A scikit-learn model, Keras weights and a torch state dict are read by their attributes."""
    rng = np.random.default_rng(10)
    w1, w2 = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
    sklearn = SimpleNamespace(coefs_=[w1, w2], intercepts_=[np.zeros(5), np.zeros(2)])
    keras = SimpleNamespace(get_weights=lambda: [w1, np.zeros(5), w2, np.zeros(2)])
    state = {"0.weight": w1.T, "0.bias": np.zeros(5), "2.weight": w2.T, "2.bias": np.zeros(2)}
    torch = SimpleNamespace(state_dict=lambda: state)

    for model in (sklearn, keras, torch, state, keras.get_weights(), sklearn.coefs_):
        assert [layer.units for layer in check_symmetry(model).layers] == [5]
