"""What a length means: the number of examples, or the width of a layer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEEPEST = 8
"""Containers inside containers that are looked into."""

# Names that parameters go by when they are passed one by one.
_PARAMETER = re.compile(r"^(W|b|theta|gamma|beta|U|V|w|weights?|bias(es)?)(_?[a-z]{0,3}_?\d*)$")

# Names that data go by where a gradient is asked for them as well.
_DATA = re.compile(r"^(X|x|A|Z|images?|pictures?|inputs?)(_?[a-z]{0,5}_?\d*)$")


def walked(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield everything inside plain containers that is none itself, with the path that leads to it."""
    if depth < DEEPEST and isinstance(value, Mapping):
        for key, member in value.items():
            yield from walked(member, f"{path}.{key}", depth + 1)
    elif depth < DEEPEST and isinstance(value, list | tuple):
        for i, member in enumerate(value):
            yield from walked(member, f"{path}[{i}]", depth + 1)
    else:
        yield path, value


def leaves(value: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield every array inside plain containers, with the path that leads to it."""
    yield from ((path, member) for path, member in walked(value) if isinstance(member, np.ndarray))


def named_sizes(
    arguments: Iterable[tuple[str, Any]], parameters: Mapping[str, NDArray[Any]] | None = None
) -> dict[int, str]:
    """Return the meaning of each length that has exactly one.

    The number of examples m is the one length (above 1) that the arguments have and no parameter has; where
    several lengths qualify (time steps, classes) none is called m. A parameter's lengths are the sizes of
    layers.

    Args:
        arguments: the arguments of the calls, by name; parameters among them are known by their container (a
            dict or a list) or by their name.
        parameters: the parameters, where the caller knows them; data that a gradient is asked for are
            known by their name.
    """
    own = [array for name, array in (parameters or {}).items() if not _DATA.match(name)]
    weights = {n for array in own for n in array.shape}
    data: list[tuple[int, ...]] = []
    for name, value in arguments:
        for path, array in leaves(value):
            if path or _PARAMETER.match(name):
                weights.update(array.shape)
            else:
                data.append(array.shape)
    found = {n: "the size of a layer" for n in weights if n > 1}
    free = {n for shape in data for n in shape if n > 1 and n not in weights}
    if len(free) == 1 and (weights or sum(free <= set(shape) for shape in data) > 1):
        found[free.pop()] = "m"
    return found
