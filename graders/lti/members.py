"""Who is who on the platform, for students of whom the roster does not say it: its list of members.

LTI Names and Role Provisioning Services 2.0 (1EdTech). Where it is not certain, nobody is taken for anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graders.exports.matching import Known, match
from graders.lti.connection import PushStoppedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from graders.lti.connection import Connection
    from graders.lti.settings import Settings
    from graders.marks import Mark

_KIND = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"


def find_users(
    connection: Connection, settings: Settings, marks: Sequence[Mark], taken: Collection[str]
) -> dict[str, str]:
    """Return the platform's users by student, for those who are certain.

    They are found as rows of a teacher's file are (:mod:`graders.exports.matching`): by an identifier or an
    e-mail address of the roster, else by a name that only one member and one student have. Members who are
    ``taken``, as the roster says, are nobody else.

    Raises:
        UnansweredError: the platform gives no list.
        PushStoppedError: it refuses to.
    """
    users = [member for member in _learners(connection, settings) if member["user_id"] not in taken]
    rows = {number: _known(member) for number, member in enumerate(users)}
    found = match(marks, rows).rows
    return {mark.student: users[number]["user_id"] for number, mark in found.items()}


def _learners(connection: Connection, settings: Settings) -> Iterator[Mapping[str, Any]]:
    for answer in connection.pages(settings.memberships, accept=_KIND):
        data = answer.data()
        members = data.get("members") if isinstance(data, Mapping) else None
        if not answer.fine or not isinstance(members, list):
            msg = (
                f"{settings.file}: {settings.memberships} lists no members ({answer.said}); mend it, or "
                "leave memberships out and name users in the roster"
            )
            raise PushStoppedError(msg)
        yield from (member for member in members if _is_learner(member))


def _is_learner(member: Any) -> bool:
    if not isinstance(member, Mapping) or not isinstance(member.get("user_id"), str):
        return False
    roles = member.get("roles")
    named = [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
    active = member.get("status", "Active") == "Active"
    return active and any(role.rpartition("#")[2] == "Learner" for role in named)


def _known(member: Mapping[str, Any]) -> Known:
    """Return what a member is known by; a platform may keep any of it to itself."""
    said = {key: value for key, value in member.items() if isinstance(value, str)}
    whole = f"{said.get('given_name', '')} {said.get('family_name', '')}".strip()
    ids = (said.get("email", ""), said.get("lis_person_sourcedid", ""))
    return Known(tuple(filter(None, ids)), said.get("name") or whole)
