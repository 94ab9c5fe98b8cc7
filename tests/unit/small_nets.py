"""Small networks of every layout, with a training step, and starts with a planted symmetry.

A network is kept as ``weights`` (each (n_out, n_in)) and ``biases`` (each (n_out, 1)), inputs first;
``CONTAINERS`` turn that into what people hand over, and back.
"""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np

ACTIVATIONS = {
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
    "relu": (lambda z: np.maximum(z, 0.0), lambda a: (a > 0) * 1.0),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.1 * z), lambda a: np.where(a > 0, 1.0, 0.1)),
}


def random_start(rng, sizes, scale=1.0):
    """Return random weights and biases of the given widths."""
    weights = [rng.normal(size=(o, i)) * scale for i, o in itertools.pairwise(sizes)]
    biases = [rng.normal(size=(o, 1)) * scale for o in sizes[1:]]
    return weights, biases


def forward(weights, biases, inputs, activation="tanh"):
    """Return the activations of every layer, inputs first; the output is a sigmoid."""
    g, _ = ACTIVATIONS[activation]
    values = [inputs]
    for number, (w, b) in enumerate(zip(weights, biases, strict=True)):
        z = w @ values[-1] + b
        values.append(g(z) if number < len(weights) - 1 else 0.5 + 0.5 * np.tanh(z / 2))
    return values


def gradients(weights, biases, inputs, targets, activation="tanh"):
    """Return the gradients of the mean cross entropy."""
    _, slope = ACTIVATIONS[activation]
    values = forward(weights, biases, inputs, activation)
    delta = (values[-1] - targets) / inputs.shape[1]
    of_weights, of_biases = [], []
    for number in reversed(range(len(weights))):
        of_weights.insert(0, delta @ values[number].T)
        of_biases.insert(0, delta.sum(axis=1, keepdims=True))
        delta = (weights[number].T @ delta) * slope(values[number]) if number else delta
    return of_weights, of_biases


def data(rng, n_in, n_out, examples=24):
    """Return random inputs and targets, examples in columns."""
    return rng.normal(size=(n_in, examples)), (rng.random((n_out, examples)) > 0.5) * 1.0


class Optimiser:
    """GD, momentum, Adam, each with decoupled or coupled weight decay, over a list of arrays."""

    def __init__(self, kind="gd", rate=0.3, decay=0.0):
        self.kind, self.rate, self.decay = kind, rate, decay
        self.first, self.second, self.time = None, None, 0

    def __call__(self, parameters, slopes):
        """Return the parameters after one step."""
        self.first = self.first or [np.zeros_like(p) for p in parameters]
        self.second = self.second or [np.zeros_like(p) for p in parameters]
        self.time += 1
        moved = []
        for number, (p, g) in enumerate(zip(parameters, slopes, strict=True)):
            moved.append((1 - self.rate * self.decay) * p - self._step(number, g))
        return moved

    def _step(self, number, g):
        if self.kind == "gd":
            return self.rate * g
        if self.kind == "momentum":
            self.first[number] = 0.9 * self.first[number] + g
            return self.rate * 0.3 * self.first[number]
        self.first[number] = 0.9 * self.first[number] + 0.1 * g
        self.second[number] = 0.999 * self.second[number] + 0.001 * g * g
        first = self.first[number] / (1 - 0.9**self.time)
        second = self.second[number] / (1 - 0.999**self.time)
        return self.rate * 0.03 * first / (np.sqrt(second) + 1e-8)


# --- containers ----------------------------------------------------------------------------------------


def _as_dict(weights, biases):
    named = {}
    for number, (w, b) in enumerate(zip(weights, biases, strict=True), start=1):
        named[f"W{number}"], named[f"b{number}"] = w.copy(), b.copy()
    return named


def _from_dict(named):
    depth = len(named) // 2
    return [named[f"W{n + 1}"] for n in range(depth)], [named[f"b{n + 1}"] for n in range(depth)]


