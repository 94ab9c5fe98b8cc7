"""The data of a finding's figure to the geometry of a picture; templates/figures/*.html draw it.

Data comes from ``Finding.figure``, a small dict with its ``kind``:

``error-map``   ``array`` (name), ``shape``, ``errors`` (2-D list: the size of the error of each entry)
``units``       ``layers``: list of ``name``, ``units`` (how many), ``classes`` (lists of units that are one)
``width-over-training``   ``steps``, ``layers``: list of ``name``, ``units``, ``widths`` (one per step)
``comparison``  ``array`` (name), ``seen`` and ``expected`` (lists of the same shape, at most 2-D)

What does not have this form draws nothing: a picture is help, never a reason to lose the page.
Every picture has a title, a description and a table that says the same.
"""

from __future__ import annotations

import heapq
import math
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_symmetry.feedback.text import number, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_SIDE = 340
_MOST_ROWS = 40
_MOST_UNITS = 60
_LEVELS = 4
_AGREES = 1e-6


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


def figure(data: Mapping[str, Any] | None) -> Figure | None:
    """Return the picture that ``data`` describes; None where it describes none that is known."""
    builder = _BUILDERS.get(str(data.get("kind"))) if data else None
    if builder is None or data is None:
        return None
    try:
        return builder(data)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None


