"""Right programs that are hard to check: ill-conditioned, saturated, kinked, rounded, of strange scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_symmetry import CheckFailed, check_gradients
from pytest_symmetry.errors import SymmetryError

Arrays = dict[str, Any]
Program = tuple[Callable[[Arrays], Any], Callable[[Arrays], Arrays], Arrays]


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def deep_sigmoid(random: np.random.Generator) -> Program:
    """Ten sigmoid layers: the first gradients are a billionth of the last."""
    X = random.normal(size=(6, 4))
    names = [f"W{layer}" for layer in range(10)]
    p = {n: 0.5 * random.normal(size=(4, 4)) for n in names}

    def forward(p: Arrays) -> list[Any]:
        a = [X]
        for n in names:
            a.append(sigmoid(a[-1] @ p[n]))
        return a

    def gradients(p: Arrays) -> Arrays:
        a, g = forward(p), {}
        delta = 2 * a[-1] / a[-1].size
        for i in range(9, -1, -1):
            delta = delta * a[i + 1] * (1 - a[i + 1])
            g[f"dW{i}"] = a[i].T @ delta
            delta = delta @ p[f"W{i}"].T
        return g

    return lambda p: (forward(p)[-1] ** 2).mean(), gradients, p


def offset(random: np.random.Generator) -> Program:
    """A small slope on top of a large constant."""
    w = random.normal(size=5)
    return lambda p: 1e8 + np.sin(p["w"]).sum(), lambda p: {"dw": np.cos(p["w"])}, {"w": w}


def scales(random: np.random.Generator) -> Program:
    """Arrays of very different size."""
    p = {"large": 1e6 * random.normal(size=4), "small": 1e-6 * random.normal(size=4)}
    return (
        lambda p: np.sin(p["large"] / 1e6).sum() + np.sin(p["small"]).sum(),
        lambda p: {"dlarge": np.cos(p["large"] / 1e6) / 1e6, "dsmall": np.cos(p["small"])},
        p,
    )


def saturated(random: np.random.Generator) -> Program:
    """Softmax regression with huge logits: most gradients are nearly zero."""
    X, y = 30 * random.normal(size=(8, 3)), random.integers(0, 4, 8)

    def log_p(p: Arrays) -> Any:
        s = X @ p["W"]
        s = s - s.max(axis=1, keepdims=True)
        return s - np.log(np.exp(s).sum(axis=1, keepdims=True))

    def gradients(p: Arrays) -> Arrays:
        d = np.exp(log_p(p))
        d[np.arange(8), y] -= 1
        return {"dW": X.T @ d / 8}

    return lambda p: -log_p(p)[np.arange(8), y].mean(), gradients, {"W": random.normal(size=(3, 4))}


def absolute(random: np.random.Generator) -> Program:
    """Least absolute deviations: a kink for every example, and few examples."""
    X, t = random.normal(size=(5, 3)), random.normal(size=5)
    return (
        lambda p: np.abs(X @ p["w"] - t).mean(),
        lambda p: {"dw": X.T @ np.sign(X @ p["w"] - t) / 5},
        {"w": random.normal(size=3)},
    )


def many_kinks(random: np.random.Generator) -> Program:
    """A kink every thousandth: slopes exist, but hardly any step is free of kinks."""
    knots, jumps = np.sort(random.uniform(-3, 3, 6000)), random.normal(size=6000)

    def loss(p: Arrays) -> Any:
        return (jumps * np.maximum(p["w"][:, None] - knots, 0)).sum() / 100 + 10 * (p["w"] ** 2).sum()

    def gradients(p: Arrays) -> Arrays:
        return {"dw": (jumps * (p["w"][:, None] > knots)).sum(axis=1) / 100 + 20 * p["w"]}

    return loss, gradients, {"w": random.uniform(-1, 1, 3)}


def clipped(random: np.random.Generator) -> Program:
    """Probabilities clipped before the logarithm, some of them at the limit."""
    X, y = 8 * random.normal(size=(12, 3)), random.integers(0, 2, 12)

    def gradients(p: Arrays) -> Arrays:
        q = sigmoid(X @ p["w"])
        inside = (q > 1e-3) & (q < 1 - 1e-3)
        return {"dw": X.T @ ((q - y) * inside) / 12}

    def loss(p: Arrays) -> Any:
        q = np.clip(sigmoid(X @ p["w"]), 1e-3, 1 - 1e-3)
        return -(y * np.log(q) + (1 - y) * np.log(1 - q)).mean()

    return loss, gradients, {"w": random.normal(size=3)}


def tiny_batch_norm(random: np.random.Generator) -> Program:
    """Batch normalisation of three examples with a tiny eps: strongly curved."""
    X, t, eps = random.normal(size=(3, 4)), random.normal(size=(3, 2)), 1e-8

    def forward(p: Arrays) -> tuple[Any, Any, Any]:
        z = X @ p["W"]
        std = np.sqrt(z.var(axis=0) + eps)
        hat = (z - z.mean(axis=0)) / std
        return hat, std, p["g"] * hat + p["b"]

    def gradients(p: Arrays) -> Arrays:
        hat, std, out = forward(p)
        d = 2 * (out - t) / out.size
        dhat = d * p["g"]
        dz = (dhat - dhat.mean(axis=0) - hat * (dhat * hat).mean(axis=0)) / std
        return {"dW": X.T @ dz, "dg": (d * hat).sum(axis=0), "db": d.sum(axis=0)}

    p = {"W": random.normal(size=(4, 2)), "g": np.ones(2), "b": np.zeros(2)}
    return lambda p: ((forward(p)[2] - t) ** 2).mean(), gradients, p


def huge(random: np.random.Generator) -> Program:
    w = random.normal(size=6)
    return lambda p: 1e12 * np.cosh(p["w"]).sum(), lambda p: {"dw": 1e12 * np.sinh(p["w"])}, {"w": w}


def minute(random: np.random.Generator) -> Program:
    w = random.normal(size=6)
    return lambda p: 1e-12 * np.cosh(p["w"]).sum(), lambda p: {"dw": 1e-12 * np.sinh(p["w"])}, {"w": w}


def at_its_minimum(random: np.random.Generator) -> Program:
    """A loss that is zero, and stays close to it."""
    t = random.normal(size=5)
    return (
        lambda p: ((p["w"] - t) ** 2).sum(),
        lambda p: {"dw": 2 * (p["w"] - t)},
        {"w": t.copy()},
    )


def vanishing_part(random: np.random.Generator) -> Program:
    """Log-probabilities that nearly cancel."""
    X = random.normal(size=(6, 4))

    def loss(p: Arrays) -> Any:
        z = X @ p["w"]
        return np.log1p(np.exp(z)).sum() - np.log1p(np.exp(-z)).sum() - z.sum() + (p["w"] ** 4).sum()

    return loss, lambda p: {"dw": 4 * p["w"] ** 3}, {"w": random.normal(size=4)}


def lstm_like(random: np.random.Generator) -> Program:
    """A gated recurrent loop over eight steps."""
    X = random.normal(size=(8, 3, 2))

    def run(p: Arrays) -> tuple[Any, list[Any]]:
        h, kept = np.zeros((3, 4)), []
        for x in X:
            z, c = sigmoid(x @ p["Wz"] + h @ p["Uz"]), np.tanh(x @ p["Wc"] + h @ p["Uc"])
            kept.append((x, h, z, c))
            h = (1 - z) * h + z * c
        return h, kept

    def gradients(p: Arrays) -> Arrays:
        h, kept = run(p)
        g = {f"d{n}": np.zeros_like(v) for n, v in p.items()}
        dh = 2 * h / h.size
        for x, before, z, c in reversed(kept):
            dz, dc = dh * (c - before) * z * (1 - z), dh * z * (1 - c * c)
            g["dWz"] += x.T @ dz
            g["dUz"] += before.T @ dz
            g["dWc"] += x.T @ dc
            g["dUc"] += before.T @ dc
            dh = dh * (1 - z) + dz @ p["Uz"].T + dc @ p["Uc"].T
        return g

    p = {"Wz": random.normal(size=(2, 4)), "Uz": random.normal(size=(4, 4)),
         "Wc": random.normal(size=(2, 4)), "Uc": random.normal(size=(4, 4))}  # fmt: skip
    return lambda p: (run(p)[0] ** 2).mean(), gradients, p


def half_precision(random: np.random.Generator) -> Program:
    """A loss computed in float16."""
    X = random.normal(size=(20, 4)).astype(np.float16)
    return (
        lambda p: np.tanh(X @ p["w"].astype(np.float16)).mean() + 2,
        lambda p: {"dw": X.astype(float).T @ (1 - np.tanh(X.astype(float) @ p["w"]) ** 2) / 20},
        {"w": random.normal(size=4)},
    )


def rounded(random: np.random.Generator) -> Program:
    """A loss rounded to six decimals before it is returned."""
    w = random.normal(size=5)
    return lambda p: round(float(np.sin(p["w"]).sum()), 6), lambda p: {"dw": np.cos(p["w"])}, {"w": w}


def few_decimals(random: np.random.Generator) -> Program:
    """A loss rounded to two decimals: it stands still for all small steps."""
    w = random.normal(size=5)
    return lambda p: round(float(np.sin(p["w"]).sum()), 2), lambda p: {"dw": np.cos(p["w"])}, {"w": w}


def half_grid(random: np.random.Generator) -> Program:
    """A loss computed in float16 and returned as a float64, which numpy 1 makes of a float16 and an int."""
    loss, gradients, start = half_precision(random)
    return lambda p: float(loss(p)), gradients, start


def dead_units(random: np.random.Generator) -> Program:
    """Every hidden unit is off for every example: the loss stands still, and moves further away."""
    X, y = np.abs(random.normal(size=(10, 3))), random.normal(size=10)

    def hidden(p: Arrays) -> Any:
        return np.maximum(0, X @ p["W"])

    def gradients(p: Arrays) -> Arrays:
        error = 2 * (hidden(p) @ p["v"] - y) / 10
        return {"dW": X.T @ (np.outer(error, p["v"]) * (hidden(p) > 0)), "dv": hidden(p).T @ error}

    start = {"W": -np.abs(random.normal(size=(3, 5))), "v": random.normal(size=5)}
    return lambda p: ((hidden(p) @ p["v"] - y) ** 2).mean(), gradients, start


def tied_pool(random: np.random.Generator) -> Program:
    """Maximum over windows of an image with constant patches: every window has ties."""
    image = np.kron(random.normal(size=(3, 3)), np.ones((4, 4)))

    def pooled(p: Arrays) -> tuple[Any, Any]:
        windows = np.lib.stride_tricks.sliding_window_view(image, (2, 2))
        z = np.einsum("ijuv,uv->ij", windows, p["F"])[:10, :10]
        blocks = z.reshape(5, 2, 5, 2).transpose(0, 2, 1, 3).reshape(25, 4)
        seen = windows[:10, :10].reshape(5, 2, 5, 2, 2, 2).transpose(0, 2, 1, 3, 4, 5)
        return blocks, seen.reshape(25, 4, 2, 2)

    def gradients(p: Arrays) -> Arrays:
        blocks, windows = pooled(p)
        best = blocks.argmax(axis=1)
        return {"dF": windows[np.arange(25), best].sum(axis=0)}

    return lambda p: pooled(p)[0].max(axis=1).sum(), gradients, {"F": random.normal(size=(2, 2))}


PROGRAMS = (
    deep_sigmoid, offset, scales, saturated, absolute, many_kinks, clipped, tiny_batch_norm, huge, minute,
    at_its_minimum, vanishing_part, lstm_like, half_precision, half_grid, rounded, few_decimals,
    dead_units, tied_pool,
)  # fmt: skip

CANNOT_TELL = {"GRD107", "GRD127"}


def accusations(build: Any, seeds: range, **options: Any) -> list[str]:
    found = []
    for seed in seeds:
        with np.errstate(all="ignore"):
            try:
                check_gradients(*build(np.random.default_rng(seed)), seed=seed, **options)
            except CheckFailed as failed:
                if failed.finding.code not in CANNOT_TELL:
                    found.append(f"{build.__name__}, seed {seed}, {options}: {failed}\n{failed.evidence}")
            except SymmetryError as problem:
                found.append(f"{build.__name__}, seed {seed}: {problem}")
    return found


@pytest.mark.parametrize("at", ["generic", "given"])
@pytest.mark.parametrize("build", PROGRAMS, ids=lambda b: b.__name__)
def test_hard_right_programs_are_not_accused(build: Any, at: str) -> None:
    """A few seeds of each, on every run."""
    assert accusations(build, range(6), at=at) == []


@pytest.mark.sweep
@pytest.mark.parametrize("options", [{}, {"at": "given"}, {"exhaustive": True}, {"directions": 3}])
@pytest.mark.parametrize("build", PROGRAMS, ids=lambda b: b.__name__)
def test_hard_right_programs_are_not_accused_with_many_seeds(build: Any, options: dict[str, Any]) -> None:
    """The same with 150 seeds, and every option."""
    assert accusations(build, range(1000, 1150), **options) == []
