"""Writes down what tests ask of the reference, and makes the pack of it.

Tests run over the solution and over planted mistakes, so that what is asked only of a submission with a
mistake is written down too: the dictionary of planted mistakes, an answer that only a failing test needs.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry import __version__, sealing
from pytest_symmetry.answers import Answers
from pytest_symmetry.assignment import is_hidden
from pytest_symmetry.checks.matches import separate
from pytest_symmetry.closeness import close, distance
from pytest_symmetry.context import current
from pytest_symmetry.diagnosis.dictionary import measure
from pytest_symmetry.diagnosis.locked import lock
from pytest_symmetry.diagnosis.replay import Earlier, Step, measured, program_of
from pytest_symmetry.packs import DRAWN, mark_of, path_digest

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.diagnosis.dictionary import Dictionary, Leaf

MOST_CALLS = 500
"""Different calls of one function in one test that are written down: where there are more, staff decide."""

MOST_NUMBERS = 2_000_000
"""Numbers in the answers of one function in one test that are written down."""


@dataclass(slots=True)
class Asked:
    """One call of the reference in one test, and who made it: the numbers of submissions."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any = None
    error: Exception | None = None
    by: set[int] = field(default_factory=set)
    repeats: bool = True
    """Whether the reference gave the same each time: a random one has no answer to be written down."""


@dataclass(slots=True)
class Drawn:
    """One draw of the probes: which method, what it was given, what it gave, the state after it."""

    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any
    state: Any


@dataclass(slots=True)
class Looked:
    """One dictionary that was asked for, with the calls it belongs to."""

    steps: tuple[Step, ...]
    sizes: dict[int, str]
    dictionary: Dictionary


class Recorder(Answers):
    """The solution answers, and what it answers is written down.

    The number of a submission is that of how often its first test has begun; the first is the solution.
    """

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment)
        self.calls: dict[str, dict[str, list[Asked]]] = {}
        self.draws: dict[str, tuple[int, list[Drawn]]] = {}
        self.looked: list[Looked] = []
        self.constants: dict[str, Any] = {}
        self.functions: set[str] = set()
        self.runs: dict[str, int] = {}
        self.run = 0

    def reference(self, test: str) -> Any:
        """Return the reference, with every call of it written down."""
        if is_hidden(test):
            return super().reference(test)
        self.run = self.runs[test] = self.runs.get(test, 0) + 1
        return _Recorded(self, test, super().reference(test))

    def generator(self, test: str, seed: int) -> np.random.Generator:
        """Return a generator of which every draw is written down."""
        if is_hidden(test):
            return super().generator(test, seed)
        drawn: list[Drawn] = []
        before = self.draws.get(test)
        if before is None or before[0] != seed:
            self.draws[test] = (seed, drawn)
        return RecordedDraws(np.random.default_rng(seed), drawn)

    def dictionary(
        self, steps: Sequence[Step], sizes: Mapping[int, str], leaves: Sequence[Leaf], folder: Path | None
    ) -> Dictionary | None:
        """Return the planted mistakes for some calls, and write them down."""
        found = super().dictionary(steps, sizes, leaves, folder)
        new = found is not None and not any(known.dictionary is found for known in self.looked)
        context = current()
        released = context is None or not is_hidden(context.test)
        if found is not None and new and released:
            self.looked.append(Looked(copy.deepcopy(tuple(steps)), dict(sizes), found))
        return found

    def note(self, test: str, name: str, asked: Asked) -> None:
        """Write a call down, or that one more submission led to it."""
        calls = self.calls.setdefault(test, {}).setdefault(name, [])
        if len(calls) > MOST_CALLS:
            return  # too many to look through: left out as a whole
        for known in calls:
            if distance((known.args, known.kwargs), (asked.args, asked.kwargs)) == 0:
                known.by.add(self.run)
                known.repeats &= close(_numbers(known.result), _numbers(asked.result))
                return
        asked.by.add(self.run)
        calls.append(asked)


def _numbers(result: Any) -> list[Any]:
    return [array for _, array in measured(result)]


