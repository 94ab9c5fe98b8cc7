"""A judge that is stuck, or killed, holds up nobody and leaves nothing behind."""

import os
import select
import signal
import subprocess
import sys

import pytest
import tiny_course

from graders import batch
from graders.intake import Entry

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


def test_a_stuck_judge_is_given_up_and_a_person_is_asked(tmp_path):
    """The worker ends; its chunk comes back as lost, to be tried one by one."""
    tiny_course.write_course(tmp_path / "tiny")
    tiny_course.write(tmp_path / "tiny" / "test_tiny.py", STUCK)
    path = tiny_course.write_submission(tmp_path / "ada.ipynb")
    task = batch.Task(str(tmp_path / "tiny"), 5, "hint", (Entry("ada", path, path.name),), patience=0.3)
    ((same, graded),) = batch._through_workers([task], 1)

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
    handles = [os.pidfd_open(int(pid)) for pid in judge.stdout.readline().split()]
    judge.send_signal(signal.SIGKILL)
    judge.wait()
    gone = []
    for handle in handles:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        gone.append(bool(poll.poll(20_000)))
        os.close(handle)
    judge.stdin.close()
    judge.stdout.close()

    assert len(handles) >= 2
    assert all(gone)
