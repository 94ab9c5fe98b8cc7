"""``submission.f(…)`` looks like a function of this process and runs in the student's.

Each call sends copies of its arguments and returns a copy of the result. What the function changed in place,
printed, or touched beside that is recorded in the context of the running check. A call that gives no answer
raises a :class:`~pytest_symmetry.errors.StudentTrouble` with the finding that says why.
"""

from __future__ import annotations

import functools
import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_symmetry import errors
from pytest_symmetry.context import Call, Context, current
from pytest_symmetry.findings import Finding, Place
from pytest_symmetry.remote import wire
from pytest_symmetry.remote.process import NoAnswer, Transport
from pytest_symmetry.remote.replies import checked_reply

if TYPE_CHECKING:
    from pytest_symmetry.submission import Submission

_OPENING_SECONDS = 10.0
_LOGGED = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may use: seconds of CPU time, and bytes beyond what Python and numpy take.

    ``patience`` is how long all calls of a submission may take together, by the judge's clock.
    """

    seconds: float = 5.0
    memory: int = 1 << 30
    patience: float = math.inf


@dataclass(slots=True, eq=False, weakref_slot=True)  # what a context remembers of it goes with it
class OpenedSubmission:
    """One submission with a process that answers for it; a new one is started when it was lost."""

    submission: Submission
    transport: Transport
    limits: Limits = field(default_factory=Limits)
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    paths: Sequence[str] = ()
    problems: list[dict[str, Any]] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    cells_run: dict[int, list[str]] = field(default_factory=dict)
    hung: dict[str, Finding] = field(default_factory=dict)
    refused: errors.StudentTrouble | None = None
    waited: float = 0.0
    log: list[tuple[Call, int]] | None = None
    """Where it is a list: the calls of a test with their seeds, those too that a check forgets."""
    callbacks: list[Callable[..., Any]] = field(default_factory=list)
    generation: int = 0

    def call(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], *, seed: int | None = None
    ) -> Any:
        """Call one of the student's functions; ``seed`` is for the global generators, the test's own if None.

        Raises:
            StudentTrouble: it gave no answer.
        """
        if name in self.hung:
            raise errors.TimedOut(self.hung[name])
        context = current()
        message: dict[str, Any] = {"op": "call", "name": name, "args": args, "kwargs": kwargs}
        message["seed"] = _draw_seed(context) if seed is None else seed
        reply = self._ask(message, name)
        call = _logged(name, args, kwargs, reply)
        if self.log is not None and len(self.log) < _LOGGED:
            self.log.append((call, message["seed"]))
        if context is not None:
            context.calls.append(call)
            context.submission = self
        for cell, missing in reply.get("cells_run", ()):
            self.cells_run.setdefault(cell, []).append(missing)
        return reply["result"]

    def find(self, name: str) -> Any:
        """Return a proxy of the student's function itself, to be passed to another of theirs."""
        return self._ask({"op": "find", "name": name}, name)["result"]

    def close(self) -> None:
        """End the process."""
        self.transport.close()

    def keep(self, value: Any) -> wire.Callback | None:
        """Keep a callable of the judge's and return what stands for it in the student's process."""
        if not callable(value):
            return None
        self.callbacks.append(value)
        return wire.Callback(len(self.callbacks) - 1)

    def _stand_in(self, value: Any) -> wire.Handle | wire.Callback | None:
        """Return what stands for an argument that is not copied: the student's own object, or a callable."""
        if isinstance(value, StudentFunction):
            value = self.find(value.__name__)
        if not isinstance(value, RemoteObject):
            return self.keep(value)
        if value._generation != self.generation:  # noqa: SLF001 - a part of this module
            finding = Finding("SUB105", facts={"function": "", "message": "it was lost with its process"})
            raise errors.ProcessDied(finding)
        return value._handle  # noqa: SLF001 - as above

    def resolve(self, known: wire.Handle | wire.Callback) -> Any:
        """Return the proxy of an object that stayed in the student's process."""
        if isinstance(known, wire.Handle):
            return RemoteObject(self, known, self.generation)
        msg = "a callback came back from a submission"
        raise wire.WireError(msg)

    def _serve(self, question: dict[str, Any]) -> bytes:
        """Answer a callback; what it raises for the arguments that came is told to the one who called."""
        try:
            function = self.callbacks[wire.index(question["callback"])]
            result = function(*question["args"], **question["kwargs"])
        except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as error:
            return wire.encode({"raised": f"{type(error).__name__}: {error}"[:2000]})
        return wire.encode({"result": result}, self.keep)

    def _ask(self, message: dict[str, Any], name: str) -> dict[str, Any]:
        if self.refused is not None:
            raise self.refused
        if not self.transport.alive():
            self._open()
        reply = self._exchange({**message, "seconds": self.limits.seconds}, name)
        if trouble := reply.get("trouble"):
            raise self._raise_for(trouble, name)
        return reply

    def _exchange(self, message: dict[str, Any], name: str) -> dict[str, Any]:
        frame = wire.encode(message, self._stand_in)
        started = time.monotonic()
        try:
            raw = checked_reply(self.transport.ask(frame, message["seconds"], self._serve))
        except NoAnswer as silence:
            kind = "time" if silence.why == "time" else "died"
            raw = {"trouble": {"kind": kind, "name": name, "seconds": message["seconds"]}}
        except wire.WireError as error:
            self.transport.close()
            raw = {"trouble": {"kind": "died", "name": name, "message": str(error)}}
        self._count(time.monotonic() - started)
        if raw.get("printed"):
            self.printed.append(str(raw["printed"]))
        return {**raw, "result": _with_proxies(raw.get("result"), self)}

    def _count(self, seconds: float) -> None:
        """Ask nothing more of a submission that sleeps through every call: a class waits behind it."""
        self.waited += seconds
        if self.waited > self.limits.patience:
            name, most = self.submission.path.name, self.limits.patience
            facts = {"function": name, "inside": None, "seconds": most}
            self.refused = errors.TimedOut(Finding("SUB104", facts=facts))
            self.transport.close()

    def _open(self) -> None:
        self.generation += 1
        self.callbacks.clear()
        message = {
            "op": "open",
            "cells": [list(cell) for cell in self.submission.cells],
            "aliases": {name: list(others) for name, others in self.aliases.items()},
            "whole_cells": self.submission.path.suffix.lower() == ".ipynb",
            "hung": list(self.hung),
            "paths": list(self.paths),
            "seed": 0,
            "memory": self.limits.memory,
            "seconds": max(self.limits.seconds, _OPENING_SECONDS),
        }
        reply = self._exchange(message, "")
        if trouble := reply.get("trouble"):
            finding = Finding("SUB106", place=_place(trouble), facts=_problem_facts(trouble))
            self.refused = errors.NotLoaded(finding, finding.facts["message"])
            raise self.refused
        self.problems = list(reply.get("problems", ()))

    def _raise_for(self, trouble: dict[str, Any], name: str) -> errors.StudentTrouble:
        """Return the exception that tells a test why there is no answer."""
        kind = trouble["kind"]
        if kind in ("time", "hung"):
            return self._timed_out(trouble, name)
        code, error, facts = _TROUBLES[kind]
        finding = Finding(code, place=_place(trouble, name), facts={"function": name, **facts(trouble)})
        if kind == "raised" and trouble["type"] == "NotImplementedError":  # a stub that was called
            finding = Finding("SUB102", place=_place(trouble, name), facts={"function": name})
            error = errors.NotAttempted
        return error(finding, trouble.get("traceback", trouble.get("message", "")))

    def _timed_out(self, trouble: dict[str, Any], name: str) -> errors.StudentTrouble:
        """Note which function hung, so that a loop costs its limit once."""
        self.transport.close()
        if trouble["kind"] == "hung":
            known = self.hung.get(
                trouble["message"], Finding("SUB104", facts={"seconds": 0.0, "inside": None})
            )
            return errors.TimedOut(
                Finding("SUB104", place=known.place, facts={**known.facts, "function": name})
            )
        facts = {"function": name, "inside": trouble.get("function"), "seconds": trouble["seconds"]}
        finding = Finding("SUB104", place=_place(trouble, name), facts=facts)
        known_names = {n for n in trouble.get("names", ()) if n != "<module>"}
        self.hung[name] = finding
        if inner := trouble.get("function"):
            self.hung.update(dict.fromkeys(known_names & {inner}, finding))
        return errors.TimedOut(finding)


