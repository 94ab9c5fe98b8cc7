"""What stands for the reference while tests run: the solution itself, or the pack that students receive.

Tests ask three things of it: the reference's functions, a random generator for inputs, and the dictionary of
planted mistakes that goes with some calls. The tests do not know who answers.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from pytest_symmetry.assignment import load_reference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.diagnosis.dictionary import Dictionary, Leaf
    from pytest_symmetry.diagnosis.replay import Step


class Answers:
    """The solution itself answers, as it does for staff. A pack and a recorder differ from it."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment

    @property
    def source(self) -> str:
        """The text of the reference's definitions as one module."""
        return load_reference(self.assignment.folder).source

    @property
    def reveals(self) -> tuple[str, ...]:
        """How much may be said."""
        return ("hint", "cause")

    @property
    def solution(self) -> Any:
        """The reference itself, for whoever looks at a test from outside; None where it is not at hand."""
        return load_reference(self.assignment.folder)

    def reference(self, test: str) -> Any:  # noqa: ARG002 - a pack answers by test
        """Return what the fixture ``reference`` gives in a test."""
        return load_reference(self.assignment.folder)

    def generator(self, test: str, seed: int) -> np.random.Generator:  # noqa: ARG002 - as above
        """Return what the fixture ``probe_rng`` gives in a test."""
        import numpy as np

        return np.random.default_rng(seed)

    def dictionary(
        self,
        steps: Sequence[Step],
        sizes: Mapping[int, str],
        leaves: Sequence[Leaf],  # noqa: ARG002 - a pack knows leaves by digest only
        folder: Path | None,
    ) -> Dictionary | None:
        """Return the planted mistakes for some calls, or None where there are none to be had."""
        from pytest_symmetry.diagnosis.dictionary import dictionary_for

        return dictionary_for(self.source, steps, sizes, folder)

    def share(self, waiting: Collection[str]) -> tuple[float, float] | None:  # noqa: ARG002 - staff decide all
        """Return how many points are decided here, of how many; None where all are."""
        return None


_RECORDED: ContextVar[Answers | None] = ContextVar("pytest_symmetry_recorded", default=None)


@contextmanager
def answered_by(answers: Answers) -> Iterator[None]:
    """Let ``answers`` stand for the reference of its assignment in the runs inside."""
    token = _RECORDED.set(answers)
    try:
        yield
    finally:
        _RECORDED.reset(token)


def given_answers() -> Answers | None:
    """Return who was said to answer, by :func:`answered_by`."""
    return _RECORDED.get()
