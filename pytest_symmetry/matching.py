"""Which unit of one run goes with which unit of another: an optimal assignment.

Two trained networks can compute the same with their units in another order, and under an odd activation
with other signs (Ainsworth et al. 2022, Git Re-Basin, arXiv 2209.04836; Entezari et al. 2021).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]


def best_matching(scores: FloatArray) -> IntArray:
    """Return for every row the column it is assigned to, so that the sum of the scores is largest.

    Args:
        scores: shape (n, m), n <= m, finite.

    The Hungarian method with shortest augmenting paths and potentials (Kuhn 1955; Jonker & Volgenant 1987),
    O(n^2 m): one row is added at a time, along the path of least reduced cost.

    Raises:
        ValueError: more rows than columns, or scores that are not finite.
    """
    rows, columns = scores.shape
    if rows > columns or not np.all(np.isfinite(scores)):
        msg = f"scores must be finite and have at most as many rows as columns, got {scores.shape}"
        raise ValueError(msg)
    cost = -scores
    row_price = np.zeros(rows)
    column_price = np.zeros(columns)
    row_of = np.full(columns, -1, dtype=np.intp)
    for row in range(rows):
        _augment(cost, row_price, column_price, row_of, row)
    assigned = np.empty(rows, dtype=np.intp)
    taken = np.flatnonzero(row_of >= 0)
    assigned[row_of[taken]] = taken
    return assigned


def _augment(
    cost: FloatArray, row_price: FloatArray, column_price: FloatArray, row_of: IntArray, start: int
) -> None:
    """Assign ``start`` by the shortest path over reduced costs to a free column (Dijkstra), in place."""
    columns = cost.shape[1]
    distance = np.full(columns, np.inf)
    came_from = np.full(columns, -1, dtype=np.intp)
    done = np.zeros(columns, dtype=bool)
    row, column, reached = start, -1, 0.0
    while row >= 0:
        through = reached + cost[row] - row_price[row] - column_price
        shorter = ~done & (through < distance)
        distance[shorter] = through[shorter]
        came_from[shorter] = row
        column = int(np.argmin(np.where(done, np.inf, distance)))
        reached = float(distance[column])
        done[column] = True
        row = int(row_of[column])
    _raise_prices(row_price, column_price, row_of, start, distance, done, reached)
    while column >= 0:
        row = int(came_from[column])
        before = int(np.flatnonzero(row_of == row)[0]) if row != start else -1
        row_of[column] = row
        column = before


def _raise_prices(
    row_price: FloatArray, column_price: FloatArray, row_of: IntArray, start: int,
    distance: FloatArray, done: NDArray[np.bool_], reached: float,
) -> None:  # fmt: skip
    """Keep every reduced cost at or above 0, and 0 on the assigned pairs."""
    visited = np.flatnonzero(done)
    slack = reached - distance[visited]
    owners = row_of[visited]
    column_price[visited] -= slack
    row_price[owners[owners >= 0]] += slack[owners >= 0]
    row_price[start] += reached


def correlations(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the correlation of every row of one array with every row of the other; 0 for constant rows."""
    return np.asarray(_standard(first) @ _standard(second).T)


def _standard(rows: FloatArray) -> FloatArray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    # Rounding leaves a constant row a tiny length; dividing by it would make noise into a correlation.
    flat = length <= 1e-12 * (np.abs(rows).max(axis=1, keepdims=True) + 1e-300) * np.sqrt(rows.shape[1])
    return np.asarray(np.where(flat, 0.0, centred / np.where(flat, 1.0, length)))
