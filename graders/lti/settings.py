"""lti.toml: which platform, which column of its gradebook, who is who there. It holds no secret."""

from __future__ import annotations

import difflib
import math
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_symmetry.errors import SymmetryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMMENTS = ("report", "points", "none")
USER_COLUMN = "lti user id"

_KEYS: dict[str, type | tuple[type, ...]] = {
    "client_id": str,
    "token_url": str,
    "audience": str,
    "key_file": str,
    "key_env": str,
    "key_id": str,
    "lineitems": str,
    "lineitem": str,
    "memberships": str,
    "resource_id": str,
    "tag": str,
    "label": str,
    "user_column": str,
    "comment": str,
    "requests_per_second": (int, float),
}
_URLS = ("token_url", "lineitems", "lineitem", "memberships")
_HERE = ("127.0.0.1", "::1", "localhost")
_MOST_PER_SECOND = 100


class PushError(SymmetryError):
    """Scores that cannot be sent; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What lti.toml says; empty texts where a default holds that depends on the gradebook.

    ``lineitem`` is the address of the column itself, or ``lineitems`` that of the list of columns, in which
    it is found, or created, by ``resource_id`` and ``tag``. ``memberships`` is the address of the list of the
    course's members, "" where it is not to be asked.
    """

    file: Path
    client_id: str
    token_url: str
    audience: str
    lineitems: str = ""
    lineitem: str = ""
    memberships: str = ""
    resource_id: str = ""
    tag: str = ""
    label: str = ""
    key_file: str = ""
    key_env: str = ""
    key_id: str = ""
    user_column: str = USER_COLUMN
    comment: str = "report"
    requests_per_second: float = 5.0


def read_settings(file: Path) -> Settings:
    """Read lti.toml.

    Raises:
        PushError: it cannot be read, or a key is missing, unknown or not right; file and key are named. No
            value of a key that may hold a secret by mistake is shown.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"{file}: there is no such file; docs/push.md shows what belongs in it"
        raise PushError(msg) from None
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{file}: it cannot be read: {error}"
        raise PushError(msg) from None
    except tomllib.TOMLDecodeError as error:
        msg = f"{file}: it is not TOML: {error}"
        raise PushError(msg) from None
    _check_kinds(file, data)
    _check_values(file, data)
    return Settings(file=file, **{"audience": data["token_url"], **data})


def wrong(file: Path, key: str, problem: str) -> PushError:
    """Return the error that names a file and a key of it."""
    return PushError(f"{file}, key {key!r}: {problem}")


def _check_kinds(file: Path, data: Mapping[str, Any]) -> None:
    for key, value in data.items():
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the keys are {', '.join(_KEYS)}"
            raise wrong(file, key, f"there is no such key; {hint}")
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            kind = "a text in quotes" if _KEYS[key] is str else "a number"
            raise wrong(file, key, f"it is a {type(value).__name__}, but must be {kind}")
        if isinstance(value, str) and "PRIVATE KEY" in value:
            problem = "a private key stands in it; put it into a file of its own and name that as key_file"
            raise wrong(file, key, problem)
        if isinstance(value, str) and not (value.strip() and value.isprintable()):
            raise wrong(file, key, "it is empty or holds control characters; leave the key out, or mend it")


def _check_values(file: Path, data: Mapping[str, Any]) -> None:
    for key in ("client_id", "token_url"):
        if key not in data:
            raise wrong(file, key, "it is missing; the platform shows it where the tool is registered")
    for one, other, what in (("lineitem", "lineitems", "a column"), ("key_file", "key_env", "a private key")):
        if (one in data) == (other in data):
            problem = (
                f"give it or {other!r}, not both" if one in data else f"it is missing, and {other!r} too"
            )
            raise wrong(file, one, f"{problem}: one of them names {what}")
    for key in _URLS:
        if key in data:
            _check_address(file, key, data[key])
    if data.get("comment", "report") not in COMMENTS:
        raise wrong(file, "comment", f"it is {data['comment']!r}, but must be one of {', '.join(COMMENTS)}")
    rate = data.get("requests_per_second", 1)
    if not (math.isfinite(rate) and 0 < rate <= _MOST_PER_SECOND):
        problem = f"it is {rate}, but must be above 0 and at most {_MOST_PER_SECOND}"
        raise wrong(file, "requests_per_second", problem)


def _check_address(file: Path, key: str, value: str) -> None:
    """Refuse an address that would show token or assertion to others, or that is none."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.username or parts.password:
        raise wrong(file, key, "it holds a user name or password; leave that out")
    if not host or not value.isascii() or " " in value or parts.fragment:
        raise wrong(file, key, f"{value!r} is not the address of a platform; copy it from there")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _HERE):
        raise wrong(file, key, f"{value!r} must begin with https://, or others can read what is sent")
