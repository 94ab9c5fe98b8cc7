"""Moodle's grading worksheet, as a teacher downloads it: whose each row is.

Columns are those of Moodle's mod/assign/gradingtable.php in English; the importer finds them by these words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.exports.matching import Known
from graders.exports.tables import Table, find_column, read_table

if TYPE_CHECKING:
    from pathlib import Path

_IDS = ("Email address", "Username", "ID number")
_PARTICIPANT = re.compile(r"Participant\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Worksheet:
    """The file, and what its rows say of people."""

    table: Table
    people: dict[int, Known]
    identifier: int

    def participant(self, row: int) -> str:
        """Return the number that Moodle gives a participant of this assignment."""
        found = _PARTICIPANT.fullmatch(self.table.rows[row].value(self.identifier))
        return found[1] if found else ""

    def column(self, name: str) -> int:
        """Return a column that must be there.

        Raises:
            ExportError: it is not.
        """
        return _needed(self.table, name)


def read_worksheet(path: Path) -> Worksheet:
    """Read a worksheet.

    Raises:
        ExportError: it is none, or a row has no participant.
    """
    table = read_table(path, ",")
    identifier, name = _needed(table, "Identifier"), find_column(table, ["Full name"])
    ids = [n for n in (find_column(table, [c]) for c in _IDS) if n is not None]
    sheet = Worksheet(table, {}, identifier)
    for number, row in enumerate(table.rows[1:], start=1):
        if len(row.cells) != len(table.header):
            problem = (
                f"the row has {len(row.cells)} cells and the header {len(table.header)}; download it again"
            )
            raise table.wrong(row.line, "", problem)
        if not (participant := sheet.participant(number)):
            problem = f'it is {row.value(identifier)!r}, but must be like "Participant 12"; download it again'
            raise table.wrong(row.line, "Identifier", problem)
        known = (row.value(identifier), participant, *(row.value(n) for n in ids))
        sheet.people[number] = Known(known, row.value(name))
    return sheet


def _needed(table: Table, name: str) -> int:
    if (found := find_column(table, [name])) is None:
        problem = f"no column is called {name!r}; download the grading worksheet with Moodle in English"
        raise table.wrong(table.rows[0].line, "", problem)
    return found
