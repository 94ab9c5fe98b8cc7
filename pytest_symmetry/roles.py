"""What the names and shapes of arrays say about them: weights, biases, or something kept beside those."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Shapes = Mapping[str, tuple[int, ...]]
Role = Literal["weight", "bias", "other"]

_MOST_ROLES = 256

_KEPT_BESIDE = re.compile(
    r"grad|moment|veloc|cache|regular|decay|penalt|mask|best|accum|delta"
    r"|(^|[._])(old|prev\w*|avg|ema|target|teacher|frozen|copy)([._]|$)"
    r"|\bd_?(w|b|k|theta)|^(.*\.)?[mvsg]\.|^(.*\.)?opt\w*\."
)
"""Names of what lies beside the parameters in many people's objects: gradients, momentum, the best so far."""


def _roles_by_name(names: Iterable[str]) -> dict[str, Role | None]:
    """Return what the names say; gradients and the like are no parameters where others are."""
    told = {name: _role_by_name(name) for name in names}
    beside = {name for name in told if _KEPT_BESIDE.search(name.lower())}
    beside |= {name for name in told if name[:-2] in told and name[-2:] in ("_m", "_v", "_s")}  # Adam's
    beside |= {name for name in told if re.sub(r"(^|\.)[mvs]_(\w+)$", r"\1\2", name) in told.keys() - {name}}
    if any(role == "weight" for name, role in told.items() if name not in beside):
        told |= dict.fromkeys(beside, "other")
    return told


def _role_by_name(name: str) -> Role | None:
    word = re.sub(r"\[\d+\]", "", name).rsplit(".", maxsplit=1)[-1].strip("_0123456789").lower()
    if re.fullmatch(r"b\w{0,2}|.*bias(es)?|intercepts?|beta", word) or word.startswith("bias"):
        return "bias"
    if re.match(r"w|theta|kernel|coef|filter", word) or re.search(r"weight|kernel", word):
        return "weight"
    return None


def numbers(name: str) -> tuple[int, ...]:
    """Return the numbers in a name: (1, 2) of "layers[1].W2"."""
    return tuple(int(n) for n in re.findall(r"\d+", name))


def in_order(names: Sequence[str]) -> list[str]:
    """Return names in the order of the numbers in them where all have distinct ones, else as they come."""
    keys = [numbers(name) for name in names]
    if all(keys) and len(set(keys)) == len(keys):
        return [name for _, name in sorted(zip(keys, names, strict=True))]
    return list(names)


def is_vector(shape: tuple[int, ...]) -> bool:
    """Return whether an array has one axis, or two of which one is of length 1."""
    return len(shape) == 1 or (len(shape) == 2 and 1 in shape)


def role_choices(shapes: Shapes) -> Iterator[dict[str, Role]]:
    """Yield every assignment of roles that names and shapes allow; arrays of other kinds have none."""
    options: dict[str, tuple[Role, ...]] = {}
    told = _roles_by_name(shapes)
    anonymous = not any(told.values())
    for name, shape in shapes.items():
        role = told[name]
        if role == "other" or (not shape and (role == "weight" or "beta" in name)):
            continue  # a factor of the training: the strength of L2, Adam's beta1
        if role == "weight" and len(shape) == 1:
            options[name] = ("weight", "other")  # of one output, or the scale of a normalisation
        elif role == "weight" or (role is None and anonymous and len(shape) >= 2 and not is_vector(shape)):
            options[name] = ("weight",)
        elif role == "bias":
            options[name] = ("bias",)
        elif anonymous:
            options[name] = ("bias", "weight") if shape else ("bias",)
    total = int(np.prod([len(o) for o in options.values()], dtype=float))
    if total > _MOST_ROLES:
        options = {name: o[:1] if len(shapes[name]) == 1 else o for name, o in options.items()}
    choices = [
        dict(zip(options, roles, strict=True))
        for roles in itertools.islice(itertools.product(*options.values()), _MOST_ROLES)
    ]
    yield from sorted(choices, key=lambda roles: vector_weights(shapes, roles))


def vector_weights(shapes: Shapes, roles: Mapping[str, Role]) -> int:
    """Return how many arrays of one axis are taken for weights: the rarer reading, tried last."""
    return sum(role == "weight" and len(shapes[name]) == 1 for name, role in roles.items())
