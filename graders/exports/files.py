"""Where an export's files lie, and how they appear: whole or not at all."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.exports.interface import ExportError, LeftOut, Written
from pytest_symmetry.feedback.html import page_file
from pytest_symmetry.writing import write_atomically, write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graders.marks import Mark

_THEN = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive, so that the same marks give the same bytes."""


def label(mark: Mark) -> str:
    """Return what stands for a student in the names of files: the pseudonym."""
    return mark.pseudonym or page_file(mark.student).removesuffix(".html")


def one_each(
    marks: Sequence[Mark], out: Path, content: Callable[[Mark], Any], left_out: LeftOut, suffix: str = ".json"
) -> Written:
    """Write a JSON file for each mark: ``out`` itself for one student, a file below it for several.

    Raises:
        ExportError: there is nobody, or ``out`` is one file for several students.
    """
    require_somebody(marks, left_out)
    single = out.suffix == suffix
    if single and len(marks) > 1:
        msg = (
            f"{out}: this format is one file a student, and there are {len(marks)}; give a folder as --out, "
            "or name one with --student"
        )
        raise ExportError(msg)
    paths = []
    for mark in marks:
        path = out if single else out / f"{label(mark)}{suffix}"
        write_atomically(path, as_json(content(mark)), durable=False)
        paths.append(path)
    return Written(tuple(paths), len(paths), tuple(left_out.students))


def require_somebody(marks: Sequence[object], left_out: LeftOut) -> None:
    """Refuse to write a file about nobody.

    Raises:
        ExportError: there are no marks.
    """
    if not marks:
        why = dict.fromkeys(reason for _, reason in left_out.students)
        msg = f"nothing was written: there is no mark to write{' (' + '; '.join(why) + ')' if why else ''}"
        raise ExportError(msg)


def as_json(data: Any) -> str:
    """Return data as JSON text; NaN and infinities are refused, which no platform reads."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def write_zip(out: Path, files: Mapping[str, str]) -> None:
    """Write texts as an archive: the same texts give the same bytes."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            about = zipfile.ZipInfo(name, _THEN)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            archive.writestr(about, text.encode("utf-8", "backslashreplace"))
    write_bytes_atomically(out, memory.getvalue())
