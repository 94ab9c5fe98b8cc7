"""What a locked child can really do, tried out in one: the level is what was found, not what was asked for.

Each probe tries something that a hostile submission would. The answers are facts for the judge; a probe that
cannot say counts as "possible".
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_PTRACE = {"x86_64": 101, "aarch64": 117}
_MEMORY_OF_OTHERS = {"x86_64": 310, "aarch64": 270}
_PTRACE_SEIZE, _PTRACE_DETACH = 0x4206, 17


def _refused(action: Callable[[], Any]) -> bool:
    """Return whether the system refuses an action."""
    try:
        action()
    except (OSError, AttributeError):
        return True
    return False


def _cannot_open(*paths: str) -> bool:
    return all(_refused(lambda p=path: os.close(os.open(p, os.O_RDONLY))) for path in paths)  # type: ignore[misc]


def _cannot_write(*folders: str) -> bool:
    def write(folder: str) -> None:
        path = f"{folder}/symmetry-probe-{os.getpid()}"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        os.unlink(path)  # noqa: PTH108 - pathlib would add nothing

    return all(_refused(lambda f=folder: write(f)) for folder in folders)  # type: ignore[misc]


def _no_socket(family: int, kind: int) -> bool:
    return _refused(lambda: socket.socket(family, kind).close())


def _cannot_fork() -> bool:
    try:
        child = os.fork()
    except OSError:
        return True
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return False


def _cannot_execute() -> bool:
    """Try a program that is not there: a locked child is refused before anybody looks for it."""
    try:
        os.execve("/nonexistent/symmetry-probe", ["probe"], {})  # noqa: S606 - to see that it fails
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _cannot_reach(judge: int) -> bool:
    """Try to signal the judge, trace it, and read its memory and environment."""
    library = ctypes.CDLL(None, use_errno=True)
    machine = os.uname().machine

    def reached(result: int) -> bool:
        return result != -1

    if not _refused(lambda: os.kill(judge, 0)):
        return False
    if reached(library.syscall(_PTRACE[machine], _PTRACE_SEIZE, judge, 0, 0)):
        library.syscall(_PTRACE[machine], _PTRACE_DETACH, judge, 0, 0)
        return False
    if reached(library.syscall(_MEMORY_OF_OTHERS[machine], judge, None, 0, None, 0, 0)):
        return False
    return _cannot_open(f"/proc/{judge}/environ", f"/proc/{judge}/mem")


def _no_shared_memory() -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    made = library.shmget(0x53594D, 4096, 0o1600)
    if made >= 0:
        library.shmctl(made, 0, None)
    return bool(made < 0)


def _cannot_unshare() -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.unshare(0x10000000) != 0)


def run_probes(judge: int, secret: str, folder: str) -> dict[str, bool]:
    """Return what is refused here: ``judge`` is its process, ``secret`` a file of its own, ``folder`` too."""
    probes: dict[str, Callable[[], bool]] = {
        "files": lambda: _cannot_open(secret, "/etc/passwd", "/proc/self/environ"),
        "writing": lambda: _cannot_write(folder, "/dev/shm", "/var/tmp"),  # noqa: S108 - to see that it fails
        "network": lambda: all(
            _no_socket(family, kind)
            for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        ),
        "processes": lambda: _cannot_fork() and _cannot_execute(),
        "judge": lambda: _cannot_reach(judge),
        "shared memory": _no_shared_memory,
        "privileges": _cannot_unshare,
        "own root": lambda: not os.path.exists("/proc/self") and not os.path.exists(secret),  # noqa: PTH110
        "own process numbers": lambda: os.getppid() == 1,
    }
    found = {}
    for name, probe in probes.items():
        found[name] = False
        with contextlib.suppress(Exception):
            found[name] = probe()
    return found