def _as_rows(weights, biases):
    return {
        k: (v.T.copy() if k[0] == "W" else v.ravel().copy()) for k, v in _as_dict(weights, biases).items()
    }


def _from_rows(named):
    weights, biases = _from_dict(named)
    return [w.T for w in weights], [b.reshape(-1, 1) for b in biases]


def _as_flat(weights, biases):
    return [x for w, b in zip(weights, biases, strict=True) for x in (w.T.copy(), b.ravel().copy())]


def _from_flat(flat):
    return [w.T for w in flat[::2]], [b.reshape(-1, 1) for b in flat[1::2]]


def _as_objects(weights, biases):
    return [SimpleNamespace(W=w.copy(), b=b.copy()) for w, b in zip(weights, biases, strict=True)]


CONTAINERS = {
    "dict (n_out, n_in)": (_as_dict, _from_dict),
    "dict (n_in, n_out)": (_as_rows, _from_rows),
    "lists biases, weights": (
        lambda w, b: ([x.copy() for x in b], [x.copy() for x in w]),
        lambda pair: (list(pair[1]), list(pair[0])),
    ),
    "flat list (n_in, n_out)": (_as_flat, _from_flat),
    "layer objects": (_as_objects, lambda layers: ([x.W for x in layers], [x.b for x in layers])),
}


def callables(container, activation, inputs, targets, rate=0.3):
    """Return ``network`` and ``step`` for parameters in that container."""
    pack, unpack = CONTAINERS[container]

    def network(parameters):
        return forward(*unpack(parameters), inputs, activation)[-1]

    def step(parameters):
        weights, biases = unpack(parameters)
        dw, db = gradients(weights, biases, inputs, targets, activation)
        return pack(
            [w - rate * g for w, g in zip(weights, dw, strict=True)],
            [b - rate * g for b, g in zip(biases, db, strict=True)],
        )

    return network, step


# --- planted symmetries --------------------------------------------------------------------------------


def plant(verdict, weights, biases, layer):  # noqa: C901 - one short branch per verdict
    """Change a random start in place so that hidden layer ``layer`` deserves ``verdict``."""
    incoming, bias, outgoing = weights[layer], biases[layer], weights[layer + 1]

    def copy(unit, into, incoming_factor=1.0, outgoing_factor=1.0):
        incoming[into], bias[into] = incoming_factor * incoming[unit], incoming_factor * bias[unit]
        outgoing[:, into] = outgoing_factor * outgoing[:, unit]

    if verdict in ("identical for ever", "nearly identical", "group structure"):
        copy(0, 1)
    if verdict == "nearly identical":
        incoming[1, 0] *= 1 + 1e-6
    elif verdict == "group structure":
        copy(2, 3)
    elif verdict == "identical now, will differentiate":
        incoming[1], bias[1] = incoming[0], bias[0]
    elif verdict == "identical now, no gradient":
        incoming[...], bias[...] = 0.0, 0.0
    elif verdict == "sign mirrored":
        copy(0, 1, -1.0, -1.0)
    elif verdict == "scaled copy":
        copy(0, 1, 2.0, 0.5)
    elif verdict == "dead":
        bias[2] = -1000.0
    elif verdict == "layers alike":
        weights[layer + 1] = incoming.copy()


PLANTED = {
    "ok": ("tanh", "sigmoid", "relu", "leaky_relu"),
    "identical for ever": ("tanh", "sigmoid", "relu", "leaky_relu"),
    "group structure": ("tanh", "sigmoid", "relu", "leaky_relu"),
    "identical now, will differentiate": ("tanh", "sigmoid", "leaky_relu"),
    "identical now, no gradient": ("relu",),
    "sign mirrored": ("tanh",),
    "scaled copy": ("relu", "leaky_relu"),
    "nearly identical": ("tanh", "sigmoid", "relu", "leaky_relu"),
    "dead": ("relu",),
    "layers alike": ("tanh", "sigmoid"),
}
"""Every verdict on a layer, with the activations for which it can be planted."""
