"""The locks, one function each: namespaces, a private root, Landlock, limits, seccomp. Linux only.

All by ctypes: no package for this is kept up, and a grader must not need root or a set-uid helper. Every
function raises where the kernel refuses, so that nothing runs half locked.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import resource
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from graders.sandbox import syscalls

NOBODY = 65534
SCRATCH_BYTES = 32 << 20

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT = 1, 2, 4, 8, 32
_BIND, _REC, _PRIVATE = 0x1000, 0x4000, 0x40000
_DETACH = 2
_SET_PDEATHSIG, _SET_DUMPABLE, _SET_NAME, _SET_NO_NEW_PRIVS = 1, 4, 15, 38


@functools.cache
def libc() -> ctypes.CDLL:
    """Return the C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> int:
    """Return the result of a C call.

    Raises:
        OSError: it is negative.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _prctl(option: int, argument: int) -> None:
    checked(libc().prctl(option, ctypes.c_ulong(argument), 0, 0, 0), f"prctl {option}")


def die_with_parent() -> None:
    """Be killed when the parent ends, however it ends; changing the user forgets this."""
    _prctl(_SET_PDEATHSIG, 9)


# Namespaces and a root of its own


def enter_namespaces() -> None:
    """Leave the machine's mounts, network, IPC, host name and process numbers, by a user namespace if needed.

    The process must have one thread. Process numbers change for the next child only.

    Raises:
        OSError: this machine does not allow it.
    """
    flags = _NEWNS | _NEWIPC | _NEWUTS | _NEWNET | _NEWPID
    if os.getuid() == 0 and libc().unshare(flags) == 0:
        return
    user, group = os.getuid(), os.getgid()
    checked(libc().unshare(_NEWUSER | flags), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    given = [None if text is None else text.encode() for text in (source, target, kind)]
    last = None if options is None else options.encode()
    checked(libc().mount(*given, ctypes.c_ulong(flags), last), f"mount {target}")


def enter_private_root(folders: Sequence[str], hidden: Sequence[str], scratch: str) -> None:
    """Make a root that holds ``folders`` read-only, empty folders at ``hidden``, and a small ``scratch``.

    The machine's own root is gone afterwards. Folders are bound shallow ones first, so that one of them may
    lie inside a hidden one.

    Raises:
        OSError: this machine does not allow it.
    """
    _mount(None, "/", None, _REC | _PRIVATE)
    sources = {folder: os.open(folder, os.O_PATH | os.O_CLOEXEC) for folder in folders}
    root = "/tmp"  # noqa: S108 - any folder will do: nobody else sees this mount
    _mount("none", root, "tmpfs", _NOSUID | _NODEV, "size=1m,nr_inodes=1k,mode=755")
    read_only = []
    for folder in sorted({*folders, *hidden}, key=lambda f: (f.count("/"), f)):
        target = root + folder
        Path(target).mkdir(parents=True, exist_ok=True)
        if folder in sources:
            _mount(f"/proc/self/fd/{sources[folder]}", target, None, _BIND | _REC)
        else:
            _mount("none", target, "tmpfs", _NOSUID | _NODEV, "size=64k,mode=755")
        read_only.append(target)
    for target in read_only:
        _make_read_only(target)
    Path(root + scratch).mkdir(parents=True, exist_ok=True)
    options = f"size={SCRATCH_BYTES},nr_inodes=1k,mode=700"
    _mount("none", root + scratch, "tmpfs", _NOSUID | _NODEV | _NOEXEC, options)
    _make_read_only(root)
    for descriptor in sources.values():
        os.close(descriptor)
    os.chdir(root)
    pivot_root = syscalls.number(platform.machine(), "pivot_root")
    checked(libc().syscall(pivot_root, b".", b"."), "pivot_root")
    checked(libc().umount2(b".", _DETACH), "umount")
    os.chdir("/")


def _make_read_only(target: str) -> None:
    """Remount a folder read-only; flags that the machine itself has set cannot be taken off."""
    kept = os.statvfs(target).f_flag & (_NOSUID | _NODEV | _NOEXEC)
    _mount(None, target, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV | kept)


# Privileges


def become_nobody() -> None:
    """Give up root for the user that owns nothing."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def drop_capabilities() -> None:
    """Give up every capability, those in a namespace of one's own too."""
    header = ctypes.create_string_buffer(struct.pack("<II", 0x20080522, 0), 8)
    checked(libc().capset(header, ctypes.create_string_buffer(24)), "capset")


def forbid_new_privileges() -> None:
    """Make set-uid programs powerless for this process and its children, and hide it from its peers."""
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _prctl(_SET_DUMPABLE, 0)


# Files: Landlock

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_SCRATCH_RIGHTS = _READ_FILE | _READ_DIR | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8
_TRUNCATE = 1 << 14


