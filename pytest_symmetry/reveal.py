"""How much feedback says, and from when: the kind of a mistake (hint), later its name (cause).

Until it is due, an assignment's pages leave the finding of the mistake to the student; afterwards they name
it. Each student's own due time counts, where there is one; clock times are those of the course.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pytest_symmetry.errors import AssignmentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REVEAL = ("hint", "cause")


@dataclass(frozen=True, slots=True)
class Policy:
    """What is said ``before`` and ``after`` an assignment is due; ``due`` is aware, or None for never."""

    before: str = "hint"
    after: str = "cause"
    due: datetime | None = None

    def at(self, now: datetime, due: datetime | None = None) -> str:
        """Return how much is said at the aware time ``now``, to somebody for whom it is due at ``due``.

        Exactly at the due time it is not over yet. Where nothing is due, nothing changes.
        """
        deadline = due or self.due
        return self.after if deadline is not None and now > deadline else self.before

    def today(self) -> str:
        """Return how much is said now, by this machine's clock."""
        return self.at(datetime.now(UTC))


def read_policy(file: Path, data: Mapping[str, Any]) -> Policy:
    """Return the policy of the keys ``reveal``, ``reveal_after_due``, ``due`` and ``timezone``.

    Raises:
        AssignmentError: a value makes no sense; the message names ``file`` and the key.
    """
    for key in ("reveal", "reveal_after_due"):
        if key in data and data[key] not in REVEAL:
            raise AssignmentError(file, f"it is {data[key]!r}, but must be one of {REVEAL}", key)
    before = data.get("reveal", "hint")
    after = data.get("reveal_after_due", "cause")
    if before == "cause" and after == "hint":
        problem = 'it is "hint", but before that everything is said; a page cannot take it back'
        raise AssignmentError(file, problem, "reveal_after_due")
    name = data.get("timezone", "UTC")
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        problem = f'it is {name!r}, which is no time zone; write for example "Europe/Zurich"'
        raise AssignmentError(file, problem, "timezone") from None
    return Policy(before, after, moment(data["due"], zone) if "due" in data else None)


def moment(time: date | datetime, zone: ZoneInfo) -> datetime:
    """Return a time as an aware one: a clock time is ``zone``'s, a date alone is the end of that day.

    A clock time that comes twice, when summer time ends, is the later of the two; one that a change of the
    clocks skips is the moment of the change or later. Nobody is told too early.
    """
    if not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day, 23, 59, 59)
    if time.tzinfo is not None:
        return time
    return max(time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
