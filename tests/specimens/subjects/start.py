# ruff: noqa: E501 - a patch reads best on one line
"""The start of training: weights by He's law, biases at zero, and a network to look at them in."""

from itertools import pairwise

import numpy as np
from specimens.rehearsal import noted, told
from specimens.subjects import fault

from pytest_symmetry import check_initialization, check_symmetry

REFERENCE = """
import numpy as np

def initialize(*widths, seed=0):
    rng = np.random.default_rng(seed)
    parameters = {}
    for k in range(1, len(widths)):
        parameters[f"W{k}"] = rng.normal(size=(widths[k], widths[k - 1])) * np.sqrt(2 / widths[k - 1])
        parameters[f"b{k}"] = np.zeros((widths[k], 1))
    return parameters

def answer(X, parameters):
    layers = len(parameters) // 2
    A = X
    for k in range(1, layers):
        A = np.tanh(parameters[f"W{k}"] @ A + parameters[f"b{k}"])
    return parameters[f"W{layers}"] @ A + parameters[f"b{layers}"]
"""

LISTS = """
import random
import numpy as np

def act(z):
    return np.tanh(z)

def initialize(*widths, seed=0):
    source = random.Random(seed)
    start = {}
    for k, (below, above) in enumerate(zip(widths, widths[1:]), start=1):
        spread = (2.0 / below) ** 0.5
        start["W" + str(k)] = [[source.gauss(0.0, 1.0) * spread for _ in range(below)] for _ in range(above)]
        start["b" + str(k)] = [[0.0] for _ in range(above)]
    return {name: np.array(value) for name, value in start.items()}

def answer(X, parameters):
    said, layers = X, len(parameters) // 2
    for k in range(1, layers + 1):
        said = np.dot(parameters["W" + str(k)], said) + parameters["b" + str(k)]
        if k < layers:
            said = act(said)
    return said
"""

LAYERS = """
import numpy as np

def act(z):
    return np.sinh(z) / np.cosh(z)

class Layer:
    def __init__(self, n_in, n_out, random):
        scale = 2.0 / n_in
        self.W = random.randn(n_out, n_in) * np.sqrt(scale)
        self.b = np.zeros(n_out).reshape(-1, 1)

def initialize(*widths, seed=0):
    random = np.random.RandomState(seed)
    layers = [Layer(a, b, random) for a, b in zip(widths[:-1], widths[1:])]
    return {name + str(i): getattr(layer, name) for i, layer in enumerate(layers, 1) for name in ("W", "b")}

def run(X, parameters, k, last):
    z = parameters[f"W{k}"] @ X + parameters[f"b{k}"]
    return z if k == last else run(act(z), parameters, k + 1, last)

def answer(X, parameters):
    return run(X, parameters, 1, len(parameters) // 2)
"""

STYLES = {"lists": LISTS, "layers": LAYERS}


def shapes(*widths):
    """Return the shape of every array."""
    pairs = list(pairwise(widths))
    weights = {f"W{k}": (above, below) for k, (below, above) in enumerate(pairs, start=1)}
    return weights | {f"b{k}": (above, 1) for k, (_, above) in enumerate(pairs, start=1)}


def tests(student, _reference):
    """Units of two networks, then shapes, law and seeds."""
    X = np.random.default_rng(1).normal(size=(3, 11))

    def units(*widths):
        parameters = student.initialize(*widths, seed=3)
        if {name: np.shape(array) for name, array in parameters.items()} != shapes(*widths):
            return law()
        noteworthy = ("SYM204", "SYM208", "SYM209")
        return noted(noteworthy, check_symmetry, parameters, network=lambda p: student.answer(X, p))

    def law():
        sizes = [(3, 5, 2), (40, 60, 5), (90, 20, 1)]
        wanted = {"law": "he", "shapes": shapes, "distribution": "normal", "biases": "zero"}
        return noted(
            ("INI307", "INI309", "INI310", "INI312"),
            check_initialization,
            student.initialize,
            sizes=sizes,
            **wanted,
        )

    return [lambda: told(units, 3, 5, 4, 2), lambda: told(units, 3, 4, 4, 4, 1), law]


W_LISTS = "[[source.gauss(0.0, 1.0) * spread for _ in range(below)] for _ in range(above)]"
W_LAYERS = "random.randn(n_out, n_in) * np.sqrt(scale)"

