"""What looks like a cheat and breaks no lock: found from behaviour, told to staff only.

Nothing here touches a mark, a page, an export or a comment. Each record says what was measured; honest
programs can look the same, and how is said beside it (``suspicions.toml``). Whether it means anything is for
a person to decide, who asks the student first.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graders.batch import run_tests
from graders.constancy import answer_again, answer_of, unseen
from pytest_symmetry.arrays import leaves
from pytest_symmetry.context import Call, Context, current
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.feedback.text import question_words
from pytest_symmetry.submission import read_submission

if TYPE_CHECKING:
    from graders.intake import Entry
    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.remote.proxy import OpenedSubmission

NOISE = 1e-13
"""Relative scatter of a derivative that rounding in float64 does not explain: formulas of the sizes met in
courses stay below it, difference quotients above (``tests/sandbox/test_suspicions.py``)."""

LARGEST = 1e-3
"""A larger error is a mistake, and no other way to the same number."""

_NUDGES = 4
_DERIVATIVES = ("autograd", "jax", "sympy", "tensorflow", "theano", "torch", "numdifftools")
_INNER = ("pytest_symmetry", "graders", "ctypes", "gc", "inspect")
_LONG_NUMBERS = 12
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One thing that was measured: its kind (a key of ``suspicions.toml``), the question, and the facts."""

    kind: str
    student: str
    question: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@functools.cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Return what staff read about each kind: ``title``, ``seen`` and ``honest``, which explains it away."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def records(found: Sequence[Suspicion]) -> list[dict[str, Any]]:
    """Return what was found in the words that the staff's page and the terminal show."""
    return [
        {
            "student": one.student,
            "question": one.question,
            "kind": words()[one.kind]["title"],
            "measured": words()[one.kind]["seen"].format(**_said(one)),
            "explanations": [words()[one.kind]["honest"]],
        }
        for one in found
    ]


def _said(one: Suspicion) -> dict[str, Any]:
    facts = {key: ", ".join(v) if isinstance(v, list) else v for key, v in one.facts.items()}
    return {"question": question_words(one.question), **facts}


def another_seed(seed: int) -> int:
    """Return the seed to look with, where marks were given with ``seed``: always the same, and another."""
    return int.from_bytes(hashlib.sha256(f"{seed}/suspicions".encode()).digest()[:16], "little")


def look(
    assignment: Assignment, entries: Sequence[Entry], seed: int, isolation: str = "strict"
) -> list[Suspicion]:
    """Run an assignment's tests over ``entries`` once more and return what looks like a cheat.

    Nothing is written. Ask with another seed than the one that marks were given with.

    Raises:
        AssignmentError: the tests cannot be run.
    """
    watcher = _Watcher()
    run_tests(assignment, entries, seed, isolation, observer=watcher)
    found = [
        suspicion
        for entry in entries
        for suspicion in (*in_source(entry), *watcher.found.get(str(entry.path), ()))
    ]
    return [Suspicion(s.kind, _student(s, entries), s.question, s.facts) for s in found]


def _student(suspicion: Suspicion, entries: Sequence[Entry]) -> str:
    by_path = {str(entry.path): entry.student for entry in entries}
    return by_path.get(suspicion.student, suspicion.student)


# What the source shows


def in_source(entry: Entry) -> Iterator[Suspicion]:
    """Yield libraries that differentiate, ways into the grader, and tables of long numbers."""
    try:
        cells = read_submission(entry.path, entry.student).cells
    except SymmetryError:
        return
    for number, text in cells:
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        imported = {name.split(".")[0] for node in ast.walk(tree) for name in _imported(node)}
        for kind, names in (("derivatives-imported", _DERIVATIVES), ("inner-parts-imported", _INNER)):
            if here := sorted(imported & set(names)):
                yield Suspicion(kind, entry.student, facts={"cell": number, "names": here})
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (count := _long_numbers(node)) >= _LONG_NUMBERS:
                facts = {"cell": number, "function": node.name, "numbers": count}
                yield Suspicion("stored-numbers", entry.student, facts=facts)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _long_numbers(function: ast.FunctionDef) -> int:
    """Return how many numbers with many digits a function holds: no formula needs a table of those."""
    constants = (n.value for n in ast.walk(function) if isinstance(n, ast.Constant))
    return sum(
        isinstance(c, float) and len(repr(c).strip("0.").replace(".", "")) >= _DIGITS for c in constants
    )


# What the answers show


