"""The judge's side of the sandbox: a zygote per worker, and its children as transports of submissions."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.sandbox.cgroups import Group, NoGroupError, make_group
from graders.sandbox.levels import Isolation, SandboxError, thin
from pytest_symmetry.remote import wire
from pytest_symmetry.remote.process import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[[dict[str, Any]], bytes]

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0
_GRACE = 2.0
_BRIEFLY = 0.1
"""Seconds for which a child at work stays on the judge's processor."""

_DIED, _TIME = "died", "time"
_LENGTHS = struct.Struct("<II")
_HEADER_BYTES = 8 << 20
_EXTRA_MEMORY = 1 << 30
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PATH": "/nonexistent",
    "HOME": "/temporary",
    "TMPDIR": "/temporary",
    "MPLBACKEND": "Agg",
    "PYTHONHASHSEED": "0",
    "PYTHONWARNINGS": "ignore",
    "PYTHONIOENCODING": "utf-8",
    "MALLOC_ARENA_MAX": "1",  # else each thread counts 64 MB of the memory limit that it never touches
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class Locks:
    """Which locks to ask for; all of them, but for tests and for machines that refuse one."""

    namespaces: bool = True
    landlock: bool = True
    seccomp: bool = True


class Child:
    """One locked child: its handle and the two ends of its pipes."""

    def __init__(self, handle: int, source: int, sink: int) -> None:
        self.handle = handle
        self.source = source
        self.sink = sink
        self._bound = True
        self._news = select.poll()
        self._replies = select.poll()
        for poll in (self._news, self._replies):
            poll.register(source, select.POLLIN)
        self._news.register(handle, select.POLLIN)

    def news(self) -> tuple[bool, bool]:
        """Return whether it has ended, and whether it has anything to say."""
        heard = {descriptor for descriptor, _ in self._news.poll(0)}
        return self.handle in heard, self.source in heard

    def says_within(self, seconds: float) -> bool:
        """Wait until it has anything to say."""
        if seconds <= 0:
            return False
        if not self._bound:
            return bool(self._replies.poll(1000 * seconds))
        if self._replies.poll(1000 * min(seconds, _BRIEFLY)):
            return True
        self._release()
        return self.says_within(seconds - _BRIEFLY)

    def _release(self) -> None:
        """Let it run on any processor: it is at work for longer, and the judge's own may be a crowded one."""
        self._bound = False
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/self/fdinfo/{self.handle}").read_text(encoding="ascii").splitlines()
            pid = next(line.split()[1] for line in lines if line.startswith("Pid:"))
            for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - names only
                os.sched_setaffinity(int(thread), os.sched_getaffinity(0))

    def end(self) -> None:
        """Kill it and wait until it is gone: it can have started nothing that outlives it."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        _readable_within([self.handle], 10.0)
        for descriptor in (self.handle, self.source, self.sink):
            os.close(descriptor)


@functools.cache
def _clib() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _processor() -> int | None:
    """Return the processor that this process runs on now, where that can be asked."""
    ask = getattr(_clib(), "sched_getcpu", None)
    return ask() if ask is not None else None


def _readable_within(descriptors: list[int], seconds: float) -> bool:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0.0, 1000 * seconds)))


@dataclass(slots=True)
class Sandbox:
    """A zygote, started when needed and again when it died; ``data`` is a folder that children may read.

    ``locks`` are tried first; where the machine refuses namespaces, the same without them is next.
    """

    data: str | None = None
    locks: Locks = field(default_factory=Locks)
    isolation: Isolation = field(default_factory=thin)
    _process: subprocess.Popen[bytes] | None = None
    _link: socket.socket | None = None
    _group: Group | None = None

    def start(self) -> Isolation:
        """Start the zygote if there is none; return what its children cannot do.

        Raises:
            SandboxError: this machine cannot start one.
        """
        if self._process is not None and self._process.poll() is None:
            return self.isolation
        self.close()
        try:
            locked = self._boot(self.locks)
        except SandboxError as refused:
            if not self.locks.namespaces:
                raise
            self.locks = Locks(False, self.locks.landlock, self.locks.seccomp)
            locked = {**self._boot(self.locks), "no namespaces": str(refused)}
        self.isolation = Isolation.found(locked, self._probe())
        return self.isolation

    def _boot(self, locks: Locks) -> dict[str, Any]:
        if sys.platform != "linux":
            msg = "the sandbox needs Linux"
            raise SandboxError(msg)
        import numpy as np

        try:
            self._group, why = make_group(), ""
        except NoGroupError as error:
            why = str(error)
        settings = {
            "group": str(self._group.path) if self._group is not None else None,
            "namespaces": locks.namespaces,
            "landlock": locks.landlock,
            "seccomp": locks.seccomp,
            "data": self.data,
            "ours": [str(_ROOT)],
            "numpy": [str(Path(np.__file__).parents[1])],
        }
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Not -I: it would ignore PYTHONHASHSEED too; the environment holds nothing else of anybody's.
            self._process = subprocess.Popen(  # noqa: S603 - this Python, with a file of this package
                [sys.executable, *("-P", "-s", "-S", "-B"), str(Path(__file__).with_name("zygote.py")),
                 json.dumps(settings)],
                stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT, cwd="/", start_new_session=True,
            )  # fmt: skip
        mine.settimeout(_START_SECONDS)
        self._link = mine
        locked = self._told(mine)
        held = self._group is not None and self._group.holds(self._process.pid)
        return {**locked, "group": held, "no group": "" if held else why or "the zygote could not enter it"}

    def _told(self, link: socket.socket) -> dict[str, Any]:
        try:
            text = link.recv(65536)
        except OSError as error:
            text = json.dumps({"error": str(error)}).encode()
        locked: dict[str, Any] = json.loads(text or b'{"error": "it ended before it was ready"}')
        if "error" in locked:
            self.close()
            msg = f"the sandbox could not be started: {locked['error']}"
            raise SandboxError(msg)
        return locked

    def _probe(self) -> dict[str, bool]:
        """Let a child try what a hostile submission would; return what was refused to it."""
        order = {"probe": [os.getpid(), str(Path(__file__).resolve()), str(_ROOT)]}
        child = self._order({**order, "memory": _EXTRA_MEMORY})
        said = b""
        deadline = time.monotonic() + _START_SECONDS
        while _readable_within([child.source], deadline - time.monotonic()):
            if not (part := os.read(child.source, 65536)):
                break
            said += part
        child.end()
        try:
            return {str(name): value is True for name, value in json.loads(said).items()}
        except ValueError:
            msg = "the sandbox could not be tried out: its first child ended without an answer"
            raise SandboxError(msg) from None

    def child(self, memory: int) -> Child:
        """Return a new locked child that may take ``memory`` bytes beyond what Python and numpy take.

        Raises:
            SandboxError: there is none to be had, or its locks failed; nothing of a submission has run.
        """
        self.start()
        if self._group is not None:
            self._group.hold(memory)
        order = {"memory": memory, "processor": _processor()}
        try:
            made = self._order(order)
        except SandboxError:  # the zygote died: once more with another
            self.close()
            self.start()
            made = self._order(order)
        if not _readable_within([made.source], _START_SECONDS) or os.read(made.source, 1) != b"\x01":
            made.end()
            msg = "a child of the sandbox could not be locked; nothing of the submission was run"
            raise SandboxError(msg)
        os.set_blocking(made.source, False)
        os.set_blocking(made.sink, False)
        return made

    def _order(self, order: dict[str, Any]) -> Child:
        assert self._link is not None
        their_source, sink = os.pipe()
        source, their_sink = os.pipe()
        try:
            socket.send_fds(self._link, [json.dumps(order).encode()], [their_source, their_sink])
            text, handles, _, _ = socket.recv_fds(self._link, 65536, 1)
        except OSError:
            text, handles = b"", []
        os.close(their_source)
        os.close(their_sink)
        if not text or not handles:
            os.close(source)
            os.close(sink)
            msg = "the sandbox gave no child"
            raise SandboxError(msg)
        return Child(handles[0], source, sink)

    def close(self) -> None:
        """End the zygote and with it all of its children."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        process, self._process = self._process, None
        if process is not None:
            try:
                process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        group, self._group = self._group, None
        if group is not None:
            group.close()