class _Recorded:
    """The reference, with every call of its functions written down."""

    def __init__(self, recorder: Recorder, test: str, reference: Any) -> None:
        self._recorder, self._test, self._reference = recorder, test, reference

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = getattr(self._reference, name)
        if not callable(value):
            self._recorder.constants[name] = value
            return value
        self._recorder.functions.add(name)
        return self._recording(name, value)

    def _recording(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        recorder, test = self._recorder, self._test

        def call(*args: Any, **kwargs: Any) -> Any:
            asked = Asked(separate(args), separate(kwargs))
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                asked.error = error
                recorder.note(test, name, asked)
                raise
            asked.result = separate(result)
            recorder.note(test, name, asked)
            return result

        call.__name__ = call.__qualname__ = name
        call.__wrapped__ = function  # type: ignore[attr-defined] # for its signature
        return call


class RecordedDraws(np.random.Generator):
    """A generator that writes down what it draws."""

    def __init__(self, generator: np.random.Generator, drawn: list[Drawn]) -> None:
        super().__init__(generator.bit_generator)
        self._drawn = drawn


def _recording_draw(name: str) -> Callable[..., Any]:
    plain = getattr(np.random.Generator, name)

    def draw(self: RecordedDraws, *args: Any, **kwargs: Any) -> Any:
        given = separate((args, kwargs))
        result = plain(self, *args, **kwargs)
        kept = separate(args[0] if name == "shuffle" else result)
        state = copy.deepcopy(self.bit_generator.state)
        self._drawn.append(Drawn(name, given[0], given[1], kept, state))
        return result

    draw.__name__ = name
    return draw


for _name in DRAWN:
    setattr(RecordedDraws, _name, _recording_draw(_name))


def write_pack(
    recorder: Recorder, file: Path, *, about: Mapping[str, Any], level: str, seen: Callable[[str], bool]
) -> None:
    """Write the pack of what was recorded.

    Args:
        recorder: what tests asked.
        file: where the pack goes.
        about: what else the pack says: its seed, its questions and their points.
        level: "hint" or "cause".
        seen: whether the student sees a name elsewhere; no other name of the reference goes in.
    """
    writer = sealing.Writer(keeps=seen)
    text = {
        "made by": __version__,
        "level": level,
        **about,
        "functions": sorted(name for name in recorder.functions if seen(name)),
        "constants": {name: writer.put(value) for name, value in recorder.constants.items() if seen(name)},
        "outline": outline(recorder.source, seen),
        "draws": {test: _draws(seed, drawn, writer) for test, (seed, drawn) in recorder.draws.items()},
        "calls": {test: _calls(calls, writer) for test, calls in recorder.calls.items()},
    }
    text["dictionaries"] = [_looked(known, recorder.source, writer, level) for known in recorder.looked]
    sealing.write(file, text, writer.members())


def _draws(seed: int, drawn: Sequence[Drawn], writer: sealing.Writer) -> Any:
    every = writer.for_all_names()  # a generator's state has names of its own
    kept = [
        {"method": d.method, "args": d.args, "kwargs": d.kwargs, "result": d.result, "state": d.state}
        for d in drawn
    ]
    return {"seed": str(seed), "draws": every.put(kept)}


def _calls(calls: Mapping[str, Sequence[Asked]], writer: sealing.Writer) -> dict[str, list[Any]]:
    few = {name: kept for name, kept in calls.items() if len(kept) <= MOST_CALLS}
    return {name: [_call(asked, writer) for asked in kept if stays(asked)] for name, kept in few.items()}


def stays(asked: Asked) -> bool:
    """Return whether a call is the same for everybody: the solution led to it, or several submissions did."""
    return asked.repeats and (1 in asked.by or len(asked.by) > 1)


def _call(asked: Asked, writer: sealing.Writer) -> dict[str, Any]:
    kept = {"args": writer.put(asked.args), "kwargs": writer.put(asked.kwargs)}
    if asked.error is not None:
        return {**kept, "raised": type(asked.error).__name__, "message": ""}
    numbers = sum(array.size for _, array in measured(asked.result))
    return {**kept, "result": writer.put(asked.result) if numbers <= MOST_NUMBERS else {"w": ""}}


def _looked(known: Looked, source: str, writer: sealing.Writer, level: str) -> dict[str, Any]:
    every = writer.for_all_names()
    results = measure(program_of(source).run(known.steps))
    right = [np.asarray(results[leaf]) for leaf in known.dictionary.leaves]
    locks = lock(known.dictionary, causes=level == "cause")
    whole = np.frombuffer(b"".join(locks.boxes), dtype=np.uint8)
    return {
        "steps": [_step(step, every) for step in known.steps],
        "sizes": every.put(known.sizes),
        "leaves": [[step, path_digest(path)] for step, path in known.dictionary.leaves],
        "right": every.put(right),
        "salt": locks.salt.hex(),
        "tokens": every.put(list(locks.tokens)),
        "changes": every.put(list(locks.changes)),
        "wraps": every.put(list(locks.wraps)),
        "boxes": every.put(whole),
        "lengths": [len(box) for box in locks.boxes],
        "box_of": every.put(locks.box_of),
        "tried": known.dictionary.tried,
    }


def _step(step: Step, writer: sealing.Writer) -> list[Any]:
    args = [_slot(value, writer) for value in step.args]
    return [step.function, args, {key: _slot(value, writer) for key, value in step.kwargs.items()}]


def _slot(value: Any, writer: sealing.Writer) -> Any:
    return writer.put(mark_of(value) if isinstance(value, Earlier) else value)


def outline(source: str, seen: Callable[[str], bool]) -> dict[str, Any]:
    """Return what a student knows of the reference's functions: arguments, keys read, names of results.

    With them goes which functions each one calls, directly or not: where one of those has failed, its callers
    are not blamed. Only names that students have go in, and no place, number or argument of a call. That much
    a notebook says itself, which asks for the pieces before the whole that is built of them.
    """
    program = program_of(source)
    return {
        name: {**_outline(node, seen), "calls": sorted(filter(seen, program.leads_to(name)))}
        for name, node in program.functions.items()
        if seen(name)
    }


def _outline(function: ast.FunctionDef, seen: Callable[[str], bool]) -> dict[str, Any]:
    arguments = [a.arg for a in function.args.posonlyargs + function.args.args]
    reads: dict[str, list[str]] = {}
    returns: list[Any] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            returns.append(_returned(node.value, seen))
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if node.value.id in arguments and isinstance(key, str) and seen(key):
                reads.setdefault(node.value.id, []).append(key)
    return {
        "arguments": arguments,
        "reads": {k: sorted(set(v)) for k, v in reads.items()},
        "returns": returns,
    }


def _returned(value: ast.expr, seen: Callable[[str], bool]) -> Any:
    if isinstance(value, ast.Name):
        return value.id if seen(value.id) else ""
    if isinstance(value, ast.Tuple):
        return [_returned(part, seen) for part in value.elts]
    if isinstance(value, ast.Dict):
        keys = [k.value for k in value.keys if isinstance(k, ast.Constant) and isinstance(k.value, str)]
        return {"keys": [key for key in keys if seen(key)]}
    return ""
