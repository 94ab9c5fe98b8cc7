"""The exceptions, and who may meet them.

::

    SymmetryError                    somebody can mend it: one sentence, exit code 2
    ├── AssignmentError              assignment.toml or its files
    ├── PackError                    the pack of a released assignment
    └── SubmissionError              a submission that cannot be opened at all
    CheckFailed (AssertionError)     a check found something: .finding, .evidence
    StudentTrouble                   a call into the submission came back without an answer
    ├── NotAttempted                 the function is the template's stub
    ├── FunctionMissing              no such function in the submission
    ├── NotLoaded                    the cell that holds it cannot be read or run
    ├── RaisedError                  the student's code raised
    ├── TimedOut                     the limit of one call was used up
    └── ProcessDied                  the process ended (os._exit, memory, a crash)
    DecidedByStaff                   the pack has no answer to this question: no verdict here

Each StudentTrouble carries the Finding that tells the student about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_symmetry.findings import Evidence, Finding


class SymmetryError(Exception):
    """Bad input that a person can mend; the message is one sentence that says how."""


class AssignmentError(SymmetryError):
    """Something is wrong with an assignment; the message names the file and the key."""

    def __init__(self, file: Path | str, problem: str, key: str | None = None) -> None:
        self.file = str(file)
        self.problem = problem
        self.key = key
        where = f"{file}, key {key!r}" if key else f"{file}"
        super().__init__(f"{where}: {problem}")

    def __reduce__(self) -> tuple[type[AssignmentError], tuple[str, str, str | None]]:
        """Say how to make it again in another process."""
        return type(self), (self.file, self.problem, self.key)


class SubmissionError(SymmetryError):
    """A submission cannot be opened; the message names the file and what was found."""


class PackError(SymmetryError):
    """The pack of a released assignment cannot be read; the message says what to do."""


class CheckFailed(AssertionError):
    """A check found something.

    ``finding`` says what, in facts; ``evidence`` holds all that was measured. The words are made
    when the message is asked for, so that one finding can be shown in several ways.
    """

    def __init__(self, finding: Finding, evidence: Evidence | None, render: Callable[[Finding], str]) -> None:
        super().__init__(finding.code)
        self.finding = finding
        self.evidence = evidence
        self._render = render

    def __str__(self) -> str:
        return self._render(self.finding)


class StudentTrouble(Exception):
    """A call into the submission gave no answer; ``finding`` says why, in facts."""

    def __init__(self, finding: Finding, detail: str = "") -> None:
        self.finding = finding
        self.detail = detail
        super().__init__(detail or finding.code)


class NotAttempted(StudentTrouble):
    """The function is still the template's stub."""


class FunctionMissing(StudentTrouble):
    """The submission has no function of that name."""


class NotLoaded(StudentTrouble):
    """The cell that holds the function cannot be read or run."""


class RaisedError(StudentTrouble):
    """The student's code raised an exception."""


class TimedOut(StudentTrouble):
    """The limit of one call was used up."""


class ProcessDied(StudentTrouble):
    """The student's process ended in the middle of a call."""


class DecidedByStaff(Exception):
    """The pack has no answer to what a test asked the reference: the question is decided after hand-in."""
