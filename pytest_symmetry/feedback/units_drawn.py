"""Pictures of hidden units: who is who, how they part, where they cut the data, what they see."""

from __future__ import annotations

import math
import string
from typing import TYPE_CHECKING, Any

from pytest_symmetry.feedback.drawing import SIDE, Axis, Figure, Table, name_of, span
from pytest_symmetry.feedback.text import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_UNITS = 60
_MOST_PATHS = 12
_MOST_PAIRS = 24
_MOST_POINTS = 400


def units(data: Mapping[str, Any]) -> Figure:
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
                "name": name_of(layer["name"]), "units": units, "width": width, "discs": discs,
                "left_out": units - shown, "y": round(y + 14, 1), "bar_y": round(bar_y, 1),
                "bar": round(320 * width / max(units, 1), 1),
                "groups": [(_letter(i), group) for i, group in enumerate(groups)],
            }
        )  # fmt: skip
        rows += [(name_of(layer["name"]), _letter(i), _listed(group)) for i, group in enumerate(groups)]
        rows.append((name_of(layer["name"]), "different from all others", str(units - len(letters))))
        y = bar_y + 46
    table = Table(("layer", "group", "units"), tuple(rows))
    return Figure("units", SIDE, round(y - 10, 1), {"layers": layers}, {"layers": layers}, table)


