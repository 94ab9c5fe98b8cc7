"""A clean process with numpy loaded that locks itself in and forks one child per submission.

Run as a program by :mod:`graders.sandbox.transport`; Linux only. It never sees a byte of a submission: the
judge talks to each child directly, by the same protocol as to a plain one. Everything that can be locked
once is locked here, before the first fork, so that a child costs a fork and one seccomp filter.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import platform
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

READY = b"\x01"
LOCKING_FAILED = 99
SCRATCH = "/temporary"
"""In a root of its own; no name that an assignment's data could lie below."""

CPU_SECONDS = 1800
"""CPU time of one process, all calls together; one that is killed by it is started again."""

# What is loaded before the locks: the shared half of a student's process, and the parts of numpy and of
# the standard library that need a shared library or a configuration file from outside the readable folders.
_NUMPY = ("numpy", "numpy.linalg", "numpy.random", "numpy.fft", "numpy.ma", "numpy.polynomial")
_LIBRARY = (
    "bz2", "copy", "csv", "ctypes", "dataclasses", "datetime", "decimal", "fractions", "hashlib", "itertools",
    "lzma", "math", "random", "statistics", "string", "tempfile", "typing", "uuid", "zlib",
)  # fmt: skip
_OURS = ("pytest_symmetry.remote.child", "graders.sandbox.lockdown", "graders.sandbox.probes",
         "graders.sandbox.quiet", "graders.sandbox.refusals")  # fmt: skip
_INSTALLED = ("site-packages", "dist-packages")


def _load(folders: list[str]) -> None:
    """Import all that children need, from folders that are off the path again afterwards."""
    sys.path += folders
    for name in (*_NUMPY, *_OURS):
        importlib.import_module(name)
    for name in _LIBRARY:
        with contextlib.suppress(ImportError):  # a Python built without one of them
            importlib.import_module(name)
    sys.path[:] = [p for p in sys.path if p not in folders]
    for name in ("pytest_symmetry", "pytest_symmetry.remote", "graders", "graders.sandbox"):
        sys.modules[name].__path__ = []  # nothing else of ours can be imported
    for path in sys.path:  # the finders must know their folders: listing them will not be possible
        finder = importlib.import_module("pkgutil").get_importer(path)
        if finder is not None:
            finder.find_spec("symmetry_no_such_module")


_REHEARSAL = """\
import numpy as np

SCALE = 2.0

def f(X, parameters, rate=0.5):
    \'\'\'Return what a student's function might.\'\'\'
    cache = {"A": np.tanh(X @ parameters["W"].T) + np.sum(parameters["b"]), "t": (X, [rate, 3])}
    return cache, float(np.mean(cache["A"]))

for i in range(3):
    print(i)
"""
_REHEARSALS = 30
"""Python adapts its code to what passes through it within so many calls."""


def warm_up() -> None:
    """Answer for a submission of our own, so that no child need be the first: Python and numpy are slow then.

    What a child inherits is code that has adapted itself to arrays and tables; no object of the rehearsal.
    """
    from pytest_symmetry.remote import child, wire

    array = importlib.import_module("numpy").ones
    call = {"op": "call", "name": "f", "kwargs": {"rate": 0.25}, "seed": 1, "seconds": 1.0}
    call["args"] = (array((3, 2)), {"W": array((4, 2)), "b": array((4, 1))})
    opening = {"op": "open", "cells": [[1, _REHEARSAL]], "aliases": {}, "whole_cells": True, "hung": [],
               "paths": [], "seed": 0, "seconds": 1.0}  # fmt: skip
    for number in range(_REHEARSALS):
        server = child.Server(lambda question: question)
        for message in (opening, call, {**call, "name": "g"}, *[call] * 3)[: 2 if number % 5 else None]:
            frame = wire.encode(message)
            wire.decode(server.answer(wire.decode(frame, server.resolve), frame))
    importlib.import_module("linecache").clearcache()


def _library_folders() -> list[str]:
    return [path for path in sys.path if Path(path).is_dir()]


def _numpy_folder() -> str:
    return str(Path(str(sys.modules["numpy"].__file__)).parent)


def _readable(data: str | None) -> list[str]:
    """Return what a child may read: the library without what is installed into it, numpy, and the data."""
    found = [
        str(entry)
        for folder in _library_folders()
        for entry in Path(folder).iterdir()
        if entry.name not in _INSTALLED and entry.exists()
    ]
    return [*found, _numpy_folder(), *([data] if data else [])]


def _hidden() -> list[str]:
    installed = [str(Path(folder, name)) for folder in _library_folders() for name in _INSTALLED]
    return [folder for folder in installed if Path(folder).is_dir()]


