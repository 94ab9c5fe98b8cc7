"""The functions of a running notebook, answering as a student's process does.

They stay where they are, in this process: no file, no copy of them, no limit on their time. Arguments and
results are copied as on their way through a pipe, so that a check sees the same here and there.
"""

from __future__ import annotations

import functools
import linecache
import traceback
from typing import TYPE_CHECKING, Any

from pytest_symmetry.namespace import Namespace, Statement, bound_names, is_definition, parse_leniently
from pytest_symmetry.remote.child import Server
from pytest_symmetry.remote.process import InProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Cell = tuple[int, str]


class LiveProcess(InProcess):
    """Answers with the objects in ``names``; ``cells`` are the cells that were run, in their order.

    The cells tell where a function stands and whether it is still the template's stub. They are not run.
    """

    isolation = "level 0 (open: in the notebook)"

    def __init__(self, names: dict[str, Any], cells: Sequence[Cell]) -> None:
        super().__init__()
        self._names = names
        self._cells = cells

    def ask(self, frame: bytes, seconds: float, serve: Any) -> dict[str, Any]:
        """Answer a frame here."""
        if self._server is None:
            self._server = _LiveServer(self._names, self._cells, self._callback(serve))
        return super().ask(frame, seconds, serve)


class _LiveServer(Server):
    """A server whose namespace is there already."""

    def __init__(self, names: dict[str, Any], cells: Sequence[Cell], ask: Any) -> None:
        super().__init__(ask)
        self._names = names
        self._cells = cells

    def _open(self, message: dict[str, Any], _frame: bytes) -> dict[str, Any]:
        self.namespace = live_namespace(self._names, self._cells, message["aliases"])
        return {"result": None, "problems": []}

    def _trouble(self, error: BaseException, name: str | None) -> dict[str, Any]:
        reply = super()._trouble(error, name)
        frames = [
            traceback.FrameSummary(f"<cell {cell}>", f.lineno, f.name, line=f.line)
            for f in traceback.extract_tb(error.__traceback__)
            if (cell := cell_number(f.filename, self._cells)) is not None
        ]
        said = traceback.format_list(frames[-8:]) + traceback.format_exception_only(error)
        reply["trouble"]["traceback"] = "".join(said)[:8000]
        if frames:
            last = frames[-1]
            number = int(last.filename.removeprefix("<cell ").removesuffix(">"))
            reply["trouble"].update(cell=number, line=last.lineno, function=last.name)
        return reply


def live_namespace(
    names: dict[str, Any], cells: Sequence[Cell], aliases: Mapping[str, Sequence[str]]
) -> Namespace:
    """Return a namespace whose names are bound already, by cells that will not be run again."""
    statements = [statement for number, text in cells for statement in _statements(number, text)]
    return Namespace(list(cells), aliases=aliases, names=names, statements=statements)


@functools.lru_cache(maxsize=4000)
def _statements(number: int, text: str) -> tuple[Statement, ...]:
    """Return the statements of a cell, as run: a long session must not be parsed again for each check."""
    tree, _, _ = parse_leniently(text, number, f"<cell {number}>")
    return tuple(
        Statement(number, node, bound_names(node), is_definition(node), done=True) for node in tree.body
    )


def cell_number(filename: str, cells: Sequence[Cell]) -> int | None:
    """Return the number of the newest cell whose code was compiled under ``filename``; None for libraries."""
    if not filename.startswith("<") and not filename.endswith(".py"):
        return None
    text = "".join(linecache.getlines(filename)).strip()
    return next((number for number, source in reversed(cells) if text and source.strip() == text), None)
