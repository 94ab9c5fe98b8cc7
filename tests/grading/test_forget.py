"""A student erased: nothing of theirs is left in any byte of the folder, and everything else stays."""

import hashlib

import pytest
from small_class import grade
from typer.testing import CliRunner

from graders import cli, forgetting
from graders.history import Kind
from graders.marks import marks
from graders.opening import open_gradebook, read_gradebook


@pytest.fixture
def graded(graded_class):
    """Ben has an override, an approval and a reason that names nobody else."""
    out = graded_class / "graded"
    for command in (
        ["override", str(out), "ben", "gradients", "2", "--reason", "a reason of their own"],
        ["void", str(out), "start", "--reason", "unclear"],
        ["approve", str(out), "--all"],
    ):
        assert 0 == CliRunner().invoke(cli.app, command).exit_code
    return out


def traces(folder, *secrets):
    """Return the files in which, or in whose names, one of some texts is found."""
    return [
        path.name
        for path in folder.rglob("*")
        if any(s in path.name or (path.is_file() and s.encode() in path.read_bytes()) for s in secrets)
    ]


def of_student(folder, student):
    """Return what tells who a student is: file, hash of the work, pseudonym, words of the override."""
    with read_gradebook(folder) as book:
        pseudonym = book.pseudonym(student)
    work = (folder.parent / "inbox" / f"{student}.ipynb").read_bytes()
    return f"{student}.ipynb", hashlib.sha256(work).hexdigest(), pseudonym, "a reason of their own"


def test_nothing_is_left_and_nothing_else_changes(graded):
    """Database, its log, pages, stored work, class pages: searched byte for byte."""
    secrets = of_student(graded, "ben")
    with read_gradebook(graded) as book:
        before = {m.student: m for m in marks(book)}
        events = [e for e in book.history() if e.student != "ben"]
    assert {"gradebook.sqlite", "results.jsonl", "class-staff.html"} <= set(traces(graded, *secrets))
    done = CliRunner().invoke(cli.app, ["forget", str(graded), "ben", "--yes"])

    assert 0 == done.exit_code
    assert "Erased: 1 result, 3 entries of the history, page and stored work." in done.output
    assert "What lies elsewhere is yours to erase" in done.output
    assert [] == traces(graded, *secrets)
    with read_gradebook(graded) as book:
        assert {s: m for s, m in before.items() if s != "ben"} == {m.student: m for m in marks(book)}
        assert events == book.history()[:-1]
        assert (Kind.FORGOTTEN, "") == (book.history()[-1].kind, book.history()[-1].student)


def test_an_erasure_that_was_interrupted_is_finished(graded, monkeypatch):
    """By the next command that writes to the folder."""
    secrets = of_student(graded, "ben")

    def killed(_book):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(forgetting, "write_class", killed)
        with pytest.raises(KeyboardInterrupt), open_gradebook(graded) as book:
            forgetting.forget(book, "ben")
    assert "class-staff.html" in traces(graded, *secrets)
    CliRunner().invoke(cli.app, ["approve", str(graded), "ada"])

    assert [] == traces(graded, *secrets)


def test_erasing_is_asked_for_twice(graded):
    """It cannot be taken back."""
    done = CliRunner().invoke(cli.app, ["forget", str(graded), "ben"], input="n\n")

    assert 0 != done.exit_code
    with read_gradebook(graded) as book:
        assert "ben" in [m.student for m in marks(book)]


def test_two_with_the_same_work_stay_two(graded_class, no_workers):
    """Erasing one leaves the other's work."""
    inbox = graded_class / "inbox"
    (inbox / "eve.ipynb").write_bytes((inbox / "ben.ipynb").read_bytes())
    grade(graded_class)
    CliRunner().invoke(cli.app, ["forget", str(graded_class / "graded"), "ben", "--yes"])

    assert 4 == len(list((graded_class / "graded").glob("submissions/*/*.ipynb")))
    with read_gradebook(graded_class / "graded") as book:
        assert 3.0 == {m.student: m.points for m in marks(book)}["eve"]
