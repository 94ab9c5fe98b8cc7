"""Where the arrays alone do not prove that units are one unit, so that nobody is accused.

Shapes say little about how a network is wired. Units are accused only where every reading of the arrays
agrees, and where no usual wiring beside the plain chain would tell the units apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.certificates import slices
from pytest_symmetry.findings import Finding
from pytest_symmetry.layouts import MIXED
from pytest_symmetry.verdicts import effective_classes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_symmetry.certificates import Groups
    from pytest_symmetry.layouts import Layout
    from pytest_symmetry.partition import FloatArray
    from pytest_symmetry.verdicts import LayerVerdict

    Arrays = Mapping[str, FloatArray]


def cannot_tell(reason: str, **facts: Any) -> Finding:
    """Return the remark that something could not be told, and why."""
    return Finding("SYM290", severity="note", facts={"reason": reason, **facts})


def doubt(
    arrays: Arrays, layouts: Sequence[Layout], accused: Sequence[LayerVerdict], *, wired: bool
) -> Finding | None:
    """Return the remark that units cannot be accused, or None where nothing speaks for them.

    Args:
        arrays: the parameters by name.
        layouts: every reading of them; ``accused`` speaks of the first one.
        accused: the verdicts that would fail the check.
        wired: whether the layout was seen in a network function, not only read from shapes.
    """
    layout = layouts[0]
    accuses = bool(accused)
    if accused and not wired:
        accuses = any(not _bypassed(arrays, layout, v) for v in accused)
    for other in layouts[1:]:
        if _accuses(arrays, other) != bool(accused):
            return cannot_tell("readings", readings=len(layouts))
    if not accused:
        return None
    if not accuses:
        return cannot_tell("bypass", layer=accused[0].layer.name, units=list(accused[0].groups[0]))
    if not layout.complete:
        return cannot_tell("unfinished", readings=len(layouts))
    if layout.orientation == MIXED:
        return cannot_tell("mixed")
    for name in layout.unread:
        if any(_tells_apart(arrays[name], g, v.layer.units) for v in accused for g in v.groups):
            return cannot_tell("unread", array=name)
    return None


def _bypassed(arrays: Arrays, layout: Layout, verdict: LayerVerdict) -> bool:
    number = next(n for n, layer in enumerate(layout.layers) if layer.name == verdict.layer.name)
    return _told_apart_below(arrays, layout, effective_classes(arrays, layout), number, verdict.groups)


def _accuses(arrays: Arrays, layout: Layout) -> bool:
    """Return whether a reading has copies that no bypass would tell apart."""
    exact = effective_classes(arrays, layout)
    for number, found in enumerate(exact):
        copies = [group for group in found if len(group) > 1]
        if copies and not _told_apart_below(arrays, layout, exact, number, copies):
            return True
    return False


def _told_apart_below(
    arrays: Arrays, layout: Layout, exact: Sequence[Groups], number: int, groups: Sequence[Sequence[int]]
) -> bool:
    """Return whether units that receive nothing may get the values of a lower layer of the same width.

    A residual branch starts at zero on purpose (Zhang et al. 2019, Fixup, arXiv 1901.09321): the units then
    carry on what lies below, which no shape shows. Momentum kept behind the weights looks the same.
    """
    layer = layout.layers[number]
    units = [unit for group in groups for unit in group]
    if np.any(slices(arrays, layer, layer.incoming)[units]):
        return False
    if number > 0 and layout.sizes and layout.sizes[0] == layer.units:
        return True
    return any(
        lower.units == layer.units and not any(set(group) <= set(kind) for group in groups for kind in found)
        for lower, found in zip(layout.layers[:number], exact, strict=False)
    )


def _tells_apart(values: FloatArray, group: Sequence[int], units: int) -> bool:
    return any(
        bool(np.any(np.ptp(np.take(values, group, axis=axis), axis=axis)))
        for axis, length in enumerate(values.shape)
        if length == units
    )
