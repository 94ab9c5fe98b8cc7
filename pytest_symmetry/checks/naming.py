"""Which gradient belongs to which parameter: ``dW1`` or ``grad_W1`` to ``W1``, a list's by their order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pytest_symmetry.arrays import leaves
from pytest_symmetry.checks.program import real

_POSITION = re.compile(r"\[\d+\]")
_PARTS = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_NUMBERED = re.compile(r"(\D+)(\d+)")
_MISSING = object()


def gradient_name(name: str) -> str:
    """Return what a course calls the gradient of a parameter: ``dW1``, ``layers[0].dW``, ``d[0]``."""
    head, dot, last = name.rpartition(".")
    return f"{head}{dot}d{last}"


def pick_gradients(
    returned: Any, shapes: Mapping[str, tuple[int, ...]], every: Sequence[str]
) -> dict[str, Any]:
    """Return what ``returned`` holds for each parameter, as it is; names without a gradient are left out.

    ``shapes`` are the parameters to look for, ``every`` the names of all the container's in order: a plain
    sequence of gradients may follow either. A tuple such as ``(loss, gradients)`` or ``(gradients, cache)``
    is searched for the part that fits best.
    """
    names = list(shapes)
    candidates = [_pick(returned, names, every)]
    if isinstance(returned, tuple | list):
        candidates += [_pick(part, names, every) for part in returned if _may_hold(part, names)]
    return max(candidates, key=lambda f: (len(f), sum(fits(v, shapes[n]) for n, v in f.items())))


def _may_hold(part: Any, names: Sequence[str]) -> bool:
    """Return whether a part of a tuple may be the gradients: a container, or a lone parameter's array."""
    return isinstance(part, Mapping | tuple | list) or len(names) == 1


def fits(value: Any, shape: tuple[int, ...]) -> bool:
    """Return whether a value is an array of that shape."""
    try:
        return bool(real(value).shape == shape)
    except (TypeError, ValueError):  # a ragged list, or nothing that numpy takes
        return False


def keys_off_by(returned: Any, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return by how much the number in every key is off, 1 or -1, or 0 where it is not, or nobody can tell.

    Every array of ``shapes`` must be there under its name with another number, in its own shape. Ask only
    where some of them are missing: layers of equal shapes fit under each other's names.
    """
    for off in (-1, 1) if isinstance(returned, Mapping) else ():
        moved = {name: _renumbered(name, off) for name in shapes}
        if moved and all(new and fits(_follow(returned, [new]), shapes[name]) for name, new in moved.items()):
            return off
    return 0


def _renumbered(name: str, by: int) -> str | None:
    """Return the name of the same array in another layer: "W0" for "W1"; None where it has no number."""
    match = _NUMBERED.fullmatch(name)
    return f"{match[1]}{int(match[2]) + by}" if match else None


def _pick(returned: Any, names: Sequence[str], every: Sequence[str]) -> dict[str, Any]:
    by_name = {}
    for name in names:
        value = _follow(returned, [a or b for a, b in _PARTS.findall(name)])
        if value is not _MISSING:
            by_name[name] = value
    if (
        isinstance(returned, np.ndarray)
        and len(returned.shape)
        and all(_POSITION.fullmatch(n) for n in every)
    ):
        returned = list(returned)  # numbers in a list, whose gradients came as one array
    if len(by_name) < len(names) and isinstance(returned, tuple | list):
        whole = {names[0]: returned} if len(every) == 1 and isinstance(returned, list) else {}
        return _pick_in_order(returned, names, every) or by_name or whole
    if not by_name and len(names) == 1:
        only = list(leaves(returned).values())
        return {names[0]: only[0]} if len(only) == 1 else {}
    return by_name


def _pick_in_order(returned: Sequence[Any], names: Sequence[str], every: Sequence[str]) -> dict[str, Any]:
    """Return a sequence's own members, or all arrays inside it, by the order of the parameters."""
    own = list(returned) if all(_is_value(part) for part in returned) else []
    for values in (own, list(leaves(returned).values())):
        for order in (every, names):
            if len(values) == len(order) > 0:
                return {name: value for name, value in zip(order, values, strict=True) if name in names}
    return {}


def _is_value(part: Any) -> bool:
    """Return whether ``part`` stands for one gradient (or for None in its place), not for several."""
    return not isinstance(part, Mapping | tuple)


def _follow(container: Any, parts: Sequence[str]) -> Any:
    """Return the member of ``container`` at a path, each part spelled as a gradient or as it is."""
    if not parts:
        return _MISSING if isinstance(container, Mapping | tuple) else container
    for spelling in _spellings(parts[0]):
        inner = _member(container, spelling)
        if inner is not _MISSING:
            rest = parts[1:]
            found = _follow(inner, rest) if rest else inner
            if found is not _MISSING:
                return found
    return _MISSING


def _spellings(part: str) -> tuple[str, ...]:
    return (f"d{part}", f"grad_{part}", f"d_{part}", f"{part}_grad", f"g{part}", f"grad{part}", part)


def _member(container: Any, part: str) -> Any:
    if isinstance(container, Mapping):
        if part in container:
            return container[part]
        return next((v for k, v in container.items() if not isinstance(k, str) and repr(k) == part), _MISSING)
    if isinstance(container, list | tuple):
        position = int(part) if part.isdigit() else -1
        if 0 <= position < len(container):
            return container[position]
        return getattr(container, part, _MISSING) if hasattr(container, "_fields") else _MISSING
    if hasattr(container, "__dict__") and not isinstance(container, type):
        return vars(container).get(part, _MISSING)
    return _MISSING
