"""The parameters that people hand to a check: models of other libraries, plain lists, one step further."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from pytest_symmetry.arrays import leaves, named_arrays, rebuild
from pytest_symmetry.checks.failing import fail
from pytest_symmetry.context import Call, current
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.findings import Finding
from pytest_symmetry.partition import FloatArray

Arrays = Mapping[str, FloatArray]


def is_model(value: Any) -> bool:
    """Return whether ``value`` is a model of torch, Keras or scikit-learn, which may be callable itself."""
    return any(hasattr(value, name) for name in ("state_dict", "get_weights", "coefs_"))


def parameters_of(value: Any) -> Any:
    """Return the parameters of a model of torch, Keras or scikit-learn; anything else as it is."""
    if hasattr(value, "get_weights") and callable(value.get_weights):  # first: Keras on torch has both
        return list(value.get_weights())
    if hasattr(value, "state_dict") and callable(value.state_dict):
        return dict(value.state_dict())
    if hasattr(value, "coefs_") and hasattr(value, "intercepts_"):
        return {"coefs_": list(value.coefs_), "intercepts_": list(value.intercepts_)}
    return value


def as_given(function: Callable[[Any], Any], container: Any) -> Callable[[Any], Any]:
    """Return ``function`` for parameters in numpy arrays, where it takes the tensors of a ``state_dict``.

    A tensor knows how to make another of its own kind (``new_tensor``), so torch is not imported here.
    """
    if not (isinstance(container, Mapping) and any(hasattr(v, "new_tensor") for v in container.values())):
        return function

    def with_tensors(arrays: Mapping[str, Any]) -> Any:
        return function(
            {
                name: container[name].new_tensor(values) if hasattr(container[name], "new_tensor") else values
                for name, values in arrays.items()
            }
        )

    return with_tensors


def with_arrays(container: Any) -> Any:
    """Return the container with nested lists of plain numbers made into arrays, for reading only."""
    if isinstance(container, dict):
        return {key: with_arrays(value) for key, value in container.items()}
    if isinstance(container, list | tuple):
        if _is_table(container):
            return np.array(container, dtype=np.float64)
        return [with_arrays(value) for value in container]
    return container


def _is_table(value: Sequence[Any]) -> bool:
    """Return whether a list holds plain numbers, or rows of plain numbers of one length."""
    if value and all(isinstance(row, list | tuple) for row in value):
        return len({len(row) for row in value}) == 1 and all(_are_numbers(row) for row in value)
    return _are_numbers(value)


def _are_numbers(row: Sequence[Any]) -> bool:
    return bool(row) and all(isinstance(x, int | float) and not isinstance(x, bool) for x in row)


def stepped(step: Callable[[Any], Any] | None, container: Any, arrays: Arrays) -> Arrays:
    """Return the parameters after one training step, by the same names.

    Raises:
        SymmetryError: ``step`` returns something else than the parameters.
    """
    given = rebuild(container, arrays)
    result = as_given(step, container)(given) if step is not None else None
    after = named_arrays(given if result is None else result)
    if any(name not in after or after[name].shape != arrays[name].shape for name in arrays):
        msg = f"step= must return the parameters it was given, after one step; it returned {', '.join(after)}"
        raise SymmetryError(msg)
    return {name: after[name] for name in arrays}


def made_by(parameters: Any, arrays: Arrays) -> Call | None:
    """Return the call of the submission that made the parameters, or None where it is not known.

    It is the last one that returned this very container or one of its arrays, else the last one that
    returned the same numbers in the same order; biases of zero may have been added to them.
    """
    if (context := current()) is None:
        return None
    own = {id(parameters)} | _arrays_in(parameters)
    for call in reversed(context.calls):
        if id(call.result) in own or own & _arrays_in(call.result):
            return call
    numbers = _in_one_row(arrays)
    return next((c for c in reversed(context.calls) if _holds(c.result, numbers)), None)


def _arrays_in(container: Any) -> set[int]:
    return {id(value) for value in leaves(container).values() if hasattr(value, "shape")}


def _holds(result: Any, numbers: FloatArray) -> bool:
    try:
        return np.array_equal(_in_one_row(named_arrays(result)), numbers)
    except TypeError:
        return False


def _in_one_row(arrays: Arrays) -> FloatArray:
    """Return all numbers one after another, without the arrays that hold only zeros, unless all do."""
    telling = [values.ravel() for values in arrays.values() if np.any(values)]
    return np.concatenate(telling or [values.ravel() for values in arrays.values()])


def place_of(call: Call | None) -> dict[str, Any]:
    """Return what a finding's place says of the function that was called; {} where it is not known."""
    return {} if call is None else {"function": call.function, "cell": call.cell, "line": call.line}


def read_arrays(container: Any) -> Arrays:
    """Return the named arrays of a container.

    Raises:
        CheckFailed: SYM291, it holds none.
    """
    try:
        return named_arrays(container)
    except TypeError:
        fail(_unreadable(f"A {type(container).__name__} with no arrays of numbers in it", ()), None)


def fail_unreadable(arrays: Arrays, sizes: Sequence[int] = ()) -> NoReturn:
    """End a check because no reading of the arrays is a network (of the widths ``sizes``).

    Raises:
        CheckFailed: SYM291, always.
    """
    shapes = ", ".join(f"{name or 'array'} {values.shape}" for name, values in arrays.items())
    fail(_unreadable(f"No order and orientation of these arrays is a chain of layers: {shapes}", sizes), None)


def _unreadable(detail: str, sizes: Sequence[int]) -> Finding:
    return Finding("SYM291", facts={"detail": detail, "sizes": list(sizes)})
