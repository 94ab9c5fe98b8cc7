"""What a graded folder shows, to whom and from when: due times, notebooks, comparisons, suspicions."""

import csv
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import small_class
import tiny_course
from typer.testing import CliRunner

from graders import batch, cli, suspicions
from graders.class_files import notebook_path, page_path, refresh, write_class, write_pages
from graders.decisions import Asked, override
from graders.forgetting import forget
from graders.gradebook import GradebookError
from graders.marks import Person, marks
from graders.opening import open_gradebook, read_gradebook

PAST, FUTURE = "2020-01-01T12:00:00+00:00", "2099-01-01T12:00:00+00:00"


def symmetry(*arguments):
    done = CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)
    return done.exit_code, " ".join(done.output.split())


def grade(folder, own=None, **changes):
    """Grade with due times of students' own, saying what the policy of the assignment says."""
    order = small_class.order_for(folder, **changes)
    people = {student: Person(due=time) for student, time in (own or {}).items()}
    order = replace(order, intake=replace(order.intake, people=people))
    return list(small_class.grading_run.carry_out(order, seed=5, jobs=1))


def page(folder, student):
    return path_of(folder, student).read_text(encoding="utf-8")


def path_of(folder, student):
    with read_gradebook(folder / "graded") as book:
        return page_path(folder / "graded", book.pseudonym(student))


def public(folder):
    """Return all bytes that are not for staff alone."""
    out = folder / "graded"
    files = [*out.glob("feedback/*"), out / "class.html", out / "class.csv", out / "results.jsonl"]
    return {file.name: file.read_bytes() for file in files}


@pytest.fixture
def fresh(tmp_path, no_workers):
    """Two students with the same mistake, not graded yet."""
    small_class.write_class(tmp_path)
    shutil.copy(tmp_path / "inbox" / "ben.ipynb", tmp_path / "inbox" / "bob.ipynb")
    return tmp_path


# Each student's own due time


def bodies(folder, *students):
    """Return what the pages of students say, without who they are."""
    return [page(folder, s).replace(s, "") for s in students]


def test_each_students_own_due_time_decides_what_the_page_says(fresh):
    """The same mistake: named to the one whose time is over, left to find to the other."""
    grade(fresh, {"ben": PAST, "bob": FUTURE})
    ben, bob = bodies(fresh, "ben", "bob")
    with open_gradebook(fresh / "graded") as book:
        write_pages(book, marks(book))
        again = bodies(fresh, "ben", "bob")
        levels = book.header("reveal")

    assert ben != bob
    assert len(ben) > len(bob)
    assert [ben, bob] == again
    assert "hint" == levels


def test_pages_are_written_again_when_their_time_is_over(fresh):
    """Without judging; only those whose time came; and the bytes are those of a page made then."""
    grade(fresh, {"ben": PAST, "bob": FUTURE})
    ben, bob = bodies(fresh, "ben", "bob")
    with open_gradebook(fresh / "graded") as book:
        assert 0 == refresh(book, datetime(2098, 12, 31, tzinfo=UTC))
        assert [ben, bob] == bodies(fresh, "ben", "bob")
        assert 1 == refresh(book, datetime(2099, 1, 2, tzinfo=UTC))
        assert "cause" != book.header("reveal")  # others have no due time

    assert [ben, ben] == bodies(fresh, "ben", "bob")


def test_the_next_run_writes_what_may_be_said_by_then(fresh):
    """Also where the policy itself has changed, or somebody was given more time."""
    grade(fresh, {"bob": FUTURE})
    hint = bodies(fresh, "ben", "bob")
    grade(fresh, {"bob": FUTURE}, due=datetime(2020, 1, 1, tzinfo=UTC))
    over = bodies(fresh, "ben", "bob")
    grade(fresh, {"ben": FUTURE, "bob": PAST}, due=datetime(2020, 1, 1, tzinfo=UTC))

    assert hint[0] == hint[1] == over[1] != over[0]
    assert [over[1], over[0]] == bodies(fresh, "ben", "bob")


def test_the_command_writes_pages_again(graded_class):
    """`symmetry report DIR --pages` needs neither inbox nor assignment."""
    before = page(graded_class, "ben")
    shutil.rmtree(graded_class / "inbox")
    with open_gradebook(graded_class / "graded") as book:
        book.set_headers(policy='["hint", "cause", "2020-01-01T00:00:00+00:00"]', pages=PAST)
        book.set_headers(pages="2019-01-01T00:00:00+00:00")
    code, said = symmetry("report", graded_class / "graded", "--pages")

    assert 0 == code
    assert "Pages written again: 5" in said
    assert len(before) < len(page(graded_class, "ben"))


