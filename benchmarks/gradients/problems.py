"""Networks with a hand-written backward pass that takes one named mistake at will.

Rows are examples throughout. ``gradients(p)`` is right when ``fault`` is empty: ``tests/unit/
test_gradient_benchmark.py`` compares it with fourth-order differences. ``dtype`` is the type everything is
computed in, the parameters having been cast to it.
"""

# ruff: noqa: ARG001, ARG002 - all mistakes share one signature, whatever they need of it
from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

Arrays = dict[str, Any]


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


ACTIVATIONS = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2, lambda a: 1 - a * a),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z)), lambda a: a * (1 - a)),
    "relu": (lambda z: z * (z > 0), lambda z: 1.0 * (z > 0), lambda a: 1.0 * (a > 0)),
    "leaky": (
        lambda z: np.where(z > 0, z, z * np.asarray(0.1, z.real.dtype)),
        lambda z: np.where(z > 0, 1.0, 0.1),
        lambda a: np.where(a > 0, 1.0, 0.1),
    ),
}
"""Activation, its slope as a function of z, and its slope as a function of a."""


def softmax_loss(scores: Any, y: Any) -> tuple[Any, Any]:
    """Return the mean cross-entropy and the probabilities."""
    shifted = scores - scores.real.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].mean(), np.exp(log_p)


@dataclass
class Problem:
    """What all networks share."""

    parameters: Arrays = field(default_factory=dict)
    X: Any = None
    y: Any = None
    fault: str = ""
    dtype: Any = np.float64
    kept: Arrays = field(default_factory=dict)
    calls: int = 0

    def cast(self, p: Arrays) -> Arrays:
        if self.dtype == np.float64:
            return p
        return {k: v.astype(self.dtype) if not np.iscomplexobj(v) else v for k, v in p.items()}

    def loss(self, p: Arrays) -> Any:
        return self.forward(self.cast(p))[0]

    def gradients(self, p: Arrays) -> Arrays:
        self.calls += 1
        cast = self.cast(p)
        _, cache = self.forward(cast)
        return self.afterwards(p, self.backward(cast, cache))

    def forward(self, p: Arrays) -> tuple[Any, Arrays]:
        raise NotImplementedError  # every problem has its own, as it has its own backward

    def backward(self, p: Arrays, cache: Arrays) -> Arrays:
        raise NotImplementedError  # as above

    def afterwards(self, p: Arrays, g: Arrays) -> Arrays:
        """Apply the mistakes that need no knowledge of the network."""
        first = next(iter(p))
        change = AFTERWARDS.get(self.fault)
        if change is not None:
            change(self, p, g, first)
        return g


def _scale(factor: float, name: str | None = None) -> Any:
    def change(problem: Problem, p: Arrays, g: Arrays, first: str) -> None:
        g[name or f"d{first}"] = g[name or f"d{first}"] * factor

    return change


def _scale_all(factor: float) -> Any:
    def change(problem: Problem, p: Arrays, g: Arrays, first: str) -> None:
        for name in g:
            g[name] = g[name] * factor

    return change


