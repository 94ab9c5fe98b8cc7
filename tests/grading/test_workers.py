"""Workers stay warm for a command, are replaced when one dies, and take the work of any executor."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor

import pytest

from graders import batch
from graders.workers import AHEAD, Workers
from pytest_symmetry.errors import AssignmentError

LIGHT = """
import sys
from graders.cli import command_line
command_line("grade")
print(*sorted({"numpy", "pytest", "jinja2"} & set(sys.modules)))
"""


class Mortal(ThreadPoolExecutor):
    """An executor that breaks when it is asked for "death", as one does whose process was killed."""

    def submit(self, function, *args):
        if "death" not in args:
            return super().submit(function, *args)
        future = Future()
        future.set_exception(BrokenExecutor())
        return future


@pytest.fixture
def made():
    """The executors that were made, in order."""
    return []


@pytest.fixture
def workers(made):
    def make(jobs):
        made.append(Mortal(jobs))
        return made[-1]

    with Workers(2, make) as workers:
        yield workers


def test_one_pool_serves_from_the_first_question_to_the_last_task(workers, made):
    """Nothing is started twice, and nothing before there is work."""
    assert [] == made
    assert "A" == workers.ask(str.upper, "a")
    assert {("a", "A"), ("b", "B")} == set(workers.through(str.upper, ["a", "b"]))
    assert 1 == len(made)


def test_what_a_dead_worker_was_given_comes_back_last_and_others_take_its_place(workers, made):
    """None is said for it alone; the next work meets new workers."""
    answers = list(workers.through(str.upper, ["death", "a"]))

    assert [("a", "A"), ("death", None)] == answers
    assert "B" == workers.ask(str.upper, "b")
    assert 2 == len(made)
    with pytest.raises(BrokenExecutor):
        workers.ask(str.upper, "death")
    assert "C" == workers.ask(str.upper, "c")
    assert 3 == len(made)


def test_no_more_is_given_out_than_there_is_room_for(workers):
    """However long a class is, what nobody has asked for yet is not even read."""
    read = []
    tasks = (read.append(i) or str(i) for i in range(1000))
    answers = workers.through(str.upper, tasks)
    for _ in range(5):
        next(answers)

    assert len(read) <= 5 + AHEAD * workers.jobs
    assert 1000 == 5 + len(list(answers))


def test_after_a_death_others_do_what_is_still_to_come(workers, made):
    """Only what was given out with it can be lost."""
    tasks = ["death", *map(str, range(100))]
    answers = dict(workers.through(str.upper, tasks))

    assert {"death"} == {task for task, answer in answers.items() if answer is None}
    assert 101 == len(answers)
    assert 2 == len(made)


def test_what_a_worker_raises_is_raised_here(workers):
    with pytest.raises(AttributeError):
        workers.ask(getattr, 1, "x")
    with pytest.raises(TypeError):
        list(workers.through(str.upper, [1]))


@pytest.mark.parametrize("key", [None, "limits"])
def test_the_error_of_an_assignment_crosses_between_processes(key):
    error = AssignmentError("tiny/assignment.toml", "it is empty", key)
    crossed = pickle.loads(pickle.dumps(error))

    assert (str(error), error.key) == (str(crossed), crossed.key)


def test_the_command_that_hands_out_the_work_loads_none_of_what_judges():
    """numpy, pytest and the pages' templates take longer to load than all that the command itself does."""
    said = subprocess.run([sys.executable, "-c", LIGHT], check=True, capture_output=True, text=True)

    assert "" == said.stdout.strip()


def test_the_name_of_the_running_test_stays_out_of_the_c_librarys_memory(monkeypatch):
    """Python has it in its environment, as pytest promises; what the C library is given it never frees."""
    given = []
    monkeypatch.setattr(os, "putenv", lambda *pair: given.append(pair))
    with batch._names_not_kept():
        os.environ["PYTEST_CURRENT_TEST"] = os.environ["SYMMETRY_OTHER"] = "a"

        assert "a" == os.environ["PYTEST_CURRENT_TEST"]

    monkeypatch.delitem(os.environ, "SYMMETRY_OTHER")
    assert [(b"SYMMETRY_OTHER", b"a")] == given
