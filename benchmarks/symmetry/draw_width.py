"""Draws docs/figures/effective-width.svg: how many different units a layer of eight has while it trains.

    python benchmarks/symmetry/draw_width.py

Trains a 2-8-1 network (tanh, cross entropy, plain gradient descent, rate 0.5, float64) from six starts and
counts the units that compute different values, more than a thousandth apart, on the 200 training points.
"""

from __future__ import annotations

import math
from html import escape
from pathlib import Path

import numpy as np

OUT = Path(__file__).parents[2] / "docs" / "figures" / "effective-width.svg"
UNITS = 8
RATE = 0.5
STEPS = 5000
SEED = 3
APART = 1e-3

STARTS = {
    "random": "#1b5e9b",
    "equal incoming, different outgoing": "#2e7d32",
    "constant plus noise of 1e-6": "#8a5a00",
    "pairs": "#7b1fa2",
    "constant": "#b3261e",
    "zeros": "#444444",
}
DASHES = {"equal incoming, different outgoing": "8 4", "constant plus noise of 1e-6": "3 3", "zeros": "2 5"}


def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two classes, each two opposite quadrants, with some noise: 200 points."""
    inputs = rng.uniform(-2, 2, size=(2, 200))
    return inputs, (inputs[:1] * inputs[1:] + 0.2 * rng.normal(size=(1, 200)) > 0) * 1.0


def start(name: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Return W1, b1, W2, b2 of one start."""
    w1, w2 = rng.normal(size=(UNITS, 2)) * 0.7, rng.normal(size=(1, UNITS)) * 0.35
    constant = [np.full((UNITS, 2), 0.3), np.full((1, UNITS), 0.3)]
    weights = {
        "random": [w1, w2],
        "equal incoming, different outgoing": [np.tile(w1[:1], (UNITS, 1)), w2],
        "constant plus noise of 1e-6": [constant[0] + 1e-6 * w1, constant[1]],
        "pairs": [np.repeat(w1[::2], 2, axis=0), np.repeat(w2[:, ::2], 2, axis=1)],
        "constant": constant,
        "zeros": [0 * w1, 0 * w2],
    }[name]
    return [weights[0], np.zeros((UNITS, 1)), weights[1], np.zeros((1, 1))]


def width(values: np.ndarray) -> int:
    """Return the number of rows that are more than APART from each other."""
    kept: list[np.ndarray] = []
    for row in values:
        if all(np.abs(row - other).max() > APART for other in kept):
            kept.append(row)
    return len(kept)


def widths(name: str) -> dict[int, int]:
    """Return the effective width after 0, 1, … steps, at about forty of them."""
    rng = np.random.default_rng(SEED)
    inputs, targets = data(rng)
    w1, b1, w2, b2 = start(name, rng)
    watched = {0, *np.unique(np.geomspace(1, STEPS, 40).astype(int)).tolist()}
    found = {}
    for step in range(STEPS + 1):
        hidden = np.tanh(w1 @ inputs + b1)
        if step in watched:
            found[step] = width(hidden)
        delta = (1 / (1 + np.exp(-(w2 @ hidden + b2))) - targets) / inputs.shape[1]
        below = (w2.T @ delta) * (1 - hidden**2)
        w2, b2 = w2 - RATE * delta @ hidden.T, b2 - RATE * delta.sum(axis=1, keepdims=True)
        w1, b1 = w1 - RATE * below @ inputs.T, b1 - RATE * below.sum(axis=1, keepdims=True)
    return found


TITLE = "Units that can be told apart, of eight"
HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 380" role="img"
 aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="13">
<title id="t">Effective width of a layer of eight units while it trains, from six starts</title>"""
LEFT, RIGHT, TOP, BOTTOM = 60.0, 500.0, 46.0, 320.0


def across(step: int) -> float:
    """Return the x of a number of steps: 0 at the left edge, then logarithmic."""
    return LEFT if step == 0 else LEFT + 40 + (RIGHT - LEFT - 40) * math.log10(step) / math.log10(STEPS)


def up(count: float) -> float:
    """Return the y of a width."""
    return BOTTOM - (BOTTOM - TOP) * count / UNITS


def line(found: dict[int, int], shift: float) -> str:
    """Return the path of one start: constant between looks."""
    parts: list[str] = []
    before = 0.0
    for step, count in found.items():
        x, y = across(step), up(count) + shift
        parts.append(f"L{x:.1f} {before:.1f} L{x:.1f} {y:.1f}" if parts else f"M{x:.1f} {y:.1f}")
        before = y
    return " ".join(parts)


def drawing(curves: dict[str, dict[int, int]]) -> str:
    """Return the picture as SVG, with the same in words."""
    words = "; ".join(f"{n}: {c[0]} at the start, {c[STEPS]} after {STEPS} steps" for n, c in curves.items())
    parts = [
        HEAD,
        f'<desc id="d">{escape(words)}.</desc>',
        '<rect width="760" height="380" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="600" fill="#111111">{TITLE}</text>',
    ]
    for count in range(0, UNITS + 1, 2):
        y = up(count)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end" fill="#333333">{count}</text>')
    for step in (0, 1, 10, 100, 1000, STEPS):
        x = across(step)
        parts.append(
            f'<text x="{x:.1f}" y="{BOTTOM + 20:.1f}" text-anchor="middle" fill="#333333">{step:,}</text>'
        )
    middle = (LEFT + RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{BOTTOM + 44}" text-anchor="middle" fill="#333333">training steps</text>'
    )
    ends = sorted(curves, key=lambda name: (-curves[name][STEPS], list(STARTS).index(name)))
    taken = 0.0
    for number, name in enumerate(ends):
        shift = 4.0 * list(STARTS).index(name) - 10.0
        dash = f' stroke-dasharray="{DASHES[name]}"' if name in DASHES else ""
        path = line(curves[name], shift)
        parts.append(f'<path d="{path}" fill="none" stroke="{STARTS[name]}" stroke-width="2.5"{dash}/>')
        end = up(curves[name][STEPS]) + shift
        y = max(end + 4, taken + 18) if number else end + 4
        taken = y
        leader = f'x1="{RIGHT + 3}" y1="{end:.1f}" x2="{RIGHT + 16}" y2="{y - 4:.1f}"'
        parts.append(f'<line {leader} stroke="{STARTS[name]}"/>')
        parts.append(f'<text x="{RIGHT + 20}" y="{y:.1f}" fill="{STARTS[name]}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    CURVES = {name: widths(name) for name in STARTS}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(drawing(CURVES), encoding="utf-8")
    for start_name, curve in CURVES.items():
        full = next((step for step, count in curve.items() if count == UNITS), None)
        print(f"{start_name}: {curve[0]} -> {curve[STEPS]}, all {UNITS} apart after {full} steps")
