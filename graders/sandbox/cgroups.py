"""A control group around a zygote: what a submission takes is counted by the kernel as a whole.

One more lock beside the limits of each process, where version 2 of control groups hands one on to whoever
runs the grader: ``systemd-run --user --scope -p Delegate=yes``, or a container with groups of its own. A
child costs nothing more for it: it is born in the group of its zygote.

Source: Documentation/admin-guide/cgroup-v2.rst of Linux.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
from dataclasses import dataclass
from pathlib import Path

THREADS = 256
"""Processes and threads in one group: the zygote, the one that waits for it, and a submission's threads."""

_BESIDE = 256 << 20
"""Bytes of Python, numpy and the scratch folder, which count beside what a submission may take."""

_LONG = 5000
"""Milliseconds in which the kernel has ended what was killed."""

_WANTED = ("memory", "pids")
_NUMBERS = itertools.count()


class NoGroupError(Exception):
    """There is no control group to be had; the message says why."""


@dataclass(slots=True)
class Group:
    """A control group of our own; ``counted`` is what it can limit, of memory and pids."""

    path: Path
    counted: tuple[str, ...]
    _memory: int = 0

    def hold(self, memory: int) -> None:
        """Let the group take ``memory`` bytes beyond what Python and numpy take, and not swap."""
        if "memory" in self.counted and memory != self._memory:
            self._memory = memory
            with contextlib.suppress(OSError):  # the limits of each process hold as well
                (self.path / "memory.max").write_text(str(memory + _BESIDE))

    def holds(self, process: int) -> bool:
        """Return whether the kernel counts a process of ours here, and has taken the limits."""
        inside = str(process) in _text(self.path / "cgroup.procs").split()
        return inside and (
            "pids" not in self.counted or _text(self.path / "pids.max").strip() == str(THREADS)
        )

    def close(self) -> None:
        """End the group, and before it whatever is left in it."""
        with contextlib.suppress(OSError):
            self.path.rmdir()
            return
        with contextlib.suppress(OSError):
            (self.path / "cgroup.kill").write_text("1")
            self._wait_until_empty()
            self.path.rmdir()

    def _wait_until_empty(self) -> None:
        """Wait until all in it are gone: a group with somebody in it cannot be removed."""
        with (self.path / "cgroup.events").open(encoding="ascii") as events:
            poll = select.poll()
            poll.register(events, select.POLLPRI | select.POLLERR)
            while "populated 1" in events.read() and poll.poll(_LONG):
                events.seek(0)


def make_group(proc: Path = Path("/proc")) -> Group:
    """Return a new group beside or below that of this process.

    ``proc`` is where the kernel tells about processes.

    Raises:
        NoGroupError: this process has none that it may divide.
    """
    counted: tuple[str, ...] = ()
    for above in _own_groups(proc / "self"):
        handed_on = _text(above / "cgroup.subtree_control").split()
        counted = tuple(name for name in _WANTED if name in handed_on)
        if counted and os.access(above, os.W_OK):
            return _made(above, counted, proc)
    why = (
        "is not ours to divide"
        if counted
        else "hands on neither memory nor processes (cgroup.subtree_control)"
    )
    msg = f"the control group of this process {why}"
    raise NoGroupError(msg)


def _own_groups(about: Path) -> list[Path]:
    """Return the group of this process and the one above it, as folders."""
    mounts = [line.split() for line in _text(about / "mountinfo").splitlines()]
    roots = [fields[4] for fields in mounts if "cgroup2" in fields[fields.index("-") :]]
    names = [line[3:] for line in _text(about / "cgroup").splitlines() if line.startswith("0::/")]
    if not roots or not names:
        msg = "this machine has no control groups of version 2"
        raise NoGroupError(msg)
    root = Path(roots[0])
    own = root / names[0].lstrip("/")
    return [own] if own == root else [own, own.parent]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _made(above: Path, counted: tuple[str, ...], proc: Path) -> Group:
    _tidy(above, proc)
    group = Group(above / f"symmetry-{os.getpid()}-{next(_NUMBERS)}", counted)
    try:
        group.path.mkdir()
        if "pids" in counted:
            (group.path / "pids.max").write_text(str(THREADS))
        if "memory" in counted:
            with contextlib.suppress(OSError):  # a machine without swap need not have the file
                (group.path / "memory.swap.max").write_text("0")
    except OSError as error:
        with contextlib.suppress(OSError):
            group.path.rmdir()
        msg = f"no group could be made in {above}: {error.strerror}"
        raise NoGroupError(msg) from None
    return group


def _tidy(above: Path, proc: Path) -> None:
    """Remove groups of ours whose makers were killed; one in which somebody still lives stays."""
    for old in above.glob("symmetry-*-*"):
        if not (proc / old.name.split("-")[1]).exists():
            Group(old, ()).close()
