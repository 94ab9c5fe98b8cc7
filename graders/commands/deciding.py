"""What people decide about a graded folder: override, void, approve, forget."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

import typer

from graders import decisions, forgetting
from graders.class_files import write_class, write_pages
from graders.commands.terminal import Author, Graded, Student, Wait, say
from graders.gradebook import FILE, Gradebook, GradebookError
from graders.marks import Mark, marks
from graders.opening import open_gradebook
from graders.report import called
from pytest_symmetry.feedback.text import number, question_words

Question = Annotated[str, typer.Argument(metavar="QUESTION", help="A test's name, as in the report.")]
Reason = Annotated[str, typer.Option(help="Why; students read it on their page.")]
Undo = Annotated[bool, typer.Option("--undo", help="Take the decision back.")]


def override(
    folder: Graded,
    student: Annotated[str, typer.Argument(metavar="[STUDENT]", help="An identifier, or a pseudonym.")] = "",
    question: Annotated[
        str, typer.Argument(metavar="[QUESTION]", help="A test's name, as in the report.")
    ] = "",
    points: Annotated[str, typer.Argument(metavar="[POINTS]", help="What counts from now on.")] = "",
    reason: Reason = "",
    table: Annotated[
        Path | None, typer.Option("--from", help="CSV with the columns student, question, points, reason.")
    ] = None,
    undo: Undo = False,
    author: Author = "",
    wait: Wait = 0.0,
) -> None:
    """Give points by hand, for one question of one student or for a whole table of them."""
    if table is None and not (student and question and (points or undo)):
        msg = "give STUDENT, QUESTION and POINTS, or --from FILE"
        raise typer.BadParameter(msg)
    with _writing(folder, author, wait) as book:
        if undo:
            changed = [decisions.restore(book, student, question, reason)]
        elif table is not None:
            changed = decisions.override(book, decisions.read_overrides(table, reason))
        else:
            changed = decisions.override(book, [decisions.Asked(student, question, points, reason)])
        _say_marks(book, changed, named=table is None)


def void(
    folder: Graded,
    question: Question,
    reason: Reason,
    undo: Undo = False,
    author: Author = "",
    wait: Wait = 0.0,
) -> None:
    """Give everyone who handed in the points of a question."""
    with _writing(folder, author, wait) as book:
        name, changed = decisions.void(book, question, reason, undo=undo)
        counts = f"counts {'as judged again' if undo else 'in full for everyone'}"
        say(f"{question_words(name)} {counts}; the points of {_counted(len(changed), 'student')} changed.")
        _write(book, book.students())


def approve(
    folder: Graded,
    students: Annotated[list[str] | None, typer.Argument(metavar="[STUDENT]...", help="Whose marks.")] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Approve every mark that waits for nobody.")
    ] = False,
    author: Author = "",
    wait: Wait = 0.0,
) -> None:
    """Approve marks: only approved ones are sent. A mark that changes later needs it again."""
    if bool(students) == everyone:
        msg = "name students, or give --all"
        raise typer.BadParameter(msg)
    with _writing(folder, author, wait) as book:
        done = decisions.approve(book, students or ())
        say(f"{len(done.approved)} approved, {len(done.before)} were approved before.")
        names = called(marks(book), names=bool(students))
        for student, why in done.refused:
            say(f"not approved: {names[student]}: {why}")


def forget(
    folder: Graded,
    student: Student,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Wait = 0.0,
) -> None:
    """Erase a student from a graded folder: results, decisions, page and stored work."""
    with _writing(folder, "", wait) as book:
        if not yes:
            typer.confirm("This cannot be taken back. Erase?", abort=True)
        gone = forgetting.forget(book, student)
        rows = f"{_counted(gone.results, 'result')}, {_counted(gone.decisions, 'entry', 'entries')}"
        say(f"Erased: {rows} of the history, page and stored work.")
        say("What lies elsewhere is yours to erase: the folder of submissions, exports, copies, the LMS.")


@contextlib.contextmanager
def _writing(folder: Path, author: str, wait: float) -> Iterator[Gradebook]:
    if not (folder / FILE).is_file():
        msg = f"{folder}: there is no gradebook in it; give a folder that `symmetry grade` wrote"
        raise GradebookError(msg)
    with open_gradebook(folder, author=author or None, patience=wait) as book:
        forgetting.finish(book)
        yield book


def _say_marks(book: Gradebook, changed: Collection[str], *, named: bool) -> None:
    found = _write(book, changed)
    names = called(found, names=named)
    for mark in found:
        if mark.student in changed:
            waits = f" ({mark.status}: {mark.reason})" if not mark.final else ""
            say(
                f"{names[mark.student]} has {number(mark.points)} of {number(mark.max_points)} points{waits}."
            )


def _write(book: Gradebook, changed: Collection[str]) -> list[Mark]:
    found = write_class(book)
    write_pages(book, [mark for mark in found if mark.student in changed])
    return found


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
