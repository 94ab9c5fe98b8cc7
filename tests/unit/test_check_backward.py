"""check_backward: a layer's backward pass, checked alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_symmetry import CheckFailed
from pytest_symmetry.checks.backward import check_backward
from pytest_symmetry.errors import SymmetryError

random = np.random.default_rng(7)
X, W, B = random.normal(size=(4, 3)), random.normal(size=(3, 5)), random.normal(size=5)


def affine_forward(x: Any, w: Any, b: Any) -> tuple[Any, Any]:
    return x @ w + b, (x, w)


def affine_backward(dout: Any, cache: Any) -> tuple[Any, Any, Any]:
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def test_right_layer_passes() -> None:
    """Results come back under the names of the forward function's parameters."""
    evidence = check_backward(affine_forward, affine_backward, (X, W, B))

    assert [a.name for a in evidence.arrays] == ["x", "w", "b"]
    assert evidence.passed
    assert evidence.notes == ()


def test_arguments_by_name_and_gradients_by_name() -> None:
    """Both functions may use names."""

    def backward(dout: Any, cache: Any) -> dict[str, Any]:
        dx, dw, db = affine_backward(dout, cache)
        return {"dw": dw, "db": db, "dx": dx}

    assert check_backward(affine_forward, backward, {"x": X, "w": W, "b": B}).passed


def test_wrong_layer_is_caught_with_its_name() -> None:
    """The finding speaks of dout, and of the layer's own function."""

    def tired_backward(dout: Any, cache: Any) -> tuple[Any, Any, Any]:
        dx, dw, db = affine_backward(dout, cache)
        return dx, dw / len(dout), db

    with pytest.raises(CheckFailed) as caught:
        check_backward(affine_forward, tired_backward, (X, W, B))

    assert caught.value.finding.code == "GRD131"
    assert caught.value.finding.place.array == "dw"
    assert caught.value.finding.place.function == "tired_backward"
    assert "sum(dout * out)" in str(caught.value)


def test_overwritten_cache_is_a_warning() -> None:
    """A second backward pass with that cache would be wrong; this one is right."""

    def forward(x: Any) -> tuple[Any, Any]:
        out = np.maximum(x, 0)
        return out, (out, x)

    def backward(dout: Any, cache: Any) -> Any:
        out, x = cache
        out[...] = dout
        out[x <= 0] = 0
        return out

    evidence = check_backward(forward, backward, [X])

    assert [(n.code, n.severity) for n in evidence.notes] == [("PUR104", "warn")]


def test_options_and_labels_are_handed_on() -> None:
    """Dicts of options, whole numbers and integer arrays are no parameters."""
    table = random.normal(size=(6, 3))
    words = np.array([[0, 2], [2, 2]])

    def forward(ids: Any, vectors: Any, options: Any) -> tuple[Any, Any]:
        assert ids.dtype.kind == "i"
        return vectors[ids] * options["scale"], (ids, vectors.shape, options)

    def backward(dout: Any, cache: Any) -> Any:
        ids, shape, options = cache
        found = np.zeros(shape)
        np.add.at(found, ids, dout * options["scale"])
        return found

    evidence = check_backward(forward, backward, (words, table, {"scale": 2.0}))

    assert [a.name for a in evidence.arrays] == ["vectors"]


def normalise(x: Any, gamma: Any, eps: float = 1e-5) -> tuple[Any, Any]:
    std = np.sqrt(x.var(axis=0) + eps)
    hat = (x - x.mean(axis=0)) / std
    return gamma * hat, (hat, std, gamma)


def normalise_backward(dout: Any, cache: Any) -> Any:
    hat, std, gamma = cache
    d = dout * gamma
    return (d - d.mean(axis=0) - hat * (d * hat).mean(axis=0)) / std, (dout * hat).sum(axis=0)


@pytest.mark.parametrize(
    "arguments",
    [(X, np.ones(X.shape[1]), 1e-5), {"x": X, "gamma": np.ones(X.shape[1]), "eps": np.float64(1e-5)}],
)
def test_number_without_a_gradient_is_an_option(arguments: Any) -> None:
    """eps stays what it is, and nobody asks for its gradient."""
    seen = []

    def forward(x: Any, gamma: Any, eps: float) -> Any:
        seen.append(eps)
        return normalise(x, gamma, eps)

    evidence = check_backward(forward, normalise_backward, arguments)

    assert [a.name for a in evidence.arrays] == ["x", "gamma"]
    assert set(seen) == {1e-5}


@pytest.mark.parametrize("right", [True, False])
def test_number_with_a_gradient_is_a_parameter(right: bool) -> None:
    """The slope of a leaky unit is learned."""

    def forward(x: Any, slope: float) -> tuple[Any, Any]:
        return np.where(x > 0, x, slope * x), (x, slope)

    def backward(dout: Any, cache: Any) -> Any:
        x, slope = cache
        dslope = (dout * x * (x <= 0)).sum()
        return dout * np.where(x > 0, 1, slope), dslope if right else 2 * dslope

    if right:
        assert len(check_backward(forward, backward, (X, 0.25)).arrays) == 2
    else:
        with pytest.raises(CheckFailed, match="dslope"):
            check_backward(forward, backward, (X, 0.25))


def test_layer_without_cache() -> None:
    """A forward function that returns only its output has a backward function of dout alone."""
    assert check_backward(lambda x: 3.0 * x, lambda dout: 3.0 * dout, [X]).passed


def test_arguments_without_arrays_are_refused() -> None:
    """There must be something to differentiate."""
    with pytest.raises(SymmetryError, match="no array"):
        check_backward(lambda x: x, lambda dout: dout, ["x"])
