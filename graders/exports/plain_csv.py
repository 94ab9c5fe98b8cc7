"""A table of marks that anything reads: Moodle's grade import, Brightspace, Blackboard, spreadsheets."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.class_counts import cell
from graders.exports.interface import Assignment, Written
from graders.exports.told import plain
from pytest_symmetry.feedback.text import printable
from pytest_symmetry.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.marks import Mark


@dataclass(frozen=True, slots=True)
class PlainCsv:
    """A row per student. What nobody has decided is empty, never 0; a question nobody decided as well."""

    name: str
    writes: str
    delimiter: str = ","
    decimal: str = "."
    fills_in: str = ""
    approved_only: bool = False

    def export(
        self,
        marks: Sequence[Mark],
        assignment: Assignment,  # noqa: ARG002 - part of the interface
        out: Path,
        into: Path | None = None,  # noqa: ARG002 - part of the interface
    ) -> Written:
        """Write the table; one for spreadsheets begins with a byte order mark, which they look for."""
        elsewhere = list(dict.fromkeys(column for m in marks for column in m.person.ids))
        questions = list(dict.fromkeys(q.question for m in marks for q in m.questions))
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n")
        head = ["student", "name", *elsewhere, "group", "section", "status", "reason", *questions]
        head += ["raw", "deduction", "points", "of", "late", "approved"]
        writer.writerow([_safe(name) for name in head])
        for mark in marks:
            writer.writerow(self._row(mark, elsewhere, questions))
        mark_first = "\ufeff" if self.delimiter == ";" else ""
        write_atomically(out, mark_first + text.getvalue())
        return Written((out,), len(marks))

    def _row(self, mark: Mark, elsewhere: Sequence[str], questions: Sequence[str]) -> list[str]:
        points = {q.question: q.points for q in mark.questions}
        person = mark.person
        who = [mark.student, person.name, *(person.ids.get(c, "") for c in elsewhere)]
        about = [*who, person.group, person.section, mark.status, mark.reason]
        given = [self._number(points.get(q)) for q in questions]
        total = [self._number(p if mark.final else None) for p in (mark.raw, mark.deduction, mark.points)]
        late = _safe(mark.lateness.line)
        end = [self._number(mark.max_points), late, "yes" if mark.approved else "no"]
        return [*map(_safe, about), *given, *total, *end]

    def _number(self, value: float | None) -> str:
        return "" if value is None else plain(value).replace(".", self.decimal)


def _safe(text: str) -> str:
    """Return text that a spreadsheet shows on one line and does not run."""
    return cell(printable(text.replace("\n", " ")))


EXPORTS = (
    PlainCsv("csv", "a table of all marks, comma, for learning platforms"),
    PlainCsv("csv-semicolon", "the same with semicolons and decimal commas, for spreadsheets", ";", ","),
)
