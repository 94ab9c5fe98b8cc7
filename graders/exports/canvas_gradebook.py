"""Canvas's gradebook CSV: one column of the teacher's export is filled in, all else stays as it is.

The rules are those of canvas-lms (lib/gradebook_importer.rb, lib/gradebook_exporter.rb).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.exports.files import require_somebody
from graders.exports.interface import Assignment, LeftOut, Written, is_excused
from graders.exports.matching import Known, match
from graders.exports.tables import Table, find_column, read_table
from graders.exports.told import plain
from pytest_symmetry.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.marks import Mark

_IDS = ("ID", "SIS User ID", "SIS Login ID", "Integration ID")
_TITLE = re.compile(r"(?P<title>.*?)\s*\((?P<id>\d+)\)", re.DOTALL)
_LOCKED = "(read only)"
_KEPT = ("EX", "N/A")
"""What a teacher decided in Canvas: excused, and not assigned. It stays."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where in the file things are: the column to fill in, that of the points, the students' rows."""

    column: int
    maximum: float
    maximum_line: int
    students: dict[int, Known]


@dataclass(frozen=True, slots=True)
class CanvasGradebook:
    """Points of approved marks, ``EX`` for who is excused; who waits for a person is left as it was."""

    name: str = "canvas"
    writes: str = "Canvas's gradebook, one column filled in"
    fills_in: str = "the gradebook exported from Canvas"
    approved_only: bool = True

    def export(
        self, marks: Sequence[Mark], assignment: Assignment, out: Path, into: Path | None = None
    ) -> Written:
        """Fill in the column of the assignment."""
        assert into is not None  # fills_in asks for it
        table = read_table(into)
        places = _places(table, assignment)
        left_out = LeftOut()
        excused = [mark for mark in marks if is_excused(mark)]
        graded = left_out.graded([mark for mark in marks if not is_excused(mark)])
        for mark in graded:
            _require_maximum(table, places, mark)
        matched = match([*graded, *excused], places.students)
        left_out.students += matched.left_out
        cells = {}
        for row, mark in matched.rows.items():
            if (old := table.rows[row].value(places.column)).upper() in _KEPT and not is_excused(mark):
                left_out.add(mark, f"the file says {old!r}, and that stays")
                continue
            given = "EX" if is_excused(mark) else plain(mark.points)
            cells[row, places.column] = given.replace(".", ",") if table.delimiter == ";" else given
        require_somebody([matched.rows[row] for row, _ in cells], left_out)
        write_atomically(out, table.changed(cells))
        said = (f"column {table.header[places.column]!r}",)
        return Written((out,), len(cells), tuple(left_out.students), said)


def _require_maximum(table: Table, places: _Places, mark: Mark) -> None:
    if mark.max_points != places.maximum:
        problem = (
            f"it is worth {plain(places.maximum)} points there and {plain(mark.max_points)} in the "
            "gradebook; make them equal in Canvas, and export again"
        )
        raise table.wrong(places.maximum_line, table.header[places.column], problem)


def _places(table: Table, assignment: Assignment) -> _Places:
    column = _column(table, assignment)
    points = next((n for n, row in enumerate(table.rows[:4]) if "Points Possible" in row.value(0)), None)
    if points is None:
        problem = 'no row begins with "Points Possible"; export the gradebook from Canvas and give that file'
        raise table.wrong(table.rows[0].line, "", problem)
    title, line = table.header[column], table.rows[points].line
    said = table.rows[points].value(column)
    if _LOCKED in said:
        raise table.wrong(line, title, "Canvas takes no marks for this column (it is read only)")
    ids = [find_column(table, [name]) for name in _IDS]
    if not any(n is not None for n in ids):
        raise table.wrong(table.rows[0].line, "", f"no column is called {', '.join(_IDS[:-1])} or {_IDS[-1]}")
    students = {}
    for number, row in enumerate(table.rows[points + 1 :], start=points + 1):
        if len(row.cells) <= column:
            problem = (
                f"the row has {len(row.cells)} cells and the header {len(table.header)}; export it again"
            )
            raise table.wrong(row.line, title, problem)
        students[number] = Known(tuple(row.value(n) for n in ids if n is not None), _name(table, number))
    return _Places(column, _number(table, line, title, said), line, students)


def _name(table: Table, row: int) -> str:
    first, last = find_column(table, ["FirstName"]), find_column(table, ["LastName"])
    if first is not None and last is not None:
        return f"{table.rows[row].value(first)} {table.rows[row].value(last)}"
    return table.rows[row].value(find_column(table, ["Student"]))


def _number(table: Table, line: int, title: str, said: str) -> float:
    try:
        return float(said.replace(",", "."))
    except ValueError:
        problem = f"the points possible are {said!r}, but must be a number; export the gradebook again"
        raise table.wrong(line, title, problem) from None


def _column(table: Table, assignment: Assignment) -> int:
    """Return the column of the assignment: only one that Canvas knows, else it would make a new one."""
    titles = {n: m for n, name in enumerate(table.header) if (m := _TITLE.fullmatch(name))}
    wanted = [assignment.column] if assignment.column else [assignment.title, assignment.name]
    keys = {name.strip().casefold() for name in wanted}
    found = [n for n, m in titles.items() if {m[0].casefold(), m["title"].casefold(), m["id"]} & keys]
    if len(found) == 1:
        return found[0]
    shown = ", ".join(repr(table.header[n]) for n in (found or titles)) or "none"
    said = "several columns are" if found else "no column with a number in brackets is"
    problem = f"{said} called {wanted[0]!r}; name one with --column: {shown}"
    raise table.wrong(table.rows[0].line, "", problem)


EXPORTS = (CanvasGradebook(),)