def _problem_facts(trouble: Mapping[str, Any]) -> dict[str, Any]:
    messages = {"time": "its definitions did not end within the limit", "died": "its process ended"}
    message = trouble.get("message") or messages.get(trouble["kind"], "")
    return {"function": trouble.get("name") or "", "type": trouble.get("type", ""), "message": message}


def _near(pairs: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    return [{"name": name, "cell": cell} for name, cell in pairs]


_Facts = Mapping[str, Any]
_TROUBLES: dict[str, tuple[str, type[errors.StudentTrouble], Callable[[_Facts], dict[str, Any]]]] = {
    "missing": ("SUB101", errors.FunctionMissing, lambda t: {"near": _near(t["near"])}),
    "stub": ("SUB102", errors.NotAttempted, lambda _: {}),
    "raised": (
        "SUB103",
        errors.RaisedError,
        lambda t: {"type": t["type"], "message": t["message"], "near": _near(t.get("near", ()))},
    ),
    "died": ("SUB105", errors.ProcessDied, lambda t: {"message": t.get("message", "")}),
    "unreadable": ("SUB106", errors.NotLoaded, _problem_facts),
    "result": ("SUB107", errors.RaisedError, lambda t: {"message": t["message"]}),
}


def _place(trouble: Mapping[str, Any], name: str = "") -> Place:
    inside = trouble.get("function")
    function = inside if inside and inside != "<module>" else name
    return Place(function=function or None, cell=trouble.get("cell"), line=trouble.get("line"))


def _draw_seed(context: Context | None) -> int:
    """Return the seed for the global generators during this call: fixed by the test and the call's number."""
    if context is None:
        return 0
    return _seed_of_call(context.seed, len(context.calls))


@functools.lru_cache(maxsize=4096)
def _seed_of_call(seed: int, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4], "little")


