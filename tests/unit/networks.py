"""Small networks with a right backward pass, for the tests of the gradient check."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "softplus": (lambda z: np.log1p(np.exp(z)), lambda z: 1 / (1 + np.exp(-z))),
}


@dataclass
class Network:
    """A dense network with softmax cross-entropy; rows of ``X`` are examples."""

    parameters: Arrays
    X: NDArray[Any]
    y: NDArray[Any]
    activation: str = "tanh"

    @classmethod
    def drawn(cls, sizes: tuple[int, ...], examples: int, seed: int, activation: str = "tanh") -> Network:
        random = np.random.default_rng(seed)
        parameters: Arrays = {}
        for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes), start=1):
            parameters[f"W{layer}"] = random.normal(size=(inputs, outputs)) / np.sqrt(inputs)
            parameters[f"b{layer}"] = np.zeros(outputs)
        X = random.normal(size=(examples, sizes[0]))
        return cls(parameters, X, random.integers(0, sizes[-1], examples), activation)

    def forward(self, parameters: Arrays) -> tuple[float, list[Any], list[Any], Any]:
        act = ACTIVATIONS[self.activation][0]
        layers = len(parameters) // 2
        outputs, sums = [self.X], []
        for layer in range(1, layers + 1):
            sums.append(outputs[-1] @ parameters[f"W{layer}"] + parameters[f"b{layer}"])
            outputs.append(act(sums[-1]) if layer < layers else sums[-1])
        shifted = sums[-1] - sums[-1].max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        rows = np.arange(len(self.y))
        return -log_p[rows, self.y].mean(), outputs, sums, np.exp(log_p)

    def loss(self, parameters: Arrays) -> float:
        return self.forward(parameters)[0]

    def loss_of_known(self, parameters: Arrays) -> float:
        """Return the loss, whatever else the dict holds."""
        return self.loss({name: parameters[name] for name in self.parameters})

    def gradients(self, parameters: Arrays) -> Arrays:
        slope = ACTIVATIONS[self.activation][1]
        _, outputs, sums, p = self.forward(parameters)
        delta = p.copy()
        delta[np.arange(len(self.y)), self.y] -= 1
        delta /= len(self.y)
        found: Arrays = {}
        for layer in range(len(self.parameters) // 2, 0, -1):
            found[f"dW{layer}"] = outputs[layer - 1].T @ delta
            found[f"db{layer}"] = delta.sum(axis=0)
            if layer > 1:
                delta = (delta @ parameters[f"W{layer}"].T) * slope(sums[layer - 2])
        return found

    def spoiled(self, **changes: Callable[[Any], Any]) -> Callable[[Arrays], Arrays]:
        """Return the gradients with some arrays changed: ``spoiled(dW1=lambda g: 2 * g)``."""

        def wrong(parameters: Arrays) -> Arrays:
            found = self.gradients(parameters)
            return found | {name: change(found[name]) for name, change in changes.items()}

        return wrong
