"""The control group around a zygote: made where one may be, refused in words elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graders import doctor
from graders.sandbox import cgroups
from graders.sandbox.cgroups import THREADS, Group, NoGroupError, make_group
from graders.sandbox.transport import Sandbox


class Kernel:
    """Folders that look as the kernel's do: a mount of groups, and what it tells of this process."""

    def __init__(self, folder, own="/user/judge"):
        self.proc, self.root = folder / "proc", folder / "groups"
        (self.proc / "self").mkdir(parents=True)
        (self.root / own.lstrip("/")).mkdir(parents=True)
        mount = f"30 20 0:26 / {self.root} rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
        (self.proc / "self" / "mountinfo").write_text(f"1 0 8:1 / / rw - ext4 /dev/sda rw\n{mount}")
        (self.proc / "self" / "cgroup").write_text(f"9:name=systemd:/x\n0::{own}\n")

    def hand_on(self, group, counted):
        """Say what a group counts for those below it."""
        (self.root / group / "cgroup.subtree_control").write_text(counted)


@pytest.fixture
def kernel(tmp_path):
    return Kernel(tmp_path)


@pytest.mark.parametrize(("above", "inside"), [("user", "user"), ("user/judge", "user/judge")])
def test_a_group_is_made_where_memory_and_processes_are_handed_on(kernel, above, inside):
    """Beside that of this process, as systemd's delegation has it, or below."""
    kernel.hand_on(above, "cpu memory pids")
    group = make_group(kernel.proc)
    group.hold(1 << 30)

    assert kernel.root / inside == group.path.parent
    assert str(THREADS) == (group.path / "pids.max").read_text()
    assert 1 << 30 < int((group.path / "memory.max").read_text()) < 2 << 30
    assert "0" == (group.path / "memory.swap.max").read_text()


def test_what_is_not_counted_is_not_limited(kernel):
    """A group for processes only."""
    kernel.hand_on("user", "pids")
    group = make_group(kernel.proc)
    group.hold(1 << 30)

    assert ("pids",) == group.counted
    assert not (group.path / "memory.max").exists()


def test_a_group_that_hands_on_nothing_is_left_alone(kernel):
    """As where only the machine's own manager divides groups."""
    kernel.hand_on("user", "cpu io")
    with pytest.raises(NoGroupError, match="hands on neither memory nor processes"):
        make_group(kernel.proc)

    assert [] == [*kernel.root.rglob("symmetry-*")]


def test_a_group_of_somebody_else_is_left_alone(kernel, monkeypatch):
    """An ordinary user in a session."""
    kernel.hand_on("user", "memory pids")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(NoGroupError, match="is not ours to divide"):
        make_group(kernel.proc)


def test_a_group_that_cannot_be_made_says_why(kernel, monkeypatch):
    """Here: there is one of that name."""
    kernel.hand_on("user", "memory pids")
    monkeypatch.setattr(cgroups, "_NUMBERS", iter([7]))
    (kernel.root / "user" / f"symmetry-{os.getpid()}-7").mkdir()
    (kernel.proc / str(os.getpid())).mkdir()
    with pytest.raises(NoGroupError, match=r"no group could be made in .*: File exists"):
        make_group(kernel.proc)


@pytest.mark.parametrize("missing", ["mountinfo", "cgroup"])
def test_a_machine_without_version_2_is_told(kernel, missing):
    """Version 1 alone, or no /proc at all."""
    (kernel.proc / "self" / missing).write_text("9:memory:/x\n" if missing == "cgroup" else "")
    with pytest.raises(NoGroupError, match="no control groups of version 2"):
        make_group(kernel.proc)


def test_groups_of_workers_that_were_killed_are_removed(kernel):
    """Those of living ones stay."""
    kernel.hand_on("user", "memory pids")
    (kernel.proc / "living").mkdir()
    for name in ("symmetry-killed-0", "symmetry-living-0"):
        (kernel.root / "user" / name).mkdir()
    make_group(kernel.proc)
    left = {path.name for path in (kernel.root / "user").glob("symmetry-*i*-0")}

    assert {"symmetry-living-0"} == left


def test_only_what_the_kernel_says_counts(kernel):
    """A zygote that is not in the group, or a limit that was not taken: no group."""
    kernel.hand_on("user", "memory pids")
    group = make_group(kernel.proc)
    (group.path / "cgroup.procs").write_text("12\n13\n")
    inside, outside = group.holds(13), group.holds(14)
    (group.path / "pids.max").write_text("max\n")

    assert (inside, outside, group.holds(13)) == (True, False, False)


def test_a_sandbox_in_a_group_says_so(kernel, monkeypatch):
    """The zygote enters before anything else; the limit follows the assignment; doctor tells."""
    kernel.hand_on("user", "memory pids")
    made = make_group(kernel.proc)
    (made.path / "cgroup.procs").touch()
    monkeypatch.setattr("graders.sandbox.transport.make_group", lambda: made)
    monkeypatch.setattr(Group, "holds", lambda self, _: "0" == (self.path / "cgroup.procs").read_text())
    box = Sandbox()
    found = box.start()
    box.child(1 << 29).end()
    box.close()
    monkeypatch.setattr(doctor, "establish", lambda _: found)

    assert found.locked["group"]
    assert str((1 << 29) + cgroups._BESIDE) == (made.path / "memory.max").read_text()
    assert "1" == (made.path / "cgroup.kill").read_text()
    assert "Cgroup      yes" in "\n".join(doctor.report())


def test_the_kernel_ends_what_is_in_a_group():
    """With groups of the kernel's own, where this process may make one."""
    try:
        above = cgroups._own_groups(Path("/proc/self"))[0]
        group = Group(above / f"symmetry-{os.getpid()}-test", ())
        group.path.mkdir()
    except (NoGroupError, OSError) as error:
        pytest.skip(f"no control group can be made here: {error}")
    if not (group.path / "cgroup.kill").exists():
        group.close()
        pytest.skip("this kernel cannot end a group")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        (group.path / "cgroup.procs").write_text(str(process.pid))
        inside = group.holds(process.pid)
        group.close()
        code = process.wait()

    assert inside
    assert -9 == code
    assert not group.path.exists()
