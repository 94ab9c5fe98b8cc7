"""The pack answers for the reference: what was recorded is given again, where the same is asked.

An answer is found by its test, its function and its arguments, the call of the same number first. Arguments
need only be close: another BLAS or another numpy changes last digits. What was not recorded is not decided
here, and says so.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import inspect
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry import sealing
from pytest_symmetry.answers import Answers, given_answers
from pytest_symmetry.assignment import load_assignment, load_reference
from pytest_symmetry.closeness import close, distance, nearest
from pytest_symmetry.diagnosis.locked import Locks, unlocked_for
from pytest_symmetry.diagnosis.replay import Earlier, Step
from pytest_symmetry.errors import DecidedByStaff

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.diagnosis.dictionary import Dictionary, Leaf

FILE = sealing.FILE


def path_digest(path: Any) -> str:
    """Return what stands for the path of a part of a result: its names may be the solution's own."""
    return hashlib.blake2b(repr(path).encode(), digest_size=8, person=b"path").hexdigest()


class Pack(Answers):
    """What students have in the place of the reference.

    Raises:
        PackError: the file is damaged, or of another version.
    """

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment)
        self.file = assignment.folder / FILE
        self.text, members = sealing.read(self.file)
        self._reader = sealing.Reader(members)

    @property
    def level(self) -> str:
        """How much the pack says: "hint" or "cause"."""
        return str(self.text.get("level", "hint"))

    @property
    def reveals(self) -> tuple[str, ...]:
        """How much may be said."""
        return ("hint", "cause") if self.level == "cause" else ("hint",)

    @functools.cached_property
    def source(self) -> str:
        """An outline: the functions that students see, with arguments and names of results, no bodies."""
        return outline_text(self.text.get("outline", {}))

    @property
    def solution(self) -> None:
        """Nothing: the reference is not in the room."""
        return

    def reference(self, test: str) -> PackedReference:
        """Return the recorded answers of one test."""
        return PackedReference(self, test)

    def generator(self, test: str, seed: int) -> np.random.Generator:
        """Return a generator that gives the recorded draws of one test, if the seed is the recorded one."""
        kept = self.text.get("draws", {}).get(test)
        if kept is None or kept["seed"] != str(seed):
            return np.random.default_rng(seed)
        return StoredDraws(np.random.default_rng(seed), self.values(kept["draws"]))

    def share(self, waiting: Collection[str]) -> tuple[float, float] | None:
        """Return how many points are decided here, of how many; questions in ``waiting`` are not."""
        asked = self.text.get("questions", ())
        total = math.fsum(float(question["points"]) for question in asked)
        after = [q for q in asked if q["after"] or q["name"] in waiting]
        return total - math.fsum(float(question["points"]) for question in after), total

    def values(self, data: Any) -> Any:
        """Return the values that some data of the pack stand for."""
        return self._reader.get(data)

    def calls(self, test: str, function: str) -> list[Any]:
        """Return the recorded calls of a function in a test."""
        found: list[Any] = self.text.get("calls", {}).get(test, {}).get(function, [])
        return found

    def dictionary(
        self,
        steps: Sequence[Step],
        sizes: Mapping[int, str],
        leaves: Sequence[Leaf],
        folder: Path | None,  # noqa: ARG002 - nothing is built here that could be kept
    ) -> Dictionary | None:
        """Return the recorded dictionary of the same calls, or None."""
        for data in self.text.get("dictionaries", ()):
            if dict(self.values(data["sizes"])) == dict(sizes) and self._same_steps(data["steps"], steps):
                return self._unlocked(data, leaves)
        return None

    def _same_steps(self, kept: Sequence[Any], asked: Sequence[Step]) -> bool:
        return [function for function, _, _ in kept] == [step.function for step in asked] and all(
            close(self._slots(args), [_marked(value) for value in step.args])
            and close(dict(zip(kwargs, self._slots(kwargs.values()), strict=True)), _marked_all(step.kwargs))
            for (_, args, kwargs), step in zip(kept, asked, strict=True)
        )

    def _slots(self, data: Any) -> list[Any]:
        return [self.values(value) for value in data]

    def _unlocked(self, data: Mapping[str, Any], leaves: Sequence[Leaf]) -> Dictionary:
        known = {(step, path_digest(path)): (step, path) for step, path in leaves}
        names = [(int(i), str(mark)) for i, mark in data["leaves"]]
        own = [known.get(leaf, leaf) for leaf in names]
        right = dict(zip(own, self.values(data["right"]), strict=True))
        tokens, changes, wraps = (self.values(data[part]) for part in ("tokens", "changes", "wraps"))
        whole = self.values(data["boxes"]).tobytes()
        ends = itertools.accumulate(data["lengths"], initial=0)
        boxes = [whole[a:b] for a, b in itertools.pairwise(ends)]
        locks = Locks(bytes.fromhex(data["salt"]), tokens, changes, wraps, boxes, self.values(data["box_of"]))
        return unlocked_for(own, right, locks, int(data["tried"]))


def answers_for(assignment: Assignment) -> Answers:
    """Return who answers for an assignment's reference: its pack, where there is one, or its solution.

    Raises:
        PackError: the pack cannot be read.
        AssignmentError: the solution cannot be loaded.
    """
    given = given_answers()
    if given is not None and given.assignment.folder == assignment.folder:
        return given
    return _usual(assignment.folder)


@functools.lru_cache(maxsize=32)
def _usual(folder: Path) -> Answers:
    assignment = load_assignment(folder)
    if (folder / FILE).is_file():
        return Pack(assignment)
    load_reference(folder)  # a reference that cannot be loaded is told once, before any test
    return Answers(assignment)


