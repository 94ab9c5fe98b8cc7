"""Functions with several right answers, as the assignment's own variants show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from graders.specimens import FILE, load_specimens, patched
from pytest_symmetry.assignment import load_reference
from pytest_symmetry.diagnosis.replay import Earlier, Program, Step, measured
from pytest_symmetry.namespace import Namespace

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_symmetry.assignment import Assignment


def several_answers(
    assignment: Assignment, functions: Collection[str], steps: Sequence[Step]
) -> frozenset[str]:
    """Return those of ``functions`` of which some variant, which is correct work, gives other numbers.

    Args:
        assignment: whose variants.
        functions: the functions to look at.
        steps: calls of them, on which the solution and the variants are compared.
    """
    if not functions or not (assignment.folder / FILE).is_file():
        return frozenset()
    asked = [step for step in steps if step.function in functions and not _chained(step)]
    right = _answers(load_reference(assignment.folder).source, asked)
    found: set[str] = set()
    for variant in load_specimens(assignment.folder):
        if variant.correct:
            cells = [
                (number, "".join(cell["source"]))
                for number, cell in enumerate(patched(assignment.folder, variant)["cells"], start=1)
                if cell["cell_type"] == "code"
            ]
            own = _answers(Namespace(cells, label="variant cell").load().definitions(), asked)
            found |= {s.function for s, a, b in zip(asked, right, own, strict=True) if _other(a, b)}
    return frozenset(found)


def _chained(step: Step) -> bool:
    return any(isinstance(value, Earlier) for value in (*step.args, *step.kwargs.values()))


def _answers(source: str, steps: Sequence[Step]) -> list[dict[str, Any] | None]:
    """Return the numbers that a program gives on each step alone; None where it gives none."""
    try:
        program = Program(source)
    except ValueError:
        return [None] * len(steps)
    found: list[dict[str, Any] | None] = []
    for step in steps:
        try:
            found.append(dict(measured(program.run([step])[0])))
        except Exception:  # noqa: BLE001 - what a variant does outside its tests is its own affair
            found.append(None)
    return found


def _other(right: dict[str, Any] | None, own: dict[str, Any] | None) -> bool:
    """Return whether two answers of one form hold different numbers."""
    if right is None or own is None or right.keys() != own.keys():
        return False
    if any(right[key].shape != own[key].shape for key in right):
        return False
    return any(not np.allclose(right[key], own[key], rtol=1e-6, atol=1e-9, equal_nan=True) for key in right)
