"""A class judged anew: only when asked, with who would change shown first, and people's decisions kept."""

import re
from dataclasses import replace

import pytest
import tiny_course
from small_class import grade, order_for
from typer.testing import CliRunner

from graders import batch, cli, grading_run
from graders.marks import marks
from graders.opening import open_gradebook, read_gradebook


@pytest.fixture
def course(graded_class, no_workers):
    return graded_class


def change(course, old, new, name="test_tiny.py"):
    """Change a file of the assignment."""
    path = course / "tiny" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def symmetry(course, *options):
    """Grade the inbox as a person types it; return what was said."""
    order_for(course)  # forgets the reference, which tests change
    folders = [course / "tiny", "--submissions", course / "inbox", "--out", course / "graded", "--jobs", "1"]
    arguments = ["grade", *map(str, folders), "--names", *options]
    done = CliRunner().invoke(cli.app, arguments)
    assert 0 == done.exit_code, (done.output, done.exception)
    return done.output


def points(course):
    with read_gradebook(course / "graded") as book:
        return {mark.student: mark.points for mark in marks(book)}


def shown(course):
    out = course / "graded"
    files = [out / "results.jsonl", *out.glob("class*"), *out.glob("feedback/*")]
    return {path.name: path.read_bytes() for path in files}


WAS = {"ada": 6.0, "ben": 3.0, "cho": 3.0, "cut": 0.0, "dee": 5.0}


def test_an_upgrade_judges_nothing_anew(course, monkeypatch):
    """What counts is what was judged, with the version it was judged by; that there is another is said."""
    before = shown(course)
    monkeypatch.setattr(batch, "versions", lambda: {"pytest-symmetry": "9.0", "numpy": "9.0"})
    said = symmetry(course)

    assert "5 of 5 were graded before and are kept." in said
    assert "5 of them were judged on another basis (other versions) and stay; --regrade shows who" in said
    assert before == shown(course)


def test_a_version_that_reads_less_takes_no_mark(course, monkeypatch):
    """The same bytes, refused by the intake of a later version: the mark stands until somebody asks."""
    order = order_for(course)
    refused = tuple(replace(e, sha256="", status="not gradable", reason="too long") for e in order.entries)
    strict = replace(order, intake=replace(order.intake, entries=refused))
    with grading_run.started(strict, seed=None, jobs=1, reveal="hint") as run:
        assert [] == run.new()
        list(run.grade_new())

    assert WAS == points(course)
    (course / "inbox" / "ben.ipynb").write_text("something else")
    with grading_run.started(strict, seed=None, jobs=1, reveal="hint") as run:
        assert ["ben"] == [entry.student for entry in run.new()]


def test_a_changed_test_touches_only_its_marks(course):
    """Who would change, by how much; nothing before somebody agrees."""
    change(course, "points(2)", "points(4)")
    before = shown(course)
    seen = symmetry(course, "--regrade")

    assert "ben: 3 of 6 -> 5 of 8" in seen
    assert "Judged anew: 5. Rise: 4, fall: 0, same: 1." in seen
    assert "Nothing was changed; with --yes these results count." in seen
    assert before == shown(course)

    assert "5 results count now." in symmetry(course, "--regrade", "--yes")
    assert {"ada": 8.0, "ben": 5.0, "cho": 5.0, "cut": 0.0, "dee": 7.0} == points(course)
    assert "Nothing to judge anew" in symmetry(course, "--regrade", "--yes")


def test_what_was_judged_anew_is_not_judged_again_when_somebody_agrees(course, monkeypatch):
    """Agreeing costs nothing."""
    change(course, "points(2)", "points(4)")
    symmetry(course, "--regrade")

    def refuse(tasks, jobs):
        assert [] == tasks
        return iter(())

    monkeypatch.setattr(batch, "_through_workers", refuse)
    symmetry(course, "--regrade", "--yes")
    assert 5.0 == points(course)["ben"]