def _marked(value: Any) -> Any:
    """Return an argument in the form in which a step keeps it: results of earlier steps as a mark."""
    return mark_of(value) if isinstance(value, Earlier) else value


def _marked_all(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _marked(value) for key, value in values.items()}


def mark_of(earlier: Earlier) -> tuple[str, int, str]:
    """Return what stands for the result of an earlier step."""
    return "earlier step", earlier.step, path_digest(earlier.path)


class PackedReference:
    """The recorded answers of one test: its attributes look like the reference's functions."""

    def __init__(self, pack: Pack, test: str) -> None:
        self._pack = pack
        self._test = test

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        constants = self._pack.text.get("constants", {})
        if name in constants:
            return self._pack.values(constants[name])
        if name not in self._pack.text.get("functions", ()):
            raise DecidedByStaff(name)
        answers = _Answering(self._pack, self._test, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return answers(args, kwargs)

        call.__name__ = call.__qualname__ = name
        call.__signature__ = self._signature(name)  # type: ignore[attr-defined] # inspect looks for it
        vars(self)[name] = call
        return call

    def _signature(self, name: str) -> inspect.Signature:
        arguments = self._pack.text.get("outline", {}).get(name, {}).get("arguments")
        if arguments is None:
            return inspect.signature(lambda *args, **kwargs: (args, kwargs))
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(a, kind) for a in arguments])


class _Answering:
    """One function of the reference in one test; it counts its calls."""

    def __init__(self, pack: Pack, test: str, name: str) -> None:
        self.pack, self.name, self.count = pack, name, 0
        self.kept = pack.calls(test, name)
        self.arguments = [(pack.values(k["args"]), pack.values(k["kwargs"])) for k in self.kept]

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        same = self.count < len(self.kept) and distance(self.arguments[self.count], (args, kwargs)) == 0
        number = self.count if same else nearest(self.arguments, (args, kwargs))
        if number is None:
            raise DecidedByStaff(self.name)
        self.count = number + 1
        return self._given(self.kept[number])

    def _given(self, kept: Mapping[str, Any]) -> Any:
        __tracebackhide__ = True
        if "raised" in kept:
            kind = getattr(builtins, kept["raised"], None)
            if isinstance(kind, type) and issubclass(kind, Exception):
                raise kind(kept["message"])
            raise DecidedByStaff(self.name)
        return _opened(self.pack.values(kept["result"]))


def _opened(value: Any) -> Any:
    """Return a recorded answer in which parts that are withheld cannot be used unnoticed."""
    if isinstance(value, sealing.Withheld):
        return _Unknown()
    if isinstance(value, dict):
        return {key: _opened(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_opened, value))
    return value


class _Unknown:
    """A part of an answer that the pack does not hold: whoever looks at it is told who decides."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("__class__", "__init__", "__new__", "__del__"):
            return object.__getattribute__(self, name)
        raise DecidedByStaff(name)

    def _refuse(self, *_: Any) -> Any:
        raise DecidedByStaff

    __eq__ = __ne__ = __lt__ = __iter__ = __len__ = __getitem__ = __contains__ = __bool__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = __float__ = _refuse
    __hash__ = None  # type: ignore[assignment] # as every class with its own equality


class StoredDraws(np.random.Generator):
    """A generator that gives what was drawn when the pack was made, as long as the same is drawn.

    Where something else is drawn it goes on as the generator would have gone on at that place.
    """

    def __init__(self, generator: np.random.Generator, draws: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(generator.bit_generator)
        self._draws = list(draws)

    def _next(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        kept = self._draws[0] if self._draws else None
        if (
            kept is None
            or kept["method"] != method
            or not close((kept["args"], kept["kwargs"]), (args, kwargs))
        ):
            self._draws = []
            return getattr(np.random.Generator, method)(self, *args, **kwargs)
        del self._draws[0]
        self.bit_generator.state = kept["state"]
        if method == "shuffle":
            args[0][...] = kept["result"]
            return None
        return kept["result"]


DRAWN = tuple(
    name
    for name, member in vars(np.random.Generator).items()
    if not name.startswith("_") and callable(member) and name not in ("spawn", "bit_generator")
)
"""The methods of a generator that draw."""


def _stored(name: str) -> Callable[..., Any]:
    def draw(self: StoredDraws, *args: Any, **kwargs: Any) -> Any:
        return self._next(name, args, kwargs)

    draw.__name__ = name
    return draw


for _name in DRAWN:
    setattr(StoredDraws, _name, _stored(_name))


def outline_text(outline: Mapping[str, Any]) -> str:
    """Return an outline as definitions without bodies: what they are called with, read, call, and return."""
    lines: list[str] = []
    for name, known in outline.items():
        lines.append(f"def {name}({', '.join(known['arguments'])}):")
        lines += [f"    {argument}[{key!r}]" for argument, keys in known["reads"].items() for key in keys]
        lines += [f"    {called}" for called in known.get("calls", ())]  # older packs do not say
        lines += [f"    return {_returned(parts)}" for parts in known["returns"]] or ["    pass"]
    return "\n".join(lines) + "\n"


def _returned(parts: Any) -> str:
    if isinstance(parts, str):
        return parts or "0"
    if isinstance(parts, dict):
        return "{" + ", ".join(f"{key!r}: 0" for key in parts["keys"]) + "}"
    return "(" + "".join(f"{_returned(part)}, " for part in parts) + ")"
