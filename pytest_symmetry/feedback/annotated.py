"""A student's own notebook with each finding beside the cell that it concerns, as one self-contained page.

nbconvert reads the notebook and strips its outputs, our template shows it. No HTML, script, picture or
address of the student's is taken over: code and outputs are text, prose is rebuilt (:mod:`prose`).
Needs the extra ``grade``.
"""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.feedback.html import Block, CodeLine, source_lines, told_block
from pytest_symmetry.feedback.html import pages as templates
from pytest_symmetry.feedback.ordering import tell
from pytest_symmetry.feedback.prose import prose
from pytest_symmetry.submission import read_submission
from pytest_symmetry.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from markupsafe import Markup
    from nbconvert.exporters import TemplateExporter

    from pytest_symmetry.feedback.ordering import Story, Told
    from pytest_symmetry.findings import Result

_MOST_CELLS = 300
_MOST_LINES = 400
_MOST_COLUMNS = 400
_MOST_OUTPUT = 2000
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Note:
    """A finding beside a cell; ``role`` says what it is to the first one."""

    block: Block
    role: str


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One cell as the page shows it; ``number`` counts code cells from 1, and is None for others."""

    number: int | None
    lines: tuple[CodeLine, ...]
    left_out: int
    prose: Markup | None
    outputs: tuple[str, ...]
    notes: tuple[Note, ...]


@dataclass(slots=True)
class Annotation:
    """What the template asks while it goes through the cells, top to bottom."""

    notes: dict[int | None, list[Note]]
    shown: set[int | None] = field(default_factory=set)
    code_cells: int = 0

    def show(self, cell: Mapping[str, Any]) -> ShownCell:
        """Return the next cell as the page shows it."""
        source = str(cell.get("source", ""))
        if cell.get("cell_type") != "code":
            return ShownCell(None, (), 0, prose(source), (), ())
        self.code_cells += 1
        self.shown.add(self.code_cells)
        notes = self.notes.get(self.code_cells, [])
        marked = {n.block.line for n in notes}
        texts = source_lines(source)
        lines = tuple(
            CodeLine(n, text[:_MOST_COLUMNS], "here" if n in marked else "")
            for n, text in enumerate(texts[:_MOST_LINES], start=1)
        )
        outputs = tuple(text for output in cell.get("outputs", [])[:20] for text in _output(output))
        return ShownCell(self.code_cells, lines, len(texts) - len(lines), None, outputs, tuple(notes))

    def elsewhere(self) -> list[Note]:
        """Return what concerns no cell that was shown."""
        return [note for cell, notes in self.notes.items() if cell not in self.shown for note in notes]


def annotated_page(
    notebook: str, result: Result, *, title: str, reveal: str = "hint", outputs: bool = False
) -> str:
    """Return the page of a notebook with its findings beside the cells.

    ``notebook`` is the text of the .ipynb; ``outputs`` keeps the text of its outputs, which are left out
    otherwise.

    Raises:
        SubmissionError: the text is not a notebook.
        ImportError: nbconvert is not installed (the extra ``grade``).
    """
    annotation = Annotation(_beside(tell(result.tests), reveal))
    resources = {"annotation": annotation, "title": title, "result": result, "most": _MOST_CELLS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about ids and schema versions of somebody else's file
        page, _ = _exporter(outputs=outputs).from_notebook_node(_read(notebook), resources=resources)
    return str(page)


def write_annotated(
    target: Path, submission: Path, result: Result, *, title: str, reveal: str = "hint", outputs: bool = False
) -> None:
    """Write the page of a submission with its findings beside the cells; a script is shown by its cells.

    Raises:
        SubmissionError: ``submission`` is no notebook and no script.
        ImportError: nbconvert is not installed (the extra ``grade``).
        OSError: the page cannot be written.
    """
    notebook = _text(submission)
    write_atomically(target, annotated_page(notebook, result, title=title, reveal=reveal, outputs=outputs))


def _text(submission: Path) -> str:
    """Return the text of a notebook, or of the notebook that a script would be."""
    read = read_submission(submission)  # within its limits, or one sentence says why not
    if submission.suffix.lower() == ".ipynb":
        return submission.read_text(encoding="utf-8-sig")
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "id": f"c{number}", "metadata": {}, "source": text, "outputs": [],
         "execution_count": None}
        for number, text in read.cells
    ]  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def _read(notebook: str) -> Any:
    """Return the notebook as nbformat's node, upgraded to version 4."""
    import nbformat

    try:
        node = nbformat.reads(notebook, as_version=4)  # type: ignore[no-untyped-call] # unannotated
        if not all(isinstance(cell.source, str) for cell in node.cells):
            msg = "a cell has no text"
            raise TypeError(msg)
    except Exception as error:  # noqa: BLE001 - nbformat raises what the file provokes
        msg = f"it is not a notebook that Jupyter could open: {str(error)[:200] or type(error).__name__}"
        raise SubmissionError(msg) from None
    return node


@cache
def _exporter(*, outputs: bool) -> TemplateExporter:
    """Return nbconvert's exporter with our template and our escaping environment."""
    from nbconvert.exporters import TemplateExporter
    from traitlets.config import Config

    class AnnotatedExporter(TemplateExporter):
        """Notebook to page through templates/annotated.html."""

        file_extension = ".html"
        output_mimetype = "text/html"

        def _load_template(self) -> Any:
            return templates().get_template("annotated.html")

    clear = {"ClearOutputPreprocessor": {"enabled": not outputs}}
    return AnnotatedExporter(config=Config({**clear, "TemplateExporter": {"template_name": "base"}}))  # type: ignore[no-untyped-call] # traitlets


def _beside(story: Story, reveal: str) -> dict[int | None, list[Note]]:
    """Return the findings by the cell that they stand beside."""
    notes: dict[int | None, list[Note]] = {}
    for i, (told, role) in enumerate(_roles(story)):
        block = told_block(told, f"finding-{i + 1}", reveal)
        notes.setdefault(told.finding.place.cell, []).append(Note(block, role))
    return notes


def _roles(story: Story) -> Iterator[tuple[Told, str]]:
    """Yield all that is told, with what it is: first, follows, other, note."""
    for told in [*([story.first] if story.first else []), *story.others]:
        yield told, "first" if told is story.first else "other"
        yield from ((consequence, "follows") for consequence in told.consequences)
    yield from ((told, "note") for told in story.notes)


def _output(output: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text of one output; what is not text is only named."""
    kind = output.get("output_type")
    if kind == "stream":
        yield _plain(output.get("text", ""))
    elif kind == "error":
        yield _plain("\n".join(map(str, output.get("traceback", []))))
    elif kind in ("display_data", "execute_result"):
        data = output.get("data", {})
        if "text/plain" in data:
            yield _plain(data["text/plain"])
        yield from (f"({name} is not shown)" for name in data if name.startswith("image/"))


def _plain(text: Any) -> str:
    joined = "".join(map(str, text)) if isinstance(text, list) else str(text)
    return _COLOURS.sub("", joined)[:_MOST_OUTPUT]
