"""Prices of causes, manual questions, the roster and lateness, from the command line to the marks."""

import json

import pytest
import tiny_course
from small_class import order_for
from typer.testing import CliRunner

from graders import batch, cli
from graders.fingerprint import fingerprint
from graders.marks import marks
from graders.opening import read_gradebook

ESSAY = "[questions.essay]\npoints = 2\nmanual = true\n"
ROSTER = """\
id,name,due,excused,late policy,submitted
ada,Ada,,,,2026-03-02 10:00
ben,Ben,,,none,2026-03-02 10:00
cho,Cho,2026-03-03,,,2026-03-02 10:00
fay,Fay,,,,
gil,Gil,,yes,,
"""
LATE = 'due = 2026-03-01T23:59:00\ntimezone = "Europe/Zurich"\n'


@pytest.fixture
def course(graded_class, no_workers):
    return graded_class


def says(course, before="", after=""):
    """Write assignment.toml with keys before and tables after the usual ones."""
    (course / "tiny" / "assignment.toml").write_text(f"{before}{tiny_course.TOML}{after}", encoding="utf-8")


def symmetry(course, *options, out="graded"):
    order_for(course)  # forgets the assignment, which tests change
    folders = [course / "tiny", "--submissions", course / "inbox", "--out", course / out, "--jobs", "1"]
    done = CliRunner().invoke(cli.app, ["grade", *map(str, folders), "--names", *options])
    assert 0 == done.exit_code, (done.output, done.exception)
    return done.output


def class_marks(course, out="graded"):
    with read_gradebook(course / out) as book:
        return {mark.student: mark for mark in marks(book)}


def test_a_new_price_changes_marks_without_a_test_being_run(course, monkeypatch):
    """Only by --regrade, and the change is shown first; what was found stays."""
    (cause,) = {
        f.cause for v in class_marks(course)["ben"].result.tests for f in v.findings if f.severity == "fail"
    }
    says(course, after=f"[costs]\n{cause} = 1\n")
    monkeypatch.setattr(batch, "grade_chunk", lambda *_, **__: pytest.fail("a test was run"))
    monkeypatch.setattr(batch, "check_solution", lambda *_, **__: None)
    before = symmetry(course)
    kept = class_marks(course)["ben"].points
    said = symmetry(course, "--regrade", "--yes")

    assert "judged on another basis" in before
    assert (3.0, 5.0) == (kept, class_marks(course)["ben"].points)
    assert "ben: 3 of 6 -> 5 of 6" in said
    assert 6.0 == class_marks(course)["ada"].points


def test_the_late_policy_is_no_reason_to_judge_anew(course):
    """Lateness is worked out from times, not by tests."""
    before = fingerprint(order_for(course).assignment)
    says(course, LATE, "[late]\npercent = 10\n")
    late = fingerprint(order_for(course).assignment)
    says(course, after="[limits.x]\n".replace("[limits.x]", "# a remark"))
    remark = fingerprint(order_for(course).assignment)
    says(course, after="[conventions]\nlogarithm = 'natural'\n")
    other = fingerprint(order_for(course).assignment)

    assert before == late == remark
    assert before != other


def test_a_manual_question_is_pending_until_somebody_marks_it(course):
    """Not 0, not graded, and part of the sum."""
    says(course, after=ESSAY)
    symmetry(course, out="new")
    ada = class_marks(course, "new")["ada"]

    assert ("waits for a person", ("essay",), 8.0, 6.0) == (
        ada.status, ada.pending, ada.max_points, ada.points,
    )  # fmt: skip
    arguments = ["override", str(course / "new"), "ada", "essay", "1.5", "--reason", "read it"]
    done = CliRunner().invoke(cli.app, arguments)
    ada = class_marks(course, "new")["ada"]
    assert 0 == done.exit_code, done.output
    assert ("graded", 7.5) == (ada.status, ada.points)


def test_roster_and_lateness_reach_the_marks(course):
    """[late] and due of assignment.toml, overruled row by row; who is missing or excused is in the class."""
    says(course, LATE, "[late]\npercent = 50\n")
    (course / "roster.csv").write_text(ROSTER, encoding="utf-8")
    said = symmetry(course, "--roster", str(course / "roster.csv"), out="new")
    found = class_marks(course, "new")

    assert (6.0, 3.0, 3.0) == (found["ada"].raw, found["ada"].deduction, found["ada"].points)
    assert "10 h 1 min late: 1 day at 50 % of the points" == found["ada"].lateness.line
    assert [0.0, 0.0] == [found[s].deduction for s in ("ben", "cho")]
    assert ("missing", "excused") == (found["fay"].status, found["gil"].status)
    assert "not on the roster, graded all the same: cut, dee" in said
    assert "2026-03-03T23:59:59+01:00" == found["cho"].person.due


def test_what_came_from_a_platform_is_said_and_graded(course, tmp_path):
    """A Canvas download, by the command line."""
    inbox = course / "canvas"
    tiny_course.write_submission(inbox / "lovelaceada_11_901_tiny.ipynb", ("* (1 - A**2)", "* 1"))
    tiny_course.write_submission(inbox / "lovelaceada_11_902_tiny-1.ipynb")
    order_for(course)
    arguments = [
        "grade",
        course / "tiny",
        "--submissions",
        inbox,
        "--out",
        course / "c",
        "--jobs",
        "1",
        "--names",
    ]
    done = CliRunner().invoke(cli.app, list(map(str, arguments)))
    lines = (course / "c" / "results.jsonl").read_text(encoding="utf-8").splitlines()

    assert 0 == done.exit_code, done.output
    assert "a Canvas download, 2 submissions" in done.output
    assert "the newest of 2" in done.output
    assert [("11", 6.0)] == [(r["student"], r["points"]) for r in map(json.loads, lines)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--layout", "moodle"], "it is not a Moodle download"),
        (["--roster", "none.csv"], "the roster cannot be read"),
        (["--time-zone", "Mars"], "is no time zone"),
        (["--late", "10 a day"], "is no late policy"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(course, options, said):
    """Before anything is graded."""
    order_for(course)
    arguments = ["grade", course / "tiny", "--submissions", course / "inbox", "--out", course / "x", *options]
    done = CliRunner().invoke(cli.app, list(map(str, arguments)))

    assert said in str(done.exception)
    assert not (course / "x").exists()
