"""The data of the picture that goes with a difference between two arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.checks.localization import error_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW = 12
"""Up to so many entries are shown one by one; more as a map of their errors."""


def difference_figure(name: str, student: NDArray[Any], expected: NDArray[Any]) -> dict[str, Any] | None:
    """Return the data of a picture of two arrays of one shape; None where there is nothing to see.

    Few entries are shown side by side, many as the size of each error on the array's own shape. One number
    needs no picture, and a text has none.
    """
    if student.size < 2 or student.dtype.kind not in "biufc" or expected.dtype.kind not in "biufc":
        return None
    if "c" in (student.dtype.kind, expected.dtype.kind) or student.size > _FEW:
        return error_map(name, _wide(student), _wide(expected))
    return {"kind": "comparison", "array": name, "seen": _rows(student), "expected": _rows(expected)}


def _wide(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _rows(array: NDArray[Any]) -> list[Any]:
    """Return the entries with six digits, first axis down."""
    rounded = [float(f"{v:.6g}") for v in array.astype(np.float64).ravel()]
    shaped = np.reshape(rounded, array.shape if array.ndim == 1 else (array.shape[0], -1))
    rows: list[Any] = shaped.tolist()
    return rows