def _logged(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], reply: Mapping[str, Any]) -> Call:
    paths = tuple(reply.get("changed", ()))
    return Call(
        function=name,
        args=args,
        kwargs=kwargs,
        result=reply["result"],
        changed=tuple(_at(path, args, kwargs) for path in paths),
        changed_paths=paths,
        shared_paths=tuple(reply.get("shared", ())),
        random_state_touched=bool(reply.get("random", False)),
        cell=reply.get("cell"),
        line=reply.get("line"),
    )


def _at(path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the caller's own array at a path such as ``args[2]['W1']``, or None."""
    value: Any = args if path.startswith("args") else kwargs
    for part in path.split("[")[1:]:
        key: Any = part.removesuffix("]")
        key = key[1:-1] if key[:1] in "'\"" else int(key) if key.lstrip("-").isdigit() else key
        try:
            value = value[key]
        except (LookupError, TypeError):
            return None
    return value


class RemoteObject:
    """An object that stayed in the student's process: attributes are read there, methods called there."""

    __slots__ = ("_generation", "_handle", "_opened")

    def __init__(self, opened: OpenedSubmission, handle: wire.Handle, generation: int) -> None:
        self._opened = opened
        self._handle = handle
        self._generation = generation

    def __repr__(self) -> str:
        return f"<{self._handle.kind} in the submission>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # numpy and copy probe for protocols: the answer is no
            raise AttributeError(name)
        return self._opened._ask({"op": "attribute", "of": self, "name": name}, name)["result"]  # noqa: SLF001

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object where it is."""
        message = {"op": "method", "of": self, "name": "__call__", "args": args, "kwargs": kwargs}
        return self._opened._ask(message, self._handle.kind)["result"]  # noqa: SLF001


def _with_proxies(value: Any, opened: OpenedSubmission) -> Any:
    """Replace the handles in a reply by proxies."""
    if isinstance(value, wire.Handle):
        return opened.resolve(value)
    if type(value) is dict:
        return {key: _with_proxies(part, opened) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_with_proxies(part, opened) for part in value)
    return value


class StudentFunction:
    """One function of a submission."""

    def __init__(self, opened: OpenedSubmission, name: str) -> None:
        self._opened = opened
        self.__name__ = name
        self.__qualname__ = name

    def __repr__(self) -> str:
        return f"<{self.__name__} of the submission>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the student's function with copies of the arguments.

        Raises:
            StudentTrouble: it gave no answer.
        """
        __tracebackhide__ = True
        return self._opened.call(self.__name__, args, kwargs)


class StudentFunctions:
    """What the fixture ``submission`` gives: every attribute is a function of the student's."""

    def __init__(self, opened: OpenedSubmission) -> None:
        self._opened = opened

    def __repr__(self) -> str:
        return f"<submission of {self._opened.submission.student}>"

    def __getattr__(self, name: str) -> StudentFunction:
        if name.startswith("_"):
            raise AttributeError(name)
        return StudentFunction(self._opened, name)
