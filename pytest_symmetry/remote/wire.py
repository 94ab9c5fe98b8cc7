"""What crosses the pipe between the judge and a student's process, and how.

A frame is eight bytes (the lengths of its two parts, little-endian), a JSON header, and the raw bytes of
all arrays, one after the other. Only a closed list of kinds can be written or read: None, bool, int, float,
complex, str, bytes, numpy arrays and scalars of base dtypes, tuples, lists, dicts, generators by their state,
callbacks (the judge's callables) and handles (objects that stay in the child). Never pickle: a frame from a
student's process can be wrong, but it cannot run anything.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    MakeHandle = Callable[[Any], "Handle | Callback | None"]
    Resolve = Callable[["Handle | Callback"], Any]
    Arrays = dict[int, np.ndarray[Any, Any]]

FRAME_BYTES = 64 << 20
"""The most that one frame may take; a student's function that returns more is told so."""

_DEPTH = 32
_ITEMS = 200_000
_NDIM = 32
_BITS = 4096
_NAME = 1000
_KEYS = 10_000  # of one dictionary, neither texts nor small numbers: such can be made to have one hash
_LENGTHS = struct.Struct("<II")
_MALFORMED = (
    struct.error, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError
)  # fmt: skip
_STATES = {"MT19937": ("pos", 624), "Philox": ("buffer_pos", 4)}
"""Where a generator's state points into itself: numpy believes any number, and reads there."""
_DTYPES = {
    name: np.dtype(name)
    for name in (
        *("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8"),
        *("<f2", "<f4", "<f8", "<c8", "<c16"),
    )
}
_BYTES = np.dtype("|u1")
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class WireError(ValueError):
    """A value that cannot cross, or bytes that are not a frame."""


@dataclass(frozen=True, slots=True)
class Handle:
    """An object that stayed in the student's process; ``kind`` is its class name."""

    number: int
    kind: str


@dataclass(frozen=True, slots=True)
class Callback:
    """A callable that stayed with the judge."""

    number: int


class KeptDict(dict[Any, Any]):
    """A copy of a student's dict subclass that goes back as the original, until the judge changes it."""

    handle: Handle | None = None

    def __setitem__(self, key: Any, value: Any) -> None:
        self.handle = None
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self.handle = None
        super().__delitem__(key)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As ``dict.update``; from here on the copy stands for itself."""
        self.handle = None
        super().update(*args, **kwargs)


class KeptList(list[Any]):
    """A copy of a student's list subclass that goes back as the original."""

    handle: Handle | None = None


class KeptTuple(tuple[Any, ...]):
    """A copy of a student's named tuple (or other subclass) that goes back as the original."""

    handle: Handle | None = None


_KEPT: dict[str, type[KeptDict | KeptList | KeptTuple]] = {"d": KeptDict, "l": KeptList, "t": KeptTuple}


@dataclass(slots=True)
class _Packer:
    handle: MakeHandle
    arrays: list[np.ndarray[Any, Any]] = field(default_factory=list)
    kinds: list[list[Any]] = field(default_factory=list)
    items: int = 0

    def pack(self, value: Any, depth: int = 0) -> Any:
        self.items += 1
        if depth > _DEPTH or self.items > _ITEMS:
            msg = "the value is nested too deeply, holds itself, or has too many parts"
            raise WireError(msg)
        kind = type(value)
        if value is None or kind is str or kind is bool:
            return value
        if kind is int or kind is float or kind is complex:
            return _number(value)
        if isinstance(value, np.ndarray | np.generic):
            return self._array(value, depth)
        return self._container(value, depth)

    def _container(self, value: Any, depth: int) -> Any:
        if type(value) in (dict, list, tuple):
            return self._members(value, depth)
        if isinstance(value, bytes):
            return {"b": value.hex()}
        if isinstance(value, Handle | Callback):
            return self._reference(value)
        if isinstance(value, KeptDict | KeptList | KeptTuple) and value.handle is not None:
            return self._reference(value.handle)
        if isinstance(value, dict | list | tuple):
            return self._members(value, depth)
        if isinstance(value, np.random.Generator):
            bits = value.bit_generator
            return {"g": [type(bits).__name__, self.pack(bits.state, depth + 1)]}
        return self._reference(self.handle(value), value)

    def _members(self, value: dict[Any, Any] | list[Any] | tuple[Any, ...], depth: int) -> Any:
        packed: dict[str, Any]
        if isinstance(value, dict):
            pairs = [[self.pack(_name(k), depth + 1), self.pack(v, depth + 1)] for k, v in value.items()]
            packed = {"d": _with_plain_keys(pairs)}
        else:
            kind = "l" if isinstance(value, list) else "t"
            packed = {kind: [self.pack(v, depth + 1) for v in value]}
        if type(value) in (dict, list, tuple, KeptDict, KeptList, KeptTuple):
            return packed
        known = self.handle(value)  # a named tuple read as a tuple here must go back as what it was
        return {"x": [self._reference(known)["h"], packed]} if isinstance(known, Handle) else packed

    def _reference(self, known: Handle | Callback | None, value: Any = None) -> Any:
        if isinstance(known, Handle):
            return {"h": [known.number, known.kind]}
        if isinstance(known, Callback):
            return {"k": known.number}
        msg = f"a {type(value).__name__} cannot be passed to or from a submission"
        raise WireError(msg)

    def _array(self, value: Any, depth: int) -> Any:
        array = np.asarray(value)
        name = array.dtype.str
        if name not in _DTYPES:
            if array.dtype == np.longdouble:
                array = array.astype(np.float64)
            array = array.astype(array.dtype.newbyteorder("<"), copy=False)
            name = array.dtype.str
        if name not in _DTYPES:
            if array.dtype.kind in "OU":  # ragged lists and texts: their parts cross, the array does not
                return {"o": self.pack(array.tolist(), depth + 1)}
            msg = f"an array of dtype {array.dtype} cannot be passed to or from a submission"
            raise WireError(msg)
        self.arrays.append(array)
        self.kinds.append([name, array.shape])
        return {"a" if isinstance(value, np.ndarray) else "s": len(self.arrays) - 1}


