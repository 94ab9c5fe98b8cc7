"""Moodle's offline grading worksheet: the rows that we graded, filled in, and no others.

The rules are those of Moodle (mod/assign/feedback/offline). A row that is imported rewrites the comment of
its student even where nothing changed, so that rows without a mark of ours are not in the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.class_counts import cell
from graders.exports.files import require_somebody
from graders.exports.interface import Assignment, LeftOut, Written
from graders.exports.matching import match
from graders.exports.tables import find_column
from graders.exports.told import plain, questions, summary
from graders.exports.worksheet import Worksheet, read_worksheet
from pytest_symmetry.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.marks import Mark

_MODIFIED = "Last modified (grade)"
_OURS = re.compile(r"(?:<[^>]*>\s*)*[\d.]+ of [\d.]+ points[.,] ")
"""How a comment begins that an earlier export wrote, with the markup that Moodle puts around it."""


@dataclass(frozen=True, slots=True)
class MoodleWorksheet:
    """Grade and comment of approved marks; a comment that somebody wrote stays, one of ours is renewed."""

    name: str = "moodle"
    writes: str = "Moodle's grading worksheet, the graded rows filled in"
    fills_in: str = "the grading worksheet downloaded from Moodle"
    approved_only: bool = True

    def export(
        self, marks: Sequence[Mark], assignment: Assignment, out: Path, into: Path | None = None
    ) -> Written:
        """Fill in the rows."""
        assert into is not None  # fills_in asks for it
        sheet = read_worksheet(into)
        left_out = LeftOut()
        matched = match(left_out.graded(marks), sheet.people)
        left_out.students += matched.left_out
        cells: dict[tuple[int, int], str] = {}
        commented = find_column(sheet.table, ["Feedback comments"]) is not None
        kept = 0
        for row, mark in matched.rows.items():
            if why := _refusal(sheet, row, mark):
                left_out.add(mark, why)
                continue
            changes = _changes(sheet, row, mark, assignment.reveal)
            cells.update(changes)
            kept += len(changes) == 1 and commented
        rows = {row for row, _ in cells}
        require_somebody([matched.rows[row] for row in rows], left_out)
        write_atomically(out, sheet.table.changed(cells, keep={0, *rows}))
        said = (f"{kept} comments that are there already stay",) if kept else ()
        return Written((out,), len(rows), tuple(left_out.students), said)


def _refusal(sheet: Worksheet, row: int, mark: Mark) -> str:
    """Return why Moodle would not take a mark into this row; "" where it would.

    Raises:
        ExportError: the assignment is worth something else in Moodle.
    """
    table, cells = sheet.table, sheet.table.rows[row]
    sheet.column(_MODIFIED)
    if cells.value(find_column(table, ["Grade can be changed"])).casefold() == "no":
        return "Moodle says that this grade cannot be changed"
    maximum = sheet.column("Maximum grade")
    try:
        most = float(cells.value(maximum))
    except ValueError:
        problem = f"it is {cells.value(maximum)!r}, but must be a number; scales are not filled in"
        raise table.wrong(cells.line, "Maximum grade", problem) from None
    if most != mark.max_points:
        problem = (
            f"it is {plain(most)}, and the gradebook has {plain(mark.max_points)} points; set the maximum "
            "grade in Moodle to that, and download the worksheet again"
        )
        raise table.wrong(cells.line, "Maximum grade", problem)
    return ""


def _changes(sheet: Worksheet, row: int, mark: Mark, reveal: str) -> dict[tuple[int, int], str]:
    changes = {(row, sheet.column("Grade")): plain(mark.points)}
    comments = find_column(sheet.table, ["Feedback comments"])
    if comments is not None:
        old = sheet.table.rows[row].value(comments)
        if not old or _OURS.match(old):
            changes[row, comments] = _comment(mark, reveal)
    return changes


def _comment(mark: Mark, reveal: str) -> str:
    """Return a comment of one line, without markup.

    Moodle reads the file with PHP, for which a backslash takes a quote's meaning away, and shows the comment
    as HTML.
    """
    points = [
        f"{q.words}: {plain(q.points or 0.0)} of {plain(q.max_points)}" for q in questions(mark, reveal)
    ]
    text = " ".join(" - ".join([summary(mark), *points]).split())
    return cell(text.translate({ord('"'): "'", ord("\\"): "/", ord("<"): "(", ord(">"): ")"}))


EXPORTS = (MoodleWorksheet(),)
