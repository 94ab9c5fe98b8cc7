"""How late a submission is, and what that costs: on a line of its own, the raw points stay as they are.

The rule is Canvas's: each begun day (or hour) takes a share of the points possible, down to a floor. A day
is a day of the calendar in the course's time zone, 23 or 25 hours long where the clocks change; an hour is
60 minutes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from graders.marks import Lateness
from pytest_symmetry.errors import AssignmentError, SymmetryError
from pytest_symmetry.feedback.text import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_symmetry.assignment import Assignment

_NUMBERS = ("percent", "grace", "floor", "cap")
_FORMATS = ("%A, %d %B %Y, %I:%M %p", "%d %B %Y, %I:%M %p", "%d %B %Y, %H:%M", "%Y-%m-%d %H:%M:%S.%f")
"""How Moodle (English) and nbgrader write a time, beside ISO 8601."""


class LatenessError(SymmetryError):
    """A time, a time zone or a late policy cannot be read; the message says which, and how to write it."""


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """What lateness costs.

    ``percent`` of the points possible is taken for each begun day or hour (``per``) after the due time.
    Within ``grace`` minutes nothing is late. Lateness takes at most ``cap`` percent, and takes nobody below
    ``floor`` percent of the points possible.
    """

    per: str = "day"
    percent: float = 0.0
    grace: float = 0.0
    floor: float = 0.0
    cap: float = 100.0


def how_late(due: datetime, submitted: datetime, policy: LatePolicy, zone: ZoneInfo) -> Lateness:
    """Return how late ``submitted`` is and what that takes; both are aware, or clock times of ``zone``.

    Exactly at ``due`` is in time. A clock time that came twice (when summer time ended) is taken as the
    later one for ``due``, so that nobody loses by it.
    """
    deadline, handed_in = in_zone(due, zone, latest=True), in_zone(submitted, zone)
    seconds = math.ceil(_elapsed(deadline, handed_in))
    if seconds <= 60 * policy.grace:
        line = f"{duration(seconds)} late, within the grace" if seconds > 0 else ""
        return Lateness(max(seconds, 0), line=line)
    units = math.ceil(seconds / 3600) if policy.per == "hour" else _days(deadline, handed_in, zone)
    percent = min(policy.percent * units, policy.cap)
    said = f"{duration(seconds)} late"
    if percent:
        count = f"{units} {policy.per}{'s' if units > 1 else ''}"
        most = f", at most {number(policy.cap)} %" if percent < policy.percent * units else ""
        said += f": {count} at {number(policy.percent)} % of the points{most}"
    return Lateness(seconds, percent, policy.floor, said)


def _elapsed(start: datetime, end: datetime) -> float:
    """Return the seconds that really passed: between times of one zone ``-`` counts wall-clock ones."""
    return (end.astimezone(UTC) - start.astimezone(UTC)).total_seconds()


def _days(deadline: datetime, handed_in: datetime, zone: ZoneInfo) -> int:
    """Return the smallest number of calendar days after which the deadline's clock time is not yet past."""
    wall = deadline.replace(tzinfo=None, fold=0)
    days = max(1, (handed_in.astimezone(zone).replace(tzinfo=None) - wall).days - 1)
    while _elapsed(in_zone(wall + timedelta(days=days), zone, latest=True), handed_in) > 0:
        days += 1
    return days


def in_zone(time: datetime, zone: ZoneInfo, *, latest: bool = False) -> datetime:
    """Return an aware time in ``zone``; one without an offset is taken as that zone's clock.

    Where the clocks change, a clock time may stand for two moments: the ``latest``, or else the first.
    """
    if time.tzinfo is not None:
        return time.astimezone(zone)
    moments = [time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return (max(moments) if latest else min(moments)).astimezone(zone)


def duration(seconds: float) -> str:
    """Return a duration in words: "2 days 3 h", "4 min"."""
    minutes = max(1, math.ceil(seconds / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def read_zone(name: str) -> ZoneInfo:
    """Return a time zone by its name, such as "Europe/Zurich"; "" is UTC.

    Raises:
        LatenessError: there is no such time zone.
    """
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        msg = f'{name!r} is no time zone; write for example "Europe/Zurich"'
        raise LatenessError(msg) from None


def read_time(value: str | date | datetime, zone: ZoneInfo, *, latest: bool = False) -> datetime:
    """Return a time as an LMS or a person writes it; without an offset it is ``zone``'s wall clock.

    A date alone is the end of that day.

    Raises:
        LatenessError: it is no time.
    """
    if isinstance(value, datetime):
        return in_zone(value, zone, latest=latest)
    if isinstance(value, date):
        return in_zone(datetime(value.year, value.month, value.day, 23, 59, 59), zone, latest=latest)
    text = " ".join(value.split())
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        text += " 23:59:59"
    if named := re.fullmatch(r"(\d{4}\S* [\d:.]+) ([A-Za-z_]+(?:/[A-Za-z_+-]+)*)", text):
        text, zone = named[1], read_zone("UTC" if named[2] == "Z" else named[2])
    found = _parsed(re.sub(r"(\.\d{6})\d+", r"\1", text))
    if found is None:
        msg = f"{value!r} is no time; write it as 2026-03-01 23:59"
        raise LatenessError(msg)
    return in_zone(found, zone, latest=latest)


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(re.sub(r" (?=[+-]\d\d:?\d\d$)", "", text))
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


def read_policy(table: Mapping[str, Any], default: LatePolicy | None = None) -> LatePolicy:
    """Return the policy of a table such as ``[late]``; what it leaves out is ``default``'s.

    Raises:
        LatenessError: a value makes no sense; the message names its key.
    """
    policy = default or LatePolicy()
    changes: dict[str, Any] = {}
    for key, value in table.items():
        if key == "per" and value not in ("day", "hour"):
            msg = f'per is {value!r}, but must be "day" or "hour"'
            raise LatenessError(msg)
        if key in _NUMBERS:
            changes[key] = _number(key, value)
        elif key == "per":
            changes[key] = value
    return replace(policy, **changes)


def late_policy(assignment: Assignment) -> LatePolicy:
    """Return the policy of an assignment's ``[late]``.

    Raises:
        AssignmentError: a value makes no sense.
    """
    try:
        return read_policy(assignment.points.late)
    except LatenessError as error:
        raise AssignmentError(assignment.file, str(error), "late") from None


def _number(key: str, value: Any) -> float:
    most = math.inf if key == "grace" else 100.0
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not 0 <= found <= most or math.isinf(found):
        allowed = "a number of minutes from 0 up" if key == "grace" else "a number from 0 to 100"
        msg = f"{key} is {value!r}, but must be {allowed}"
        raise LatenessError(msg)
    return found


def policy_of_text(text: str, default: LatePolicy) -> LatePolicy:
    """Return the policy of a roster's cell: "" is the default, "none" costs nothing, else key=value pairs.

    Raises:
        LatenessError: it is none of these.
    """
    words = text.replace(";", " ").replace(",", " ").split()
    if not words:
        return default
    if [word.casefold() for word in words] == ["none"]:
        return LatePolicy()
    table = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in ("per", *_NUMBERS):
            msg = f'{text!r} is no late policy; write "none", or for example "per=day percent=10 grace=15"'
            raise LatenessError(msg)
        table[key] = value.removesuffix("%")
    return read_policy(table, default)