class Zygote:
    """The locked parent of the children; one child lives at a time."""

    def __init__(self, link: socket.socket, settings: dict[str, Any]) -> None:
        self.link = link
        self.settings = settings
        self.namespaces: bool = settings["namespaces"]
        self.scratch = SCRATCH if self.namespaces else None
        self.child = 0

    def lock(self) -> dict[str, Any]:
        """Load, lock this process, and return what was locked.

        Raises:
            OSError: the kernel refuses one of the locks.
        """
        from graders.sandbox import lockdown, quiet

        data = self.settings["data"]
        readable = _readable(data)
        self.nothing = os.open(os.devnull, os.O_RDWR)
        statm = os.open("/proc/self/statm", os.O_RDONLY)
        folders = [*_library_folders(), _numpy_folder(), *([data] if data else [])]
        if self.namespaces:
            lockdown.enter_private_root(folders, _hidden(), SCRATCH)
        if os.getuid() == 0 and self._nobody_can_read(folders):
            if self.scratch is not None:
                os.chown(self.scratch, lockdown.NOBODY, lockdown.NOBODY)
            lockdown.become_nobody()
        lockdown.drop_capabilities()
        if self.namespaces:
            lockdown.die_with_parent()  # the process that waits outside; without one, the judge's end is seen
        os.chdir(data or self.scratch or "/")
        lockdown.forbid_new_privileges()
        version = lockdown.landlock(readable, self.scratch) if self.settings["landlock"] else 0
        lockdown.limit_everything(own_users=self.namespaces and os.getuid() != lockdown.NOBODY)
        self.filter = None
        if self.settings["seccomp"]:
            program = lockdown.filter_program(platform.machine(), scratch=self.scratch is not None)
            self.filter = lockdown.Filter(program)
        quiet.silence_plots()
        warm_up()
        gc.collect()
        gc.freeze()
        pages = int(os.read(statm, 200).split()[0])
        os.close(statm)
        self.size = pages * resource.getpagesize()
        return {"landlock": version, "namespaces": self.namespaces, "seccomp": self.filter is not None}

    @staticmethod
    def _nobody_can_read(folders: list[str]) -> bool:
        """Return whether the user that owns nothing could still import: Python may lie in root's own home."""
        child = os.fork()
        if child == 0:
            from graders.sandbox import lockdown

            with contextlib.suppress(OSError):
                lockdown.become_nobody()
                os._exit(0 if all(os.access(folder, os.R_OK | os.X_OK) for folder in folders) else 1)
            os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def serve(self) -> NoReturn:
        """Fork a child for each order until the judge is gone."""
        while True:
            text, descriptors, _, _ = socket.recv_fds(self.link, 65536, 2)
            if not text:
                os._exit(0)
            self.end_child()
            parent = os.getpid()
            self.child = os.fork()
            if self.child == 0:
                self._become_child(descriptors, json.loads(text), parent)
            for descriptor in descriptors:
                os.close(descriptor)
            handle = os.pidfd_open(self.child)
            answer = json.dumps({"pid": self.child}).encode()
            socket.send_fds(self.link, [answer], [handle])
            os.close(handle)

    def end_child(self) -> None:
        """Kill the last child and wipe what it wrote: nothing passes from one submission to the next."""
        if self.child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
            self.child = 0
        if self.scratch is not None:
            _wipe(self.scratch)

    def _become_child(self, descriptors: list[int], order: dict[str, Any], parent: int) -> NoReturn:
        """Lock the last lock and answer the judge; any trouble before that ends this process."""
        try:
            source, sink = self._lock_child(descriptors, order, parent)
        except BaseException:  # noqa: BLE001 - whatever it was: not one byte of a submission runs
            os._exit(LOCKING_FAILED)
        _answer(source, sink, order, self.scratch)

    def _lock_child(self, descriptors: list[int], order: dict[str, Any], parent: int) -> tuple[int, int]:
        from graders.sandbox import lockdown

        lockdown.die_with_parent()
        if os.getppid() != parent:
            os._exit(LOCKING_FAILED)
        aside = [os.dup2(descriptor, 50 + i) for i, descriptor in enumerate(descriptors)]
        for number, descriptor in enumerate([self.nothing] * 3 + aside):
            os.dup2(descriptor, number)
        os.closerange(5, 1024)
        lockdown.limit("AS", self.size + order["memory"])
        lockdown.limit("CPU", CPU_SECONDS)
        if order.get("processor") is not None:
            # Where the judge is: one of the two always waits for the other, and what they pass is still warm.
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, {order["processor"]})
        if self.filter is not None:
            self.filter.apply()
        return 3, 4


def _answer(source: int, sink: int, order: dict[str, Any], scratch: str | None) -> NoReturn:
    from pytest_symmetry.remote import child

    def send(frame: bytes) -> None:
        view = memoryview(frame)
        while view:
            view = view[os.write(sink, view) :]

    if "probe" in order:
        from graders.sandbox import probes

        send(json.dumps(probes.run_probes(*order["probe"])).encode())
        os._exit(0)
    from graders.sandbox.refusals import Refusals

    sys.addaudithook(Refusals(scratch))
    sys.stdin = None
    send(READY)
    child.serve(lambda size: os.read(source, size), send)
    os._exit(0)


def _wipe(folder: str) -> None:
    """Remove everything below a folder; what cannot be removed ends the zygote, and a new one is made."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            os.chmod(entry.path, 0o700)  # noqa: PTH101 - a plain path
            _wipe(entry.path)
            os.rmdir(entry.path)  # noqa: PTH106 - a plain path
        else:
            os.unlink(entry.path)  # noqa: PTH108 - a plain path


def _step_inside() -> None:
    """Go on as the first process of the new process numbers; the one left outside waits for it."""
    inside = os.fork()
    if inside != 0:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(inside, 0)[1]) & 0xFF)


def main() -> None:
    """Lock, say so (or why not), and serve."""
    settings = json.loads(sys.argv[1])
    link = socket.socket(fileno=os.dup(0))
    try:
        sys.path += settings["ours"]
        from graders.sandbox import lockdown

        if settings["group"] is not None:
            with contextlib.suppress(OSError):  # the judge looks whether it is there
                Path(settings["group"], "cgroup.procs").write_text("0")
        if settings["namespaces"]:
            lockdown.enter_namespaces()
            _step_inside()
        sys.path[:] = [p for p in sys.path if p not in settings["ours"]]
        _load([*settings["ours"], *settings["numpy"]])
        zygote = Zygote(link, settings)
        locked = zygote.lock()
    except Exception as error:  # noqa: BLE001 - the judge decides what to do without this zygote
        link.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        os._exit(LOCKING_FAILED)
    link.send(json.dumps(locked).encode())
    zygote.serve()


if __name__ == "__main__":
    main()
