"""Models of torch, Keras and scikit-learn go straight in; stand-ins here, the real ones where installed."""

from types import SimpleNamespace

import numpy as np
import pytest
from small_nets import data, random_start

from pytest_symmetry.checks.specialization import check_specialization
from pytest_symmetry.checks.symmetry import check_symmetry
from pytest_symmetry.errors import CheckFailed


class Tensor:
    """Behaves like a tensor that requires grad: no array before it is detached, float32 inside."""

    def __init__(self, values, *, detached=False):
        self.values = np.asarray(values, dtype=np.float32)
        self.detached = detached

    def __array__(self, dtype=None, copy=None):
        if not self.detached:
            msg = "call detach() first"
            raise RuntimeError(msg)
        return np.array(self.values, dtype=dtype)

    def detach(self):
        return Tensor(self.values, detached=True)

    def new_tensor(self, values):
        return Tensor(values)

    def numbers(self):
        """What a function of the library works with; an array of numpy has no such method."""
        return self.values


def state_dict(weights, biases):
    """Return the parameters as a torch module names them."""
    layers = enumerate(zip(weights, biases, strict=True))
    return {
        name: Tensor(values)
        for n, (w, b) in layers
        for name, values in ((f"{2 * n}.weight", w), (f"{2 * n}.bias", b.ravel()))
    }


def network_of(inputs):
    """Return a function of tensors to a tensor, tanh inside."""

    def network(p):
        hidden = np.tanh(inputs @ p["0.weight"].numbers().T + p["0.bias"].numbers())
        return Tensor(hidden @ p["2.weight"].numbers().T + p["2.bias"].numbers())

    return network


@pytest.fixture
def parts():
    """Weights and biases of a 4-4-4 net, and inputs in rows."""
    rng = np.random.default_rng(0)
    weights, biases = random_start(rng, (4, 4, 4), 0.5)
    return weights, biases, data(rng, 4, 4)[0].T


def test_a_function_of_tensors_gets_tensors_and_returns_one(parts):
    """Square layers are told apart by it; equal units are found in float32."""
    weights, biases, inputs = parts
    model = SimpleNamespace(state_dict=lambda: state_dict(weights, biases))
    silent = check_symmetry(model, network=network_of(inputs))
    weights[0][1], biases[0][1], weights[1][:, 1] = weights[0][0], biases[0][0], weights[1][:, 0]
    with pytest.raises(CheckFailed) as raised:
        check_symmetry(model, network=network_of(inputs))

    assert silent.notes == ()
    assert silent.layout == "(n_out, n_in)"
    assert raised.value.finding.facts["certificate"][0] == "0.weight[0, :] = 0.weight[1, :]"


def test_a_step_of_tensors_is_taken(parts):
    """The step gets tensors too, and its result is read after detach()."""
    weights, biases, inputs = parts
    weights[0][:] = 0
    biases[0][:] = 0

    def step(p):
        after = {name: tensor.numbers().copy() for name, tensor in p.items()}
        after["0.weight"] += p["2.weight"].numbers().sum(axis=0)[:, None]
        return {name: Tensor(values) for name, values in after.items()}

    parameters = state_dict(weights, biases)
    evidence = check_symmetry(parameters, network=network_of(inputs), step=step)
    watched = check_specialization(parameters, step, steps=2, network=network_of(inputs))

    assert [note.code for note in evidence.notes] == ["SYM204"]
    assert evidence.notes[0].facts["gap"] > 0
    assert watched.layers[0].widths == (4, 4, 4)


def test_a_model_with_both_faces_is_read_by_its_weights(parts):
    """Keras on torch also has a state_dict, which holds every array twice."""
    weights, biases, _ = parts
    flat = [x for w, b in zip(weights, biases, strict=True) for x in (w.T, b.ravel())]
    both = SimpleNamespace(
        get_weights=lambda: flat,
        state_dict=lambda: state_dict(weights, biases) | {"again": Tensor(weights[0])},
    )

    assert [layer.units for layer in check_symmetry(both).layers] == [4]


def test_running_statistics_are_probed_with_positive_variances():
    """A variance below 0 would make every output NaN, and no layer could be found."""
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(20, 3))
    parameters = {
        "0.weight": rng.normal(size=(5, 3)), "1.running_mean": np.zeros(5), "1.running_var": np.ones(5),
        "2.weight": rng.normal(size=(2, 5)),
    }  # fmt: skip

    def network(p):
        z = (inputs @ p["0.weight"].T - p["1.running_mean"]) / np.sqrt(p["1.running_var"])
        return np.maximum(z, 0) @ p["2.weight"].T

    evidence = check_symmetry(parameters, network=network)

    assert evidence.notes == ()
    assert set(evidence.layers[0].incoming) == {"0.weight", "1.running_mean", "1.running_var"}


# --- the libraries themselves (what they warn about is theirs) ---------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_torch():
    """Modules by state_dict, functional_call as network; constants are found, random starts are silent."""
    torch = pytest.importorskip("torch")
    nn, call = torch.nn, torch.func.functional_call
    torch.manual_seed(0)
    x, images, steps = torch.randn(20, 4), torch.randn(5, 1, 8, 8), torch.randn(4, 6, 3)
    words = torch.randn(3, 5, 8)
    mlp = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4))
    norm = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2)).eval()
    conv = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 3))
    lstm = nn.LSTM(3, 5, batch_first=True)
    block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    for model, data_of, units in ((mlp, x, [4]), (norm, x, [6]), (conv, images, [4, 4])):
        evidence = check_symmetry(model, network=lambda p, m=model, d=data_of: call(m, p, (d,)))
        assert [layer.units for layer in evidence.layers] == units
        assert evidence.notes == ()
    assert check_symmetry(block, network=lambda p: call(block, p, (words,))).passed
    assert check_symmetry(lstm, network=lambda p: call(lstm, p, (steps,))).passed
    with torch.no_grad():
        for parameter in mlp.parameters():
            parameter.fill_(0.1)
    with pytest.raises(CheckFailed):
        check_symmetry(mlp, network=lambda p: call(mlp, p, (x,)))


@pytest.mark.filterwarnings("ignore")
def test_scikit_learn():
    """A fitted classifier, and its lists."""
    neural = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    model = neural.MLPClassifier((6, 4), max_iter=300, random_state=0)
    model.fit(rng.normal(size=(40, 3)), np.arange(40) % 3)

    assert [layer.units for layer in check_symmetry(model).layers] == [6, 4]
    with pytest.raises(CheckFailed):
        check_symmetry([w * 0 for w in model.coefs_])


@pytest.mark.filterwarnings("ignore")
def test_keras():
    """A model, its get_weights(), and a convolution."""
    keras = pytest.importorskip("keras")
    dense, conv = keras.layers.Dense, keras.layers.Conv2D
    model = keras.Sequential([keras.Input((3,)), dense(5), dense(2)])
    filters = keras.Sequential([keras.Input((8, 8, 1)), conv(4, 3), keras.layers.Flatten(), dense(3)])
    constant = [np.full_like(values, 0.1) for values in model.get_weights()]

    assert check_symmetry(model).notes == check_symmetry(model.get_weights()).notes == ()
    assert [layer.units for layer in check_symmetry(filters).layers] == [4]
    with pytest.raises(CheckFailed):
        check_symmetry(constant)
