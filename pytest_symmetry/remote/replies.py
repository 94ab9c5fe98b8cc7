"""What a reply from a student's process must look like before the judge reads it.

A hostile process can say anything in well-formed frames. What it returns is judged by the checks; all that
stands around it (kinds, places, names, texts) must have the form that an honest process gives it, and is cut
to a length that a page can bear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_symmetry.remote.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("time", "hung", "missing", "stub", "raised", "died", "unreadable", "result")
_TEXT = 8_000
_PRINTED = 80_000
_MANY = 1_000


def checked_reply(reply: dict[str, Any]) -> dict[str, Any]:
    """Return ``reply`` with long texts cut.

    Raises:
        WireError: it is not what an honest process would say.
    """
    checked = {"result": reply.get("result"), "printed": _text(reply.get("printed", ""), _PRINTED)}
    if reply.get("trouble") is not None:
        return {**checked, "trouble": _trouble(reply["trouble"])}
    _require("result" in reply, "it has neither a result nor a reason")
    for name, form in _FORMS.items():
        if name in reply:
            checked[name] = form(reply[name])
    return checked


def _require(holds: bool, what: str) -> None:
    if not holds:
        msg = f"not a reply: {what}"
        raise WireError(msg)


def _text(value: Any, most: int = _TEXT) -> str:
    _require(type(value) is str, "a text is not a text")
    return str(value[:most])


def _number(value: Any) -> int | None:
    if value is None:
        return None
    _require(type(value) is int and 0 <= value < 2**31, "a place is not a number")
    return int(value)


def _name(value: Any) -> str | None:
    return None if value is None else _text(value)


def _flag(value: Any) -> bool:
    _require(type(value) is bool, "a flag is neither true nor false")
    return bool(value)


def _list(form: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def checked(value: Any) -> list[Any]:
        _require(type(value) in (list, tuple), "a list is not a list")
        return [form(part) for part in value[:_MANY]]

    return checked


def _pair(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def checked(value: Any) -> list[Any]:
        _require(type(value) in (list, tuple) and len(value) == 2, "a pair is not a pair")
        return [first(value[0]), second(value[1])]

    return checked


def _place_number(value: Any) -> int:
    _require(value is not None, "a place is missing")
    return _number(value) or 0


_NEAR = _list(_pair(_text, _place_number))


def _problem(value: Any) -> dict[str, Any]:
    _require(type(value) is dict, "a problem is not a table")
    return {
        "cell": _place_number(value.get("cell")),
        "line": _place_number(value.get("line")),
        "kind": _text(value.get("kind")),
        "message": _text(value.get("message")),
        "names": _list(_text)(value.get("names")),
    }


def _trouble(value: Any) -> dict[str, Any]:
    _require(type(value) is dict, "its reason is not a table")
    _require(type(value.get("kind")) is str and value["kind"] in KINDS, "its reason is of no known kind")
    seconds = value.get("seconds", 0.0)
    _require(type(seconds) in (int, float) and 0 <= seconds < 1e9, "a time is not a time")
    return {
        "kind": value["kind"],
        "seconds": seconds,
        "cell": _number(value.get("cell")),
        "line": _number(value.get("line")),
        "function": _name(value.get("function")),
        "name": _name(value.get("name")),
        "type": _text(value.get("type", "")),
        "message": _text(value.get("message", "")),
        "near": _NEAR(value.get("near", ())),
        "names": _list(_text)(value.get("names", ())),
        **({"traceback": _text(value["traceback"])} if "traceback" in value else {}),
    }


_FORMS: dict[str, Callable[[Any], Any]] = {
    "problems": _list(_problem),
    "changed": _list(_text),
    "shared": _list(_text),
    "random": _flag,
    "cells_run": _list(_pair(_place_number, _text)),
    "cell": _number,
    "line": _number,
}
