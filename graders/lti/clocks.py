"""Time: this machine's, and the platform's, which stamps and refuses scores by its own."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from graders.lti.settings import PushError

UNSEEN = 3.0
"""Seconds of difference that are not told from the way of an answer: ``Date`` counts whole seconds."""

_SLOW = 5.0
"""Seconds that an answer may take to tell of the time."""

_MOST = 86_400.0


class Clock(Protocol):
    """What time is it, and wait: an interface, so that tests wait for nothing."""

    def now(self) -> float:
        """Return the seconds since 1970, UTC, as this machine believes."""

    def steady(self) -> float:
        """Return seconds that only ever grow."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return the seconds since 1970, UTC."""
        return time.time()

    def steady(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(slots=True)
class PlatformTime:
    """The platform's clock, as far as its answers tell: ``ahead`` is what it is before ours, in seconds."""

    clock: Clock
    ahead: float = 0.0

    def learn(self, date: str | None, asked: float) -> None:
        """Take in the ``Date`` of an answer to what was asked at ``asked`` by our clock.

        Raises:
            PushError: the clocks are more than a day apart: one is not set, and a score stamped with it
                would stand against every later one.
        """
        there, answered = _seconds(date), self.clock.now()
        if there is None or answered - asked > _SLOW:
            return
        # The platform wrote the second that had begun, at some moment between question and answer: the
        # difference lies between these two. Of a real one the lower end is taken, to stamp nothing ahead.
        low, high = there - answered, there + 1 - asked
        self.ahead = 0.0 if low <= UNSEEN and high >= -UNSEEN else low
        if abs(self.ahead) > _MOST:
            msg = (
                f"this machine's clock says {_said(self.clock.now())} and the platform's {_said(there)}; set "
                "the one that is not right, and run the same command again"
            )
            raise PushError(msg)

    def now(self) -> float:
        """Return the platform's time, in seconds since 1970."""
        return self.clock.now() + self.ahead

    def second_after(self, last: int) -> int:
        """Return the second that has begun there, later than ``last``: wait for it where it is near.

        Platforms compare whole seconds and refuse an equal one. A stamp that lies ahead of their clock
        would stand against every honest one until then, so none does.
        """
        missing = last + 1 - self.now()
        if 0 < missing <= UNSEEN:
            self.clock.sleep(missing)
        return math.floor(self.now())

    @property
    def difference(self) -> str:
        """What to tell of the two clocks; "" where they agree."""
        if not self.ahead:
            return ""
        side = "behind" if self.ahead > 0 else "ahead of"
        return (
            f"this machine's clock is {abs(self.ahead):.0f} s {side} the platform's; scores are stamped with "
            "the platform's time"
        )


def stamp(second: int) -> str:
    """Return a second as AGS wants a timestamp: ISO 8601 with fractions and zone."""
    return datetime.fromtimestamp(second, UTC).isoformat(timespec="milliseconds")


def seconds_to_wait(retry_after: str | None, now: float) -> float | None:
    """Return what a ``Retry-After`` asks for: it is a number of seconds, or a moment by ``now``'s clock."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = _seconds(text)
    return None if moment is None else max(moment - now, 0.0)


def _seconds(date: str | None) -> float | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _said(second: float) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M UTC")
