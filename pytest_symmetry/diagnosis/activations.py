"""Activations that a value can be recognised as, with the code that computes each from another array."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation a = g(z), its derivative, and code templates over ``{z}`` and ``{a}``.

    ``from_a`` is the derivative written with a, the way most derivations print it; ``inverse`` gives z from a
    where there is one.
    """

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    code: str
    from_z: str
    from_a: str
    inverse: str | None = None


def _sigmoid(z: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * z)))


_SIGMOID = "(0.5 * (1 + np.tanh(0.5 * {z})))"

ACTIVATIONS: tuple[Activation, ...] = (
    Activation(
        "tanh",
        np.tanh,
        lambda z: np.asarray(1 - np.tanh(z) ** 2),
        "np.tanh({z})",
        "(1 - np.tanh({z})**2)",
        "(1 - {a}**2)",
        "np.arctanh({a})",
    ),
    Activation(
        "sigmoid",
        _sigmoid,
        lambda z: _sigmoid(z) * (1 - _sigmoid(z)),
        _SIGMOID,
        f"({_SIGMOID} * (1 - {_SIGMOID}))",
        "({a} * (1 - {a}))",
        "np.log({a} / (1 - {a}))",
    ),
    Activation(
        "ReLU",
        lambda z: np.maximum(z, 0),
        lambda z: (z > 0) * 1.0,
        "np.maximum({z}, 0)",
        "(({z} > 0) * 1.0)",
        "(({a} > 0) * 1.0)",
    ),
    Activation(
        "leaky ReLU",
        lambda z: np.where(z > 0, z, 0.01 * z),
        lambda z: np.where(z > 0, 1.0, 0.01),
        "np.where({z} > 0, {z}, 0.01 * {z})",
        "np.where({z} > 0, 1.0, 0.01)",
        "np.where({a} > 0, 1.0, 0.01)",
        "np.where({a} > 0, {a}, 100 * {a})",
    ),
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """An array recognised as g(z) or g'(z): the activation, and code for z (where known) and for a."""

    activation: Activation
    z: str | None
    a: str


def same(value: Array, other: Array) -> bool:
    """Return whether two arrays agree up to rounding, which is measured by their largest entry."""
    if value.shape != other.shape:
        return False
    size = float(np.abs(value).max(initial=0.0))
    return bool(np.allclose(value, other, rtol=1e-12, atol=min(1e-13, 1e-13 * size)))


def _tells(activation: Activation, z: Array) -> bool:
    """Return whether g(z) shows which activation it is: a ReLU does so where z has both signs."""
    if "ReLU" not in activation.name:
        return True
    return bool((z < 0).any()) and len(np.unique(z[z > 0])) > 1


def is_plain(value: Any) -> bool:
    """Return whether a value is a float array with enough different entries to recognise anything by."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype.kind == "f"
        and value.size > 1
        and bool(np.isfinite(value).all())
    )


def recognise_activation(value: Any, atoms: dict[str, Any]) -> Recognised | None:
    """Return which activation of which array ``value`` is, if any."""
    if not is_plain(value):
        return None
    for name, z in atoms.items():
        if is_plain(z) and z.shape == value.shape and not same(value, z):
            for activation in ACTIVATIONS:
                if _tells(activation, z) and same(value, activation.value(z)):
                    return Recognised(activation, name, activation.code.format(z=name))
    return None


def recognise_derivative(value: Any, atoms: dict[str, Any]) -> Recognised | None:
    """Return whose derivative ``value`` is, judged by its numbers: at some z, or written with some a."""
    if not isinstance(value, np.ndarray) or value.size < 2 or value.dtype.kind not in "fbi":
        return None
    number = value.astype(np.float64)
    if np.ptp(number) == 0:
        return None
    for name, array in atoms.items():
        if not is_plain(array) or array.shape != number.shape or same(array, number):
            continue
        with np.errstate(all="ignore"):
            for activation in ACTIVATIONS:
                if same(number, activation.derivative(array)):
                    return Recognised(activation, name, activation.code.format(z=name))
                if _is_image(activation, array) and same(number, _from_a(activation, array)):
                    inverse = activation.inverse
                    return Recognised(activation, inverse.format(a=name) if inverse else None, name)
    return None


def _from_a(activation: Activation, a: Array) -> Array:
    if activation.name == "tanh":
        return np.asarray(1 - a**2)
    if activation.name == "sigmoid":
        return np.asarray(a * (1 - a))
    return activation.derivative(a)


def _is_image(activation: Activation, a: Array) -> bool:
    """Return whether ``a`` can be a value of the activation at all."""
    if activation.name == "tanh":
        return bool((np.abs(a) < 1).all())
    if activation.name == "sigmoid":
        return bool(((a > 0) & (a < 1)).all())
    return True
