"""The context of a check: what it may know beside its arguments, and where it leaves what it learned.

The plugin sets one context per test. Without one (somebody's own test suite) checks work just the same;
only what needs the assignment or the submission's source is not said.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_symmetry.findings import Evidence, Finding


@dataclass(slots=True)
class Call:
    """One call made to the submission, with what it returned.

    ``changed`` holds those of the caller's own argument arrays that the function changed in place (the
    caller's copy stays as it was: the change happened in the student's process). ``cell`` and ``line``
    say where the function is defined.
    """

    function: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None
    changed: tuple[Any, ...] = ()
    changed_paths: tuple[str, ...] = ()
    shared_paths: tuple[str, ...] = ()
    random_state_touched: bool = False
    cell: int | None = None
    line: int | None = None


@dataclass(slots=True)
class Context:
    """What surrounds one test: the assignment, the reference, the calls made, and what checks left behind.

    ``reference_source`` is the text of the reference's definitions as one module, an outline without bodies
    where a pack stands for it, or "" where nothing does (somebody's own test suite). ``dictionaries`` is a
    folder that keeps what planted mistakes give, so that another run need not plant them again. ``answers``
    is who answers for the reference, in the test called ``test``.
    """

    seed: int = 0
    assignment: Any = None
    reference: Any = None
    reference_source: str = ""
    dictionaries: Path | None = None
    submission: Any = None
    answers: Any = None
    test: str = ""
    reveal: str = "hint"
    calls: list[Call] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    shares: bool = False
    """Whether the question gives points for each array that is right."""
    ways: list[tuple[str, str]] = field(default_factory=list)
    """How causes were found: (cause, way), for whoever explains a verdict later."""


_CURRENT: ContextVar[Context | None] = ContextVar("pytest_symmetry_context", default=None)


def current() -> Context | None:
    """Return the context of the running test, or None outside an assignment's test."""
    return _CURRENT.get()


@contextmanager
def entered(context: Context) -> Iterator[Context]:
    """Make ``context`` the current one."""
    token = _CURRENT.set(context)
    try:
        yield context
    finally:
        _CURRENT.reset(token)


def record(evidence: Evidence) -> None:
    """Leave a check's evidence and its notes with the current context, if there is one."""
    if (context := current()) is None:
        return
    context.evidence.append(evidence)
    context.notes.extend(evidence.notes)
    if not evidence.passed and context.submission is not None:
        with suppress(TypeError):  # one that cannot be remembered: nothing is known of it later
            known = _DOUBTED.setdefault(context.submission, set())
            known.update(call.function for call in context.calls)


_PAID: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()


def pay(submission: Any, convention: str, question: str) -> None:
    """Remember that following another convention has cost a submission points in a question."""
    with suppress(TypeError):
        _PAID.setdefault(submission, {}).setdefault(convention, question)


def paid(submission: Any) -> dict[str, str]:
    """Return the conventions that have cost a submission points, each with the question it did so in."""
    try:
        return dict(_PAID.get(submission, {}))
    except TypeError:
        return {}


_DOUBTED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


_BLAMED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def blame(finding: Finding) -> None:
    """Remember the function that a failed check has placed its finding in."""
    context, function = current(), finding.place.function
    if context is not None and context.submission is not None and function is not None:
        with suppress(TypeError):  # as in record
            _BLAMED.setdefault(context.submission, set()).add(function)


def blamed(submission: Any) -> frozenset[str]:
    """Return the functions of a submission that findings of failed checks were placed in."""
    try:
        return frozenset(_BLAMED.get(submission, ()))
    except TypeError:
        return frozenset()


def doubted(submission: Any) -> frozenset[str]:
    """Return the functions of a submission that were called in checks that failed, now or before."""
    try:
        return frozenset(_DOUBTED.get(submission, ()))
    except TypeError:
        return frozenset()
