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
from graders.telling import outdated, pages_are_seen_to, policy_of, reveal_for
from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.feedback.html import Decided, student_page
from pytest_symmetry.findings import Result
from pytest_symmetry.submission import read_submission
from pytest_symmetry.writing import write_atomically, write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from graders.gradebook import Gradebook
    from graders.marks import Mark

FEEDBACK = "feedback"
STAFF_PAGE = "class-staff.html"


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


def notebook_path(out: Path, pseudonym: str) -> Path:
    """Return where a student's annotated notebook lies, where there is one."""
    return out / FEEDBACK / f"{pseudonym}.notebook.html"


def has_notebooks(book: Gradebook) -> bool:
    """Return whether annotated notebooks were asked for; once they were, they are kept up."""
    return book.header("notebooks") == "yes"


def count(book: Gradebook) -> Count:
    """Return how far the class of a gradebook is."""
    done = counting(book.history())
    return Count(len(done), len({*book.students(), *done}))


def write_class(book: Gradebook, found: list[Mark] | None = None) -> list[Mark]:
    """Write what concerns the whole class, from the marks as they count; return these.

    ``found`` are the marks, where they have been worked out already.
    """
    out = book.path.parent
    found = marks(book) if found is None else found
    numbers = counting(book.history())
    handed_in = [mark for mark in found if mark.result is not None]
    lines = (effective_line(mark, book.judged(numbers[mark.student]).line) for mark in handed_in)
    texts = (f"{to_text(line)}\n".encode("utf-8", "backslashreplace") for line in lines)
    write_bytes_atomically(out / "results.jsonl", texts)
    results = _results_of(handed_in)
    write_atomically(out / "class.csv", class_csv(results))
    for name, with_names in (("class.html", False), (STAFF_PAGE, True)):
        write_atomically(out / name, _about_class(book, results, names=with_names))
    return found


def _about_class(book: Gradebook, results: Sequence[Result], **shown: Any) -> str:
    """Return a page about the class."""

    def notebook_of(student: str) -> str:
        path = notebook_path(book.path.parent, book.pseudonym(student))
        return path.name if path.is_file() else ""

    return class_page(
        results,
        title=book.header("title") or "",
        expected=count(book).total,
        page_of=lambda student: page_path(book.path.parent, book.pseudonym(student)).name,
        notebook_of=notebook_of,
        **shown,
    )


def effective_results(book: Gradebook) -> list[Result]:
    """Return the results of a class as they count, students in order."""
    return _results_of(marks(book))


def _results_of(found: Iterable[Mark]) -> list[Result]:
    results = (effective_result(mark) for mark in found)
    return [result for result in results if result is not None]


def write_comparison(book: Gradebook, before: Sequence[Result]) -> Path:
    """Write the class page that compares with the results of an earlier run; return where it is."""
    target = book.path.parent / "class-compared.html"
    write_atomically(target, _about_class(book, effective_results(book), before=before))
    return target


def write_suspicions(book: Gradebook, records: Sequence[Mapping[str, Any]]) -> Path:
    """Write the staff's page with what a person should look at, and nothing else; return where it is."""
    target = book.path.parent / STAFF_PAGE
    page = _about_class(book, effective_results(book), names=True, suspicious=records)
    write_atomically(target, page)
    return target


def write_pages(book: Gradebook, found: Collection[Mark], now: datetime | None = None) -> None:
    """Write the pages of these marks again, with what people decided and what may be said ``now``."""
    for mark in found:
        if mark.result is not None:
            _write_page(book, mark, now)


def _write_page(book: Gradebook, mark: Mark, now: datetime | None) -> None:
    """Write a page, then the annotated notebook that it links: where that is there, both are."""
    out, result = book.path.parent, effective_result(mark)
    assert result is not None
    path, target = page_path(out, mark.pseudonym), notebook_path(out, mark.pseudonym)
    work = stored(out, mark.pseudonym, result.sha256) if has_notebooks(book) else None
    link = target.name if work is not None else ""
    write_atomically(path, student_page_of(book, mark, now, notebook=link) or "", durable=False)
    if work is None:
        return
    from pytest_symmetry.feedback.annotated import write_annotated

    title, reveal = book.header("title") or "", reveal_for(policy_of(book), mark.person.due, now)
    try:
        write_annotated(target, work, result, title=title, reveal=reveal)
    except SubmissionError:  # nothing that Jupyter could open either: the page alone
        write_atomically(path, student_page_of(book, mark, now) or "", durable=False)


def refresh(
    book: Gradebook, now: datetime, changed: Collection[str] = (), everyone: Sequence[Mark] | None = None
) -> int:
    """Write the pages of those who ``changed``, those that are missing, and those that may say more by now.

    ``everyone`` are the marks, where they have been worked out already. Return how many.
    """
    everyone = marks(book) if everyone is None else everyone
    found = [mark for mark in everyone if mark.result is not None]
    asked = {*changed, *outdated(book, found, now)}
    todo = [mark for mark in found if mark.student in asked or not _is_there(book, mark)]
    write_pages(book, todo, now)
    pages_are_seen_to(book, everyone, now)
    return len(todo)


def _is_there(book: Gradebook, mark: Mark) -> bool:
    out = book.path.parent
    if not page_is_there(out, mark):
        return False
    if not has_notebooks(book) or notebook_path(out, mark.pseudonym).is_file():
        return True
    return mark.result is None or stored(out, mark.pseudonym, mark.result.sha256) is None


def student_page_of(
    book: Gradebook, mark: Mark, now: datetime | None = None, *, notebook: str = ""
) -> str | None:
    """Return the page of a mark as it may be shown ``now`` (None: at this moment); None without a result.

    ``notebook`` is the file of the annotated notebook beside it, "" for none.
    """
    result = effective_result(mark)
    if result is None:
        return None
    return student_page(
        result,
        title=book.header("title") or "",
        reveal=reveal_for(policy_of(book), mark.person.due, now),
        source=_cells(stored(book.path.parent, mark.pseudonym, result.sha256)),
        decided=Decided(corrections_shown(mark), mark.deduction, mark.lateness.line),
        seed_mark=seed_mark(book.settle_key(), result.seed),
        notebook=notebook,
    )


def _cells(path: Path | None) -> dict[int, str]:
    if path is None:
        return {}
    try:
        return dict(read_submission(path).cells)
    except SubmissionError:
        return {}