def test_never_lower_takes_points_from_nobody(course):
    """Who would lose keeps the mark, and the page that belongs to it."""
    change(course, "points(3)", "points(1)")  # ada and dee pass it, the others do not
    before = shown(course)
    seen = symmetry(course, "--regrade", "--yes", "--never-lower")

    assert "ada: 6 of 6 -> 4 of 4" in seen
    assert "Judged anew: 5. Rise: 0, fall: 2, same: 3." in seen
    assert "3 results count now; 2 would have lost points and keep theirs." in seen
    assert WAS == points(course)
    page = next(name for name, content in before.items() if b"<bdi>ada</bdi></h1>" in content)
    assert before[page] == shown(course)[page]


def test_a_regrade_keeps_what_people_decided_and_says_where_it_would_differ(course):
    """An override stays; the verdict under it is told."""
    out = course / "graded"
    runner = CliRunner()
    runner.invoke(cli.app, ["override", str(out), "ben", "gradients", "2", "--reason", "read by hand"])
    runner.invoke(cli.app, ["void", str(out), "start", "--reason", "unclear"])
    change(course, "    check_gradients(\n", "    return\n    check_gradients(\n")
    seen = symmetry(course, "--regrade", "--yes")

    assert "ben: test_gradients stays 2 by an override; its verdict would be 3 instead of 0" in seen
    assert "cho: 3 of 6 -> 6 of 6" in seen
    assert {**WAS, "ben": 5.0, "cho": 6.0, "cut": 1.0, "dee": 6.0} == points(course)


def test_new_work_is_graded_and_an_override_on_the_old_is_told(course):
    """What was decided stays until somebody takes it back."""
    runner = CliRunner()
    runner.invoke(cli.app, ["override", str(course / "graded"), "ben", "gradients", "2", "--reason", "x"])
    tiny_course.write_submission(course / "inbox" / "ben.ipynb")
    said = symmetry(course)

    assert "4 of 5 were graded before and are kept." in said
    assert "ben handed in again; what was overridden on the earlier work stays: test_gradients" in said
    assert 5.0 == points(course)["ben"]


def test_another_assignment_is_not_graded_into_the_same_folder(course):
    """Its questions are others."""
    change(course, 'name = "tiny"', 'name = "other"', "assignment.toml")

    with pytest.raises(grading_run.GradebookError, match="it holds the grades of 'tiny'"):
        grade(course)


def test_a_verdict_that_changes_with_the_seed_waits_for_a_person(course):
    """A loss that is wrong for some inputs only; with one seed it would have been luck."""
    odd = ("    return float(np.mean(", "    if X[0, 0] > 0: return 0.0\n    return float(np.mean(")
    tiny_course.write_submission(course / "inbox" / "eve.ipynb", odd)
    grade(course, seeds=6)
    with read_gradebook(course / "graded") as book:
        found = {mark.student: mark for mark in marks(book)}
    verdicts = {verdict.name: verdict for verdict in found["eve"].result.tests}

    assert "waits for a person" == found["eve"].status
    assert "test_loss" in found["eve"].pending
    assert "TST105" == verdicts["test_loss"].findings[0].code
    assert 6 == verdicts["test_loss"].findings[0].facts["seeds"]
    assert 0 < verdicts["test_loss"].findings[0].facts["passed"] < 6
    assert "graded" == found["ada"].status
    assert 1.0 == found["eve"].points  # what all seeds agree on


def test_the_number_of_seeds_is_kept(course):
    """The next run judges as the first did, without being told."""
    with open_gradebook(course / "graded") as book:
        book.set_headers(seeds="3")
    with grading_run.started(order_for(course), seed=None, jobs=1, reveal="hint") as run:
        assert (3, 3) == (run.seeds, run.basis.seeds)


def test_logs_name_nobody(course):
    """CI keeps what a run prints; students stand in it by pseudonym."""
    tiny_course.write_submission(course / "inbox" / "zoe.ipynb")
    tiny_course.write_submission(course / "inbox" / "zoe" / "tiny.ipynb")
    folders = [course / "tiny", "--submissions", course / "inbox", "--out", course / "graded", "--jobs", "1"]
    order_for(course)
    said = CliRunner().invoke(cli.app, ["grade", *map(str, folders)]).output

    assert re.search(r"\[1/1\] [0-9a-f]{16} +6 / 6   all passed", said)
    assert "more remarks name students; --names shows them." in said
    assert "zoe" not in said
