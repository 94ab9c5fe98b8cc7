"""What tests do while they run: what they ask of a submission, what they measured, what stopped them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.context import Call, current
from pytest_symmetry.diagnosis.explain import the_call_sizes
from pytest_symmetry.findings import GradientEvidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@dataclass(slots=True)
class Asked:
    """What one test asked of one submission.

    ``digest`` stands for all arguments together, "" where they hold what cannot be compared; ``slopes`` says
    whether the test compared something with differences.
    """

    test: str
    calls: list[Call] = field(default_factory=list)
    sizes: dict[int, str] = field(default_factory=dict)
    digest: str = ""
    slopes: bool = False


@dataclass(slots=True, eq=False)  # pytest keeps its plugins in a set
class Watcher:
    """A pytest plugin for one submission: notes what each test asks, and why a file cannot be collected."""

    asked: dict[str, Asked] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a file of tests cannot be read."""
        if report.failed:
            last = [line for line in report.longreprtext.splitlines() if line.strip()][-1:]
            said = "".join(last).removeprefix("E").strip()
            self.problems.append(f"{report.nodeid or 'the tests'}: {said}")

    def pytest_runtest_teardown(self) -> None:
        """Keep what a test asked, before its context goes."""
        if (context := current()) is None:
            return
        test = question_of(context.test)
        slopes = any(isinstance(e, GradientEvidence) for e in context.evidence)
        found = self.asked.setdefault(test, Asked(test))
        found.calls += context.calls
        found.sizes |= the_call_sizes()
        found.slopes |= slopes
        found.digest += _digest(context.calls)


def question_of(test: str) -> str:
    """Return a test's name without its file and its cases."""
    return test.rpartition("::")[2].partition("[")[0]


class _Unknown(TypeError):
    """An argument that cannot be compared with another run's."""


def _digest(calls: list[Call]) -> str:
    digest = hashlib.sha256()
    try:
        for call in calls:
            for part in _bytes([call.function, *call.args, dict(call.kwargs)]):
                digest.update(part)
    except _Unknown:
        return ""
    return digest.hexdigest()


def _bytes(value: Any) -> Iterator[bytes]:
    """Yield bytes that two values share where they are equal."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        yield f"{value.dtype.str}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, dict):
        for key, member in value.items():
            yield repr(key).encode()
            yield from _bytes(member)
    elif isinstance(value, list | tuple):
        yield f"[{len(value)}".encode()
        for member in value:
            yield from _bytes(member)
    elif value is None or isinstance(value, bool | int | float | complex | str | np.generic):
        yield repr(value).encode()
    elif isinstance(value, np.random.Generator):
        yield repr(value.bit_generator.state).encode()
    else:
        raise _Unknown
