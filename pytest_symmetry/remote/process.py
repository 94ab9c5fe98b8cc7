"""A student's process, as the judge sees it: messages out, replies in, with a limit on each.

This is the plain process of a student's own machine: its own memory and clock, no lock on what it may
touch. It runs on every platform. Anything with the same three methods can take its place.
"""

from __future__ import annotations

import contextlib
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

import pytest_symmetry
from pytest_symmetry.feedback.text import place_words
from pytest_symmetry.findings import Place
from pytest_symmetry.remote import wire
from pytest_symmetry.remote.child import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Serve = Callable[[dict[str, Any]], bytes]

_NEEDED = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "HOME", "USERPROFILE", "LD_LIBRARY_PATH")
_GRACE = 2.0
"""Seconds of the judge's clock that a call may take beyond three times its CPU limit."""


class NoAnswer(Exception):
    """The process gave no reply; ``why`` is "time" (the judge's clock ran out) or "died"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Transport(Protocol):
    """A way to ask one student's process; asking again after ``close`` starts another one."""

    isolation: str

    def ask(self, frame: bytes, seconds: float, serve: Serve) -> dict[str, Any]:
        """Send a frame and return the reply; ``serve`` answers callbacks on the way.

        Raises:
            NoAnswer: no reply came within the limit, or the process ended.
            WireError: the reply was not one.
        """

    def alive(self) -> bool:
        """Return whether the next message meets the same process as the last."""

    def close(self) -> None:
        """End the process, if there is one."""


class PlainProcess:
    """A subprocess of this Python, started at the first message, in ``folder`` if one is given."""

    isolation = "level 1 (thin: own process, time and memory limits)"

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None

    def alive(self) -> bool:
        """Return whether a process is running."""
        return self._process is not None and self._process.poll() is None

    def ask(self, frame: bytes, seconds: float, serve: Serve) -> dict[str, Any]:
        """Send a frame and return the reply; ``serve`` answers callbacks on the way.

        The clock runs through the callbacks, so that a process that only ever calls back ends too.
        """
        if not self.alive():
            self._start()
        self._send(frame)
        deadline = time.monotonic() + 3.0 * seconds + _GRACE
        while True:
            reply = self._receive(deadline - time.monotonic())
            if "callback" not in reply:
                return reply
            self._send(serve(reply))

    def _start(self) -> None:
        self._frames = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-B", "-m", "pytest_symmetry.remote.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            cwd=self.folder,
            start_new_session=sys.platform != "win32",
        )
        self._reader = threading.Thread(target=self._pump, args=(self._process, self._frames), daemon=True)
        self._reader.start()

    @staticmethod
    def _pump(process: subprocess.Popen[bytes], frames: queue.SimpleQueue[bytes | None]) -> None:
        """Move frames from the pipe to the queue; a thread, because Windows cannot wait on a pipe."""
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        try:
            while (frame := wire.read_frame(lambda size: os.read(descriptor, size))) is not None:
                frames.put(frame)
        except (OSError, wire.WireError):
            pass
        frames.put(None)

    def _send(self, frame: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frame)
            self._process.stdin.flush()
        except OSError:
            why = "died"
            self.close()
            raise NoAnswer(why) from None

    def _receive(self, seconds: float) -> dict[str, Any]:
        try:
            frame = self._frames.get(timeout=max(0.0, seconds))
        except queue.Empty:
            self.close()
            why = "time"
            raise NoAnswer(why) from None
        except KeyboardInterrupt:
            self.close()
            raise
        if frame is None:
            self.close()
            why = "died"
            raise NoAnswer(why)
        return wire.decode(frame)

    def close(self) -> None:
        """Kill the process and all that it started in its session."""
        process, self._process = self._process, None
        if process is None:
            return
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        # The reader must be gone before its descriptor is: the next process may get the same number, and a
        # reader that is late would take its frames.
        assert self._reader is not None
        self._reader.join(_GRACE)
        pipes = [process.stdin] if self._reader.is_alive() else [process.stdin, process.stdout]
        for pipe in pipes:
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def child_environment() -> dict[str, str]:
    """Return the environment of a student's process: what Python needs to start, nothing of the judge's.

    One BLAS thread and a fixed hash seed make equal input give equal bytes; Agg keeps windows closed.
    """
    kept = (
        "PATH",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
        "HOME",
        "USERPROFILE",
        "LD_LIBRARY_PATH",
        "VIRTUAL_ENV",
    )
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": str(Path(pytest_symmetry.__file__).parent.parent),
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONWARNINGS": "ignore",
        "MPLBACKEND": "Agg",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
    }


@contextlib.contextmanager
def _same_random_state() -> Iterator[None]:
    """Give this process's global generators back as they were: in a child nobody would have noticed."""
    state, numpy_state = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)


def _where(trouble: Mapping[str, Any]) -> str:
    """Return where in the submission something happened, in words."""
    return place_words(Place(trouble.get("function"), trouble.get("cell"), trouble.get("line")))


class InProcess:
    """The same answers from this very process, for a debugger: no limits, and breakpoints work.

    ``quiet`` keeps what is printed for the report; otherwise it is printed here and now.
    """

    isolation = "level 0 (open: in this process)"

    def __init__(self, *, quiet: bool = False) -> None:
        self._server: Server | None = None
        self._quiet = quiet

    def alive(self) -> bool:
        """Return whether the submission is open."""
        return self._server is not None

    def ask(self, frame: bytes, seconds: float, serve: Serve) -> dict[str, Any]:  # noqa: ARG002 - no limits here
        """Answer a frame here."""
        if self._server is None:
            self._server = Server(self._callback(serve), quiet=self._quiet)
        server = self._server
        with _same_random_state():
            reply: dict[str, Any] = wire.decode(server.answer(wire.decode(frame, server.resolve), frame))
        trouble = reply.get("trouble", {})
        if trouble.get("type") == "KeyboardInterrupt":  # meant for this process, whose code it met or not
            raise KeyboardInterrupt(_where(trouble))
        return reply

    @staticmethod
    def _callback(serve: Serve) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """Return what answers the submission's questions, through the same bytes as a pipe would take."""
        return lambda asked: wire.decode(serve(wire.decode(wire.encode(asked))))

    def close(self) -> None:
        """Forget the submission."""
        self._server = None
