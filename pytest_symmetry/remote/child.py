"""The student's side of the pipe: holds one submission's functions and answers questions about them.

Imports the standard library, numpy, ``arguments``, and the two modules that both sides share
(``namespace``, ``wire``).
There is nothing here worth stealing: no reference, no expected value, no score. Whatever this process
says is data for the judge, who alone decides.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import random
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pytest_symmetry.namespace import Namespace, cell_of, function_of, is_stub, last_place, student_traceback
from pytest_symmetry.remote import wire
from pytest_symmetry.remote.arguments import Arguments, shared_parts

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

_PRINTED = 64 << 10
_SAMPLES = 6
_NEXT = (random.getrandbits, np.random.bytes)  # before any submission could put others in their place


class HungError(BaseException):
    """A function that already ran past its limit was reached again."""


class CallbackError(RuntimeError):
    """A function of the judge's could not do with the arguments that it was called with."""


class Printed(io.TextIOBase):
    """Collects what the student's code prints, up to a limit; the rest is counted, not kept."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.size = 0

    def writable(self) -> bool:
        """Say that one can print here."""
        return True

    def write(self, text: str) -> int:
        """Keep ``text`` if there is room."""
        if self.size < _PRINTED:
            self.parts.append(text[: _PRINTED - self.size])
        self.size += len(text)
        return len(text)

    def take(self) -> str:
        """Return what was printed since the last time."""
        text = "".join(self.parts)
        if self.size > _PRINTED:
            text += f"\n[{self.size - _PRINTED} more characters were printed]"
        self.parts, self.size = [], 0
        return text


class Server:
    """One submission, opened; ``answer`` takes a message and returns the reply to it."""

    def __init__(self, ask: Callable[[dict[str, Any]], dict[str, Any]], *, quiet: bool = True) -> None:
        self.namespace = Namespace([])
        self.places: dict[str, _Definition | None] = {}
        self.kept: list[Any] = []
        self.ask = ask
        self.quiet = quiet
        self.printed = Printed()

    def keep(self, value: Any) -> wire.Handle | None:
        """Keep an object here and return the handle that stands for it; None for what has no use there."""
        self.kept.append(value)
        return wire.Handle(len(self.kept) - 1, type(value).__name__)

    def resolve(self, known: wire.Handle | wire.Callback) -> Any:
        """Return the object that a handle stands for, or a function that calls the judge back."""
        if isinstance(known, wire.Handle):
            return self.kept[known.number]
        return lambda *args, **kwargs: self._call_back(known.number, args, kwargs)

    def _call_back(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        answer = self.ask({"callback": number, "args": args, "kwargs": kwargs})
        if "raised" in answer:
            raise CallbackError(answer["raised"])
        return answer["result"]

    def answer(self, message: dict[str, Any], frame: bytes) -> bytes:
        """Return the reply to one message, as a frame. Never raises for what the student's code does.

        ``message`` is ``frame`` decoded with :meth:`resolve`; the frame itself gives fresh copies of it.
        """
        action = getattr(self, f"_{message['op']}")  # the judge's word: open, call, find, attribute, method
        shown = sys.stdout, sys.stderr
        if self.quiet:
            sys.stdout = sys.stderr = self.printed
        try:
            reply = action(message, frame)
        except BaseException as error:  # noqa: BLE001 - sys.exit, KeyboardInterrupt: all are the student's
            reply = self._trouble(error, message.get("name"))
        finally:
            sys.stdout, sys.stderr = shown
        return self._encoded({**reply, "printed": self.printed.take()})

    def _encoded(self, reply: dict[str, Any]) -> bytes:
        try:
            return wire.encode(reply, self.keep)
        except wire.WireError as error:
            trouble = {"kind": "result", "type": "WireError", "message": str(error)}
            return wire.encode({"trouble": trouble, "printed": reply["printed"]})

    def _open(self, message: dict[str, Any], _frame: bytes) -> dict[str, Any]:
        sys.path += [p for p in message["paths"] if p not in sys.path]
        _seed(message["seed"])
        cells = [(number, text) for number, text in message["cells"]]
        self.namespace = Namespace(cells, message["aliases"], whole_cells=message["whole_cells"]).load()
        self.places.clear()
        for name in message["hung"]:
            self.namespace.names[name] = _hung(name)
        return {"result": None, "problems": [dataclasses.asdict(p) for p in self.namespace.problems]}

    def _call(self, message: dict[str, Any], frame: bytes) -> dict[str, Any]:
        name = message["name"]
        try:
            self.namespace.find(name)
        except KeyError:
            return {"trouble": self._missing(name)}
        place = self._place(name)
        if place is not None and place.stub:
            return {"trouble": {"kind": "stub", "name": name, "cell": place.cell, "line": place.line}}
        _seed(message["seed"])
        untouched = _next_drawn()
        _seed(message["seed"])
        arguments = Arguments(message, lambda: wire.decode(frame, self.resolve))
        ran = len(self.namespace.cells_run)
        result = self.namespace.call(name, arguments.fresh)
        touched = untouched != _next_drawn()
        given = arguments.arrays()
        noticed = {
            "changed": arguments.changed(given),
            "shared": shared_parts(result, given),
            "random": touched,
            "cells_run": [list(pair) for pair in self.namespace.cells_run[ran:]],
            "cell": place.cell if place else None,
            "line": place.line if place else None,
        }
        return {"result": result, **{what: said for what, said in noticed.items() if said}}

    def _place(self, name: str) -> _Definition | None:
        """Return where the code of a name stands; looked up once."""
        if name not in self.places:
            node = self.namespace.node(name)
            self.places[name] = _Definition(node[0], node[1].lineno, is_stub(node[1])) if node else None
        return self.places[name]

    def _missing(self, name: str) -> dict[str, Any]:
        for problem in self.namespace.problems:
            if name in problem.names:
                return {"kind": "unreadable", "name": name, "cell": problem.cell, "line": problem.line,
                        "type": problem.kind, "message": problem.message}  # fmt: skip
        return {"kind": "missing", "name": name, "near": [list(n) for n in self.namespace.nearest(name)]}

    def _find(self, message: dict[str, Any], _frame: bytes) -> dict[str, Any]:
        return {"result": self.namespace.find(message["name"])}

    def _attribute(self, message: dict[str, Any], _frame: bytes) -> dict[str, Any]:
        return {"result": getattr(message["of"], message["name"])}

    def _method(self, message: dict[str, Any], _frame: bytes) -> dict[str, Any]:
        return {"result": getattr(message["of"], message["name"])(*message["args"], **message["kwargs"])}

    def _trouble(self, error: BaseException, name: str | None) -> dict[str, Any]:
        cell, line, function = last_place(error)
        trouble: dict[str, Any] = {
            "kind": "hung" if isinstance(error, HungError) else "raised",
            "name": name, "type": type(error).__name__, "message": str(error)[:2000],
            "cell": cell, "line": line, "function": function, "traceback": student_traceback(error)[:8000],
        }  # fmt: skip
        if isinstance(error, NameError) and error.name:
            trouble["near"] = [list(n) for n in self.namespace.nearest(error.name)]
        return {"trouble": trouble}


def _hung(name: str) -> Callable[..., Any]:
    def hung(*_args: Any, **_kwargs: Any) -> Any:
        raise HungError(name)

    return hung


def _seed(seed: int) -> None:
    """Seed the global generators, so that code which never seeds gives the same answer on every run."""
    random.seed(seed)
    np.random.seed(seed % 2**32)


def _next_drawn() -> tuple[int, bytes]:
    """Draw from the global generators: cheaper to compare than their states, and as telling."""
    return _NEXT[0](64), _NEXT[1](8)


class _Definition(NamedTuple):
    """Where a function stands, and whether it is the template's stub."""

    cell: int
    line: int
    stub: bool