class _Watcher:
    """A pytest plugin that asks a little more after each test that is passed; its answers change nothing."""

    def __init__(self) -> None:
        self.found: dict[str, list[Suspicion]] = {}
        self._passed = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note which test has just been passed: one that failed needs no suspicion."""
        if report.when == "call" and report.passed:
            self._passed = report.nodeid

    def pytest_runtest_teardown(self, item: Any) -> None:
        """Look after a test that was passed, while its submission is still open."""
        context = current()
        functions = getattr(item, "funcargs", {}).get("submission")
        if item.nodeid != self._passed or context is None or functions is None:
            return
        opened: OpenedSubmission = functions._opened  # noqa: SLF001 - it is what the fixture stands for
        with unseen(opened, context):
            seen = list(_in_answers(opened, context, list(context.calls)))
        path = str(opened.submission.path)
        mine = self.found.setdefault(path, [])
        mine += [Suspicion(kind, path, str(item.originalname), facts) for kind, facts in seen]


def _in_answers(
    opened: OpenedSubmission, context: Context, calls: list[Call]
) -> Iterator[tuple[str, dict[str, Any]]]:
    last = {call.function: call for call in calls}
    for name, call in last.items():
        right = getattr(context.reference, name, None)
        if not callable(right):
            continue
        if (noise := scatter(call, functools.partial(answer_again, opened), right)) is not None:
            yield "scattered-derivatives", {"function": name, **noise}
        if _only_passes_on(call, right):
            yield "passed-through", {"function": name}


Answer = Callable[[str, tuple[Any, ...], Mapping[str, Any]], Any]


def scatter(call: Call, ask: Answer, right: Callable[..., Any]) -> dict[str, float] | None:
    """Return how a function's error scatters between inputs that differ in their last bits, or None.

    A formula's error moves with its input; that of a difference quotient is the rounding of the loss, times
    one over the step, and is another one each time. Only functions that return several arrays, all of
    float64 and not all of them exact in float32, and that are right up to :data:`LARGEST`, are looked at.

    ``scatter`` is the largest change of the error between two such inputs, ``error`` the largest error, both
    beside the largest entry of the array.
    """
    mine, expected = _derivatives(call.result), _derivatives(answer_of(right, call.args, call.kwargs))
    if len(mine) < 2 or {n: a.shape for n, a in mine.items()} != {n: a.shape for n, a in expected.items()}:
        return None
    error = _off(mine, expected)
    if not NOISE < _size(error) < LARGEST or all(
        np.array_equal(a.astype(np.float32), a) for a in mine.values()
    ):
        return None
    changes = []
    for number in range(1, _NUDGES + 1):
        args = _nudged(call.args, 1 + number * 2.0**-50)
        again = _derivatives(ask(call.function, args, call.kwargs))
        then = _derivatives(answer_of(right, args, call.kwargs))
        if {n: a.shape for n, a in again.items()} != {n: a.shape for n, a in then.items()}:
            return None
        now = _off(again, then)
        changes.append(_size({name: now[name] - error[name] for name in now}))
    found = max(changes)
    return {"scatter": found, "error": _size(error)} if found > NOISE else None


def _derivatives(result: Any) -> dict[str, Any]:
    if not isinstance(result, dict | list | tuple):
        return {}
    found = leaves(result)
    good = (
        isinstance(a, np.ndarray) and a.dtype == np.float64 and np.isfinite(a).all() for a in found.values()
    )
    return found if all(good) else {}


def _off(mine: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """Return the errors beside each array's largest entry."""
    largest = max((float(np.abs(a).max()) for a in right.values() if a.size), default=0.0)
    return {name: (mine[name] - right[name]) / (largest or 1.0) for name in right}


def _size(errors: Mapping[str, Any]) -> float:
    return max((float(np.abs(a).max()) for a in errors.values() if a.size), default=0.0)


def _nudged(value: Any, factor: float) -> Any:
    """Return the arguments with every float64 array changed in its last bits."""
    if isinstance(value, np.ndarray):
        return value * factor if value.dtype == np.float64 else value
    if type(value) is dict:
        return {key: _nudged(part, factor) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_nudged(part, factor) for part in value)
    return value


def _only_passes_on(call: Call, right: Callable[..., Any]) -> bool:
    """Return whether a result is nothing but an argument, where the reference computes one."""
    if not isinstance(call.result, np.ndarray) or not call.shared_paths or call.changed_paths:
        return False
    expected = answer_of(right, call.args, call.kwargs)
    same = any(a is not None and a is expected for a in call.args)
    return not same and all(path.startswith("result is args") for path in call.shared_paths)
