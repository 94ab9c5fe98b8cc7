"""The arguments of one call in the student's process, and what the call did to them.

Standard library and numpy only: it is loaded where the student's code runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

_DEPTH = 6
_MOST = 32
_CONTAINERS = (dict, list, tuple)
_PARTS = (np.ndarray, *_CONTAINERS)


class Arguments:
    """The arguments of one call: a copy for each try, and what the arrays in them were before.

    ``message`` has them under "args" and "kwargs"; ``again`` gives the same message with fresh copies.
    """

    def __init__(self, message: dict[str, Any], again: Callable[[], dict[str, Any]]) -> None:
        self._message = message
        self._again = again
        self._tries = 0
        self._before = {path: _state(a) for path, a in self.arrays()}

    def fresh(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return arguments that no earlier try has seen."""
        if self._tries:
            self._message = self._again()
        self._tries += 1
        return self._message["args"], self._message["kwargs"]

    def arrays(self) -> list[tuple[str, Any]]:
        """Return the arrays in the arguments as they are now, with the path to each."""
        found: list[tuple[str, Any]] = []
        _add_arrays(self._message["args"], "args", found)
        _add_arrays(self._message["kwargs"], "kwargs", found)
        return found

    def changed(self, now: list[tuple[str, Any]]) -> list[str]:
        """Return the paths of the arrays that are not what they were; one that was not there is nobody's."""
        before = self._before
        return [path for path, a in now if path in before and before[path] != _state(a)]


def _state(array: Any) -> tuple[Any, ...]:
    """Return what tells whether an array was changed."""
    return array.dtype, array.shape, array.tobytes()


def _add_arrays(value: Any, path: str, found: list[tuple[str, Any]], depth: int = 0) -> None:
    """Add the arrays inside a value of plain containers, with the path that leads to each."""
    if isinstance(value, np.ndarray):
        found.append((path, value))
    elif depth < _DEPTH and isinstance(value, _CONTAINERS):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(part, _PARTS):
                _add_arrays(part, f"{path}[{key!r}]", found, depth + 1)


def shared_parts(result: Any, arguments: list[tuple[str, Any]]) -> list[str]:
    """Return the parts of a result that share memory with another part or with an argument."""
    parts: list[tuple[str, Any]] = []
    _add_arrays(result, "result", parts)
    parts = parts[:_MOST]
    arrays = [array for _, array in (*parts, *arguments[:_MOST])]
    if len({id(a) for a in arrays}) == len(arrays) and all(a.base is None for a in arrays):
        return []  # each has memory of its own
    found = []
    for i, (path, array) in enumerate(parts):
        others = [*parts[:i], *arguments[:_MOST]]
        found += [f"{path} is {other}" for other, b in others if np.may_share_memory(array, b)][:1]
    return found
