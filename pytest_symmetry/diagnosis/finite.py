"""Why a result is not finite: what the inputs of the call have to do with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.diagnosis.sizes import leaves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.context import Call
    from pytest_symmetry.findings import Finding

OVERFLOWS = 700.0
"""The exponential of a larger number is infinite in float64 (from 709.8 on)."""


def why_not_finite(finding: Finding, call: Call, names: Sequence[str]) -> Finding:
    """Return a finding about a value that is not finite with what is special about the inputs, if anything.

    Args:
        finding: says which value is nan or infinite where the reference's is not.
        call: the call that gave it.
        names: what the call's arguments are called.
    """
    inputs = [(name, array) for name, array in _inputs(call, names) if np.isfinite(array).all()]
    for name, array in inputs:
        if np.abs(array).max() > OVERFLOWS:
            facts = {"input": name, "largest": float(np.abs(array).max())}
            return replace(finding, cause="large-inputs", facts={**finding.facts, **facts})
    for name, array in inputs:
        if _is_certain(array) and (not _is_decided(array) or all(_is_decided(a) for _, a in inputs)):
            return replace(finding, cause="certain-inputs", facts={**finding.facts, "input": name})
    return finding


def _inputs(call: Call, names: Sequence[str]) -> Iterator[tuple[str, NDArray[Any]]]:
    for i, value in enumerate(call.args):
        for path, array in leaves(value):
            if array.dtype.kind == "f" and array.size:
                name = names[i] if i < len(names) else f"argument {i + 1}"
                yield path.rpartition(".")[2] or name, array


def _is_certain(array: NDArray[Any]) -> bool:
    """Return whether an array may hold probabilities, some of them exactly 0 or 1."""
    return bool(((array >= 0) & (array <= 1)).all()) and bool(np.isin(array, (0, 1)).any())


def _is_decided(array: NDArray[Any]) -> bool:
    """Return whether an array holds zeros and ones only, as labels do."""
    return bool(np.isin(array, (0, 1)).all())