def _entry(value: Any) -> Any:
    def change(problem: Problem, p: Arrays, g: Arrays, first: str) -> None:
        wrong = g[f"d{first}"].copy()
        middle = tuple(n // 2 for n in wrong.shape)
        wrong[middle] = wrong[middle] * 2 + 1e-3 * np.abs(wrong).max() if value is None else value
        g[f"d{first}"] = wrong

    return change


def _last_row(problem: Problem, p: Arrays, g: Arrays, first: str) -> None:
    wrong = g[f"d{first}"].copy()
    wrong[-1] = 0
    g[f"d{first}"] = wrong


def _noisy(problem: Problem, p: Arrays, g: Arrays, first: str) -> None:
    random = np.random.default_rng(problem.calls)
    g[f"d{first}"] = g[f"d{first}"] * (1 + 1e-3 * random.standard_normal(g[f"d{first}"].shape))


def _accumulates(problem: Problem, p: Arrays, g: Arrays, first: str) -> None:
    for name in g:
        problem.kept[name] = g[name] = problem.kept.get(name, 0) + g[name]


def _updates(problem: Problem, p: Arrays, g: Arrays, first: str) -> None:
    for name in p:
        p[name] -= 0.01 * g[f"d{name}"]


def _clips(problem: Problem, p: Arrays, g: Arrays, first: str) -> None:
    for name in g:
        most = 0.5 * np.abs(g[name]).max()
        g[name] = np.clip(g[name], -most, most)


def _zero(problem: Problem, p: Arrays, g: Arrays, first: str) -> None:
    g[f"d{first}"] = np.zeros_like(g[f"d{first}"])


AFTERWARDS = {
    "sign": _scale_all(-1.0),
    "sign of b1": _scale(-1.0, "db1"),
    "learning rate": _scale_all(0.01),
    "scale 1%": _scale(1.01),
    "scale 1e-4": _scale(1.0001),
    "one entry": _entry(None),
    "NaN entry": _entry(np.nan),
    "inf entry": _entry(np.inf),
    "last row missing": _last_row,
    "noise": _noisy,
    "accumulates": _accumulates,
    "updates W": _updates,
    "clipping": _clips,
    "dW1 zero": _zero,
}


@dataclass
class Dense(Problem):
    """Dense layers; softmax cross-entropy, multiclass hinge, or sigmoid cross-entropy on top."""

    activation: str = "tanh"
    top: str = "softmax"
    l2: float = 0.0
    l1: float = 0.0
    keep: float = 1.0
    masks: list[Any] = field(default_factory=list)

    @classmethod
    def drawn(
        cls, sizes: tuple[int, ...], m: int, seed: int, start: str = "generic", **options: Any
    ) -> Dense:
        random = np.random.default_rng(seed)
        p: Arrays = {}
        for layer, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
            W = random.standard_normal((inputs, outputs))
            p[f"W{layer}"] = 0.01 * W if start == "default" else W / np.sqrt(inputs)
            p[f"b{layer}"] = (
                0.1 * random.standard_normal(outputs) if start == "generic" else np.zeros(outputs)
            )
            if start == "default" and inputs == outputs:
                p[f"W{layer}"] = (p[f"W{layer}"] + p[f"W{layer}"].T) / 2
        X = random.standard_normal((m, sizes[0]))
        y = random.integers(0, max(sizes[-1], 2), m)
        problem = cls(p, X, y, **options)
        problem.X = X.astype(problem.dtype)
        if problem.keep < 1:
            problem.masks = [
                (random.random((m, n)) < problem.keep) / np.asarray(problem.keep, problem.dtype)
                for n in sizes[1:-1]
            ]
        return problem

    @property
    def layers(self) -> int:
        return len([k for k in self.parameters if k.startswith("W")])

    def forward(self, p: Arrays) -> tuple[Any, Arrays]:
        act = ACTIVATIONS[self.activation][0]
        a, z = [self.X], [None]
        for layer in range(1, self.layers + 1):
            z.append(a[-1] @ p[f"W{layer}"] + p[f"b{layer}"])
            out = act(z[-1]) if layer < self.layers else z[-1]
            a.append(out * self.masks[layer - 1] if self.masks and layer < self.layers else out)
        data, delta = self._top(z[-1])
        for layer in range(1, self.layers + 1):
            W = p[f"W{layer}"]
            data = data + 0.5 * self.l2 * (W * W).sum() if self.l2 else data
            data = data + self.l1 * np.abs(W).sum() if self.l1 else data
        return data, {"a": a, "z": z, "delta": delta}

    def _top(self, scores: Any) -> tuple[Any, Any]:
        """Return the data loss and its slope in the scores."""
        m, rows = len(self.y), np.arange(len(self.y))
        if self.top == "hinge":
            margins = scores - scores[rows, self.y][:, None] + 1
            margins = margins * (margins > 0)
            margins[rows, self.y] = 0
            delta = (margins.real > 0).astype(self.dtype)
            delta[rows, self.y] = -1 if self.fault == "hinge count" else -delta.sum(axis=1)
            return margins.sum() / m, delta / m
        if self.top == "bce":
            p = sigmoid(scores[:, 0])
            return -(self.y * np.log(p) + (1 - self.y) * np.log(1 - p)).mean(), ((p - self.y) / m)[:, None]
        value, p = softmax_loss(scores, self.y)
        delta = p.copy()
        if self.fault != "no one-hot":
            delta[rows, self.y] -= 1
        if self.fault == "diagonal softmax":
            delta = delta * p * (1 - p)
        return value, delta if self.fault == "no 1/m" else delta / m

    def backward(self, p: Arrays, cache: Arrays) -> Arrays:
        g: Arrays = {}
        delta, a, z = cache["delta"], cache["a"], cache["z"]
        for layer in range(self.layers, 0, -1):
            W = p[f"W{layer}"]
            below = z[layer - 1] if self.fault == "z for a" and layer > 1 else a[layer - 1]
            dW = below.T @ delta
            if self.fault == "right only for m = 1":
                dW = np.outer(below.sum(axis=0), delta.sum(axis=0))
            if self.fault == "dW transposed" and dW.shape[0] == dW.shape[1]:
                dW = dW.T
            g[f"dW{layer}"] = self._penalised(dW, W)
            g[f"db{layer}"] = self._bias(delta, p[f"b{layer}"])
            if layer > 1:
                back = W if self.fault == "W for W.T" and W.shape[0] == W.shape[1] else W.T
                if self.fault == "updated W":
                    back = (W - 0.5 * g[f"dW{layer}"]).T
                delta = self._through(delta @ back, z, a, layer - 1, p)
        return {name: g[name] for k in p if (name := f"d{k}")}

    def _penalised(self, dW: Any, W: Any) -> Any:
        l2 = {"L2 missing": 0.0, "L2 doubled": 2 * self.l2}.get(self.fault, self.l2)
        dW = dW + l2 * W if l2 else dW
        return dW + self.l1 * np.sign(W) if self.l1 and self.fault != "L1 missing" else dW

    def _bias(self, delta: Any, b: Any) -> Any:
        m = len(delta)
        db = delta.sum(axis=0)
        if self.fault == "db over all axes":
            return np.full_like(db, delta.sum())
        if self.fault == "mean over units":
            return np.full_like(db, db.mean())
        factor = {"db times m": m, "db over m": 1 / m}.get(self.fault, 1.0)
        return db * np.asarray(factor, db.dtype) + (self.l2 * b if self.fault == "L2 on bias" else 0)

    def _through(self, delta: Any, z: Any, a: Any, layer: int, p: Arrays) -> Any:
        """Take the error back through the activation (and dropout) of a hidden layer."""
        _, by_z, by_a = ACTIVATIONS[self.activation]
        if self.masks and self.fault != "dropout mask missing":
            mask = self.masks[layer - 1]
            if self.fault == "dropout unscaled":
                mask = mask * self.keep
            if self.fault == "dropout redrawn":
                mask = np.random.default_rng(99 + layer).permuted(mask)
            delta = delta * mask
        slope = by_z(z[layer])
        if self.fault == "activation slope missing":
            slope = np.ones_like(slope)
        elif self.fault == "slope at a":
            slope = by_z(ACTIVATIONS[self.activation][0](z[layer]))
        elif self.fault == "a-form fed z":
            slope = by_a(z[layer])
        elif self.fault == "right only for zero bias":
            slope = by_z(z[layer] - p[f"b{layer}"])
        elif self.fault == "leaky mask":
            slope = 1.0 * (z[layer] > 0)
        elif self.fault == "wrong layer's mask" and layer == 1:
            slope = by_z(z[2])[:, : z[1].shape[1]]
        return delta * slope.astype(delta.dtype)


@dataclass
class BatchNorm(Problem):
    """Dense, batch normalisation, tanh, dense, softmax. The first bias has no effect, and gradient zero."""

    eps: float = 1e-3

    @classmethod
    def drawn(
        cls, seed: int, sizes: tuple[int, int, int] = (5, 4, 3), m: int = 8, **options: Any
    ) -> BatchNorm:
        random = np.random.default_rng(seed)
        n, h, k = sizes
        p = {
            "W1": random.standard_normal((n, h)) / np.sqrt(n),
            "b1": 0.1 * random.standard_normal(h),
            "gamma": 1 + 0.1 * random.standard_normal(h),
            "beta": 0.1 * random.standard_normal(h),
            "W2": random.standard_normal((h, k)) / np.sqrt(h),
            "b2": 0.1 * random.standard_normal(k),
        }
        problem = cls(p, None, random.integers(0, k, m), **options)
        problem.X = random.standard_normal((m, n)).astype(problem.dtype)
        return problem

    def forward(self, p: Arrays) -> tuple[Any, Arrays]:
        z = self.X @ p["W1"] + p["b1"]
        centred = z - z.mean(axis=0)
        std = np.sqrt((centred * centred).mean(axis=0) + np.asarray(self.eps, self.dtype))
        hat = centred / std
        a = np.tanh(p["gamma"] * hat + p["beta"])
        value, probabilities = softmax_loss(a @ p["W2"] + p["b2"], self.y)
        return value, {"hat": hat, "std": std, "a": a, "p": probabilities}

    def backward(self, p: Arrays, cache: Arrays) -> Arrays:
        m = len(self.y)
        delta = cache["p"].copy()
        delta[np.arange(m), self.y] -= 1
        delta /= m
        hat, a = cache["hat"], cache["a"]
        dn = (delta @ p["W2"].T) * (1 - a * a)
        dhat = dn * p["gamma"]
        mean = 0 if self.fault == "batch norm mean" else dhat.mean(axis=0)
        variance = 0 if self.fault == "batch norm variance" else hat * (dhat * hat).mean(axis=0)
        dz = (dhat - mean - variance) / cache["std"]
        return {
            "dW1": self.X.T @ dz,
            "db1": dz.sum(axis=0),
            "dgamma": (dn * hat).sum(axis=0),
            "dbeta": dn.sum(axis=0),
            "dW2": a.T @ delta,
            "db2": delta.sum(axis=0),
        }


@dataclass
class Conv(Problem):
    """Convolution (pad 1), ReLU or tanh, 2x2 pooling (max or mean), dense, softmax; images of 2x6x6."""

    activation: str = "relu"
    pool: str = "max"

    @classmethod
    def drawn(cls, seed: int, m: int = 4, **options: Any) -> Conv:
        random = np.random.default_rng(seed)
        p = {
            "F": random.standard_normal((3, 2, 3, 3)) / 4,
            "c": 0.1 * random.standard_normal(3),
            "W": random.standard_normal((27, 3)) / 5,
            "b": 0.1 * random.standard_normal(3),
        }
        problem = cls(p, None, random.integers(0, 3, m), **options)
        problem.X = random.standard_normal((m, 2, 6, 6)).astype(problem.dtype)
        return problem

    def _padded(self) -> Any:
        return np.pad(self.X, ((0, 0), (0, 0), (1, 1), (1, 1)))

    def forward(self, p: Arrays) -> tuple[Any, Arrays]:
        windows = np.lib.stride_tricks.sliding_window_view(self._padded(), (3, 3), axis=(2, 3))
        z = np.einsum("mcijuv,fcuv->mfij", windows, p["F"]) + p["c"][:, None, None]
        a = ACTIVATIONS[self.activation][0](z)
        blocks = (
            a.reshape(*a.shape[:2], 3, 2, 3, 2).transpose(0, 1, 2, 4, 3, 5).reshape(*a.shape[:2], 3, 3, 4)
        )
        best = blocks.real.argmax(axis=-1)[..., None]
        pooled = np.take_along_axis(blocks, best, -1)[..., 0] if self.pool == "max" else blocks.mean(axis=-1)
        flat = pooled.reshape(len(self.y), -1)
        value, probabilities = softmax_loss(flat @ p["W"] + p["b"], self.y)
        return value, {"windows": windows, "z": z, "best": best, "flat": flat, "p": probabilities}

    def backward(self, p: Arrays, cache: Arrays) -> Arrays:
        m = len(self.y)
        delta = cache["p"].copy()
        delta[np.arange(m), self.y] -= 1
        delta /= m
        dpool = (delta @ p["W"].T).reshape(m, 3, 3, 3)
        spread = np.zeros((m, 3, 3, 3, 4), dtype=dpool.dtype)
        if self.pool == "max" and self.fault != "pool averaged":
            np.put_along_axis(spread, cache["best"], dpool[..., None], -1)
        else:
            spread += dpool[..., None] / 4
        da = spread.reshape(m, 3, 3, 3, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(m, 3, 6, 6)
        dz = da * ACTIVATIONS[self.activation][1](cache["z"]).astype(da.dtype)
        windows = cache["windows"]
        if self.fault == "conv offset":
            windows = np.roll(windows, 1, axis=3)
        if self.fault == "conv pad":
            padded = np.pad(self.X, ((0, 0), (0, 0), (2, 0), (2, 0)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        dF = np.einsum("mcijuv,mfij->fcuv", windows, dz)
        dc = dz.sum(axis=(0, 2, 3))
        return {
            "dF": dF[..., ::-1, ::-1] if self.fault == "conv flip" else dF,
            "dc": dz.sum(axis=(0, 1, 3))[:3] if self.fault == "conv bias axis" else dc,
            "dW": cache["flat"].T @ delta,
            "db": delta.sum(axis=0),
        }


@dataclass
class Embedding(Problem):
    """Mean of word vectors, tanh, dense, softmax; tokens repeat within an example."""

    @classmethod
    def drawn(cls, seed: int, m: int = 6, **options: Any) -> Embedding:
        random = np.random.default_rng(seed)
        p = {
            "E": random.standard_normal((9, 4)) / 2,
            "W": random.standard_normal((4, 3)) / 2,
            "b": 0.1 * random.standard_normal(3),
        }
        problem = cls(p, random.integers(0, 9, (m, 5)), random.integers(0, 3, m), **options)
        problem.X[0, :3] = 2
        return problem

    def forward(self, p: Arrays) -> tuple[Any, Arrays]:
        h = np.tanh(p["E"][self.X].mean(axis=1))
        value, probabilities = softmax_loss(h @ p["W"] + p["b"], self.y)
        return value, {"h": h, "p": probabilities}

    def backward(self, p: Arrays, cache: Arrays) -> Arrays:
        m, h = len(self.y), cache["h"]
        delta = cache["p"].copy()
        delta[np.arange(m), self.y] -= 1
        delta /= m
        dmean = (delta @ p["W"].T) * (1 - h * h) / np.asarray(self.X.shape[1], h.dtype)
        each = np.repeat(dmean[:, None, :], self.X.shape[1], axis=1)
        dE = np.zeros_like(p["E"], dtype=each.dtype)
        if self.fault == "embedding duplicates":
            dE[self.X] = each
        else:
            np.add.at(dE, self.X, each)
        return {"dE": dE, "dW": h.T @ delta, "db": delta.sum(axis=0)}
