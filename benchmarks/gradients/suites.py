"""The suites of the benchmark: which network carries which mistake, and which programs are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gradients.problems import BatchNorm, Conv, Dense, Embedding, Problem

Make = Callable[[int], Problem]

SMALL = (6, 5, 5, 3)


def dense(**options: Any) -> Callable[[str], Make]:
    def with_fault(fault: str) -> Make:
        return lambda seed: Dense.drawn(SMALL, 7, seed, fault=fault, **options)

    return with_fault


_tanh = dense(l2=0.1)
_dropout = dense(keep=0.7)

_TANH_FAULTS = (
    "no 1/m", "db times m", "db over m", "db over all axes", "W for W.T", "dW transposed",
    "activation slope missing", "slope at a", "a-form fed z", "sign", "sign of b1", "diagonal softmax",
    "no one-hot", "L2 missing", "L2 doubled", "last row missing", "right only for m = 1",
    "right only for zero bias", "updated W", "clipping", "mean over units", "learning rate", "dW1 zero",
    "scale 1e-4", "scale 1%", "noise", "one entry", "NaN entry", "L2 on bias", "accumulates", "updates W",
    "z for a",
)  # fmt: skip


def small_faults() -> dict[str, Make]:
    """The 48 mistakes in small networks, at a generic start."""
    found = {fault: _tanh(fault) for fault in _TANH_FAULTS}
    found["slope at a, sigmoid"] = dense(activation="sigmoid")("slope at a")
    for fault in ("dropout mask missing", "dropout unscaled", "dropout redrawn"):
        found[fault] = _dropout(fault)
    for fault in ("batch norm mean", "batch norm variance"):
        found[fault] = lambda seed, fault=fault: BatchNorm.drawn(seed, fault=fault)
    for fault in ("conv offset", "conv flip", "conv pad", "conv bias axis", "pool averaged"):
        found[fault] = lambda seed, fault=fault: Conv.drawn(seed, fault=fault)
    found["leaky mask"] = dense(activation="leaky")("leaky mask")
    found["wrong layer's mask"] = dense(activation="relu")("wrong layer's mask")
    found["hinge count"] = dense(activation="tanh", top="hinge")("hinge count")
    found["embedding duplicates"] = lambda seed: Embedding.drawn(seed, fault="embedding duplicates")
    found["L1 missing"] = dense(l1=0.05)("L1 missing")
    return found


def default_faults() -> dict[str, Make]:
    """The 14 mistakes at the usual start: zero biases, weights 0.01 N(0, 1), a symmetric square W2."""
    faults = (
        "no 1/m", "W for W.T", "activation slope missing", "slope at a", "a-form fed z", "L2 missing",
        "L2 on bias", "right only for zero bias", "scale 1%", "one entry", "updated W", "db over all axes",
        "sign of b1", "dW transposed",
    )  # fmt: skip
    make = dense(l2=0.1, start="default")
    return {fault: make(fault) for fault in faults}


def default_correct() -> dict[str, Make]:
    return {
        "tanh": dense(l2=0.1, start="default")(""),
        "relu": dense(activation="relu", start="default")(""),
        "relu, hinge": dense(activation="relu", top="hinge", start="default")(""),
    }


LARGE = (784, 128, 10)


def large_faults() -> dict[str, Make]:
    """The 21 mistakes in 784-128-10: 11 with tanh, 10 with ReLU."""
    both = ("no 1/m", "activation slope missing", "L2 missing", "last row missing", "one entry", "scale 1%",
            "scale 1e-4", "db over all axes", "L2 on bias", "updated W")  # fmt: skip

    def make(fault: str, activation: str) -> Make:
        return lambda seed: Dense.drawn(LARGE, 32, seed, fault=fault, activation=activation, l2=1e-3)

    found = {f"{fault}, tanh": make(fault, "tanh") for fault in (*both, "slope at a")}
    found |= {f"{fault}, relu": make(fault, "relu") for fault in both}
    return found


def large_correct() -> dict[str, Make]:
    return {
        activation: lambda seed, a=activation: Dense.drawn(LARGE, 32, seed, activation=a, l2=1e-3)
        for activation in ("tanh", "relu")
    }


def exact_kink(seed: int, dtype: Any = np.float64) -> Problem:
    """Zero biases and an example of zeros: every ReLU stands exactly on its kink for it."""
    problem = Dense.drawn((6, 5, 3), 7, seed, activation="relu", start="zero bias", dtype=dtype)
    problem.X[0] = 0
    return problem


def correct(dtype: Any = np.float64) -> dict[str, Make]:
    """Right programs of eleven kinds, and two that stand on an exact kink or cross many of them."""

    def plain(*sizes: int, m: int = 7, **options: Any) -> Make:
        return lambda seed: Dense.drawn(sizes or SMALL, m, seed, dtype=dtype, **options)

    return {
        "sigmoid": plain(2, 4, 1, activation="sigmoid", top="bce"),
        "tanh": plain(l2=0.1),
        "relu": plain(10, 20, 20, 5, m=16, activation="relu"),
        "leaky": plain(10, 20, 5, m=16, activation="leaky"),
        "hinge": plain(10, 20, 5, m=16, activation="relu", top="hinge"),
        "batch norm": lambda seed: BatchNorm.drawn(seed, dtype=dtype),
        "dropout": plain(keep=0.7, activation="relu"),
        "conv, max-pool": lambda seed: Conv.drawn(seed, dtype=dtype),
        "conv": lambda seed: Conv.drawn(seed, activation="tanh", pool="mean", dtype=dtype),
        "embedding": lambda seed: Embedding.drawn(seed, dtype=dtype),
        "L1": plain(l1=0.05),
        "exact kink": lambda seed: exact_kink(seed, dtype),
        "relu, default start": plain(10, 20, 20, 5, m=16, activation="relu", start="default"),
    }
