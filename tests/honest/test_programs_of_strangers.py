"""Programs as numpy developers have them: right ones pass, and each mistake is told at the right array."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pytest_symmetry import CheckFailed, check_backward, check_gradients
from pytest_symmetry.findings import GradientEvidence

random = np.random.default_rng(3)
X, Y = random.normal(size=(9, 5)), random.integers(0, 3, 9)


class MLP:
    """A network object that keeps its activations, with lists of weights and biases."""

    def __init__(self, *sizes: int, fault: str = "") -> None:
        self.W = [0.3 * random.normal(size=pair) for pair in pairwise(sizes)]
        self.b = [np.zeros(n) for n in sizes[1:]]
        self.fault = fault

    def loss(self) -> Any:
        self.a = [X]
        for W, b in zip(self.W, self.b, strict=True):
            z = self.a[-1] @ W + b
            self.a.append(np.maximum(z, 0) if W is not self.W[-1] else z)
        log_p = self.a[-1] - np.log(np.exp(self.a[-1]).sum(axis=1, keepdims=True))
        self.p = np.exp(log_p)
        return -log_p[np.arange(9), Y].mean()

    def backward(self) -> dict[str, list[Any]]:
        d = self.p.copy()
        d[np.arange(9), Y] -= 1
        d = d if self.fault == "no 1/m" else d / 9
        W: list[Any] = []
        b: list[Any] = []
        for i in range(len(self.W) - 1, -1, -1):
            W, b = [self.a[i].T @ d, *W], [d.sum(axis=0), *b]
            d = d @ self.W[i].T
            d = d if self.fault == "no mask" else d * (self.a[i] > 0)
        return {"W": W, "b": b}


def of_object(fault: str) -> GradientEvidence:
    """The network itself is the parameters: it is rebuilt with other arrays for every call."""

    def gradients(net: MLP) -> Any:
        net.loss()
        return net.backward()

    return check_gradients(MLP.loss, gradients, MLP(5, 7, 6, 3, fault=fault))


def of_setter(fault: str) -> GradientEvidence:
    """The parameters are a dictionary of lists that is put into the network."""
    net = MLP(5, 7, 6, 3, fault=fault)

    def loss(p: Any) -> Any:
        net.W, net.b = p["W"], p["b"]
        return net.loss()

    def gradients(p: Any) -> Any:
        loss(p)
        return net.backward()

    return check_gradients(loss, gradients, {"W": net.W, "b": net.b})


def recurrent(fault: str) -> GradientEvidence:
    """A tanh recurrence over six steps."""
    steps, t = random.normal(size=(6, 4, 2)), random.normal(size=(4, 3))
    p = {"Wx": random.normal(size=(2, 3)), "Wh": 0.5 * random.normal(size=(3, 3)), "b": np.zeros((1, 3))}

    def forward(p: Any) -> list[Any]:
        h = [np.zeros((4, 3))]
        for x in steps:
            h.append(np.tanh(x @ p["Wx"] + h[-1] @ p["Wh"] + p["b"]))
        return h

    def gradients(p: Any) -> Any:
        h = forward(p)
        d, g = 2 * (h[-1] - t) / t.size, {name: np.zeros_like(value) for name, value in p.items()}
        for i in range(5, -1, -1):
            dz = d * (1 - h[i + 1] ** 2)
            g["Wx"] += steps[i].T @ dz
            g["Wh"] += h[i].T @ dz
            g["b"] += dz.sum(axis=0, keepdims=True)
            d = dz @ (p["Wh"] if fault == "W for W.T" else p["Wh"].T)
            if fault == "one step back":
                break
        return g

    return check_gradients(lambda p: ((forward(p)[-1] - t) ** 2).mean(), gradients, p)


def convolution(fault: str) -> GradientEvidence:
    """A layer by sliding windows."""

    def forward(x: Any, w: Any, b: Any) -> Any:
        seen = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
        return np.einsum("nchwuv,fcuv->nfhw", seen, w) + b[None, :, None, None], (x, w, seen)

    def backward(dout: Any, cache: Any) -> Any:
        x, w, seen = cache
        dx, (h, k) = np.zeros_like(x), dout.shape[2:]
        for u in range(3):
            for v in range(3):
                at = w[:, :, 2 - u, 2 - v] if fault == "flipped" else w[:, :, u, v]
                dx[:, :, u : u + h, v : v + k] += np.einsum("nfhw,fc->nchw", dout, at)
        db = dout.sum(axis=(0, 2)) if fault == "bias axis" else dout.sum(axis=(0, 2, 3))
        return dx, np.einsum("nfhw,nchwuv->fcuv", dout, seen), db

    arguments = {
        "x": random.normal(size=(2, 3, 6, 6)),
        "w": random.normal(size=(4, 3, 3, 3)),
        "b": np.zeros(4),
    }
    return check_backward(forward, backward, arguments)


def batch_norm(fault: str) -> GradientEvidence:
    """A layer with its eps as a plain number."""

    def forward(x: Any, gamma: Any, beta: Any, eps: float) -> Any:
        std = np.sqrt(x.var(axis=0) + eps)
        hat = (x - x.mean(axis=0)) / std
        return gamma * hat + beta, (hat, std, gamma)

    def backward(dout: Any, cache: Any) -> Any:
        hat, std, gamma = cache
        d = dout * gamma
        spread = 0 if fault == "variance" else hat * (d * hat).mean(axis=0)
        return (d - d.mean(axis=0) - spread) / std, (dout * hat).sum(axis=0), dout.sum(axis=0)

    return check_backward(forward, backward, [random.normal(size=(8, 3)), np.ones(3), np.zeros(3), 1e-5])


def together(fault: str) -> GradientEvidence:
    """f(x) -> (loss, gradient) of one flat vector, as scipy.optimize takes it with jac=True."""
    A, t = random.normal(size=(20, 6)), random.normal(size=20)

    def value_and_gradient(x: Any) -> Any:
        r = A @ x - t
        found = A.T @ np.tanh(r)
        if fault == "one entry":
            found[2] *= 1.01
        return np.log(np.cosh(r)).sum(), found

    return check_gradients(value_and_gradient, value_and_gradient, np.zeros(6))


PROGRAMS = {of_object, of_setter, recurrent, convolution, batch_norm, together}

MISTAKES = [
    (of_object, "no 1/m", "GRD101", "dW[2]"),
    (of_object, "no mask", "GRD101", "dW[1]"),
    (of_setter, "no 1/m", "GRD101", "dW[2]"),
    (of_setter, "no mask", "GRD101", "dW[1]"),
    (recurrent, "W for W.T", "GRD101", "dWh"),
    (recurrent, "one step back", "GRD101", "dWh"),
    (convolution, "flipped", "GRD131", "dx"),
    (convolution, "bias axis", "GRD102", "db"),
    (batch_norm, "variance", "GRD131", "dx"),
    (together, "one entry", "GRD101", "dx"),
]


@pytest.mark.parametrize("program", sorted(PROGRAMS, key=lambda p: p.__name__), ids=lambda p: p.__name__)
def test_right_programs_pass_without_a_word(program: Any) -> None:
    """No failure and no note."""
    evidence = program("")

    assert evidence.passed
    assert evidence.notes == ()


@pytest.mark.parametrize(("program", "fault", "code", "array"), MISTAKES)
def test_mistakes_are_told_at_their_array(program: Any, fault: str, code: str, array: str) -> None:
    """The first wrong array of the backward pass is named."""
    with pytest.raises(CheckFailed) as caught:
        program(fault)
    finding = caught.value.finding

    assert (finding.code, finding.place.array) == (code, array)