def width_over_training(data: Mapping[str, Any]) -> Figure:
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
            {"name": name_of(layer["name"]), "units": int(layer["units"]), "points": points, "tone": i % 4,
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
    return Figure("width-over-training", SIDE, top + tall + 40, {"layers": lines}, shapes, table)


def pairing(data: Mapping[str, Any]) -> Figure:
    """The units of two runs in two columns; a line joins each to its partner, dashed where the sign turns."""
    pairs = list(zip(data["partners"], data["signs"], data["correlations"], strict=True))
    shown = [pair for pair in pairs[:_MOST_PAIRS] if int(pair[0]) < _MOST_PAIRS]
    places = [round(46 + 34.0 * unit, 1) for unit in range(min(len(pairs), _MOST_PAIRS))]
    lines = [
        {"y1": places[unit], "y2": places[int(partner)], "turned": int(sign) < 0,
         "width": round(0.5 + 3.5 * max(0.0, float(alike)), 1)}
        for unit, (partner, sign, alike) in enumerate(pairs) if (partner, sign, alike) in shown
    ]  # fmt: skip
    facts = {
        "name": name_of(data["name"]), "units": len(pairs),
        "moved": sum(int(partner) != unit for unit, (partner, _, _) in enumerate(pairs)),
        "turned": sum(int(sign) < 0 for _, sign, _ in pairs), "left_out": len(pairs) - len(places),
    }  # fmt: skip
    rows = tuple(
        (str(unit), str(int(partner)), "turned" if int(sign) < 0 else "same", number(float(alike), 2))
        for unit, (partner, sign, alike) in enumerate(pairs)
    )
    table = Table(("unit of the first run", "of the second", "sign", "correlation"), rows)
    shapes = {"places": places, "lines": lines, "left": 60.0, "right": SIDE - 90.0}
    return Figure("pairing", SIDE, places[-1] + 30, facts, shapes, table)


def directions(data: Mapping[str, Any]) -> Figure:
    """Two weights of each unit over training, as a path from a ring (start) to a disc (end)."""
    paths = [[(float(x), float(y)) for x, y in path] for path in data["units"][:_MOST_PATHS]]
    places = [point for path in paths for point in path]
    (x0, x1), (y0, y1) = (span([place[k] for place in places]) for k in (0, 1))
    pad_x, pad_y = 0.08 * (x1 - x0) or 0.5, 0.08 * (y1 - y0) or 0.5
    across = Axis(x0 - pad_x, x1 + pad_x, 44.0, SIDE - 16.0)
    up = Axis(y0 - pad_y, y1 + pad_y, 230.0, 12.0)
    drawn: list[dict[str, Any]] = [
        {"unit": unit, "tone": unit % 4,
         "points": [(across(x), up(y)) for x, y in path if math.isfinite(x) and math.isfinite(y)]}
        for unit, path in enumerate(paths)
    ]  # fmt: skip
    first, second = data["axes"]
    names = [name_of(first), name_of(second)]
    facts = {
        "names": names, "units": len(paths), "start": len({p[0] for p in paths}),
        "end": len({tuple(round(v, 9) for v in p[-1]) for p in paths}),
    }  # fmt: skip
    ends: dict[tuple[float, float], list[int]] = {}
    for path in drawn:
        if path["points"]:
            ends.setdefault(path["points"][-1], []).append(path["unit"])
    labels = [(x, y, _listed(units)) for (x, y), units in ends.items()]
    shapes = {
        "paths": drawn,
        "labels": labels,
        "left": 44.0,
        "right": SIDE - 16.0,
        "top": 12.0,
        "bottom": 230.0,
    }
    rows = tuple(
        (str(unit), *(number(v, 4) for v in (*path[0], *path[-1]))) for unit, path in enumerate(paths)
    )
    head = ("unit", *(f"{n}, {when}" for when in ("start", "end") for n in names))
    return Figure("directions", SIDE, 262, facts, shapes, Table(head, rows))


def boundaries(data: Mapping[str, Any]) -> Figure:
    """Data of two coordinates, the line on which each hidden unit is zero, what the network says where."""
    x0, x1, y0, y1 = (float(v) for v in data["range"])
    across, up = Axis(x0, x1, 10.0, SIDE - 10.0), Axis(y0, y1, 290.0, 10.0)
    grid = [[int(label) for label in row] for row in data.get("grid") or []]
    points = [
        {"x": across(float(x)), "y": up(float(y)), "label": int(label) % 4}
        for x, y, label in data["points"][:_MOST_POINTS]
    ]
    crossings = [_crossing([float(v) for v in line], x0, x1, y0, y1) for line in data["lines"]]
    lines = [
        {"unit": unit, "x1": across(a), "y1": up(b), "x2": across(c), "y2": up(d)}
        for unit, ends in enumerate(crossings)
        if ends is not None
        for a, b, c, d in [ends]
    ]
    wide, tall = (SIDE - 20.0) / len(grid[0]) if grid else 0.0, 280.0 / len(grid) if grid else 0.0
    fields = [
        (label, "".join(
            f"M{10 + j * wide:.1f} {10 + i * tall:.1f}h{wide:.1f}v{tall:.1f}h-{wide:.1f}z"
            for i, row in enumerate(grid) for j, seen in enumerate(row) if seen == label
        ))
        for label in sorted({label for row in grid for label in row})[:4]
    ]  # fmt: skip
    facts = {"points": len(points), "units": len(data["lines"]), "drawn": len(lines)}
    shapes = {"fields": fields, "points": points, "lines": lines}
    rows = tuple(
        (str(unit), *(number(float(v), 4) for v in line)) for unit, line in enumerate(data["lines"][:60])
    )
    table = Table(("unit", "weight of x", "weight of y", "bias"), rows, len(data["lines"]) - len(rows))
    return Figure("boundaries", SIDE, 300, facts, shapes, table)


def receptive_field(data: Mapping[str, Any]) -> Figure:
    """What one unit of each layer sees of the input: a square within the whole."""
    tall, wide = (int(v) for v in data["size"])
    scale = min((SIDE - 20) / wide, 280 / tall)
    fields = [
        {"name": name_of(f["name"]),
         "x": round(10 + f["cols"][0] * scale, 1), "y": round(20 + f["rows"][0] * scale, 1),
         "width": round((f["cols"][1] - f["cols"][0]) * scale, 1),
         "height": round((f["rows"][1] - f["rows"][0]) * scale, 1), "tone": i % 4,
         "size": f"{f['rows'][1] - f['rows'][0]} x {f['cols'][1] - f['cols'][0]}"}
        for i, f in enumerate(data["fields"][:8])
    ]  # fmt: skip
    shapes = {"fields": fields, "width": round(wide * scale, 1), "height": round(tall * scale, 1)}
    facts = {"tall": tall, "wide": wide, "fields": fields}
    table = Table(("layer", "sees"), tuple((f["name"], f["size"]) for f in fields))
    return Figure("receptive-field", SIDE, round(tall * scale + 40, 1), facts, shapes, table)


def _crossing(
    line: Sequence[float], x0: float, x1: float, y0: float, y1: float
) -> tuple[float, float, float, float] | None:
    """Return the ends of the line a x + b y + c = 0 within a box; None where it does not cross it."""
    a, b, c = line
    at_x = [(x, -(a * x + c) / b) for x in (x0, x1)] if b else []
    at_y = [(-(b * y + c) / a, y) for y in (y0, y1)] if a else []
    inside = sorted({(x, y) for x, y in at_x + at_y if x0 <= x <= x1 and y0 <= y <= y1})
    return (*inside[0], *inside[-1]) if len(inside) > 1 else None


def _letter(index: int) -> str:
    """Return A to Z, then AA, AB and so on."""
    letters = string.ascii_uppercase
    return letters[index] if index < 26 else letters[index // 26 - 1] + letters[index % 26]


def _listed(units: Sequence[int]) -> str:
    return ", ".join(map(str, units[:20])) + (", …" if len(units) > 20 else "")