def test_a_gradebook_without_a_policy_says_what_it_said(graded_class):
    """An earlier version kept one word for everybody."""
    with open_gradebook(graded_class / "graded") as book:
        book.connection.execute("DELETE FROM header WHERE key IN ('policy', 'pages')")
        before = page(graded_class, "ben")
        refresh(book, datetime.now(UTC))

    assert before == page(graded_class, "ben")


# What a person decided


def test_a_question_marked_by_hand_says_so(fresh):
    """Not that it still waits for a person."""
    with (fresh / "tiny" / "assignment.toml").open("a", encoding="utf-8") as file:
        file.write("\n[questions.essay]\nmanual = true\npoints = 4\n")
    grade(fresh)
    before = page(fresh, "ada")
    with open_gradebook(fresh / "graded") as book:
        override(book, [Asked("ada", "essay", "3", "a good start")])
        write_pages(book, marks(book))
    after = page(fresh, "ada")

    assert "waits for a person</span>" in before
    assert "waits for a person" not in after
    assert "This question is marked by a person" in before
    assert "This question is marked by a person" not in after
    assert "decided by a person" in after
    assert "Every question is decided" in after
    assert "waits for a person</span>" in page(fresh, "ben")


def test_the_class_page_counts_what_a_person_decided_as_decided(fresh):
    """As passed where all points were given; nothing that is decided is said to wait."""
    with (fresh / "tiny" / "assignment.toml").open("a", encoding="utf-8") as file:
        file.write("\n[questions.essay]\nmanual = true\npoints = 4\n")
    grade(fresh)
    with open_gradebook(fresh / "graded") as book:
        override(book, [Asked(s, "essay", "4", "both say why") for s in ("ada", "ben")])
        override(book, [Asked("bob", "essay", "1", "a beginning")])
        write_class(book)
    rows = list(csv.DictReader((fresh / "graded" / "class.csv").read_text(encoding="utf-8").splitlines()))
    essay = next(row for row in rows if row["name"] == "essay")
    shown = " ".join((fresh / "graded" / "class.html").read_text(encoding="utf-8").split())

    assert ("3", "3", "0") == (essay["decided by a person"], essay["students"], essay["passed"])
    assert "waits for a person" not in essay
    assert "67 %" in shown
    assert "3 decided by a person" in shown


def test_the_staff_page_links_annotated_notebooks_where_there_are_any(fresh):
    """Beside the student's page; not where nobody asked for notebooks, nor on the page for the projector."""
    grade(fresh)
    without = (fresh / "graded" / "class-staff.html").read_text(encoding="utf-8")
    grade(fresh, notebooks=True)
    staff = (fresh / "graded" / "class-staff.html").read_text(encoding="utf-8")
    with read_gradebook(fresh / "graded") as book:
        files = [notebook_path(fresh / "graded", book.pseudonym(s)) for s in ("ada", "ben", "bob")]

    assert ".notebook.html" not in without
    assert all(file.is_file() and f'href="feedback/{file.name}"' in staff for file in files)
    assert ".notebook.html" not in (fresh / "graded" / "class.html").read_text(encoding="utf-8")


def test_a_verdict_that_a_person_corrected_stays_to_be_read(graded_class):
    """What the tests found, and that the points are a person's."""
    with open_gradebook(graded_class / "graded") as book:
        override(book, [Asked("ben", "test_gradients", "3", "an honest try")])
        write_pages(book, marks(book))

    assert "points by a person" in page(graded_class, "ben")
    assert "points by a person" not in page(graded_class, "ada")


# Annotated notebooks


def notebooks(folder):
    return {p.name: p.read_bytes() for p in (folder / "graded" / "feedback").glob("*.notebook.html")}


def test_notebooks_lie_beside_the_pages(fresh):
    """One for each work that can be read, linked, under the pseudonym; none unless asked for."""
    pytest.importorskip("nbconvert")
    grade(fresh)
    assert {} == notebooks(fresh)
    assert ".notebook.html" not in page(fresh, "ben")
    grade(fresh, notebooks=True)
    found = notebooks(fresh)

    assert {path_of(fresh, s).stem + ".notebook.html" for s in ("ada", "ben", "bob", "cho", "dee")} == set(
        found
    )
    for student in ("ada", "ben"):
        assert f'href="./{path_of(fresh, student).stem}.notebook.html"' in page(fresh, student)
    assert ".notebook.html" not in page(fresh, "cut")
    assert b"GRD101" in found[path_of(fresh, "ben").stem + ".notebook.html"]


def test_notebooks_are_gone_on_with(fresh):
    """What is missing is written, what is there stays, new work replaces its own; without asking again."""
    pytest.importorskip("nbconvert")
    grade(fresh, notebooks=True)
    whole, pages = notebooks(fresh), bodies(fresh, "ada", "ben")
    lost = path_of(fresh, "ben").with_suffix(".notebook.html")
    lost.unlink()
    grade(fresh)
    assert whole == notebooks(fresh)
    assert pages == bodies(fresh, "ada", "ben")

    tiny_course.write_submission(fresh / "inbox" / "ben.ipynb")
    grade(fresh)
    changed = {name for name, raw in notebooks(fresh).items() if raw != whole[name]}
    assert {lost.name} == changed
    assert lost.name in page(fresh, "ben")


