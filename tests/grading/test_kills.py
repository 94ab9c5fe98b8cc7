"""A grader killed at random points, again and again: in the end the folder holds the same bytes.

Here judging is done on paper, so that what is killed is the keeping of results: between any two steps of the
grader's own code. benchmarks/reliability kills the whole command at random moments.
"""

import os
import random
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import class_on_paper
import pytest
import tiny_course

import graders
from graders import grading_run
from graders.class_files import count
from graders.intake import receive
from graders.marks import marks
from graders.opening import read_gradebook
from pytest_symmetry import writing
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.feedback.html import student_page

resource = pytest.importorskip("resource", reason="only systems with fork and limits kill like this")

KILLS = int(os.environ.get("SYMMETRY_KILLS", "30"))
STUDENTS = 5
OURS = (os.path.dirname(graders.__file__), writing.__file__)  # noqa: PTH120


@pytest.fixture
def place():
    """A folder in memory where there is one: what a kill leaves is not the disk's doing."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture
def order(place, monkeypatch):
    """An order for five students, judged on paper."""
    tiny_course.write_course(place / "tiny")
    for i in range(STUDENTS):
        tiny_course.write_submission(place / "inbox" / f"s{i}.ipynb", extra=[f"mine = {i}"])
    monkeypatch.setattr(grading_run, "grade", on_paper)
    intake = receive([place / "inbox"], "tiny.ipynb")
    made = grading_run.Order(load_assignment(place / "tiny"), intake, place / "whole", key=b"k" * 32)
    list(grading_run.carry_out(replace(made, out=place / "warm"), seed=5, jobs=1, reveal="hint"))
    return made


def on_paper(assignment, entries, *, reveal, seed_mark, **_):
    """Stand in for graders.batch.grade."""
    for entry in entries:
        number = int(entry.student[1:])
        points = (1.0, 2.0 * (number % 2), 3.0 * (number % 3 == 0))
        result = replace(class_on_paper.result(entry.student, points), sha256=entry.sha256)
        yield entry, result, student_page(result, title=assignment.title, reveal=reveal, seed_mark=seed_mark)


def run(order, kill_at=None):
    """Grade in a process of its own; kill it at its ``kill_at``-th step. Return (steps, how it ended)."""
    said, ended = in_a_process(lambda: str(_steps(order, kill_at)))
    return int(said or 0), ended


def in_a_process(task):
    """Return the text that a task returns in a forked process, and how that ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            os.write(writer, task().encode())
            os._exit(0)
        except BaseException:  # the parent fails the test
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return said, os.waitstatus_to_exitcode(status)


def _steps(order, kill_at):
    """Carry the order out, counting what the grader's own files call: functions, SQLite, the file system."""
    seen = 0

    def step(frame, event, _argument):
        nonlocal seen
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(OURS):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(step)
    for _ in grading_run.carry_out(order, seed=5, jobs=1, reveal="hint"):
        pass
    sys.setprofile(None)
    return seen


def shown(out):
    """Return all bytes that somebody may look at."""
    files = [
        out / "results.jsonl",
        *out.glob("class*"),
        *out.glob("feedback/*"),
        *out.glob("submissions/*/*"),
    ]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def looks_whole(out):
    """Return whether a folder's class page says that everybody is graded."""
    page = out / "class.html"
    return (
        page.exists()
        and b"so far" not in page.read_bytes()
        and f"of {STUDENTS} sub".encode() in page.read_bytes()
    )


def test_killed_anywhere_it_resumes_and_ends_with_the_same_bytes(order, place):
    """Several kills in a row too; nothing half written, no result lost, and no page that looks complete."""
    steps, ended = run(order)
    assert 0 == ended
    whole = shown(order.out)
    seed = random.SystemRandom().randrange(10**6)
    sys.stdout.write(f"random.Random({seed})\n")
    rng = random.Random(seed)
    kills = 0
    for i in range(KILLS // 2):
        again = replace(order, out=place / f"killed {i}")
        for _ in range(2):
            _, ended = run(again, rng.randint(1, steps))
            kills += ended == -signal.SIGKILL
            if looks_whole(again.out):
                with read_gradebook(again.out) as book:
                    assert count(book).whole
        before = kept(again.out)
        assert 0 == run(again)[1]

        assert whole == shown(again.out)
        assert before.items() <= kept(again.out).items()
        assert [] == list(again.out.rglob("*.part"))
    sys.stdout.write(f"{kills} kills, {KILLS // 2} folders right\n")
    assert kills >= KILLS // 2


def kept(out):
    """Return the number of the result that counts, by student: what is kept is not graded again."""
    if not (out / "gradebook.sqlite").exists() or not (out / "gradebook.sqlite").stat().st_size:
        return {}
    with read_gradebook(out) as book:
        tables = book.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return grading_run.counting(book.history()) if tables else {}


def test_a_whole_run_is_done_once(order):
    """The second run grades nobody and changes no byte."""
    run(order)
    before = shown(order.out)
    run(order)
    with read_gradebook(order.out) as book:
        assert STUDENTS == len(book.history())
        assert STUDENTS == len(marks(book))

    assert before == shown(order.out)


def test_files_that_cannot_grow_any_further_lose_nothing(order, place):
    """A full disk, at whatever byte of whatever file: one sentence; with room again, the same bytes."""

    def limited(out, most):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        try:
            list(grading_run.carry_out(replace(order, out=out), seed=5, jobs=1, reveal="hint"))
        except SymmetryError as error:
            return str(error)
        return "done"

    run(order)
    whole, told = shown(order.out), set()
    for most in (1, 20_000, 60_000, 120_000, 180_000, 250_000, 400_000, 1_000_000):
        out = place / f"most {most}"
        said, ended = in_a_process(lambda out=out, most=most: limited(out, most))
        told.add(said.replace(str(out), "OUT").partition(";")[0])
        before = kept(out)

        assert 0 == ended
        assert "\n" not in said
        assert said == "done" or "lost" in said or "as it was" in said, said
        assert 0 == run(replace(order, out=out))[1]
        assert whole == shown(out)
        assert before.items() <= kept(out).items()
    assert {"done"} < told


def test_a_page_that_a_power_failure_emptied_is_written_again(order):
    """The next run finds it; nobody is graded again."""
    run(order)
    whole = shown(order.out)
    next(order.out.glob("feedback/*")).write_text("")
    run(order)

    assert whole == shown(order.out)
