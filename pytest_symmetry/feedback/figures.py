"""The data of a finding's figure to the geometry of a picture; templates/figures/*.html draw it.

Data comes from ``Finding.figure``, a small dict with its ``kind`` and these keys:

``error-map``   ``array`` (name), ``shape``, ``errors`` (2-D list: the size of each entry's error, or the
                largest of each block where ``rows`` and ``cols`` say that there are more), ``scale`` (words)
``gradients``   ``array``, ``points``: list of (slope of the loss, what the function returns, error bar)
``comparison``  ``array``, ``seen`` and ``expected`` (lists of the same shape, at most 2-D)
``units``       ``layers``: list of ``name``, ``units`` (how many), ``classes`` (lists of units that are one)
``width-over-training``   ``steps``, ``layers``: list of ``name``, ``units``, ``widths`` (one per step)
``pairing``     ``name``, ``partners`` (for each unit of the first run one of the second), ``signs``,
                ``correlations`` (how alike the two are, 0 to 1)
``directions``  ``axes`` (two names), ``units``: per unit the list of its two weights, step by step
``boundaries``  ``range`` (x0, x1, y0, y1), ``points``: list of (x, y, class), ``lines``: by unit (a, b, c) of
                a x + b y + c = 0, ``grid``: rows from the top, the class that the network gives there
``receptive-field``   ``size`` (rows, columns), ``fields``: list of ``name``, ``rows``, ``cols`` (from, to)

What does not have this form draws nothing: a picture is help, never a reason to lose the page.
Every picture has a title, a description and a table that says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_symmetry.feedback import arrays_drawn, units_drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_symmetry.feedback.drawing import Figure

_BUILDERS: dict[str, Callable[[Mapping[str, Any]], Figure]] = {
    "error-map": arrays_drawn.error_map,
    "gradients": arrays_drawn.gradients,
    "comparison": arrays_drawn.comparison,
    "units": units_drawn.units,
    "width-over-training": units_drawn.width_over_training,
    "pairing": units_drawn.pairing,
    "directions": units_drawn.directions,
    "boundaries": units_drawn.boundaries,
    "receptive-field": units_drawn.receptive_field,
}


def figure(data: Mapping[str, Any] | None) -> Figure | None:
    """Return the picture that ``data`` describes; None where it describes none that is known."""
    builder = _BUILDERS.get(str(data.get("kind"))) if data else None
    if builder is None or data is None:
        return None
    try:
        return builder(data)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