def _number(value: complex) -> Any:
    if isinstance(value, complex):
        return {"c": [_number(value.real), _number(value.imag)]}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"f": str(value)}
    if value.bit_length() > _BITS:
        msg = f"a whole number of {value.bit_length()} bits cannot be passed to or from a submission"
        raise WireError(msg)
    return value if abs(value) < 2**53 else {"i": hex(value)}


def _name(key: Any) -> Any:
    """Return a dictionary's key: one that no page could show cannot cross."""
    if isinstance(key, str) and len(key) > _NAME:
        msg = f"a name of {len(key)} characters cannot be passed to or from a submission"
        raise WireError(msg)
    return key


def _with_plain_keys(pairs: list[Any]) -> list[Any]:
    """Return the members of a dictionary; one that could take the judge a minute to build cannot cross."""
    if len(pairs) > _KEYS and sum(type(key) is dict for key, _ in pairs) > _KEYS:
        msg = f"a dictionary with more than {_KEYS} keys that are not names cannot be passed"
        raise WireError(msg)
    return pairs


def _no_handles(value: Any) -> None:  # noqa: ARG001 - the signature of every maker of handles
    return None


def encode(message: Mapping[str, Any], handle: MakeHandle = _no_handles) -> bytes:
    """Return ``message`` as one frame; ``handle`` may give a stand-in for what cannot be copied.

    Raises:
        WireError: a part can neither be copied nor be given a stand-in, or the frame is too large.
    """
    packer = _Packer(handle)
    body = {key: packer.pack(value) for key, value in message.items()}
    header = _ENCODER.encode({"body": body, "arrays": packer.kinds}).encode()
    total = sum(a.nbytes for a in packer.arrays)
    if len(header) + total > FRAME_BYTES:
        msg = f"{(len(header) + total) >> 20} MiB are too large to pass ({FRAME_BYTES >> 20} MiB at most)"
        raise WireError(msg)
    return b"".join([_LENGTHS.pack(len(header), total), header, *(a.tobytes() for a in packer.arrays)])


def read_frame(read: Callable[[int], bytes]) -> bytes | None:
    """Read one frame with ``read(n)`` (which may return less), or None at a clean end.

    Raises:
        WireError: the stream ends inside a frame, or announces more than a frame may hold.
    """
    start = _read_exactly(read, _LENGTHS.size, at_start=True)
    if not start:
        return None
    header, total = _LENGTHS.unpack(start)
    if header + total > FRAME_BYTES:
        msg = f"a frame of {header + total} bytes was announced"
        raise WireError(msg)
    return start + _read_exactly(read, header + total)


def _read_exactly(read: Callable[[int], bytes], size: int, *, at_start: bool = False) -> bytes:
    parts: list[bytes] = []
    left = size
    while left:
        part = read(min(left, 1 << 20))
        if not part:
            if at_start and left == size:
                return b""
            msg = "the stream ended inside a frame"
            raise WireError(msg)
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def decode(frame: bytes, resolve: Callable[[Handle | Callback], Any] = lambda known: known) -> dict[str, Any]:
    """Return the message of one frame; arrays are fresh, writable and of plain numpy dtypes.

    Raises:
        WireError: the frame is not exactly what :func:`encode` writes.
    """
    try:
        header_bytes, total = _LENGTHS.unpack_from(frame)
        header = json.loads(frame[_LENGTHS.size : _LENGTHS.size + header_bytes].decode())
        arrays = dict(enumerate(_arrays(header["arrays"], frame, _LENGTHS.size + header_bytes, total)))
        return {str(key): _unpack(value, arrays, resolve, 0) for key, value in header["body"].items()}
    except WireError:
        raise
    except _MALFORMED as error:
        msg = f"not a frame: {type(error).__name__}: {str(error)[:200]}"
        raise WireError(msg) from None


