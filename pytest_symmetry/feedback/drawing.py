"""What all pictures are made of: a figure with its numbers, its geometry and its twin in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_symmetry.feedback.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIDE = 340
"""The width of a picture, in the units of its view box: that of a phone's screen without its margins."""


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a picture, for readers who cannot see it."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture, ready for its template: ``facts`` holds the words' numbers, ``shapes`` the geometry."""

    kind: str
    width: float
    height: float
    facts: Mapping[str, Any]
    shapes: Mapping[str, Any]
    table: Table

    @property
    def template(self) -> str:
        """The template that draws this kind."""
        return f"figures/{self.kind}.html"


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight scale from values to places: ``low`` at ``start``, ``high`` at ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value, to a tenth."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)


def span(values: Sequence[float]) -> tuple[float, float]:
    """Return the smallest and the largest of those values that are finite; 0 and 1 where none is."""
    finite = [v for v in values if math.isfinite(v)]
    return (min(finite), max(finite)) if finite else (0.0, 1.0)


def size_of(value: Any) -> float:
    """Return the size of a number as JSON holds it: "nan" and "inf" come as text."""
    return abs(float(value))


def name_of(value: Any) -> str:
    """Return a name fit for a label."""
    return printable(str(value))[:40]


def rows_of(values: Any) -> list[list[Any]]:
    """Return a number, a list or a list of lists as a list of non-empty rows."""
    if not isinstance(values, list):
        return [[values]]
    if values and all(isinstance(row, list) and row for row in values):
        return values
    if not values or any(isinstance(row, list) for row in values):
        msg = "neither one row nor rows of entries"
        raise ValueError(msg)
    return [values]


def entries_of(values: Any) -> list[tuple[str, float]]:
    """Return the entries of a number, a list or a list of lists with their index as text."""
    if not isinstance(values, list):
        return [("", float(values))]
    if any(isinstance(row, list) for row in values):
        return [(f"[{i}, {j}]", float(v)) for i, row in enumerate(values) for j, v in enumerate(row)]
    return [(f"[{i}]", float(v)) for i, v in enumerate(values)]
