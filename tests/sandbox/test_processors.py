"""A child works where its judge runs, as long as the two take turns."""

import os
from pathlib import Path

import pytest

from graders.sandbox import transport


def allowed(child):
    """Return the processors that a child may run on."""
    lines = Path(f"/proc/self/fdinfo/{child.handle}").read_text(encoding="ascii").splitlines()
    pid = next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))
    return os.sched_getaffinity(pid)


@pytest.fixture
def child(sandbox):
    made = sandbox.child(1 << 30)
    yield made
    made.end()


def test_a_child_begins_on_one_processor_of_its_judge(child):
    """What the two pass to and fro is still warm there."""
    assert 1 == len(allowed(child))
    assert allowed(child) <= os.sched_getaffinity(0)


def test_a_child_at_work_for_longer_may_run_anywhere(child, monkeypatch):
    """Else a crowded processor would cost it time that others have."""
    monkeypatch.setattr(transport, "_BRIEFLY", 0.0)
    said = child.says_within(0.001)  # nobody asked it anything

    assert not said
    assert allowed(child) == os.sched_getaffinity(0)


def test_a_machine_that_cannot_say_where_it_runs_binds_nobody(sandbox, monkeypatch):
    """As where the C library has no sched_getcpu."""
    monkeypatch.setattr(transport, "_clib", object)
    made = sandbox.child(1 << 30)
    found = allowed(made)
    made.end()

    assert found == os.sched_getaffinity(0)