def _arrays(kinds: list[Any], frame: bytes, offset: int, total: int) -> list[np.ndarray[Any, Any]]:
    found = []
    end = offset + total
    for name, shape in kinds:
        dtype = _DTYPES.get(name)
        if dtype is None:
            msg = "an array of a dtype that does not exist"
            raise WireError(msg)
        size = _entries(shape) * dtype.itemsize
        if offset + size > min(end, len(frame)):
            msg = "an array is longer than its frame"
            raise WireError(msg)
        if name == "|b1":  # any other byte would make a bool that is neither True nor False
            found.append(np.ndarray(shape, _BYTES, frame, offset).astype(bool))
        else:
            found.append(np.ndarray(shape, dtype, frame, offset).copy())
        offset += size
    if offset != end or end != len(frame):
        msg = "a frame with bytes left over"
        raise WireError(msg)
    return found


def _entries(shape: list[Any]) -> int:
    """Return how many entries an array of that shape has."""
    entries = extent = 1
    for n in shape:
        if type(n) is not int or n < 0:
            msg = "an array of a shape that does not exist"
            raise WireError(msg)
        entries *= n
        extent *= n or 1
    if len(shape) > _NDIM or extent > FRAME_BYTES:  # no entries, maybe, but sums along them that fill memory
        msg = "an array of a shape that is too large"
        raise WireError(msg)
    return entries


def _unpack(value: Any, arrays: Arrays, resolve: Resolve, depth: int) -> Any:
    if type(value) is not dict:
        if type(value) is list:
            msg = "a frame with a bare list"
            raise WireError(msg)
        return value
    if depth > 2 * _DEPTH:
        msg = "a frame nested too deeply"
        raise WireError(msg)
    ((kind, content),) = value.items()
    if kind == "a" or kind == "s":
        array = arrays.pop(index(content), None)
        if array is None:
            msg = "an array is named twice"  # one megabyte would become as many as there are names
            raise WireError(msg)
        return array if kind == "a" else array[()]
    if kind in ("h", "k"):
        return resolve(Callback(index(content)) if kind == "k" else _handle(content))
    if kind in ("f", "i", "c", "b"):
        return _unpack_number(kind, content)
    return _unpack_container(kind, content, arrays, resolve, depth + 1)


def _unpack_container(kind: str, content: Any, arrays: Arrays, resolve: Resolve, depth: int) -> Any:
    deeper = arrays, resolve, depth
    if kind == "d":
        return {_name(_unpack(k, *deeper)): _unpack(v, *deeper) for k, v in _with_plain_keys(content)}
    if kind in ("l", "t"):
        members = [_unpack(v, *deeper) for v in content]
        return members if kind == "l" else tuple(members)
    if kind == "g":
        return _generator(str(content[0]), _unpack(content[1], *deeper))
    if kind == "o":
        return _unpack(content, *deeper)
    if kind == "x":
        ((base, _),) = content[1].items()
        kept = _KEPT[base](_unpack(content[1], *deeper))
        kept.handle = _handle(content[0])
        return kept
    msg = f"a frame holds an unknown kind {kind!r}"
    raise WireError(msg)


def _handle(content: Any) -> Handle:
    return Handle(index(content[0]), _name(str(content[1])))


def _unpack_number(kind: str, content: Any) -> Any:
    if kind == "f":
        return float(content)
    if kind == "i":
        if len(content) > _BITS // 4 + 3:
            msg = "a whole number is longer than any that is written"
            raise WireError(msg)
        return int(content, 16)
    if kind == "c":
        real, imag = (_unpack_number("f", part["f"]) if isinstance(part, dict) else part for part in content)
        return complex(real, imag)
    return bytes.fromhex(content)


def index(value: Any) -> int:
    """Return ``value`` if it can be a position in a list.

    Raises:
        WireError: it cannot.
    """
    if type(value) is not int or value < 0:
        msg = "a frame refers to nothing"
        raise WireError(msg)
    return value


def _generator(kind: str, state: dict[str, Any]) -> np.random.Generator:
    if kind not in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
        msg = f"a frame holds an unknown generator {kind!r}"
        raise WireError(msg)
    name, length = _STATES.get(kind, ("", 0))
    inner = state["state"] if kind == "MT19937" else state
    if name and (type(inner[name]) is not int or not 0 <= inner[name] <= length):
        msg = "a frame holds a generator that would read beside its own state"
        raise WireError(msg)
    bits = getattr(np.random, kind)()
    bits.state = state
    return np.random.Generator(bits)
