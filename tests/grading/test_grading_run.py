"""A class of submissions to a graded folder."""

import json
import sqlite3
from dataclasses import replace

import pytest
import tiny_course

from graders import batch, grading_run
from graders.gradebook import GradebookError
from graders.intake import take_in
from pytest_symmetry.assignment import load_assignment, load_reference
from pytest_symmetry.errors import AssignmentError, SubmissionError

BROKEN = {
    "cut": "not a notebook",
    "empty": "the file is empty",
    "hollow": "there is no code in it",
}


@pytest.fixture
def course(tmp_path):
    tiny_course.write_course(tmp_path / "tiny")
    inbox = tmp_path / "inbox"
    tiny_course.write_submission(inbox / "ada.ipynb")
    tiny_course.write_submission(inbox / "ben.ipynb", ("* (1 - A**2)", "* 1"))
    tiny_course.write_submission(
        inbox / "cho.ipynb", ("    D = 2 *", "    import os; os._exit(0)\n    D = 2 *")
    )
    tiny_course.write(inbox / "cut.ipynb", tiny_course.notebook("x = 1")[:-9])
    tiny_course.write(inbox / "empty.ipynb", "")
    tiny_course.write(inbox / "hollow.ipynb", tiny_course.notebook())
    return tmp_path


def order_for(course, out="graded"):
    order = grading_run.take_order(load_assignment(course / "tiny"), [course / "inbox"], course / out)
    return replace(order, key=b"k" * 32)


def shown(out):
    """Return all bytes of a graded folder that somebody may look at."""
    files = [
        out / "results.jsonl",
        *out.glob("class*"),
        *out.glob("feedback/*"),
        *out.glob("submissions/*/*"),
    ]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def graded(course, out="graded", seed=5, jobs=1):
    steps = list(grading_run.carry_out(order_for(course, out), seed=seed, jobs=jobs, reveal="hint"))
    return steps[0], {s.result.student: s.result for s in steps[1:]}


def test_every_submission_gets_its_own_result(course):
    """Points for what is right, a reason for what cannot be graded; nobody's trouble is another's."""
    _, results = graded(course)

    assert {"ada": 6.0, "ben": 3.0, "cho": 3.0, "cut": 0.0, "empty": 0.0, "hollow": 0.0} == {
        name: result.points for name, result in results.items()
    }
    assert ["died"] == [t.outcome.value for t in results["cho"].tests if t.points == 0]
    for name, reason in BROKEN.items():
        assert "not gradable" == results[name].status
        assert reason in results[name].reason


def test_the_graded_folder_holds_everything(course):
    """Gradebook, lines, a page per student, two pages about the class."""
    graded(course)
    out = course / "graded"
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines()]

    assert ["ada", "ben", "cho", "cut", "empty", "hollow"] == [line["student"] for line in lines]
    assert {f"{line['pseudonym']}.html" for line in lines} == {p.name for p in (out / "feedback").iterdir()}
    assert not any("ben" in path.name for path in out.rglob("*"))
    assert (out / "class.html").is_file()
    assert "ben" not in (out / "class.html").read_text(encoding="utf-8")
    assert "ben" in (out / "class-staff.html").read_text(encoding="utf-8")
    with sqlite3.connect(out / "gradebook.sqlite") as book:
        assert (6,) == book.execute("SELECT count(*) FROM results").fetchone()


