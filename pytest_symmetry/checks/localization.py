"""Where a gradient is wrong: the entries, rows or columns, and the values measured there.

Only a failed check pays for this. Small arrays are measured entry by entry; in large ones a few entries are
drawn, and if most of them are right, the wrong ones are found by halving: one slope along a random
direction tells whether a block of entries holds an error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.differences import SIGMAS, Neighbourhood, draw_direction
from pytest_symmetry.findings import FIGURE_BYTES
from pytest_symmetry.records import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from pytest_symmetry.arrays import FloatArray

ENTRIES = 2000
"""The most entries, over all arrays, that a failure measures one by one."""

SAMPLE = 12
BUDGET = 400
MOST_FOUND = 6
PROPORTIONAL = 1e-5
"""How closely the ratios of measured and claimed slopes agree where they are one number."""

CONFIRMED = 50
"""Up to this many wrong entries, if they are less than half, are asked again whether a kink explains them."""

STAYED = 8
"""Wrong entries that were the same at a smaller step, before the others are taken at their word."""

COARSE = 1e-12
"""Rounding noise of a loss, relative to its value, above which steps are so long that curvature shows."""

GRID = 24
_SMALLEST_SHOWN = 1e-9


@dataclass(frozen=True, slots=True)
class Located:
    """The worst entry found, and what is known of the others.

    ``wrong`` marks the wrong entries where all were measured; ``numerical`` is the whole array then.
    ``rows`` and ``columns`` hold all that are wrong where these are few.
    """

    index: tuple[int, ...]
    student: float
    numerical_value: float
    error_bar: float
    numerical: FloatArray | None = None
    wrong: NDArray[np.bool_] | None = None
    entries: tuple[tuple[int, ...], ...] = ()
    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    widespread: bool = False


@dataclass(slots=True)
class Locator:
    """Measures single entries and blocks of one array at one point."""

    near: Neighbourhood
    name: str
    gradient: FloatArray
    rtol: float
    exact: bool = False
    steps: int = 0
    scale: float = field(init=False)

    def __post_init__(self) -> None:
        self.near.measure_noise()
        self.scale = float(np.linalg.norm(self.gradient)) / max(self.gradient.size, 1) ** 0.5

    def trust_complex(self) -> None:
        """Use the complex step from here on if it agrees with a real difference along a random direction."""
        direction = {self.name: draw_direction(self.near.random, self.gradient.shape)}
        exact = self.near.complex_slope(direction)
        if exact is None:
            return
        step = self.near.base_step(direction)
        near, far = (self.near.difference(direction, s, {self.name: self.gradient}) for s in (step, 2 * step))
        bar = SIGMAS * self.near.noise / step + abs(near.slope - far.slope)
        self.exact = abs(exact - near.slope) <= bar + 1e-6 * abs(near.slope)

    def slope(self, along: FloatArray, shrink: float = 1.0) -> tuple[float, float]:
        """Return the slope along a direction and its error bar."""
        self.steps += 1
        direction = {self.name: along}
        if self.exact and (value := self.near.complex_slope(direction)) is not None:
            return value, 1e-13 * abs(value) + 1e-300
        step = self.near.base_step(direction) / shrink
        measured = self.near.difference(direction, step, {self.name: self.gradient})
        return measured.slope, SIGMAS * self.near.noise / step

    def entry(self, flat: int, shrink: float = 1.0) -> tuple[float, float]:
        """Return the numerical gradient of one entry and its error bar."""
        along = np.zeros(self.gradient.size)
        along[flat] = 1.0
        return self.slope(along.reshape(self.gradient.shape), shrink)

    def entry_wrong(self, flat: int) -> bool:
        """Return whether one entry is wrong, asking again with a smaller step before saying so."""
        claimed = float(self.gradient.flat[flat])
        for shrink in (1.0, 8.0):
            value, bar = self.entry(flat, shrink)
            if not abs(claimed - value) > bar + self.rtol * max(self.scale, abs(value)):
                return False
            if self.exact:
                return True
        return True

    def block_wrong(self, flat: NDArray[np.intp]) -> bool:
        """Return whether some entry of a block is wrong."""
        along = np.zeros(self.gradient.size)
        along[flat] = draw_direction(self.near.random, (len(flat),))
        value, bar = self.slope(along.reshape(self.gradient.shape))
        claimed = float(np.vdot(self.gradient, along.reshape(self.gradient.shape)))
        return abs(claimed - value) > 2 * bar + self.rtol * self.scale

    def halve(self, blocks: list[NDArray[np.intp]], single: Callable[[int], Any]) -> list[int]:
        """Return the positions of wrong blocks, by halving lists of them, up to ``MOST_FOUND``."""
        found: list[int] = []
        stack = [np.arange(len(blocks))]
        while stack and len(found) < MOST_FOUND and self.steps < BUDGET:
            group = stack.pop()
            if len(group) == 1 and single(int(group[0])):
                found.append(int(group[0]))
            elif len(group) > 1 and self.block_wrong(np.concatenate([blocks[i] for i in group])):
                stack += reversed(np.array_split(group, 2))
        return found

    def everywhere(self, tick: Callable[[], None] | None = None) -> tuple[FloatArray, FloatArray]:
        """Measure every entry: the numerical gradient and its error bars.

        Entries that differ are measured again at other steps, so that no kink and no curvature is taken for
        an error; not any more once many have stayed as they were.
        """
        values, bars = np.empty(self.gradient.size), np.empty(self.gradient.size)
        stayed = moved = 0
        coarse = self.near.noise > COARSE * abs(self.near.value)
        for flat in range(self.gradient.size):
            values[flat], bars[flat] = self.entry(flat)
            off = abs(values[flat] - float(self.gradient.flat[flat]))
            suspect = not self.exact and off > bars[flat] + self.rtol * self.scale
            if suspect and (moved or coarse or stayed < STAYED):
                again = self._again(flat, values[flat], bars[flat])
                stayed, moved = stayed + (again is None), moved + (again is not None)
                values[flat], bars[flat] = again or (values[flat], bars[flat])
            if tick:
                tick()
        return values.reshape(self.gradient.shape), bars.reshape(self.gradient.shape)

    def _again(self, flat: int, value: float, bar: float) -> tuple[float, float] | None:
        """Return a better value and bar for an entry, or None where the first is as good."""
        nearer, wider = self.entry(flat, 8.0)
        if abs(nearer - value) > wider + bar:
            return nearer, wider
        farther, _ = self.entry(flat, 0.5)
        if abs(farther - value) > bar:
            return (4 * value - farther) / 3, 2 * bar + abs(farther - value)
        return None

    def all_entries(self, tick: Callable[[], None] | None = None, *, sure: bool = True) -> Located | None:
        """Measure every entry and return the worst; None where every one agrees.

        Unless it is ``sure`` that some are wrong, each one that looks so is asked again about kinks.
        """
        values, bars = self.everywhere(tick)
        off = np.abs(self.gradient - values)
        wrong = np.asarray(off > bars + self.rtol * np.maximum(self.scale, np.abs(values)))
        if not self.exact and wrong.any():
            self._doubt(wrong, values, sure=sure)
        if not wrong.any():
            return None
        flat = int(np.argmax(np.where(wrong, off, -1.0)))
        return self._located(flat, values.flat[flat], bars.flat[flat], numerical=values, wrong=wrong)

    def _doubt(self, wrong: NDArray[np.bool_], values: FloatArray, *, sure: bool) -> None:
        """Take back entries of ``wrong`` that a kink explains."""
        suspects = np.flatnonzero(wrong)
        if len(suspects) <= min(CONFIRMED, wrong.size // 2):
            for suspect in suspects:
                wrong.flat[suspect] = self._confirmed(int(suspect))
        elif not sure:
            # A sample of them: where none is confirmed, the others are kinks as well.
            sample = self.near.random.permutation(suspects)[:CONFIRMED]
            if not any(self._confirmed(int(suspect)) for suspect in sample):
                wrong[...] = False
        errors = np.where(wrong, self.gradient - values, 0.0)
        if not sure and wrong.any() and not self._explain(errors):
            wrong[...] = False

    def _explain(self, errors: FloatArray) -> bool:
        """Return whether the errors of entries show along random directions, as far as these can tell."""
        missing = 0
        for _ in range(3):
            along = draw_direction(self.near.random, self.gradient.shape)
            probe = self.near.careful({self.name: along}, {self.name: self.gradient}, self.scale, self.rtol)
            predicted = abs(float(np.vdot(errors, along)))
            missing += predicted > 2 * probe.bar and abs(probe.residual) < predicted / 2
        return missing < 2

    def _confirmed(self, flat: int) -> bool:
        """Return whether one entry is wrong, by the procedure that tells a mistake from a kink."""
        along = np.zeros(self.gradient.shape)
        along.flat[flat] = 1.0
        probe = self.near.careful({self.name: along}, {self.name: self.gradient}, self.scale, self.rtol)
        return probe.outcome == "differs"

    def search(self) -> Located | None:
        """Find wrong entries of a large array; None where no single one could be confirmed."""
        size = self.gradient.size
        drawn = [int(i) for i in self.near.random.choice(size, min(size, SAMPLE), replace=False)]
        wrong = [flat for flat in drawn if self.entry_wrong(flat)]
        if 4 * len(wrong) >= len(drawn):
            return self._worst(wrong, widespread=True)
        rows, columns = self._lines(0), self._lines(1)
        if rows and (self.gradient.ndim == 1 or len(rows) < MOST_FOUND):
            inside = self._inside(rows[0], columns)
            return self._worst(inside or wrong, rows=rows, columns=columns)
        if columns and len(columns) < MOST_FOUND:
            block = np.arange(size).reshape(self.gradient.shape[0], -1)[:, columns[0]]
            inside = self._single(block)
            return self._worst(inside or wrong, columns=columns)
        return self._worst(wrong) if wrong else None

    def factor(self) -> float | None:
        """Return the number that turns the gradient into the measured one, or None where there is none.

        Three random directions with one ratio between measured and claimed slope leave no other explanation.
        """
        ratios = []
        for _ in range(3):
            along = draw_direction(self.near.random, self.gradient.shape)
            value, bar = self.slope(along)
            claimed = float(np.vdot(self.gradient, along))
            if bar > PROPORTIONAL * abs(claimed):
                return None
            ratios.append(value / claimed)
        middle = sorted(ratios)[1]
        return middle if max(ratios) - min(ratios) <= PROPORTIONAL * abs(middle) else None

    def _lines(self, axis: int) -> list[int]:
        """Return the wrong rows (axis 0) or columns (axis 1), at most ``MOST_FOUND``."""
        grid = np.arange(self.gradient.size).reshape(self.gradient.shape[0], -1)
        lines = list(grid) if axis == 0 else list(grid.T)
        if axis == 1 and len(lines) == 1:
            return []
        return self.halve(lines, lambda i: self.block_wrong(lines[i]))

    def _inside(self, row: int, columns: list[int]) -> list[int]:
        """Return wrong entries of one row, looking first where the wrong columns cross it."""
        block = np.arange(self.gradient.size).reshape(self.gradient.shape[0], -1)[row]
        if 0 < len(columns) < MOST_FOUND:
            crossing = [int(block[c]) for c in columns if self.entry_wrong(int(block[c]))]
            if crossing:
                return crossing
        return self._single(block)

    def _single(self, line: NDArray[np.intp]) -> list[int]:
        """Return the wrong entries of one row or column."""
        found = self.halve(list(line[:, None]), lambda i: self.entry_wrong(int(line[i])))
        return [int(line[i]) for i in found]

    def _worst(
        self,
        flats: Iterable[int],
        *,
        rows: Sequence[int] = (),
        columns: Sequence[int] = (),
        widespread: bool = False,
    ) -> Located | None:
        measured = [(flat, *self.entry(flat)) for flat in flats]
        if not measured:
            return None
        flat, value, bar = max(measured, key=lambda m: abs(m[1] - float(self.gradient.flat[m[0]])))
        entries = tuple(self._index(m[0]) for m in measured)
        return self._located(
            flat,
            value,
            bar,
            entries=entries,
            rows=_all_of(rows),
            columns=_all_of(columns),
            widespread=widespread,
        )

    def _located(self, flat: int, value: float, bar: float, **known: Any) -> Located:
        return Located(self._index(flat), float(self.gradient.flat[flat]), float(value), float(bar), **known)

    def _index(self, flat: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(flat, self.gradient.shape))


def error_map(array: str, student: FloatArray, numerical: FloatArray) -> dict[str, Any]:
    """Return the data of a heat map: each entry's error relative to the largest entry of the array.

    Arrays of more dimensions are laid out with their first axis down; large ones show the largest error of
    each block. Errors below 1e-9 appear as 0, what is not finite as such.
    """
    size = max(*(float(np.abs(a[np.isfinite(a)]).max(initial=0)) for a in (numerical, student)), 1e-300)
    with np.errstate(invalid="ignore"):
        off = np.abs(student - numerical) / size
    grid = off.reshape(off.shape[0], -1) if off.ndim > 1 else off.reshape(1, -1)
    for most in (GRID, 20, 16, 12, 8):
        small = _largest_of_blocks(grid, most)
        errors = [[0 if v <= _SMALLEST_SHOWN else float(f"{v:.2g}") for v in line] for line in small]
        figure = {
            "kind": "error-map",
            "array": array,
            "shape": list(student.shape),
            "scale": "relative to the largest entry",
            "errors": errors,
            "rows": grid.shape[0],
            "cols": grid.shape[1],
        }
        if len(json.dumps(plain(figure))) <= FIGURE_BYTES:
            break
    return figure


def _largest_of_blocks(grid: FloatArray, most: int) -> FloatArray:
    rows = np.array_split(np.arange(grid.shape[0]), min(most, grid.shape[0]))
    columns = np.array_split(np.arange(grid.shape[1]), min(most, grid.shape[1]))
    return np.array([[grid[np.ix_(r, c)].max() for c in columns] for r in rows])


def lines_wrong(wrong: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Return the rows and the columns that hold all wrong entries, where these are a few of many."""
    if wrong.ndim < 2:
        return [], []
    grid = wrong.reshape(wrong.shape[0], -1)
    rows, columns = np.flatnonzero(grid.any(axis=1)), np.flatnonzero(grid.any(axis=0))
    return _few(rows, grid.shape[0]), _few(columns, grid.shape[1])


def _few(lines: NDArray[np.intp], every: int) -> list[int]:
    few = len(lines) < every and 4 * len(lines) <= max(4, every)
    return [int(line) for line in lines] if few else []


def _all_of(lines: Sequence[int]) -> tuple[int, ...]:
    """Return lines found by halving, or none where the search ended before it had all of them."""
    return tuple(lines) if len(lines) < MOST_FOUND else ()