@functools.cache
def sandbox_of_this_process(data: str | None) -> Sandbox:
    """Return the sandbox that this worker keeps warm for assignments with that data folder."""
    sandbox = Sandbox(data)
    atexit.register(sandbox.close)
    return sandbox


class SealedProcess:
    """One submission's process in the sandbox, as the judge asks it; see ``Transport``."""

    def __init__(self, sandbox: Sandbox, memory: int) -> None:
        self._sandbox = sandbox
        self._memory = memory
        self._child: Child | None = None
        self._received = bytearray()
        self._spoke = False
        self.isolation = str(sandbox.isolation)

    def alive(self) -> bool:
        """Return whether a process is running; one that has ended is put away."""
        if self._child is None:
            return False
        ended, self._spoke = self._child.news()
        if ended:
            self.close()
        return not ended

    def ask(self, frame: bytes, seconds: float, serve: Serve) -> dict[str, Any]:
        """Send a frame and return the reply; ``serve`` answers callbacks on the way.

        The clock runs through the callbacks, so that a process that only ever calls back ends too.

        Raises:
            NoAnswer: no reply came within the limit, or the process ended.
            WireError: the reply was not one, or something was said that nobody asked for.
            SandboxError: no locked process can be had.
        """
        if self._child is None:
            self._child = self._sandbox.child(self._memory)
            self.isolation = str(self._sandbox.isolation)
        deadline = time.monotonic() + 3.0 * seconds + _GRACE
        try:
            self._nothing_unasked()
            self._send(frame, deadline)
            while True:
                reply = wire.decode(self._receive(deadline))
                if "callback" not in reply:
                    return reply
                self._send(serve(reply), deadline)
        except BaseException:
            self.close()
            raise

    def _nothing_unasked(self) -> None:
        assert self._child is not None
        if self._received or self._spoke:
            if not self._received and not self._read_some():
                raise NoAnswer(_DIED)
            msg = "the submission's process spoke without being asked"
            raise wire.WireError(msg)

    def _send(self, frame: bytes, deadline: float) -> None:
        assert self._child is not None
        view = memoryview(frame)
        while view:
            try:
                view = view[os.write(self._child.sink, view) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(self._child.sink, select.POLLOUT)
                if not poll.poll(max(0.0, 1000 * (deadline - time.monotonic()))):
                    raise NoAnswer(_TIME) from None
            except OSError:
                raise NoAnswer(_DIED) from None

    def _receive(self, deadline: float) -> bytes:
        """Return one whole frame."""
        assert self._child is not None
        while (size := self._announced()) is None or len(self._received) < size:
            if not self._child.says_within(deadline - time.monotonic()):
                raise NoAnswer(_TIME)
            if not self._read_some():
                raise NoAnswer(_DIED)
        frame = bytes(self._received[:size])
        del self._received[:size]
        return frame

    def _read_some(self) -> bool:
        assert self._child is not None
        part = os.read(self._child.source, 1 << 16)
        self._received += part
        return bool(part)

    def _announced(self) -> int | None:
        """Return the whole length of the frame that has begun, or None before its lengths are there."""
        if len(self._received) < 8:
            return None
        header, arrays = map(int, _LENGTHS.unpack_from(self._received))
        if header > _HEADER_BYTES or header + arrays > wire.FRAME_BYTES:
            msg = f"a frame of {header + arrays} bytes was announced"
            raise wire.WireError(msg)
        return 8 + header + arrays

    def close(self) -> None:
        """Kill the process, if there is one, and forget what it said."""
        child, self._child = self._child, None
        self._received.clear()
        self._spoke = False
        if child is not None:
            child.end()
