"""What a running notebook holds: its names, the cells that were run, and the file that it was opened from.

Nothing here runs the student's code. Outside IPython there are names only.
"""

from __future__ import annotations

import ast
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.feedback.remarks import saved_at
from pytest_symmetry.remote.live import live_namespace
from pytest_symmetry.submission import read_submission

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_symmetry.namespace import Namespace

Cell = tuple[int, str]


@dataclass
class Session:
    """One running notebook. ``cells`` are (number in brackets, text) as IPython ran them, in that order.

    ``typed`` holds the same texts as they were typed; ``file_cells`` are the code cells of the saved file,
    counted from 1.
    """

    names: dict[str, Any]
    cells: Sequence[Cell]
    typed: Mapping[int, str]
    file: Path | None
    file_cells: Sequence[Cell]
    aliases: Mapping[str, Sequence[str]]

    @property
    def saved(self) -> str:
        """When the file was saved, or ""."""
        return saved_at(self.file) if self.file else ""

    @cached_property
    def _run(self) -> Namespace:
        return live_namespace(self.names, self.cells, self.aliases)

    @cached_property
    def _filed(self) -> Namespace:
        return live_namespace({}, self.file_cells, self.aliases)

    def differing(self, functions: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return the functions whose text in the file is older than what ran here, and those where newer.

        Older means that it ran here before, or that the file has none; newer that it never ran here.
        """
        older: list[str] = []
        newer: list[str] = []
        for name in functions if self.file else ():
            ran, filed = self._text(self._run, name), self._text(self._filed, name)
            if ran is None or ran == filed:
                continue
            ran_once = any(filed == _dumped(s.node) for s in self._run.statements if s.definition)
            (older if filed is None or ran_once else newer).append(name)
        return older, newer

    def _text(self, namespace: Namespace, name: str) -> str | None:
        found = [n for n in (name, *self.aliases.get(name, ())) if namespace.node(n)]
        node = namespace.node(found[0]) if found else None
        return _dumped(node[1]) if node else None

    def fresh_cells(self, *, from_file: bool) -> Sequence[Cell]:
        """Return the cells that a fresh start would have: those of the file, or all that were run."""
        return self.file_cells if from_file and self.file else list(self.typed.items())

    def number_of(self, text: str) -> int | None:
        """Return the number in brackets of a cell with this text; None where it was not run."""
        return next(
            (n for n, typed in reversed(list(self.typed.items())) if typed.strip() == text.strip()), None
        )

    def binder_of(self, name: str) -> int | None:
        """Return the number of the newest cell that binds ``name``; None where none does."""
        return next((s.cell for s in reversed(self._run.statements) if name in s.binds), None)


def running_session(
    names: dict[str, Any], notebook: str, file: Path | None, aliases: Mapping[str, Sequence[str]]
) -> Session:
    """Return the notebook that is running now, whose global names are ``names``.

    ``notebook`` is the name of the assignment's notebook, ``file`` is the file where the caller knows it.

    Raises:
        SubmissionError: ``file`` is given and is no notebook.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    history = getattr(shell, "history_manager", None)
    parsed, typed = (
        [(n, text) for n, text in enumerate(getattr(history, kind, ())) if text.strip()]
        for kind in ("input_hist_parsed", "input_hist_raw")
    )
    if file is not None:
        return Session(names, parsed, dict(typed), file, read_submission(file).cells, aliases)
    texts = {text.strip() for _, text in typed}
    for path, certain in _candidates(names, notebook):
        try:
            cells = read_submission(path).cells
        except SubmissionError:
            continue
        if certain or any(text.strip() in texts for _, text in cells if text.strip()):
            return Session(names, parsed, dict(typed), path, cells, aliases)
    return Session(names, parsed, dict(typed), None, (), aliases)


def _candidates(names: Mapping[str, Any], notebook: str) -> list[tuple[Path, bool]]:
    """Return where the notebook may lie, with whether the front end itself says so.

    VS Code leaves the path in a name of the notebook, Jupyter's server in the kernel's environment.
    """
    said = (names.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME"))
    certain = [(Path(str(path)), True) for path in said if path and str(path).endswith(".ipynb")]
    return [(path, sure) for path, sure in [*certain, (Path(notebook), False)] if path.is_file()]


def _dumped(node: ast.stmt) -> str:
    return ast.dump(node)
