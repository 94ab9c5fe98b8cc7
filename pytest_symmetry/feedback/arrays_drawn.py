"""Pictures of arrays: the error of each entry, values seen and expected, gradient against slope."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Any

from pytest_symmetry.feedback.drawing import (
    SIDE,
    Axis,
    Figure,
    Table,
    entries_of,
    name_of,
    rows_of,
    size_of,
    span,
)
from pytest_symmetry.feedback.text import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_ROWS = 40
_MOST_POINTS = 300
_LEVELS = 4
_AGREES = 1e-6


def _size_of_picture(errors: list[list[float]]) -> tuple[int, int]:
    """Return rows and columns, or raise ``ValueError`` where there are more than one can tell apart."""
    rows, columns = len(errors), max(len(row) for row in errors)
    if rows > _MOST_ROWS or columns > _MOST_ROWS:
        msg = f"{rows} x {columns} entries are too many for one picture"
        raise ValueError(msg)
    return rows, columns


def error_map(data: Mapping[str, Any]) -> Figure:
    """One square per entry, as large and as dark as its error beside the largest one."""
    errors = [[size_of(v) for v in row] for row in rows_of(data["errors"])]
    rows, columns = _size_of_picture(errors)
    largest = max((v for row in errors for v in row if math.isfinite(v)), default=0.0)
    down, across = (
        _starts(int(data.get("rows", rows)), rows),
        _starts(int(data.get("cols", columns)), columns),
    )
    left, top = 34.0, 20.0
    side = min(44.0, (SIDE - left) / columns)
    numbers = side >= 40
    levels = [[_level(value, largest) for value in row] for row in errors]
    cells = _cells(errors, levels, left, top, side) if numbers else []
    wrong = sum(level > 0 for row in levels for level in row)
    facts = {
        "array": name_of(data["array"]),
        "shape": str(tuple(data.get("shape") or (rows, columns))),
        "wrong": wrong,
        "entries": sum(len(row) for row in errors),
        "largest": number(largest, 3),
        "rows_with_errors": [down[i] for i, row in enumerate(levels) if any(row)],
        "columns_with_errors": [
            across[j] for j in range(columns) if any(row[j] for row in levels if j < len(row))
        ],
        "blocks": len(down) < int(data.get("rows", 0)) or len(across) < int(data.get("cols", 0)),
        "scale": name_of(data.get("scale", "")),
    }
    shapes = {
        "cells": cells, "squares": [] if numbers else _squares(levels),
        "side": round(side, 2), "left": left, "top": top, "width": round(columns * side, 2),
        "height": round(rows * side, 2), "numbers": numbers,
        "columns": [
            (round(left + (j + 0.5) * side, 2), across[j]) for j in range(0, columns, 1 + columns // 16)
        ],
        "rows": [(round(top + (i + 0.5) * side + 4, 2), down[i]) for i in range(0, rows, 1 + int(15 / side))],
    }  # fmt: skip
    return Figure(
        "error-map", SIDE, round(top + rows * side + 2, 2), facts, shapes, _grid_table(errors, down, across)
    )


def comparison(data: Mapping[str, Any]) -> Figure:
    """Each value seen (disc) and expected (ring) on one axis."""
    pairs = list(zip(entries_of(data["seen"]), entries_of(data["expected"]), strict=True))
    shown = pairs[:12]
    low, high = span([v for (_, seen), (_, wanted) in shown for v in (seen, wanted)])
    left, wide, step = 84.0, 236.0, 24.0
    axis = Axis(low, high, left, left + wide)
    name = name_of(data["array"])
    marks = [
        {
            "label": f"{name}{index}"[:13],
            "y": 18 + step * i,
            "seen": axis(seen) if math.isfinite(seen) else None,
            "wanted": axis(wanted) if math.isfinite(wanted) else None,
        }
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
    return Figure("comparison", SIDE, bottom + 34, facts, shapes, table)


def gradients(data: Mapping[str, Any]) -> Figure:
    """Each entry of a gradient as a disc: across the slope of the loss, up what the function returns."""
    points = [tuple(float(v) for v in (*point, 0.0)[:3]) for point in data["points"][:_MOST_POINTS]]
    low, high = span([v for slope, given, bar in points for v in (slope - bar, slope + bar, given)])
    room = 0.05 * (high - low) or 1.0
    across = Axis(low - room, high + room, 44.0, SIDE - 10.0)
    up = Axis(low - room, high + room, 290.0, 10.0)
    discs = [
        {"x": across(slope), "y": up(given), "from": across(slope - bar), "to": across(slope + bar),
         "agrees": abs(given - slope) <= max(bar, _AGREES * max(abs(slope), abs(given)))}
        for slope, given, bar in points
        if math.isfinite(slope) and math.isfinite(given) and math.isfinite(bar)
    ]  # fmt: skip
    facts = {
        "array": name_of(data["array"]), "shown": len(discs), "left_out": len(points) - len(discs),
        "agree": sum(d["agrees"] for d in discs),
    }  # fmt: skip
    shapes = {
        "discs": discs, "left": across.start, "right": across.end, "top": up.end, "bottom": up.start,
        "zero_x": across(0.0) if low < 0 < high else None, "zero_y": up(0.0) if low < 0 < high else None,
        "low": number(low, 2), "high": number(high, 2), "low_x": across(low), "high_x": across(high),
        "low_y": up(low), "high_y": up(high),
    }  # fmt: skip
    rows = tuple((number(s, 5), number(g, 5), number(b, 1)) for s, g, b in points[:20])
    table = Table(("slope of the loss", "from the function", "error bar"), rows, len(points) - len(rows))
    return Figure("gradients", SIDE, 326, facts, shapes, table)


def _starts(entries: int, blocks: int) -> list[int]:
    """Return where each block starts when so many entries are split into so many blocks, evenly."""
    size, longer = divmod(max(entries, blocks), blocks)
    return [i * size + min(i, longer) for i in range(blocks)]


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
            "text": _within_a_square(value),
        }
        for i, row in enumerate(errors)
        for j, value in enumerate(row)
    ]  # fmt: skip


def _within_a_square(value: float) -> str:
    """Return a number in at most five characters: what a square of a small array has room for."""
    shortest = (number(value, 2), number(value, 1), f"{value:.0e}")
    return next((text for text in shortest if len(text) <= 5), shortest[-1])


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


def _grid_table(errors: Sequence[Sequence[float]], down: Sequence[int], across: Sequence[int]) -> Table:
    """Return small arrays whole, and the largest entries of the others."""
    if len(across) <= 8 and len(errors) <= 12:
        rows = tuple((str(i), *(number(v, 3) for v in row)) for i, row in zip(down, errors, strict=True))
        return Table(("row", *map(str, across)), rows)
    entries = [(math.isfinite(v), -v, i, j) for i, row in enumerate(errors) for j, v in enumerate(row)]
    rows = tuple((f"[{down[i]}, {across[j]}]", number(-v, 3)) for _, v, i, j in heapq.nsmallest(20, entries))
    return Table(("entry", "error"), rows, len(entries) - len(rows))
