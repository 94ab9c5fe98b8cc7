"""One student erased from a graded folder: rows, pages, stored work, and what SQLite would leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders import stored
from graders.class_files import notebook_path, page_path, write_class
from graders.decisions import find_student
from graders.history import Event, Kind
from graders.marks import marks

if TYPE_CHECKING:
    from graders.gradebook import Gradebook

_UNFINISHED = "erasing"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased: how many results and decisions."""

    results: int
    decisions: int


def forget(book: Gradebook, student: str) -> Forgotten:
    """Erase a student; what was decided about others, and about all, stays as it is.

    Files go first and rows last, so that a run that is killed in between can be repeated. What the database
    held is overwritten, not only unlinked: deleted pages are zeroed (secure_delete), the file is rebuilt
    (VACUUM), and the log of changes is emptied.

    Raises:
        DecisionError: there is no such student.
    """
    finish(book)
    mark = find_student(marks(book), student, str(book.path.parent))
    out = book.path.parent
    stored.tidy(out)
    stored.erase(out, mark.pseudonym)
    page_path(out, mark.pseudonym).unlink(missing_ok=True)
    notebook_path(out, mark.pseudonym).unlink(missing_ok=True)
    book.set_headers(**{_UNFINISHED: "yes"})
    erased = book.erase(mark.student)
    book.record(Event(0, Kind.FORGOTTEN))
    finish(book)
    return Forgotten(*erased)


def finish(book: Gradebook) -> None:
    """Finish an erasure that was interrupted, if there is one."""
    if book.header(_UNFINISHED) != "yes":
        return
    write_class(book)
    book.rebuild()
    book.set_headers(**{_UNFINISHED: "no"})