FAULTS = (
    fault(59, "all zero, tanh", "zero-start", lists=f"{W_LISTS} => [[0.0] * below for _ in range(above)]", layers=f"{W_LAYERS} => np.zeros((n_out, n_in))"),
    fault(60, "all zero, sigmoid", "zero-start", lists=(f"{W_LISTS} => np.zeros((above, below))", "np.tanh(z) => 1 / (1 + np.exp(-z))"), layers=(f"{W_LAYERS} => 0 * random.randn(n_out, n_in)", "np.sinh(z) / np.cosh(z) => 0.5 + 0.5 * np.tanh(z / 2)")),
    fault(61, "all one constant", "constant-start copied-units", lists=f"{W_LISTS} => [[1.0] * below for _ in range(above)]", layers=f"{W_LAYERS} => np.ones((n_out, n_in))"),
    fault(62, "a tiny constant", "constant-start copied-units", lists=f"{W_LISTS} => [[0.001] * below for _ in range(above)]", layers=f"{W_LAYERS} => np.full((n_out, n_in), 1e-3)"),
    fault(63, "rows that are one list", "same-list copied-units constant-start", lists=f"{W_LISTS} => [[source.gauss(0.0, 1.0) * spread] * below] * above", layers=f"{W_LAYERS} => np.array([[random.randn() * np.sqrt(scale)] * n_in] * n_out)"),
    fault(64, "one number for all inputs of a unit", "", lists=f"{W_LISTS} => [[source.gauss(0.0, 1.0) * spread] * below for _ in range(above)]", layers=f"{W_LAYERS} => random.randn(n_out, 1) * np.sqrt(scale) * np.ones((1, n_in))"),
    fault(66, "rows copied", "", lists=f"{W_LISTS} => np.tile([source.gauss(0.0, 1.0) * spread for _ in range(below)], (above, 1))", layers=f"{W_LAYERS} => np.repeat(random.randn(1, n_in), n_out, axis=0) * np.sqrt(scale)"),
    fault(67, "a seed for each unit", "", lists=f"{W_LISTS} => [[g.gauss(0.0, 1.0) * spread for _ in range(below)] for g in (random.Random(seed) for _ in range(above))]", layers=f"{W_LAYERS} => np.array([np.random.RandomState(7).randn(n_in) for _ in range(n_out)]) * np.sqrt(scale)"),
    fault(68, "a seed for each layer", "", lists="spread = (2.0 / below) ** 0.5 => spread, source = (2.0 / below) ** 0.5, random.Random(seed)", layers="Layer(a, b, random) => Layer(a, b, np.random.RandomState(seed))"),
    fault(69, "the seed inside the function", "", lists="source = random.Random(seed) => source = random.Random(1)", layers="np.random.RandomState(seed) => np.random.RandomState(1)"),
    fault(70, "uniform and positive", "all-positive", lists="source.gauss(0.0, 1.0) => source.random()", layers="random.randn(n_out, n_in) => random.rand(n_out, n_in)"),
    fault(71, "a power for a product", "", lists="source.gauss(0.0, 1.0) * spread => np.float64(source.gauss(0.0, 1.0)) ** spread", layers="random.randn(n_out, n_in) * np => random.randn(n_out, n_in) ** np"),
    fault(72, "the law without its root", "law-not-rooted", lists="(2.0 / below) ** 0.5 => 2.0 / below", layers="* np.sqrt(scale) => * scale"),
    fault(73, "the scale forgotten", "scale-missing", lists="source.gauss(0.0, 1.0) * spread => source.gauss(0.0, 1.0)", layers=" * np.sqrt(scale) => "),
    fault(74, "a small scale for all depths", "scale-fixed law-other", lists="(2.0 / below) ** 0.5 => 0.01", layers="np.sqrt(scale) => 0.01"),
    fault(75, "flat biases", "", lists="[[0.0] for _ in range(above)] => [0.0 for _ in range(above)]", layers="np.zeros(n_out).reshape(-1, 1) => np.zeros(n_out)"),
    fault(76, "the two axes exchanged", "shape-turned transposed", lists="for _ in range(below)] for _ in range(above)] => for _ in range(above)] for _ in range(below)]", layers="random.randn(n_out, n_in) => random.randn(n_in, n_out)"),
    fault(77, "hidden weights zero", "zero-start", lists=f"{W_LISTS} => [[source.gauss(0.0, 1.0) * spread * (k == len(widths) - 1) for _ in range(below)] for _ in range(above)]", layers="layers = [Layer(a, b, random) for a, b in zip(widths[:-1], widths[1:])] => layers = [Layer(a, b, random) for a, b in zip(widths[:-1], widths[1:])]; [layer.W.fill(0) for layer in layers[:-1]]"),
    fault(78, "units that never answer", "", lists=("np.tanh(z) => np.maximum(z, 0)", "[[0.0] for _ in range(above)] => [[-50.0 * (k == 1)] for _ in range(above)]"), layers=("np.sinh(z) / np.cosh(z) => z * (z > 0)", "np.zeros(n_out).reshape(-1, 1) => np.full((n_out, 1), -90.0 * (n_in == 3))")),
)  # fmt: skip