def landlock(readable: Iterable[str], scratch: str | None) -> int:
    """Let this process read ``readable`` and write below ``scratch``; return its version, 0 for none.

    Covers opening, listing, making and removing files, and with newer kernels TCP, signals and abstract
    sockets across the border. Needs no privilege; call :func:`forbid_new_privileges` before.

    Source: Documentation/userspace-api/landlock.rst of Linux.
    """
    machine = platform.machine()
    create, add, restrict = (
        syscalls.number(machine, f"landlock_{name}")
        for name in ("create_ruleset", "add_rule", "restrict_self")
    )
    version = libc().syscall(create, None, 0, 1)
    if version < 1:
        return 0
    handled = (1 << 13) - 1
    handled |= sum(1 << bit for bit, since in ((13, 2), (14, 3), (15, 5)) if version >= since)
    fields = [handled, 3, 3][: 1 if version < 4 else 2 if version < 6 else 3]
    attributes = struct.pack(f"<{len(fields)}Q", *fields)
    rules = checked(libc().syscall(create, attributes, len(attributes), 0), "landlock_create_ruleset")
    rights = dict.fromkeys(readable, _READ_FILE | _READ_DIR)
    if scratch is not None:
        rights[scratch] = _SCRATCH_RIGHTS | (_TRUNCATE if version >= 3 else 0)
    for path, allowed in rights.items():
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:  # a link out of the library, to what is not in the private root
            continue
        mine = allowed if Path(path).is_dir() else allowed & _READ_FILE
        rule = struct.pack("<Qi", mine, descriptor)
        checked(libc().syscall(add, rules, 1, rule, 0), f"landlock_add_rule {path}")
        os.close(descriptor)
    checked(libc().syscall(restrict, rules, 0), "landlock_restrict_self")
    os.close(rules)
    return int(version)


# Limits


def limit(name: str, value: int) -> None:
    """Set a limit of this process for good, or keep a lower one that it already has."""
    kind = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(kind)[1]
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (lowest, lowest))


def limit_everything(*, own_users: bool) -> None:
    """Set the limits that are the same for every child; processes only where no others are counted."""
    for name, value in (
        ("CORE", 0),
        ("FSIZE", SCRATCH_BYTES),
        ("NOFILE", 64),
        ("MEMLOCK", 0),
        ("MSGQUEUE", 0),
        ("STACK", 16 << 20),
    ):
        limit(name, value)
    if own_users:
        limit("NPROC", 128)
    elif os.getuid() == NOBODY:  # all submissions of this machine are counted together here
        limit("NPROC", 4096)


# System calls: seccomp

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_REFUSE, _NO_SUCH_CALL, _ALLOW, _KILL = 0x50001, 0x50026, 0x7FFF0000, 0x80000000
_Step = tuple[int, int, int, int]


def filter_program(machine: str, *, scratch: bool) -> bytes:
    """Return the seccomp filter of a child: a closed list of calls, everything else is refused (EPERM).

    No process, no program, no socket, no signal to anybody, no shared memory; threads, clocks, and files
    opened for reading (for writing too where ``scratch`` is the only place that mounts let one write to).
    """

    def number(name: str) -> int:
        return syscalls.number(machine, name)

    steps: list[_Step] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, syscalls.PROCESSORS[machine].audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, 0x40000000),  # the x32 way into the kernel
        (_RETURN, 0, 0, _KILL),
    ]
    for call in syscalls.freely(machine, scratch=scratch):
        steps += [(_EQUAL, 0, 1, call), (_RETURN, 0, 0, _ALLOW)]
    steps += [
        (_EQUAL, 0, 1, number("clone3")),
        (_RETURN, 0, 0, _NO_SUCH_CALL),
    ]  # its flags cannot be seen here
    steps += _if_flags(number("clone"), 0, needs=0x10000, refuses=0x7E020000 | 0x4000 | 0x2000)
    if scratch:
        steps += [(_EQUAL, 0, 1, number("openat")), (_RETURN, 0, 0, _ALLOW)]
    else:
        writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | 0o20000000
        steps += _if_flags(number("openat"), 2, needs=0, refuses=writing)
    steps += _if_one_of(number("prlimit64"), 2, [0])  # asking, not setting
    steps += _if_one_of(number("prctl"), 0, [_SET_NAME])
    steps += _if_one_of(
        number("ioctl"), 1, [0x5401, 0x5451, 0x5450, 0x541B]
    )  # is it a terminal; close-on-exec
    steps += _if_one_of(number("fcntl"), 1, [0, 1, 2, 3, 4, 1030])
    steps.append((_RETURN, 0, 0, _REFUSE))
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def _if_flags(call: int, argument: int, *, needs: int, refuses: int) -> list[_Step]:
    """Allow a call if its argument has all bits of ``needs`` (one bit or none) and none of ``refuses``."""
    body: list[_Step] = [
        (_LOAD, 0, 0, 16 + 8 * argument),
        (_ANY_BIT, 0, 1, refuses),
        (_RETURN, 0, 0, _REFUSE),
    ]
    if needs:
        body += [(_ANY_BIT, 1, 0, needs), (_RETURN, 0, 0, _REFUSE)]
    body.append((_RETURN, 0, 0, _ALLOW))
    return [(_EQUAL, 0, len(body), call), *body]


def _if_one_of(call: int, argument: int, values: Sequence[int]) -> list[_Step]:
    """Allow a call if its argument is one of ``values``."""
    body: list[_Step] = [(_LOAD, 0, 0, 16 + 8 * argument)]
    body += [step for value in values for step in ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW))]
    body.append((_RETURN, 0, 0, _REFUSE))
    return [(_EQUAL, 0, len(body), call), *body]


class Filter:
    """A seccomp filter, built once; :meth:`apply` is one system call."""

    def __init__(self, program: bytes) -> None:
        self._steps = ctypes.create_string_buffer(program, len(program))
        address = ctypes.addressof(self._steps)
        header = struct.pack("<HxxxxxxQ", len(program) // 8, address)
        self._header = ctypes.create_string_buffer(header, 16)
        self._call = syscalls.number(platform.machine(), "seccomp")

    def apply(self) -> None:
        """Apply the filter to this process for good; it must have one thread.

        Raises:
            OSError: the kernel refuses.
        """
        # 4: without the mitigation that slows a process down for a filter (SECCOMP_FILTER_FLAG_SPEC_ALLOW).
        checked(libc().syscall(self._call, 1, 4, self._header), "seccomp")
