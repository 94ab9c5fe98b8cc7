"""Any container of arrays to named arrays, and back.

Parameters come as a dict, a list, a tuple, nested ones, a named tuple, or an object with array
attributes. Here they become one flat mapping from a name (``"W1"``, ``"layers[0].W"``) to a float64
array, and a changed mapping becomes the caller's kind of container again. What counts as a parameter:
numpy arrays of numbers, anything else with ``__array__`` (torch and jax tensors on the CPU), and Python
floats. Python ints, strings and None (``num_layers``, ``activation``) are carried along as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_DEPTH = 16


def is_array(value: object) -> bool:
    """Return whether ``value`` is an array of numbers or a float: what a check takes as a parameter."""
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "fciu"
    if isinstance(value, bool | int | str | bytes | type):
        return False
    return isinstance(value, float) or (hasattr(value, "__array__") and _as_array(value).dtype.kind in "fciu")


def _as_array(value: Any) -> NDArray[Any]:
    if hasattr(value, "detach"):  # a torch tensor that requires grad refuses __array__
        value = value.detach()
    return np.asarray(value)


def is_object(value: object) -> bool:
    """Return whether ``value`` is an object whose attributes may hold arrays."""
    return hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value)


def _children(container: Any) -> list[tuple[str, Any]] | None:
    """Return the members of a container with the suffix that names each, or None for a leaf."""
    if isinstance(container, Mapping):
        return [(f".{k}" if isinstance(k, str) else f"[{k!r}]", v) for k, v in container.items()]
    if isinstance(container, list | tuple):
        return [(f"[{i}]", v) for i, v in enumerate(container)]
    if is_object(container):
        return [(f".{k}", v) for k, v in vars(container).items()]
    return None


def _walk(container: Any, path: str, into: dict[str, FloatArray], depth: int) -> None:
    if is_array(container):
        into[path.removeprefix(".")] = np.array(_as_array(container), dtype=np.float64)
    elif depth < _DEPTH and (members := _children(container)) is not None:
        for suffix, member in members:
            _walk(member, path + suffix, into, depth + 1)


def named_arrays(container: Any) -> dict[str, FloatArray]:
    """Return every parameter of ``container`` as a fresh float64 array, by name, in the container's order.

    A bare array gets the name ``""``. Integer arrays become float64; complex ones lose their imaginary
    part with numpy's own warning.

    Raises:
        TypeError: the container holds no array at all.
    """
    found: dict[str, FloatArray] = {}
    _walk(container, "", found, 0)
    if not found:
        msg = (
            f"no arrays of numbers found in a {type(container).__name__}: pass a dict such as "
            "{'W1': …, 'b1': …}, a list, a tuple, or an object with array attributes"
        )
        raise TypeError(msg)
    return found


def leaves(container: Any) -> dict[str, Any]:
    """Return every parameter of ``container`` itself, not a copy, under the names of :func:`named_arrays`."""
    found: dict[str, Any] = {}
    _collect(container, "", found, 0)
    return found


def _collect(container: Any, path: str, into: dict[str, Any], depth: int) -> None:
    if is_array(container):
        into[path.removeprefix(".")] = container
    elif depth < _DEPTH and (members := _children(container)) is not None:
        for suffix, member in members:
            _collect(member, path + suffix, into, depth + 1)


def rebuild(container: Any, arrays: Mapping[str, NDArray[Any]], *, copied: bool = True) -> Any:
    """Return a container of the same kind whose parameters are copies of ``arrays`` (any dtype).

    With ``copied=False`` they are the arrays of ``arrays`` themselves.

    ``container`` itself is left alone. Floats come back as floats where the array is real; everything that
    is not a parameter is passed on as it is.
    """
    return _rebuilt(container, "", {n: np.array(a) for n, a in arrays.items()} if copied else arrays, 0)


def _rebuilt(container: Any, path: str, arrays: Mapping[str, NDArray[Any]], depth: int) -> Any:
    if is_array(container):
        value = arrays[path.removeprefix(".")]
        return float(value) if isinstance(container, float) and value.dtype.kind == "f" else value
    if depth >= _DEPTH or (members := _children(container)) is None:
        return container
    new = [_rebuilt(member, path + suffix, arrays, depth + 1) for suffix, member in members]
    if isinstance(container, Mapping):
        return _mapping_like(container, new)
    if isinstance(container, list):
        return new
    if isinstance(container, tuple):
        return type(container)(*new) if hasattr(container, "_fields") else tuple(new)
    twin = copy.copy(container)
    for key, value in zip(vars(container), new, strict=True):
        object.__setattr__(twin, key, value)
    return twin


def _mapping_like(container: Mapping[Any, Any], values: list[Any]) -> Mapping[Any, Any]:
    """Return a mapping of the same kind, where that kind can be copied; a plain dict elsewhere."""
    pairs = dict(zip(container, values, strict=True))
    if type(container) is dict:
        return pairs
    if not hasattr(container, "update"):
        return pairs
    twin = copy.copy(container)
    twin.update(pairs)
    return twin
