"""What a graded folder shows beside its gradebook: results.jsonl, a page per student, pages about the class.

All of it follows from the gradebook and the stored submissions; nothing runs. Written again, it is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graders.class_counts import class_csv
from graders.class_page import class_page
from graders.effective import corrections_shown, effective_line, effective_result
from graders.gradebook import to_text
from graders.marks import counting, marks
from graders.pseudonyms import seed_mark
from graders.stored import stored
from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.feedback.html import Decided, student_page
from pytest_symmetry.findings import Result
from pytest_symmetry.submission import read_submission
from pytest_symmetry.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Collection

    from graders.gradebook import Gradebook
    from graders.marks import Mark

FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True)
class Count:
    """How far a class is: ``graded`` of ``total`` who handed in have a result."""

    graded: int
    total: int

    @property
    def whole(self) -> bool:
        """Whether everyone who handed in has a result."""
        return self.graded == self.total

    def __str__(self) -> str:
        return f"{self.graded} of {self.total} graded"


def page_path(out: Path, pseudonym: str) -> Path:
    """Return where a student's page lies."""
    return out / FEEDBACK / f"{pseudonym}.html"


def page_is_there(out: Path, mark: Mark) -> bool:
    """Return whether the page of a mark is there, and not as empty as a power failure leaves it."""
    path = page_path(out, mark.pseudonym)
    return path.is_file() and path.stat().st_size > 0


def count(book: Gradebook) -> Count:
    """Return how far the class of a gradebook is."""
    done = counting(book.history())
    return Count(len(done), len({*book.students(), *done}))


def write_class(book: Gradebook) -> list[Mark]:
    """Write what concerns the whole class, from the marks as they count; return these."""
    out = book.path.parent
    found = marks(book)
    numbers = counting(book.history())
    handed_in = [mark for mark in found if mark.result is not None]
    lines = [effective_line(mark, book.judged(numbers[mark.student]).line) for mark in handed_in]
    results = [Result.from_json(line) for line in lines]
    write_atomically(out / "results.jsonl", "".join(f"{to_text(line)}\n" for line in lines))
    write_atomically(out / "class.csv", class_csv(results))
    for name, with_names in (("class.html", False), ("class-staff.html", True)):
        page = class_page(
            results,
            title=book.header("title") or "",
            names=with_names,
            expected=count(book).total,
            page_of=lambda student: page_path(out, book.pseudonym(student)).name,
        )
        write_atomically(out / name, page)
    return found


def write_pages(book: Gradebook, found: Collection[Mark]) -> None:
    """Write the pages of these marks again, with what people decided."""
    for mark in found:
        page = student_page_of(book, mark)
        if page is not None:
            write_atomically(page_path(book.path.parent, mark.pseudonym), page, durable=False)


def student_page_of(book: Gradebook, mark: Mark) -> str | None:
    """Return the page of a mark, None where there is no result yet."""
    result = effective_result(mark)
    if result is None:
        return None
    return student_page(
        result,
        title=book.header("title") or "",
        reveal=book.header("reveal") or "hint",
        source=_cells(stored(book.path.parent, mark.pseudonym, result.sha256)),
        decided=Decided(corrections_shown(mark), mark.deduction, mark.lateness.line),
        seed_mark=seed_mark(book.settle_key(), result.seed),
    )


def _cells(path: Path | None) -> dict[int, str]:
    if path is None:
        return {}
    try:
        return dict(read_submission(path).cells)
    except SubmissionError:
        return {}
