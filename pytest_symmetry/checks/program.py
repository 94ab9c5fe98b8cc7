"""The caller's loss and gradient functions, called on copies, with every call counted."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry import context
from pytest_symmetry.arrays import is_array, leaves, rebuild
from pytest_symmetry.differences import Copies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call returned, the copy of the parameters it got, and the submission's calls within it."""

    value: Any
    given: Any
    calls: tuple[context.Call, ...] = ()


@dataclass(slots=True)
class Program:
    """A loss and its gradients as functions of named arrays.

    ``parameters`` is the caller's own container: each call gets a new one of its kind, filled with copies.
    ``unmoved`` are the arrays that stay as they are (integers; ``offers_fixed`` if they move once a gradient
    is returned for them), ``order`` the names of all arrays as the container has them.
    ``restored`` are arrays of the caller's that get an earlier content back before every call.
    ``reseed`` is called before every evaluation, so that a random loss can be made to repeat itself.
    """

    loss: Callable[[Any], Any]
    gradients: Callable[[Any], Any]
    parameters: Any
    reseed: Callable[[], Any] | None = None
    evaluations: int = 0
    unmoved: dict[str, Any] = field(default_factory=dict)
    offers_fixed: bool = False
    order: list[str] = field(default_factory=list)
    copies: Copies = field(default_factory=Copies)
    restored: list[tuple[NDArray[Any], NDArray[Any]]] = field(default_factory=list)

    def ask(
        self, function: Callable[[Any], Any], arrays: Mapping[str, NDArray[Any]], *, copied: bool = True
    ) -> Answer:
        """Call ``function`` on copies of ``arrays`` and keep what is known of the call.

        With ``copied=False`` it gets ``arrays`` themselves, which the caller does not use again.
        """
        surroundings = context.current()
        own: Mapping[str, NDArray[Any]] = arrays
        if copied:
            # A submission's call is kept with its arguments: these must stay what they were.
            kept = surroundings is not None
            own = {n: a.copy() if kept else self.copies.of(n, a) for n, a in arrays.items()}
        unmoved = {n: a.copy() for n, a in self.unmoved.items()}
        given = rebuild(self.parameters, {**unmoved, **own}, copied=False)
        before = len(surroundings.calls) if surroundings else 0
        for array, content in self.restored:
            np.copyto(array, content)
        if self.reseed is not None:
            self.reseed()
        self.evaluations += 1
        value = function(given)
        return Answer(value, given, tuple(surroundings.calls[before:]) if surroundings else ())

    def loss_at(self, arrays: Mapping[str, NDArray[Any]], *, copied: bool = True) -> Any:
        """Return the loss alone, as a number of whatever type it has.

        The submission's calls are not kept: thousands of them, each with its arguments, may follow.
        """
        answer = self.ask(self.loss, arrays, copied=copied)
        if answer.calls and (surroundings := context.current()) is not None:
            del surroundings.calls[len(surroundings.calls) - len(answer.calls) :]
        value = number_of(answer.value)
        return np.nan if value is None else value


def program_of(
    loss: Callable[[Any], Any],
    gradients: Callable[[Any], Any],
    parameters: Any,
    reseed: Callable[[], Any] | None = None,
) -> Program:
    """Return a program; a lone array gets the name that the loss has for it."""
    if not is_array(parameters):
        return Program(loss, gradients, parameters, reseed)
    try:
        name = next(iter(inspect.signature(loss).parameters), "x")
    except (TypeError, ValueError):  # a function that numpy or another library wrote in C
        name = "x"
    return Program(_of_one(loss, name), _of_one(gradients, name), {name: parameters}, reseed)


def _of_one(function: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    """Return a function of a mapping with one array in it."""

    @functools.wraps(function)
    def of_mapping(parameters: Mapping[str, Any]) -> Any:
        return function(parameters[name])

    return of_mapping


def number_of(value: Any) -> Any:
    """Return the loss in what a loss function returned: the number, or the first of a tuple, or None.

    Arrays with one entry count as numbers (numpy's ``dot`` makes them); torch and jax scalars are converted.
    """
    if isinstance(value, float):
        return value
    if isinstance(value, tuple | list) and value:
        value = value[0]
    if value is None or isinstance(value, str | bytes | bool | dict):
        return None
    array = real(value)
    if array.dtype.kind not in "fciu" or array.size != 1:
        return None
    return array.reshape(-1)[0]


def changed_names(
    given: Any, arrays: Mapping[str, NDArray[Any]], calls: tuple[context.Call, ...]
) -> list[str]:
    """Return the names of the parameters that a call changed: here, or in the submission's own process."""
    now = leaves(given)
    touched = {id(array) for call in calls for array in call.changed}
    return [
        name
        for name, array in arrays.items()
        if name not in now or id(now[name]) in touched or not _same(np.asarray(now[name]), array)
    ]


def _same(now: NDArray[Any], before: NDArray[Any]) -> bool:
    """Return whether two arrays are equal, NaN being equal to itself (looked for only when it matters)."""
    return np.array_equal(now, before) or np.array_equal(now, before, equal_nan=True)


def real(value: Any) -> NDArray[Any]:
    """Return what has ``__array__``, a number or nested lists as an array, without a copy where possible.

    Raises:
        TypeError, ValueError: numpy refuses it.
    """
    if hasattr(value, "detach"):  # a torch tensor that requires grad refuses __array__
        value = value.detach()
    return np.asarray(value)
