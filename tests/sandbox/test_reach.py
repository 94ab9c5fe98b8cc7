"""What a submission reaches for is refused to it; the same attempts succeed against a plain child."""

import os
import platform
import re
from pathlib import Path

import numpy as np
import pytest
from attack_files import attacks, opened, sealed

from pytest_symmetry import errors
from pytest_symmetry.remote.process import PlainProcess
from pytest_symmetry.remote.proxy import StudentFunctions

ALL = attacks("reach")
IDS = [attack.name for attack in ALL]


def outcome(attack, transport, world):
    """Return what became of an attack: "breached", or the type of what refused it, or "died"."""
    made = opened(attack.source, transport)
    try:
        return StudentFunctions(made).attack(world)
    except errors.ProcessDied:
        return "died"
    except errors.StudentTrouble as trouble:
        return trouble.finding.facts.get("type", trouble.finding.code)
    finally:
        made.close()


def left_behind(world):
    return {p.name: p.stat().st_mtime_ns for p in Path(world["folder"]).iterdir()}


@pytest.mark.parametrize("attack", ALL, ids=IDS)
def test_it_is_refused_and_nothing_is_left(sandbox, world, attack):
    """Twice, so that a message left by the first would be found by the second; then honest work goes on."""
    if attack.x86_only and platform.machine() != "x86_64":
        pytest.skip("its numbers are those of x86_64")
    before = left_behind(world)
    outcomes = [outcome(attack, sealed(sandbox), world) for _ in range(2)]
    made = opened("", sealed(sandbox))
    answer = StudentFunctions(made).honest(np.ones(2))
    made.close()

    assert all(re.fullmatch(attack.facts["sealed"], found) for found in outcomes), outcomes
    assert before == left_behind(world)
    assert [2.0, 2.0] == list(answer)


@pytest.mark.parametrize(
    "attack",
    [a for a in ALL if a.facts["plain"] == "breached"],
    ids=[a.name for a in ALL if a.facts["plain"] == "breached"],
)
def test_the_same_attack_succeeds_against_a_plain_child(world, attack):
    """Otherwise the attack is dead and its refusal proves nothing."""
    if attack.x86_only and platform.machine() != "x86_64":
        pytest.skip("its numbers are those of x86_64")
    if attack.name in _NEEDS_MORE and os.getuid() != 0:
        pytest.skip("the machine refuses this to ordinary users anyway")

    assert "breached" == outcome(attack, PlainProcess(), world)


_NEEDS_MORE = (
    "trace_judge",
    "vm_read_judge",
    "judges_memory",
    "raw_namespace",
    "namespace",
    "parents_memory",
)


def test_no_process_is_left(sandbox):
    """The zygote has no child once the submission is closed."""
    made = opened("", sealed(sandbox))
    StudentFunctions(made).honest(1.0)
    made.close()
    waiting = sandbox._process.pid
    alive = [p for p in _descendants(waiting) if _state(p) != "Z"]

    assert len(alive) <= 1  # with namespaces: the zygote below the one that waits


def _descendants(pid):
    children = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [d for c in children for d in _descendants(c)]


def _state(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_zygote_that_dies_is_replaced(sandbox):
    """The submission at hand loses one call at most; the next one is answered."""
    made = opened("", sealed(sandbox))
    functions = StudentFunctions(made)
    functions.honest(1.0)
    sandbox._process.kill()
    sandbox._process.wait()
    troubles = 0
    for _ in range(100):  # the kernel takes a moment, or none, to end the child
        try:
            functions.honest(1.0)
        except errors.StudentTrouble:
            troubles += 1
    made.close()

    assert troubles <= 1


def test_a_lock_that_fails_runs_nothing(sandbox):
    """A child that cannot say that it is locked is not given a byte; a person looks at it."""
    from graders.sandbox.levels import SandboxError

    transport = sealed(sandbox)
    transport._memory = "all of it"
    made = opened("", transport)

    with pytest.raises(SandboxError, match="nothing of the submission was run"):
        StudentFunctions(made).honest(1.0)
    made.close()


def test_equal_input_gives_equal_bytes(sandbox):
    """Sets and dictionaries have the same order in every child."""
    source = "def order():\n    return list({'W1', 'b1', 'W2', 'b2', 'dW1', 'db1'}), hash('W1')\n"
    found = []
    for _ in range(2):
        made = opened(source, sealed(sandbox))
        found.append(StudentFunctions(made).order())
        made.close()

    assert found[0] == found[1]
