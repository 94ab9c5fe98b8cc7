"""log(p + 1e-8) with the gradient of log(p) is excused; no mistake beside it is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pytest_symmetry import CheckFailed, check_gradients

Arrays = dict[str, Any]
Program = tuple[Callable[[Arrays], Any], Callable[[Arrays], Arrays], Arrays]


def classifier(sizes: tuple[int, ...], seed: int, eps: float, spread: float, fault: str = "") -> Program:
    """Return tanh layers with a softmax whose logarithm has ``eps`` inside, as everybody writes it."""
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(16, sizes[0])), random.integers(0, sizes[-1], 16)
    p: Arrays = {}
    for i, (a, b) in enumerate(pairwise(sizes)):
        p |= {f"W{i}": spread * random.normal(size=(a, b)) / a**0.5, f"b{i}": np.zeros(b)}
    last = len(sizes) - 2

    def forward(p: Arrays) -> tuple[list[Any], Any]:
        a = [X]
        for i in range(last + 1):
            z = a[-1] @ p[f"W{i}"] + p[f"b{i}"]
            a.append(np.tanh(z) if i < last else z)
        e = np.exp(a[-1] - a[-1].max(axis=1, keepdims=True))
        return a, e / e.sum(axis=1, keepdims=True)

    def loss(p: Arrays) -> Any:
        penalty = 0.5e-2 * (p["W0"] ** 2).sum() if fault == "penalty" else 0.0
        return -np.log(forward(p)[1][np.arange(16), y] + eps).mean() + penalty

    def gradients(p: Arrays) -> Arrays:
        a, q = forward(p)
        d = q.copy()
        d[np.arange(16), y] -= 1
        d, g = d / 16, {}
        for i in range(last, -1, -1):
            g |= {f"dW{i}": a[i].T @ d, f"db{i}": d.sum(axis=0)}
            inner = np.tanh(a[i]) if fault == "slope at a" else a[i]
            d = (d @ p[f"W{i}"].T) * (1 if fault == "no slope" else 1 - inner**2)
        if fault == "scale":
            g["dW0"] = g["dW0"] * 1.0001
        if fault == "one entry":
            g["dW0"][1, 1] *= 1.01
        if fault == "clipped":
            g = {name: np.clip(value, -0.1, 0.1) for name, value in g.items()}
        return g

    return loss, gradients, p


@pytest.mark.parametrize("spread", [0.1, 1.0, 2.0])
@pytest.mark.parametrize("eps", [1e-7, 1e-8, 1e-12])
@pytest.mark.parametrize("sizes", [(6, 5, 4), (30, 20, 10)])
def test_constant_in_a_logarithm_is_excused(sizes: tuple[int, ...], eps: float, spread: float) -> None:
    """However large the error is at small probabilities; where it shows it is noted."""
    for seed in range(6):
        evidence = check_gradients(*classifier(sizes, seed, eps, spread), seed=seed)

        assert {note.code for note in evidence.notes} <= {"GRD121"}


@pytest.mark.parametrize("eps", [0.0, 1e-8, 1e-7])
@pytest.mark.parametrize("fault", ["penalty", "slope at a", "no slope", "scale", "one entry", "clipped"])
def test_mistake_beside_the_constant_is_found(fault: str, eps: float) -> None:
    """A factor, a term, a slope, an entry or a limit is not excused."""
    for seed in range(6):
        with pytest.raises(CheckFailed) as caught:
            check_gradients(*classifier((6, 5, 4), seed, eps, 2.0, fault), seed=seed)
        assert caught.value.finding.code == "GRD101"


def test_entries_are_excused_as_well() -> None:
    """An exhaustive check sees the constant in every entry."""
    for seed in range(3):
        evidence = check_gradients(*classifier((8, 6, 5), seed, 1e-7, 2.0), seed=seed, exhaustive=True)

        assert evidence.passed


def test_single_wrong_entry_is_found_by_the_exhaustive_check() -> None:
    """Beside the constant, too."""
    with pytest.raises(CheckFailed):
        check_gradients(*classifier((8, 6, 5), 1, 1e-7, 2.0, "one entry"), exhaustive=True)
