"""A teacher's CSV: cells are read and changed in place; every other byte stays as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.exports.interface import ExportError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

_BOM = "\ufeff"
_MOST_BYTES = 50 << 20
_END = re.compile(r"\r\n|\n|\r|\Z")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what it says, and where it stands in the text of the file."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells, its first line in the file, and where it stands, its line end included."""

    cells: tuple[Cell, ...]
    line: int
    start: int
    end: int

    def value(self, column: int | None) -> str:
        """Return what a cell says, without spaces around it; "" where the row has no such cell."""
        return self.cells[column].value.strip() if column is not None and column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file of comma- or semicolon-separated values; ``rows`` includes the header and no empty line."""

    path: Path
    text: str
    delimiter: str
    rows: tuple[Row, ...]

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [cell.value.strip() for cell in self.rows[0].cells]

    def wrong(self, line: int, column: str, problem: str) -> ExportError:
        """Return the error that names a cell of this file."""
        where = f", line {line}" + (f", column {column}" if column else "")
        return ExportError(f"{self.path}{where}: {problem}")

    def changed(self, cells: Mapping[tuple[int, int], str], keep: Collection[int] | None = None) -> str:
        """Return the text with new values of cells, by (row, column), and of all rows only those to keep."""
        by_row: dict[int, dict[int, str]] = {}
        for (row_number, column), value in cells.items():
            by_row.setdefault(row_number, {})[column] = value
        parts = []
        for number, row in enumerate(self.rows):
            before = self.rows[number - 1].end if number else 0
            if keep is None:
                parts.append(self.text[before : row.start])
            elif number not in keep:
                continue
            parts.append(self._row(row, by_row.get(number, {})))
        end = self.text[self.rows[-1].end :] if keep is None else ""
        mark = _BOM if self.text.startswith(_BOM) and keep is not None else ""
        return mark + "".join([*parts, end])

    def _row(self, row: Row, cells: Mapping[int, str]) -> str:
        text, at = [], row.start
        for column in sorted(cells):
            cell = row.cells[column]
            text += [self.text[at : cell.start], self._written(cells[column], cell)]
            at = cell.end
        return "".join([*text, self.text[at : row.end]])

    def _written(self, value: str, old: Cell) -> str:
        special = any(c in value for c in f'{self.delimiter}"\r\n') or value != value.strip()
        if special or self.text[old.start : old.start + 1] == '"':
            return '"' + value.replace('"', '""') + '"'
        return value


def read_table(path: Path, delimiters: str = ",;") -> Table:
    """Read a teacher's file; the delimiter is the one of ``delimiters`` that parts the header most often.

    Raises:
        ExportError: it cannot be read, is not UTF-8, is empty, or a quote in it is never closed.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        msg = f"{path}: it cannot be read: {error.strerror}"
        raise ExportError(msg) from None
    if len(raw) > _MOST_BYTES:
        msg = f"{path}: it is larger than {_MOST_BYTES >> 20} MB; give the file as the platform made it"
        raise ExportError(msg)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = (
            f"{path}: byte {error.start} is not UTF-8; download it again, and do not save it in a spreadsheet"
        )
        raise ExportError(msg) from None
    first = re.match(r"\ufeff?([^\r\n]*)", text)
    head = first[1] if first else ""
    delimiter = max(delimiters, key=head.count)
    rows = tuple(row for row in _rows(path, text, delimiter) if any(c.value.strip() for c in row.cells))
    if not rows:
        msg = f"{path}: it is empty; download it again"
        raise ExportError(msg)
    return Table(path, text, delimiter, rows)


def _rows(path: Path, text: str, delimiter: str) -> Iterable[Row]:
    bare = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
    quoted = re.compile(rf'"([^"]*(?:""[^"]*)*)"([^{re.escape(delimiter)}\r\n]*)')
    at, line = (1 if text.startswith(_BOM) else 0), 1
    while at < len(text):
        start, cells = at, []
        while True:
            cell = _cell(path, text, at, line, (bare, quoted))
            cells.append(cell)
            at = cell.end
            if text[at : at + 1] != delimiter:
                break
            at += 1
        ended = _END.match(text, at)
        at = ended.end() if ended else len(text)
        yield Row(tuple(cells), line, start, at)
        line += len(re.findall(r"\r\n|\n|\r", text[start:at]))


def _cell(path: Path, text: str, at: int, line: int, forms: tuple[re.Pattern[str], re.Pattern[str]]) -> Cell:
    bare, quoted = forms
    if text[at : at + 1] != '"':
        match = bare.match(text, at)
        end = match.end() if match else at
        return Cell(text[at:end], at, end)
    closed = quoted.match(text, at)
    if closed is None:
        msg = f"{path}, line {line}: a quote is opened and never closed; download the file again"
        raise ExportError(msg)
    return Cell(closed[1].replace('""', '"') + closed[2], at, closed.end())


def find_column(table: Table, names: Sequence[str]) -> int | None:
    """Return the column that is called one of ``names``, without regard to case; None where none is.

    Raises:
        ExportError: several are.
    """
    wanted = {name.casefold() for name in names}
    found = [number for number, name in enumerate(table.header) if name.casefold() in wanted]
    if len(found) > 1:
        raise table.wrong(
            table.rows[0].line, names[0], "there are several columns of that name; delete all but one"
        )
    return found[0] if found else None