def test_a_line_has_facts_and_words(course):
    """The form that other programs read."""
    graded(course)
    lines = [
        json.loads(x) for x in (course / "graded" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    ben = lines[1]
    (finding,) = [f for t in ben["tests"] for f in t["findings"] if f["severity"] == "fail"]

    assert [
        "schema", "student", "submission", "sha256", "status", "reason", "points", "max_points", "assignment",
        "versions", "seed", "isolation", "tests", "pseudonym", "deduction", "corrections",
    ] == list(ben)  # fmt: skip
    assert 64 == len(ben["sha256"])
    assert ("GRD101", "ben.ipynb", "5") == (finding["code"], ben["submission"], ben["seed"])
    assert {"code", "title", "place", "seen", "expected", "cause", "hint", "facts"} <= set(finding)
    assert "dW1" in finding["seen"]
    test_id = f"[{ben['pseudonym']}]"
    assert [
        {"name": "test_start", "nodeid": f"test_tiny.py::test_start{test_id}"},
        {"name": "test_loss", "nodeid": f"test_tiny.py::test_loss{test_id}"},
        {"name": "test_gradients", "nodeid": f"test_tiny.py::test_gradients{test_id}"},
    ] == [{"name": t["name"], "nodeid": t["nodeid"]} for t in ben["tests"]]


def test_the_same_input_and_seed_give_the_same_bytes(course):
    """Whatever the number of workers, and in another folder."""
    graded(course, "one", jobs=1)
    graded(course, "two", jobs=2)

    assert shown(course / "one") == shown(course / "two")


def test_what_is_graded_is_kept_and_what_is_new_is_added(course):
    """The second run grades the one file that changed, with the seed of the gradebook."""
    _, first = graded(course, seed=None)
    tiny_course.write_submission(course / "inbox" / "ben.ipynb")
    tiny_course.write_submission(course / "inbox" / "dee.ipynb")
    start, second = graded(course, seed=None)

    assert (2, 7) == (start.todo, start.total)
    assert {"ben": 6.0, "dee": 6.0} == {name: r.points for name, r in second.items()}
    assert first["ada"].seed == second["dee"].seed
    assert int(first["ada"].seed) > 2**64
    assert 7 == len(grading_run.class_results(course / "graded"))


def test_another_seed_is_refused(course):
    """One seed per gradebook, for all students."""
    graded(course, seed=5)

    with pytest.raises(GradebookError, match=r"gradebook.sqlite: this gradebook has another seed"):
        graded(course, seed=6)


def test_a_run_that_is_broken_off_goes_on(course):
    """What was yielded is kept; the rest is graded later; the bytes are those of an undisturbed run."""
    steps = grading_run.carry_out(order_for(course, "broken"), seed=5, jobs=1, reveal="hint")
    for _ in range(5):
        next(steps)
    steps.close()
    start, _ = graded(course, "broken")
    graded(course, "whole")

    assert 0 < start.todo < 6
    assert shown(course / "broken") == shown(course / "whole")


def test_a_broken_solution_stops_before_anything_is_written(course):
    """A course that would fail its own students."""
    tiny_course.write_submission(course / "tiny" / "tiny.ipynb", ("/ X.shape[1]", ""))
    load_reference.cache_clear()

    with pytest.raises(AssignmentError, match=r"tiny.ipynb: its own solution fails test_gradients: GRD101"):
        order_for(course)
    assert not (course / "graded").exists()


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("def test_it(): pass", "tests could not be run"),
        ("import nosuchmodule", "tests could not be run"),
        ("def test_it(submission): {}['x']", "its own solution fails test_it: TST102 .*KeyError"),
    ],
)
def test_tests_that_ask_nothing_or_do_not_run_stop_too(course, test, said):
    """The message says what to do."""
    tiny_course.write(course / "tiny" / "test_tiny.py", test)

    with pytest.raises(AssignmentError, match=said):
        order_for(course)


def test_an_assignment_without_tests_is_told(course):
    """Nothing to run."""
    (course / "tiny" / "test_tiny.py").unlink()

    with pytest.raises(AssignmentError, match="no test file"):
        order_for(course)


def test_no_submissions_is_an_error(course):
    """The path is named."""
    with pytest.raises(SubmissionError, match="no submission found"):
        grading_run.take_order(load_assignment(course / "tiny"), [course / "nowhere"], course / "graded")


def test_a_file_that_is_no_gradebook_is_left_alone(course):
    """Its bytes stay as they are."""
    path = course / "graded" / "gradebook.sqlite"
    tiny_course.write(path, "my grades, by hand")

    with pytest.raises(GradebookError, match="cannot be used"):
        graded(course)
    assert "my grades, by hand" == path.read_text()


def test_files_of_a_submission_configure_nothing(course):
    """conftest.py, pytest.ini and modules beside a submission are only files."""
    evil = "import pathlib\npathlib.Path(__file__).with_name('ran').write_text('x')\n"
    for name in ("conftest.py", "sitecustomize.py", "numpy.py", "test_evil.py"):
        tiny_course.write(course / "inbox" / "dee" / name, evil)
    tiny_course.write(course / "inbox" / "dee" / "pytest.ini", "[pytest]\naddopts = --collect-only\n")
    tiny_course.write_submission(course / "inbox" / "dee" / "tiny.ipynb")
    _, results = graded(course)

    assert 6.0 == results["dee"].points
    assert not (course / "inbox" / "dee" / "ran").exists()


def test_pytests_surroundings_do_not_reach_a_grading_run(course, monkeypatch):
    """PYTEST_ADDOPTS of somebody's shell decides no mark."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing")
    entries = take_in([course / "inbox" / "ada.ipynb"], "tiny.ipynb")
    (result,) = batch.run_tests(load_assignment(course / "tiny"), entries, 5)

    assert 6.0 == result.points


def test_a_submission_on_which_the_worker_dies_waits_for_a_person(course, monkeypatch):
    """The grader's own end is not the student's mark, and the others are graded."""
    monkeypatch.setattr(batch, "_through_workers", _dying_on("ben"))
    _, results = graded(course)

    assert "waits for a person" == results["ben"].status
    assert "the grader itself stopped" in results["ben"].reason
    assert 6.0 == results["ada"].points


def test_a_chunk_lost_with_another_worker_is_graded_all_the_same(course, monkeypatch):
    """A worker that the system ends for want of memory takes all that waits in the pool with it."""
    monkeypatch.setattr(batch, "_through_workers", _dying_once())
    _, results = graded(course)

    assert {"ada": 6.0, "ben": 3.0, "cho": 3.0} == {s: results[s].points for s in ("ada", "ben", "cho")}
    assert "waits for a person" not in {result.status for result in results.values()}


def _dying_once():
    seen = []

    def through(tasks, jobs):
        for task in tasks:
            first = task.entries not in seen
            seen.append(task.entries)
            yield task, None if first else batch.grade_chunk(task)

    return through


def _dying_on(student):
    def through(tasks, jobs):
        for task in tasks:
            lost = any(entry.student == student for entry in task.entries)
            yield task, None if lost else batch.grade_chunk(task)

    return through