def test_a_run_broken_off_among_the_notebooks_ends_with_the_same_bytes(fresh, monkeypatch):
    """The next run writes what is missing, page and notebook."""
    annotated = pytest.importorskip("pytest_symmetry.feedback.annotated")
    pytest.importorskip("nbconvert")
    write, written = annotated.write_annotated, []

    def broken_off(target, *rest, **options):
        written.append(target)
        if len(written) == 3:
            raise KeyboardInterrupt
        write(target, *rest, **options)

    monkeypatch.setattr(annotated, "write_annotated", broken_off)
    with pytest.raises(KeyboardInterrupt):
        grade(fresh, notebooks=True)
    assert 2 == len(notebooks(fresh))
    grade(fresh)
    broken = public(fresh)
    monkeypatch.undo()
    monkeypatch.setattr(batch, "_through_workers", small_class.here)
    shutil.rmtree(fresh / "graded")
    grade(fresh, notebooks=True)

    assert public(fresh) == broken


def test_a_forgotten_student_leaves_no_notebook(fresh):
    """Nor a page."""
    pytest.importorskip("nbconvert")
    grade(fresh, notebooks=True)
    stem = path_of(fresh, "ben").stem
    with open_gradebook(fresh / "graded") as book:
        forget(book, "ben")

    assert [] == list((fresh / "graded" / "feedback").glob(f"{stem}*"))


# Two runs compared


def test_two_runs_are_compared(graded_class, no_workers):
    """On a page of its own, without names."""
    shutil.copytree(graded_class / "graded", graded_class / "old")
    tiny_course.write_submission(graded_class / "inbox" / "ben.ipynb")
    small_class.grade(graded_class)
    before = public(graded_class)
    code, said = symmetry("report", graded_class / "graded", "--before", graded_class / "old")
    text = (graded_class / "graded" / "class-compared.html").read_text(encoding="utf-8")

    assert 0 == code
    assert "4 students are in both runs" in said
    assert "1 rose, 0 fell" in said
    assert "Since the earlier run" in text
    assert "ben" not in text
    assert before == public(graded_class)


def test_runs_of_different_people_are_not_compared(graded_class, tmp_path):
    """One sentence, and nothing is written."""
    shutil.copytree(graded_class / "graded", graded_class / "old")
    with open_gradebook(graded_class / "old") as book:
        for student in ("ada", "ben", "cho", "dee"):
            forget(book, student)

    with pytest.raises(GradebookError, match="nobody in it was graded in the earlier run"):
        symmetry("report", graded_class / "graded", "--before", graded_class / "old")
    with pytest.raises(GradebookError, match="there is no gradebook in it"):
        symmetry("report", graded_class / "graded", "--before", tmp_path / "nowhere")
    assert not (graded_class / "graded" / "class-compared.html").exists()


# For staff alone


def test_suspicions_reach_the_staffs_page_and_nobody_else(graded_class):
    """Every other byte stays as it was; the next write of the class takes them off the page again."""
    source = "import autograd\n"
    tiny_course.write_submission(graded_class / "inbox" / "ben.ipynb", extra=[source])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graders.batch._through_workers", small_class.here)
        small_class.grade(graded_class)
    before = public(graded_class)
    code, said = symmetry("report", graded_class / "graded", "--suspicious", "--isolation", "best")
    staff = (graded_class / "graded" / "class-staff.html").read_text(encoding="utf-8")

    assert 0 == code, said
    assert before == public(graded_class)
    assert "A library that differentiates is imported" in staff
    assert "imports autograd" in staff
    assert "imports autograd" in said
    assert "ben:" not in said
    assert "No mark has changed" in said


def test_every_suspicion_has_words():
    """Each kind's facts fill its sentence."""
    facts = {
        "scattered-derivatives": {"function": "gradients", "scatter": 1e-9, "error": 2e-9},
        "derivatives-imported": {"cell": 3, "names": ["torch", "jax"]},
        "inner-parts-imported": {"cell": 3, "names": ["gc"]},
        "stored-numbers": {"cell": 3, "function": "stored", "numbers": 40},
        "passed-through": {"function": "forward"},
    }
    assert set(suspicions.words()) == set(facts)
    found = [suspicions.Suspicion(kind, "ada", "test_loss", some) for kind, some in facts.items()]
    for record in suspicions.records(found):
        assert "{" not in record["measured"]
        assert "[" not in record["measured"]
        assert record["explanations"]
