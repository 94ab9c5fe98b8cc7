"""What all records share: a JSON form with a schema version, written and read a million times for a class."""

from __future__ import annotations

import functools
import math
import sys
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = 1
"""Version of the JSON form of all records."""


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    """Return the names of a record's fields, none for what is no record."""
    return tuple(f.name for f in fields(kind)) if is_dataclass(kind) else ()


def plain(value: Any) -> Any:
    """Return ``value`` as plain JSON data: numpy numbers and arrays unpacked, NaN and infinities as text."""
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)  # numpy's float64 cannot travel
    kind: Any = type(value)
    if names := _names(kind):
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    return str(value)


_SHORT = 100
"""Texts of records that are longer are hardly ever the same."""


@functools.cache
def _reader(kind: Any) -> Callable[[Any], Any] | None:
    """Return what builds a value of an annotated type from its JSON form (the inverse of :func:`plain`).

    None for what is its own JSON form. Found once for each type: a class has millions of values.
    """
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional(_reader(next(a for a in get_args(kind) if a is not type(None))))
    if origin is tuple:
        item = _reader(get_args(kind)[0])
        return tuple if item is None else lambda data: tuple([item(value) for value in data])
    if isinstance(kind, type) and is_dataclass(kind):
        return functools.partial(_record, kind)
    if isinstance(kind, type) and (issubclass(kind, StrEnum) or kind is float):
        return kind
    if kind is str:
        return _shared
    return None


def _shared(text: Any) -> Any:
    """Return a text, the same object for the same short text: a class says the same a million times."""
    return sys.intern(text) if type(text) is str and len(text) < _SHORT else text


def _optional(read: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    return None if read is None else lambda data: None if data is None else read(data)


@functools.cache
def _parts(kind: type) -> list[tuple[str, Callable[[Any], Any] | None]]:
    """Return the fields of a record, and what reads each."""
    hints = get_type_hints(kind)
    return [(f.name, _reader(hints[f.name])) for f in fields(kind)]


def _record(kind: type, data: Mapping[str, Any]) -> Any:
    return kind(
        **{
            name: data[name] if read is None else read(data[name])
            for name, read in _parts(kind)
            if name in data
        }
    )


class Record:
    """What all records share: a JSON form with a schema version."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain data, with its schema version and kind."""
        return {"schema": SCHEMA, "kind": type(self).__name__, **plain(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Build the record from :meth:`to_json`'s data.

        Raises:
            ValueError: the data has a newer schema, or is of another kind.
        """
        if data.get("schema", 0) > SCHEMA:
            msg = f"this record has schema {data['schema']}, newer than {SCHEMA}: update pytest-symmetry"
            raise ValueError(msg)
        if data.get("kind", cls.__name__) != cls.__name__:
            msg = f"this is a {data['kind']}, not a {cls.__name__}"
            raise ValueError(msg)
        record: Self = _record(cls, data)
        return record
