"""What may be sent of a mark: points that somebody approved, for a user, with a comment in plain text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graders.exports.interface import NOT_APPROVED, LeftOut, is_sound
from graders.exports.told import report, summary
from graders.lti.clocks import stamp
from graders.lti.settings import USER_COLUMN, PushError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graders.lti.settings import Settings
    from graders.marks import Mark

MEDIA_TYPE = "application/vnd.ims.lis.v1.score+json"
LONGEST_COMMENT = 1000
"""Characters of a comment: it is read in a cell; the whole is on the student's page."""

_SHORTENED = "(The rest is on the page.)"
_CLOSE = 1e-4
"""Share of the maximum by which platforms round (Moodle keeps five decimals)."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score: ``points`` of ``of`` for ``user``, who is ``student`` in the gradebook."""

    student: str
    user: str
    points: float
    of: float
    comment: str = ""

    def body(self, second: int) -> str:
        """Return the score as AGS 2.0 wants it, stamped with a second.

        It is always a final one: what nobody has decided is not sent, since platforms take "Pending" for an
        order to empty the cell.

        Raises:
            ValueError: a number is not finite.
        """
        data = {
            "userId": self.user,
            "timestamp": stamp(second),
            "scoreGiven": self.points,
            "scoreMaximum": self.of,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            **({"comment": self.comment} if self.comment else {}),
        }
        return json.dumps(data, ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Held:
    """What the platform has of a user in a column: ``points`` of ``of``, as it counts there."""

    points: float
    of: float

    @classmethod
    def read(cls, result: Mapping[str, Any]) -> Held | None:
        """Read a result of AGS 2.0; None where it holds no score. Without a maximum it is a share of 1."""
        given, most = result.get("resultScore"), result.get("resultMaximum", 1)
        if not (isinstance(given, int | float) and isinstance(most, int | float) and most > 0):
            return None
        return cls(float(given), float(most))

    def is_equal(self, points: float, of: float) -> bool:
        """Return whether that is ``points`` of ``of``, as platforms scale and round."""
        return abs(self.points - points / of * self.of) <= _CLOSE * max(self.of, 1.0)


@dataclass(slots=True)
class Fit:
    """Which scores may be sent; who has none to send; whose score cannot be sent, and why.

    ``unknown`` are those of the last for whom no user is known.
    """

    scores: list[Score]
    left_out: list[tuple[str, str]]
    unsendable: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def fit_to_send(
    marks: Sequence[Mark], settings: Settings, reveal: str, found: Mapping[str, str] | None = None
) -> Fit:
    """Choose what may be sent: final marks that are approved, of students whose user is certain.

    ``found`` are users by student, for those of whom the roster names none.

    Raises:
        PushError: a mark is not sound.
    """
    left_out = LeftOut()
    approved = []
    for mark in left_out.graded(marks):
        if mark.approved:
            approved.append(mark)
        else:
            left_out.add(mark, NOT_APPROVED)
    users = {mark.student: user_of(mark, settings) or (found or {}).get(mark.student, "") for mark in marks}
    shared = Counter(users.values())
    fit = Fit([], left_out.students)
    for mark in approved:
        _require_sound(mark)
        user = users[mark.student]
        if not user:
            fit.unknown.append(mark.student)
        if why := _unsendable(mark, user, shared[user], settings):
            fit.unsendable.append((mark.student, why))
        else:
            text = _comment(mark, settings.comment, reveal)
            fit.scores.append(Score(mark.student, user, mark.points, mark.max_points, text))
    return fit


def user_of(mark: Mark, settings: Settings) -> str:
    """Return who a student is on the platform, as the roster says; "" where it does not."""
    column = settings.user_column
    if column == "id":
        return mark.student
    return mark.person.lti_user if column == USER_COLUMN else mark.person.ids.get(column, "")


def _unsendable(mark: Mark, user: str, how_many: int, settings: Settings) -> str:
    if not user:
        beside = ", and the list of members is not certain about them" if settings.memberships else ""
        return f"the roster has no {settings.user_column!r} for them{beside}"
    if how_many > 1:
        return f"another student has the same {settings.user_column!r}"
    return "" if mark.max_points > 0 else "there is nothing to earn"


def _require_sound(mark: Mark) -> None:
    points, most = mark.points, mark.max_points
    if not is_sound(points, most):
        msg = (
            f"{mark.pseudonym or mark.student}: the mark is {points} of {most} points; nothing was sent; "
            "correct it with `symmetry override`"
        )
        raise PushError(msg)


def _comment(mark: Mark, kind: str, reveal: str) -> str:
    if kind == "none":
        return ""
    text = summary(mark) if kind == "points" else report(mark, reveal)
    if len(text) <= LONGEST_COMMENT:
        return text
    room = LONGEST_COMMENT - len(_SHORTENED) - 1
    kept = text[:room]
    return f"{kept[: kept.rfind(chr(10))] if chr(10) in kept else kept}\n{_SHORTENED}"
