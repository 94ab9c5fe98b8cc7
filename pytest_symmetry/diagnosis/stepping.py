"""Whether a function takes a step downhill: only then is what it leaves unchanged a step not taken."""

from __future__ import annotations

import re
from collections.abc import Iterable

RATE = re.compile(r"^(learning_rate|lr|alpha|eta|rate|step_size)$")
"""Names of a learning rate."""

_FUNCTION = re.compile(r"step|updat|descen|descend|train|fit|optimi|adam|sgd|momentum|learn", re.IGNORECASE)
_GRADIENT = re.compile(r"^grads?$|gradient|slope|^d_?[A-Zb]\w*$")


def takes_step(function: str, arguments: Iterable[str]) -> bool:
    """Return whether a function moves parameters, by its name and those of its arguments and their keys."""
    names = [name.rpartition(".")[2] for name in arguments]
    told = any(RATE.match(name) or _GRADIENT.search(name) for name in names)
    return told or bool(_FUNCTION.search(function))
