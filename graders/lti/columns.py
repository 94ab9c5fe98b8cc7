"""The column of the platform's gradebook: a line item, found by what it is for, or created."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from graders.lti.connection import TRIES, PushStoppedError, UnansweredError, same_place
from graders.lti.settings import wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.lti.answers import Answer
    from graders.lti.connection import Connection
    from graders.lti.settings import Settings

_ONE = "application/vnd.ims.lis.v2.lineitem+json"
_MANY = "application/vnd.ims.lis.v2.lineitemcontainer+json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which column is meant, and how it is created where there is none."""

    resource_id: str
    tag: str
    label: str
    maximum: float


@dataclass(frozen=True, slots=True)
class Column:
    """A line item: ``url`` is its address; ``maximum`` what it is worth there, None where it does not say."""

    url: str
    label: str = ""
    maximum: float | None = None
    created: bool = False


def below(url: str, name: str, **query: str) -> str:
    """Return the address of a collection of a line item: ``name`` goes to the path, before any query."""
    parts = urlsplit(url)
    asked = "&".join(filter(None, (parts.query, urlencode(query))))
    return parts._replace(path=f"{parts.path.rstrip('/')}/{name}", query=asked).geturl()


def find_or_create(connection: Connection, settings: Settings, wanted: Wanted) -> Column:
    """Return the column that is meant; create it where there is none.

    Raises:
        PushError: there are several, or the platform does not let us look or create.
    """
    if settings.lineitem:
        return Column(settings.lineitem)
    if not wanted.resource_id:  # every column that is for nothing would be the one
        raise wrong(settings.file, "resource_id", "it is missing, and the gradebook names no assignment")
    for number in range(TRIES):
        if (found := _find(connection, settings, wanted)) is not None:
            return found
        answer = _create(connection, settings, wanted)
        if answer is None:  # whether one was created is not known: look again
            connection.clock.sleep(2.0**number)
            continue
        if not answer.fine:
            msg = (
                f"{settings.file}: {settings.lineitems} creates no column ({answer.said}); create one on the "
                "platform, and give its address as lineitem"
            )
            raise PushStoppedError(msg)
        return _column(settings, answer.data(), created=True)
    msg = f"{settings.file}: {settings.lineitems} does not say whether it created a column; look there"
    raise PushStoppedError(msg)


def _find(connection: Connection, settings: Settings, wanted: Wanted) -> Column | None:
    mine = [
        item for item in _all(connection, settings, wanted)
        if item.get("resourceId") == wanted.resource_id and (item.get("tag") or "") == wanted.tag
    ]  # fmt: skip
    if len(mine) > 1:
        addresses = ", ".join(str(item.get("id")) for item in mine[:5])
        problem = f"{len(mine)} columns have resource_id {wanted.resource_id!r} and tag {wanted.tag!r}; "
        raise wrong(settings.file, "lineitem", f"{problem}give one of them as lineitem: {addresses}")
    return _column(settings, mine[0]) if mine else None


def _all(connection: Connection, settings: Settings, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """Yield the columns of the platform, page after page: not every platform looks at what we ask for."""
    parts = urlsplit(settings.lineitems)
    asked = {"resource_id": wanted.resource_id, **({"tag": wanted.tag} if wanted.tag else {})}
    query = "&".join(filter(None, (parts.query, urlencode(asked))))
    url = parts._replace(query=query).geturl()
    for answer in connection.pages(url, accept=_MANY):
        items = answer.data()
        if not answer.fine or not isinstance(items, list):
            msg = f"{settings.file}: {settings.lineitems} lists no columns ({answer.said}); mend it"
            raise PushStoppedError(msg)
        yield from (item for item in items if isinstance(item, Mapping))


def _create(connection: Connection, settings: Settings, wanted: Wanted) -> Answer | None:
    item = {"label": wanted.label, "scoreMaximum": wanted.maximum, "resourceId": wanted.resource_id}
    body = json.dumps({**item, **({"tag": wanted.tag} if wanted.tag else {})}, allow_nan=False)
    try:
        return connection.ask("POST", settings.lineitems, accept=_ONE, body=body, kind=_ONE, once=True)
    except UnansweredError:
        return None


def _column(settings: Settings, item: Any, *, created: bool = False) -> Column:
    address = item.get("id") if isinstance(item, Mapping) else None
    if not isinstance(address, str) or not address:
        msg = f"{settings.file}: {settings.lineitems} names a column without an address"
        raise PushStoppedError(msg)
    maximum = item.get("scoreMaximum")
    return Column(
        same_place(settings.lineitems, address),
        str(item.get("label", "")),
        float(maximum) if isinstance(maximum, int | float) else None,
        created,
    )