def _error_map(data: Mapping[str, Any]) -> Figure:
    """One square per entry, as large and as dark as its error beside the largest one."""
    errors = [[_size(v) for v in row] for row in _rows(data["errors"])]
    rows, columns = len(errors), max(len(row) for row in errors)
    if rows > _MOST_ROWS or columns > _MOST_ROWS:
        msg = f"{rows} x {columns} entries are too many for one picture"
        raise ValueError(msg)
    largest = max((v for row in errors for v in row if math.isfinite(v)), default=0.0)
    left, top = 34.0, 20.0
    side = min(44.0, (_SIDE - left) / columns)
    numbers = side >= 40
    levels = [[_level(value, largest) for value in row] for row in errors]
    cells = _cells(errors, levels, left, top, side) if numbers else []
    wrong = sum(level > 0 for row in levels for level in row)
    facts = {
        "array": _name(data["array"]),
        "shape": str(tuple(data.get("shape") or (rows, columns))),
        "wrong": wrong,
        "entries": sum(len(row) for row in errors),
        "largest": number(largest, 3),
        "rows_with_errors": [i for i, row in enumerate(levels) if any(row)],
        "columns_with_errors": [j for j in range(columns) if any(row[j] for row in levels if j < len(row))],
    }
    shapes = {
        "cells": cells, "squares": [] if numbers else _squares(levels),
        "side": round(side, 2), "left": left, "top": top, "width": round(columns * side, 2),
        "height": round(rows * side, 2), "numbers": numbers,
        "columns": [(round(left + (j + 0.5) * side, 2), j) for j in range(0, columns, 1 + columns // 16)],
        "rows": [(round(top + (i + 0.5) * side + 4, 2), i) for i in range(0, rows, 1 + int(15 / side))],
    }  # fmt: skip
    return Figure(
        "error-map", _SIDE, round(top + rows * side + 2, 2), facts, shapes, _grid_table(errors, columns)
    )


def _units(data: Mapping[str, Any]) -> Figure:
    """Each hidden unit as a disc, with the letter of its group; the effective width as a bar."""
    layers, rows, y = [], [], 0.0
    for layer in data["layers"]:
        units = int(layer["units"])
        groups = [[int(u) for u in group] for group in layer["classes"] if len(group) > 1]
        letters = {u: _letter(i) for i, group in enumerate(groups) for u in group}
        width = units - sum(len(group) - 1 for group in groups)
        shown = min(units, _MOST_UNITS)
        discs = [
            {"x": 20 + 33 * (u % 10), "y": round(y + 42 + 44 * (u // 10), 1), "unit": u,
             "letter": letters.get(u, ""), "tone": (ord(letters[u][0]) - 65) % 4 if u in letters else "alone"}
            for u in range(shown)
        ]  # fmt: skip
        bar_y = y + 42 + 44 * ((shown - 1) // 10) + 40
        layers.append(
            {
                "name": _name(layer["name"]), "units": units, "width": width, "discs": discs,
                "left_out": units - shown, "y": round(y + 14, 1), "bar_y": round(bar_y, 1),
                "bar": round(320 * width / max(units, 1), 1),
                "groups": [(_letter(i), group) for i, group in enumerate(groups)],
            }
        )  # fmt: skip
        rows += [(_name(layer["name"]), _letter(i), _listed(group)) for i, group in enumerate(groups)]
        rows.append((_name(layer["name"]), "different from all others", str(units - len(letters))))
        y = bar_y + 46
    table = Table(("layer", "group", "units"), tuple(rows))
    return Figure("units", _SIDE, round(y - 10, 1), {"layers": layers}, {"layers": layers}, table)


def _width_over_training(data: Mapping[str, Any]) -> Figure:
    """The effective width of each layer against the number of training steps."""
    steps = [float(s) for s in data["steps"]]
    first, last = min(steps), max(steps)
    left, top, wide, tall = 34.0, 12.0, 290.0, 130.0
    most = max(int(layer["units"]) for layer in data["layers"])
    across = {s: left + wide * ((s - first) / (last - first or 1)) for s in steps}
    lines: list[dict[str, Any]] = []
    for i, layer in enumerate(data["layers"]):
        widths = [int(w) for w in layer["widths"]]
        points = [
            (round(across[s], 1), round(top + tall * (1 - w / most), 1))
            for s, w in zip(steps, widths, strict=True)
        ]
        lines.append(
            {"name": _name(layer["name"]), "units": int(layer["units"]), "points": points, "tone": i % 4,
             "first": widths[0], "last": widths[-1], "end": points[-1]}
        )  # fmt: skip
    rows = tuple(
        (number(s), *(str(layer["widths"][k]) for layer in data["layers"])) for k, s in enumerate(steps)
    )
    ticks = sorted({0, most, *(line["last"] for line in lines)})
    shapes = {
        "lines": lines, "left": left, "right": left + wide, "top": top, "bottom": top + tall,
        "ticks": [(round(top + tall * (1 - t / most) + 4, 1), t) for t in ticks],
        "first": number(first), "last": number(last),
    }  # fmt: skip
    table = Table(("steps", *(line["name"] for line in lines)), rows)
    return Figure("width-over-training", _SIDE, top + tall + 40, {"layers": lines}, shapes, table)


def _comparison(data: Mapping[str, Any]) -> Figure:
    """Each value seen (disc) and expected (ring) on one axis."""
    pairs = list(zip(_entries(data["seen"]), _entries(data["expected"]), strict=True))
    shown = pairs[:12]
    values = [v for (_, seen), (_, wanted) in shown for v in (seen, wanted) if math.isfinite(v)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    left, wide, step = 84.0, 236.0, 24.0

    def across(value: float) -> float | None:
        return round(left + wide * (value - low) / ((high - low) or 1), 1) if math.isfinite(value) else None

    name = _name(data["array"])
    marks = [
        {"label": f"{name}{index}"[:13], "y": 18 + step * i, "seen": across(seen), "wanted": across(wanted)}
        for i, ((index, seen), (_, wanted)) in enumerate(shown)
    ]
    rows = tuple(
        (f"{name}{index}", number(seen, 6), number(wanted, 6)) for (index, seen), (_, wanted) in pairs[:60]
    )
    bottom = 18 + step * len(shown)
    facts = {"array": name, "shown": len(shown), "entries": len(pairs)}
    shapes = {
        "marks": marks, "left": left, "right": left + wide, "bottom": bottom,
        "low": number(low, 3), "high": number(high, 3),
    }  # fmt: skip
    table = Table(("entry", "seen", "expected"), rows, len(pairs) - len(rows))
    return Figure("comparison", _SIDE, bottom + 34, facts, shapes, table)


_BUILDERS: dict[str, Callable[[Mapping[str, Any]], Figure]] = {
    "error-map": _error_map,
    "units": _units,
    "width-over-training": _width_over_training,
    "comparison": _comparison,
}


def _size(value: Any) -> float:
    """Return the size of a number as JSON holds it: "nan" and "inf" come as text."""
    return abs(float(value))


def _rows(values: Any) -> list[list[Any]]:
    """Return a number, a list or a list of lists as a list of non-empty rows."""
    if not isinstance(values, list):
        return [[values]]
    if values and all(isinstance(row, list) and row for row in values):
        return values
    if not values or any(isinstance(row, list) for row in values):
        msg = "neither one row nor rows of entries"
        raise ValueError(msg)
    return [values]


def _entries(values: Any) -> list[tuple[str, float]]:
    """Return the entries of a number, a list or a list of lists with their index as text."""
    if not isinstance(values, list):
        return [("", float(values))]
    if any(isinstance(row, list) for row in values):
        return [(f"[{i}, {j}]", float(v)) for i, row in enumerate(values) for j, v in enumerate(row)]
    return [(f"[{i}]", float(v)) for i, v in enumerate(values)]


def _level(value: float, largest: float) -> int:
    """Return 0 for an entry that agrees, else 1 to 4 by its share of the largest error."""
    if not math.isfinite(value):
        return _LEVELS
    if largest == 0 or value <= largest * _AGREES:
        return 0
    return min(_LEVELS, 1 + int(_LEVELS * value / largest * (1 - 1e-12)))


def _cells(
    errors: Sequence[Sequence[float]], levels: Sequence[Sequence[int]], left: float, top: float, side: float
) -> list[dict[str, Any]]:
    """Return a square with its number for each entry of a small array."""
    return [
        {
            "x": round(left + j * side, 2), "y": round(top + i * side, 2), "level": levels[i][j],
            "text": number(value, 2),
        }
        for i, row in enumerate(errors)
        for j, value in enumerate(row)
    ]  # fmt: skip


def _squares(levels: Sequence[Sequence[int]]) -> list[tuple[int, float, str]]:
    """Return per level the side of its squares and one path with a point for each entry of that level.

    A point drawn with square caps is a square as wide as the line: 6 bytes for each entry, not 60.
    Entries that agree are left empty.
    """
    points: dict[int, list[str]] = {level: [] for level in range(1, _LEVELS + 1)}
    for i, row in enumerate(levels):
        for j, level in enumerate(row):
            if level:
                points[level].append(f"M{j} {i}h0")
    return [(level, round(0.23 * level, 2), "".join(path)) for level, path in points.items() if path]


def _grid_table(errors: Sequence[Sequence[float]], columns: int) -> Table:
    """Return small arrays whole, and the largest entries of the others."""
    if columns <= 8 and len(errors) <= 12:
        rows = tuple((str(i), *(number(v, 3) for v in row)) for i, row in enumerate(errors))
        return Table(("row", *(str(j) for j in range(columns))), rows)
    entries = [(math.isfinite(v), -v, i, j) for i, row in enumerate(errors) for j, v in enumerate(row)]
    rows = tuple((f"[{i}, {j}]", number(-v, 3)) for _, v, i, j in heapq.nsmallest(20, entries))
    return Table(("entry", "error"), rows, len(entries) - len(rows))


def _letter(index: int) -> str:
    """Return A to Z, then AA, AB and so on."""
    letters = string.ascii_uppercase
    return letters[index] if index < 26 else letters[index // 26 - 1] + letters[index % 26]


def _listed(units: Sequence[int]) -> str:
    return ", ".join(map(str, units[:20])) + (", …" if len(units) > 20 else "")


def _name(value: Any) -> str:
    return printable(str(value))[:40]
