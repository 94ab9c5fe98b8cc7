"""What people and the grader decided about marks, in order: events that are added and never changed.

An event says what was decided, by whom, when and why. What a class's marks are follows from the events and
the results alone (:mod:`graders.marks`), so that any mark can be traced back, and any decision taken back
by a further event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What an event is about: a closed set."""

    GRADED = "graded"
    """A result counts for a student from now on: ``data["result"]`` is its number."""
    OVERRIDDEN = "overridden"
    """A person gave ``points`` for ``question`` of ``student``."""
    RESTORED = "restored"
    """The override of ``question`` of ``student`` is taken back."""
    VOIDED = "voided"
    """Everyone who handed in gets the points of ``question``."""
    REINSTATED = "reinstated"
    """The voiding of ``question`` is taken back."""
    LATE = "late"
    """How late the work of ``student`` came: ``data`` are the fields of :class:`graders.marks.Lateness`."""
    ENROLLED = "enrolled"
    """What the roster says of ``student``: ``data`` are the fields of :class:`graders.marks.Person`."""
    APPROVED = "approved"
    """The mark of ``student`` may be sent: ``points`` of ``data["of"]`` for the work ``data["sha256"]``."""
    SENDING = "sending"
    """The mark of ``student`` is about to leave: ``points`` of ``data["of"]`` (``graders.lti``)."""
    ARRIVED = "arrived"
    """It is there."""
    REFUSED = "refused"
    """The platform refused it, for ``reason``."""
    REGRADED = "regraded"
    """The class was judged anew: ``data`` counts the students whose marks rose, fell and stayed."""
    FORGOTTEN = "forgotten"
    """Somebody was erased; who, is erased too."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``number`` counts them in the order in which they were written, ``at`` is UTC."""

    number: int
    kind: Kind
    at: str = ""
    author: str = ""
    student: str = ""
    question: str = ""
    points: float | None = None
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
