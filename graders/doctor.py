"""What this machine can keep from a student's code, and what is missing: `symmetry doctor`."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from graders.sandbox.choice import establish, why_not
from graders.sandbox.levels import DOCKERFILE, ENOUGH, FULL, NEEDED
from pytest_symmetry.grading import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.sandbox.levels import Isolation

_MEANING = {
    "files": "read files of yours: solutions, other submissions, passwords",
    "writing": "write files outside its own scratch folder",
    "network": "open a socket",
    "processes": "start processes or programs",
    "judge": "signal, trace or read the grader's process",
    "shared memory": "leave messages in shared memory",
    "privileges": "gain privileges in a namespace",
    "own root": "see the machine's folders at all",
    "own process numbers": "see other processes' numbers",
}


def report() -> Iterator[str]:
    """Yield the lines of the report: the level, the probes behind it, the locks, the versions."""
    isolation = establish("best")
    enough = isolation.level >= ENOUGH
    yield f"Isolation   {isolation}, found by trying"
    yield (
        f"            enough for `symmetry grade` (it asks for level {ENOUGH})"
        if enough
        else f"            not enough for `symmetry grade` (it asks for level {ENOUGH})"
    )
    for name in (*NEEDED, *FULL):
        can = not isolation.refused.get(name, False)
        yield f"            a submission {'CAN' if can else 'cannot'} {_MEANING[name]}"
    yield f"Landlock    {_landlock(isolation)}"
    yield f"Seccomp     {'yes' if isolation.locked.get('seccomp') else 'no'}"
    yield f"Namespaces  {_namespaces(isolation)}"
    yield from _group(isolation)
    yield f"System      {platform.system()} {platform.release()}, {platform.machine()}, {_user()}"
    yield f"Versions    {', '.join(f'{name} {version}' for name, version in versions().items())}"
    yield from _missing(isolation)


def _landlock(isolation: Isolation) -> str:
    version = isolation.locked.get("landlock", 0)
    return f"yes, version {version}" if version else "no: the kernel has none, or it is switched off"


def _namespaces(isolation: Isolation) -> str:
    if isolation.locked.get("namespaces"):
        return "yes"
    reason = isolation.locked.get("no namespaces") or why_not()
    return f"no{': ' + reason if reason else ''}"


def _group(isolation: Isolation) -> Iterator[str]:
    if isolation.locked.get("group"):
        yield "Cgroup      yes: what a submission takes is counted as a whole"
        return
    reason = isolation.locked.get("no group")
    yield f"Cgroup      no{f': {reason};' if reason else ';'}"
    yield "            the limits of each process hold without it"


def _user() -> str:
    if not hasattr(os, "getuid"):
        return "Windows"
    return "as root" if os.getuid() == 0 else f"as user {os.getuid()}"


def _missing(isolation: Isolation) -> Iterator[str]:
    """Yield what to do for more, if there is more to be had."""
    if isolation.level == 3:
        return
    if isolation.level == 2:
        yield "Missing     namespaces, for a root and process numbers of its own; everything else is locked"
        return
    yield f"Missing     {why_not() or 'Landlock (Linux 5.13) and seccomp, the two locks that need no root'}"
    yield f"            Grade on Linux, in CI, or in a container: {DOCKERFILE} says how;"
    yield "            or accept the risk with --isolation best"
