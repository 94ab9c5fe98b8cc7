"""A judge that is stuck, or killed, holds up nobody and leaves nothing behind."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_course

from graders import batch
from graders.intake import Entry
from graders.workers import Workers

STUCK = "def test_stuck(submission):\n    while True:\n        pass\n"
HOLDER = """
import sys
from graders.sandbox.transport import Locks, Sandbox
sandbox = Sandbox(locks=Locks(namespaces={namespaces}))
sandbox.start()
child = sandbox.child(1 << 28)
children = open(f"/proc/{{sandbox._process.pid}}/task/{{sandbox._process.pid}}/children").read().split()
print(sandbox._process.pid, *children, flush=True)
sys.stdin.read()
"""

WORKER = """
import sys
from pathlib import Path
from graders import batch
from graders.intake import Entry
folder, path = sys.argv[1:]
batch.grade_chunk(batch.Task(folder, 5, "hint", (Entry("ada", Path(path), "ada.ipynb"),)))
"""
ASKS_BACK = """
import os
def test_it(submission):
    submission.forever(lambda: os.write(1, b"entered"))
"""
FOREVER = "def forever(tell):\n    tell()\n    while True:\n        pass\n"


def descendants(pid):
    """Return the numbers of all processes that a process and its children have started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for file in lists for child in file.read_text().split()]
    return [*children, *(further for child in children for further in descendants(child))]


def test_a_stuck_judge_is_given_up_and_a_person_is_asked(tmp_path):
    """The worker ends; its chunk comes back as lost, to be tried one by one."""
    tiny_course.write_course(tmp_path / "tiny")
    tiny_course.write(tmp_path / "tiny" / "test_tiny.py", STUCK)
    path = tiny_course.write_submission(tmp_path / "ada.ipynb")
    task = batch.Task(str(tmp_path / "tiny"), 5, "hint", (Entry("ada", path, path.name),), patience=0.3)
    with Workers(1) as workers:
        ((same, graded),) = batch._through_workers([task], workers)

    assert task == same
    assert graded is None


@pytest.mark.parametrize("namespaces", [True, False])
def test_nothing_outlives_a_judge_that_is_killed(sandbox_2, namespaces):
    """The zygote and the child, whatever it does, end with the judge."""
    judge = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(namespaces=namespaces)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    gone = gone_with(judge, [int(pid) for pid in judge.stdout.readline().split()])
    judge.stdin.close()

    assert len(gone) >= 2
    assert all(gone)


def test_nothing_outlives_a_worker_that_is_killed_while_a_submission_runs(sandbox_2, tmp_path):
    """Not even the process that is in a loop without end at that moment."""
    tiny_course.write_course(tmp_path / "tiny")
    tiny_course.write(tmp_path / "tiny" / "test_tiny.py", ASKS_BACK)
    limits = tiny_course.TOML.replace("seconds_per_call = 1", "seconds_per_call = 300")
    tiny_course.write(tmp_path / "tiny" / "assignment.toml", limits)
    path = tiny_course.write_submission(tmp_path / "ada.ipynb", extra=[FOREVER])
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path / "tiny"), str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    said = worker.stdout.read(7)
    gone = gone_with(worker, descendants(worker.pid))

    assert said == "entered"
    assert len(gone) >= 2
    assert all(gone)


def gone_with(killed, others):
    """Kill a process; return for each of the others whether it has ended soon afterwards."""
    handles = [os.pidfd_open(pid) for pid in others]
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    gone = []
    for handle in handles:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        gone.append(bool(poll.poll(20_000)))
        os.close(handle)
    killed.stdout.close()
    return gone
