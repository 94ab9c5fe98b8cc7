"""What formats may know of a graded folder beside its marks: title, pages, the stored work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graders.class_files import student_page_of
from graders.exports.interface import Assignment
from graders.stored import stored

if TYPE_CHECKING:
    from pathlib import Path

    from graders.gradebook import Gradebook
    from graders.marks import Mark


def assignment_of(book: Gradebook, column: str = "") -> Assignment:
    """Return what formats may know; ``column`` is as :class:`graders.exports.interface.Assignment` has it."""

    def work(mark: Mark) -> Path | None:
        sha256 = mark.result.sha256 if mark.result is not None else ""
        return stored(book.path.parent, mark.pseudonym, sha256)

    return Assignment(
        name=book.header("assignment") or "",
        title=book.header("title") or "",
        reveal=book.header("reveal") or "hint",
        column=column,
        page=lambda mark: student_page_of(book, mark),
        work=work,
    )
