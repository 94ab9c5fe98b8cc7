"""What people decide about marks, as they type it: override, void, approve, report."""

import csv
import io
import json
import re

import pytest
import tiny_course
from small_class import grade, order_for
from typer.testing import CliRunner

from graders import cli, grading_run
from graders.marks import marks
from graders.opening import read_gradebook
from pytest_symmetry.errors import SymmetryError


def symmetry(*arguments, answer=None):
    """Run a command in this process; return its exit code and what it printed."""
    done = CliRunner().invoke(cli.app, [str(a) for a in arguments], input=answer)
    if isinstance(done.exception, SymmetryError):
        return 2, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.fixture
def graded(graded_class):
    return graded_class / "graded"


def mark_of(folder, student):
    with read_gradebook(folder) as book:
        return next(mark for mark in marks(book) if mark.student == student)


def line_of(folder, student):
    lines = (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return next(line for line in map(json.loads, lines) if line["student"] == student)


def page_of(folder, student):
    return (folder / "feedback" / f"{mark_of(folder, student).pseudonym}.html").read_text(encoding="utf-8")


def test_an_override_counts_everywhere(graded):
    """Mark, line of results.jsonl, page and class page; what the tests gave stays beside it."""
    code, said = symmetry("override", graded, "ben", "gradients", "2.5", "--reason", "half <b>right</b>")
    mark, line, page = mark_of(graded, "ben"), line_of(graded, "ben"), page_of(graded, "ben")

    assert (0, "ben has 5.5 of 6 points.\n") == (code, said)
    assert (5.5, "an override", 0.0) == (mark.points, mark.questions[2].by, mark.questions[2].judged)
    assert (5.5, 2.5, "half <b>right</b>") == (
        line["points"], line["tests"][2]["points"], line["corrections"][0]["reason"],
    )  # fmt: skip
    assert "gradients: 2.5 of 3 points instead of 0. Reason: half &lt;b&gt;right&lt;/b&gt;" in page
    assert "<strong>5.5</strong> of 6 points" in page


def test_an_override_taken_back_leaves_what_the_tests_gave(graded):
    """The page is what it was, to the byte."""
    before = page_of(graded, "ben")
    symmetry("override", graded, "ben", "test_gradients", "3", "--reason", "x")
    assert before != page_of(graded, "ben")
    code, said = symmetry("override", graded, "ben", "test_gradients", "--undo")

    assert (0, "ben has 3 of 6 points.\n") == (code, said)
    assert before == page_of(graded, "ben")
    assert (2, f"{graded}: gradients of ben is not overridden") == symmetry(
        "override", graded, "ben", "test_gradients", "--undo"
    )


def test_a_pseudonym_names_a_student_too(graded):
    """What stands in a log is enough to look somebody up."""
    code, _ = symmetry("override", graded, mark_of(graded, "ben").pseudonym, "loss", "1", "--reason", "x")

    assert 0 == code
    assert 2.0 == mark_of(graded, "ben").points


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["bem", "loss", "1", "--reason", "x"],
            "there is no student 'bem' in this class; did you mean 'ben'?",
        ),
        (["ben", "los", "1", "--reason", "x"], "no question 'los'; the questions are test_start, test_loss"),
        (["ben", "loss", "2.5", "--reason", "x"], "'2.5' cannot be given; loss is worth 0 to 2 points"),
        (["ben", "loss", "-1", "--reason", "x"], "'-1' cannot be given"),
        (["ben", "loss", "nan", "--reason", "x"], "'nan' cannot be given"),
        (["ben", "loss", "two", "--reason", "x"], "'two' cannot be given"),
        (["ben", "loss", "2"], "a reason is missing"),
        (["ben", "loss"], "give STUDENT, QUESTION and POINTS, or --from FILE"),
    ],
)
def test_an_override_that_cannot_be_is_refused_in_words(graded, arguments, said):
    """And nothing changes."""
    code, output = symmetry("override", graded, "--", *arguments) if "-1" in arguments else symmetry(
        "override", graded, *arguments
    )  # fmt: skip

    assert 2 == code
    assert said in output or "-1" in arguments
    assert 3.0 == mark_of(graded, "ben").points


def test_a_table_of_overrides_is_taken_whole(graded, tmp_path):
    """Rows without points wait; a semicolon, a decimal comma and a BOM are what spreadsheets write."""
    table = tiny_course.write(
        tmp_path / "marks.csv",
        "\ufeffStudent;Question;Points;Reason\nben;gradients;1,5;read\ncho;gradients;;\ncut;start;1;photo\n",
    )
    code, said = symmetry("override", graded, "--from", table)

    assert 0 == code
    assert 2 == said.count(" points")
    assert (4.5, 3.0, 1.0) == tuple(mark_of(graded, s).points for s in ("ben", "cho", "cut"))
    assert "ben" not in said  # a table is run in CI: who, is said by pseudonym


def test_a_table_with_one_bad_row_changes_nothing(graded, tmp_path):
    """File, line and cell are named."""
    table = tiny_course.write(
        tmp_path / "marks.csv", "student,question,points,reason\nben,loss,1,x\nbob,loss,9,x\n"
    )
    code, said = symmetry("override", graded, "--from", table)

    assert 2 == code
    assert f"{table}, line 3: there is no student 'bob'" in said
    assert 3.0 == mark_of(graded, "ben").points


def test_a_table_without_its_columns_is_told(graded, tmp_path):
    """Which one is missing."""
    table = tiny_course.write(tmp_path / "marks.csv", "who,question,points\nben,loss,1\n")

    code, said = symmetry("override", graded, "--from", table)

    assert 2 == code
    assert f"{table}, line 1: there is no column student; the columns are student, question, points" in said


