"""Which step of a backward pass is off, where no mistake has a name: told by which gradients are wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_symmetry.diagnosis.relations import Relation

_NAME = re.compile(r"^d?(?P<kind>W|b)_?(?P<layer>\d+)$")


def located(array: str, wrong: Sequence[str], names: Sequence[str]) -> Relation | None:
    """Return what the pattern of wrong gradients says about ``array``, or None where its name says nothing.

    The weight and bias gradients of a layer are both made from the error at that layer: where both are wrong
    the error is, where one is wrong its own formula is. Errors are passed down, so this is said only of the
    topmost layer with a wrong gradient.
    """
    match = _NAME.match(array)
    if match is None:
        return None
    layers: dict[int, dict[str, bool]] = {}
    for name in names:
        if m := _NAME.match(name):
            layers.setdefault(int(m["layer"]), {})[m["kind"]] = name in wrong
    top = max((layer for layer, kinds in layers.items() if any(kinds.values())), default=None)
    layer = int(match["layer"])
    if layer != top or set(layers[layer]) != {"W", "b"}:
        return None
    facts = {"layer": layer, "above": layer + 1 if layer + 1 in layers else 0}
    if layers[layer]["W"] and layers[layer]["b"]:
        return Relation("located-error", facts)
    return Relation("located-weight-gradient" if layers[layer]["W"] else "located-bias-gradient", facts)