class Seen(NamedTuple):
    """A frame of the student's code on the stack, and where it was."""

    frame: types.FrameType
    cell: int
    line: int


class Watch(threading.Thread):
    """Ends the process when one call has used up its CPU time, and says which function did.

    CPU time decides, so that a busy machine changes no mark; the judge's own clock is the backstop for code
    that sleeps, or holds the interpreter so that this thread cannot run.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        super().__init__(daemon=True)
        self.send = send
        self.lock = threading.Lock()
        self.deadline: float | None = None
        self.limit = 0.0
        self.main = threading.main_thread().ident or 0
        self.stacks: list[list[Seen]] = []
        self.wake = threading.Event()

    def begin(self, seconds: float) -> None:
        """Start the clock of a call."""
        with self.lock:
            self.limit = seconds
            self.stacks = []
            self.deadline = time.process_time() + seconds
        if not self.wake.is_set():  # the thread clears it only where it sees no deadline
            self.wake.set()

    def end(self) -> None:
        """Stop the clock; after this the watch keeps silent."""
        with self.lock:
            self.deadline = None

    def run(self) -> None:
        """Look at the clock a few times within each limit."""
        while True:
            self.wake.wait()
            time.sleep(min(0.05, self.limit / (4 * _SAMPLES)))
            with self.lock:
                if self.deadline is None:
                    self.wake.clear()
                    continue
                left = self.deadline - time.process_time()
                if left < self.limit / 3:
                    self.stacks.append(_stack(self.main))
                if left < 0:
                    self._stop()

    def _stop(self) -> None:
        trouble = {"kind": "time", "seconds": self.limit, **_culprit(self.stacks)}
        self.send(wire.encode({"trouble": trouble, "printed": ""}))
        os._exit(3)


def _stack(thread: int) -> list[Seen]:
    """Return the student's frames of a thread, outermost first.

    The frames themselves are kept: their address alone would come back with the next call.
    """
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - the documented way to look at a thread
    found = []
    while frame is not None:
        if (cell := cell_of(frame.f_code.co_filename)) is not None:
            found.append(Seen(frame, cell, frame.f_lineno))
        frame = frame.f_back
    return found[::-1]


def _culprit(stacks: list[list[Seen]]) -> dict[str, Any]:
    """Return where the loop is: the innermost frame that stayed on the stack the whole time.

    A training loop that calls ``forward`` a million times is seen in ``forward`` each time one looks, but
    in another call of it; the frame that never changes is the training loop's own.
    """
    stacks = [s for s in stacks if s][-_SAMPLES:]
    if not stacks:
        return {"cell": None, "line": None, "function": None}
    last = stacks[-1][0]
    for level, seen in enumerate(stacks[-1]):
        if not all(len(s) > level and s[level].frame is seen.frame for s in stacks):
            break
        last = seen
    return {"cell": last.cell, "line": last.line, "function": function_of(last.frame.f_code)}


def limit_memory(extra_bytes: int) -> None:
    """Let this process take ``extra_bytes`` beyond what it has; does nothing where the system cannot."""
    try:
        import resource
    except ImportError:  # Windows has no resource module
        return
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - before anything else is loaded
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + extra_bytes, now + extra_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _protocol() -> tuple[Callable[[int], bytes], Callable[[bytes], None]]:
    """Move the pipe away from the standard descriptors, which then lead nowhere."""
    source, sink = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(source, os.O_BINARY)
        msvcrt.setmode(sink, os.O_BINARY)

    def send(frame: bytes) -> None:
        view = memoryview(frame)
        while view:
            view = view[os.write(sink, view) :]

    return (lambda size: os.read(source, size)), send


def serve(read: Callable[[int], bytes], send: Callable[[bytes], None]) -> None:
    """Answer messages until the judge closes the pipe."""
    watch = Watch(send)
    watch.start()

    def ask(question: dict[str, Any]) -> dict[str, Any]:
        send(wire.encode(question, server.keep))
        if (frame := wire.read_frame(read)) is None:
            os._exit(0)
        return wire.decode(frame, server.resolve)

    server = Server(ask)
    sys.stdin = io.StringIO()
    while (frame := wire.read_frame(read)) is not None:
        message = wire.decode(frame, server.resolve)
        if "memory" in message:
            limit_memory(message["memory"])
        watch.begin(message["seconds"])
        reply = server.answer(message, frame)
        watch.end()
        send(reply)
    os._exit(0)  # the student's threads and atexit hooks have nothing left to say


if __name__ == "__main__":
    serve(*_protocol())