def test_work_that_could_not_be_graded_is_marked_by_hand(graded):
    """Question by question, until nothing is open; until then there is no mark, and no 0."""
    for question, points in (("start", 1), ("loss", 2)):
        symmetry("override", graded, "cut", question, points, "--reason", "from a print-out")
    half = mark_of(graded, "cut")
    symmetry("override", graded, "cut", "gradients", 0, "--reason", "from a print-out")
    whole = mark_of(graded, "cut")

    assert (False, ("test_gradients",), "not gradable") == (half.final, half.pending, half.status)
    assert (True, (), 3.0, 6.0) == (whole.final, whole.pending, whole.points, whole.max_points)
    assert "<strong>3</strong> of 6 points" in page_of(graded, "cut")


def test_what_waits_for_a_person_is_a_table_to_fill_in(graded, tmp_path):
    """It goes back as it came, with points and reasons in it; half filled in, half is decided."""
    table = tmp_path / "open.csv"
    symmetry("report", graded, "--open", table)
    rows = table.read_text(encoding="utf-8").splitlines()
    name = mark_of(graded, "cut").pseudonym

    assert ["student,question,points,reason,of", f"{name},test_start,,,1.0"] == rows[:2]
    assert 4 == len(rows)
    table.write_text("\n".join([*rows[:2], f"{name},test_loss,1.5,on paper,2.0"]), encoding="utf-8")
    assert 0 == symmetry("override", graded, "--from", table)[0]
    assert (1.5, ("test_start", "test_gradients")) == (
        mark_of(graded, "cut").raw, mark_of(graded, "cut").pending,
    )  # fmt: skip


def test_a_void_gives_everyone_the_points_and_can_be_taken_back(graded):
    """Everyone who handed in; their pages say so."""
    pages = {path: path.read_bytes() for path in graded.glob("feedback/*")}
    code, said = symmetry("void", graded, "gradients", "--reason", "the text was unclear")

    assert 0 == code
    assert "gradients counts in full for everyone; the points of 3 students changed." in said
    assert [6.0, 6.0, 6.0, 5.0] == [mark_of(graded, s).points for s in ("ada", "ben", "cho", "dee")]
    assert "3 of 3 points instead of 0, for everyone. Reason: the text was unclear" in page_of(graded, "ben")

    symmetry("void", graded, "gradients", "--undo", "--reason", "it was clear")
    assert pages == {path: path.read_bytes() for path in graded.glob("feedback/*")}
    assert (2, f"{graded}: gradients is not voided") == symmetry(
        "void", graded, "gradients", "--undo", "--reason", "x"
    )


@pytest.mark.parametrize(("last", "points"), [("void", 6.0), ("override", 4.0)])
def test_of_an_override_and_a_void_the_later_counts(graded, last, points):
    """Whoever decided last had seen the other decision."""
    commands = {
        "void": ["void", graded, "gradients", "--reason", "x"],
        "override": ["override", graded, "ben", "gradients", "1", "--reason", "x"],
    }
    for name in sorted(commands, key=lambda name: name == last):
        symmetry(*commands[name])

    assert points == mark_of(graded, "ben").points


def test_only_marks_that_wait_for_nobody_are_approved(graded):
    """And an approval is of these points: when they change it has to be given again."""
    code, said = symmetry("approve", graded, "--all")

    assert 0 == code
    assert "4 approved, 0 were approved before.\nnot approved: " in said
    assert "not gradable: it is not a notebook" in said
    symmetry("override", graded, "ben", "gradients", "3", "--reason", "x")
    assert [True, False] == [mark_of(graded, s).approved for s in ("ada", "ben")]
    assert "1 approved, 3 were approved before." in symmetry("approve", graded, "--all")[1]
    assert mark_of(graded, "ben").approved


def test_the_report_names_nobody_who_was_not_asked_for(graded, tmp_path):
    """Names are for --names; the CSV leaves open what nobody decided."""
    plain, named = symmetry("report", graded)[1], symmetry("report", graded, "--names")[1]
    symmetry("report", graded, "--csv", tmp_path / "marks.csv", "--names")
    rows = {r["student"]: r for r in csv.DictReader(io.StringIO((tmp_path / "marks.csv").read_text()))}

    assert "A tiny assignment: 5 of 5 graded" in plain
    assert "Not gradable: 1" in plain
    assert re.search(r"level \d \(.*\): 4", plain)
    assert not re.search(r"\b(ada|ben|cho|dee|cut)\b", plain)
    assert "  cut: it is not a notebook" in named
    assert ("3.0", "") == (rows["ben"]["points"], rows["cut"]["points"])


def test_a_class_half_graded_says_so_everywhere(graded_class, no_workers):
    """Terminal, class page, report."""
    graded = graded_class / "graded"
    tiny_course.write_submission(graded_class / "inbox" / "zoe.ipynb")
    steps = grading_run.carry_out(order_for(graded_class), seed=5, jobs=1, reveal="hint")
    next(steps)
    steps.close()

    assert "5 of 6 graded" == str(grading_run.class_count(graded))
    assert "A tiny assignment: 5 of 6 graded" in symmetry("report", graded)[1]
    assert "<strong>5</strong> of 6 submissions so far" in (graded / "class.html").read_text(encoding="utf-8")
    grade(graded_class)
    assert "6 of 6 graded" == str(grading_run.class_count(graded))
    assert "so far" not in (graded / "class.html").read_text(encoding="utf-8")
