"""What goes to a worker and comes back: a head of plain data and blobs, as bytes. Nothing in it runs.

Folders travel by content: a worker need not see a file of the machine that asks.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pytest_symmetry.errors import SymmetryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

MOST_BYTES = 1 << 30
"""A parcel that unpacks to more is nobody's."""

_LENGTH = 8


class ParcelError(SymmetryError):
    """Bytes that are no parcel."""


def pack(head: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> bytes:
    """Return a parcel: ``head`` is JSON data, without the key "sizes"."""
    text = json.dumps({**head, "sizes": [len(blob) for blob in blobs]}).encode()
    return zlib.compress(b"".join((len(text).to_bytes(_LENGTH, "little"), text, *blobs)), 1)


def unpack(parcel: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Return head and blobs of a parcel.

    Raises:
        ParcelError: the bytes are none.
    """
    try:
        unpacker = zlib.decompressobj()
        raw = memoryview(unpacker.decompress(parcel, MOST_BYTES))
        if not unpacker.eof:
            raise ValueError
        end = _LENGTH + int.from_bytes(raw[:_LENGTH], "little")
        head = json.loads(bytes(raw[_LENGTH:end]))
        blobs = []
        for size in head.pop("sizes"):
            blobs.append(bytes(raw[end : end + size]))
            end += size
        if end != len(raw):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error):
        msg = "these bytes are no parcel"
        raise ParcelError(msg) from None
    return head, blobs


def read_parcel(source: IO[bytes]) -> bytes | None:
    """Return the next parcel of a stream, None where it ended."""
    size = int.from_bytes(source.read(_LENGTH), "little")
    parcel = source.read(size) if size else b""
    return parcel if size and len(parcel) == size else None


def write_parcel(sink: IO[bytes], parcel: bytes) -> None:
    """Write a parcel to a stream."""
    sink.write(len(parcel).to_bytes(_LENGTH, "little") + parcel)
    sink.flush()


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of an assignment by their paths in it, without what Python and editors leave behind.

    Raises:
        OSError: one cannot be read.
    """
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = ((path.relative_to(folder), path) for path in found)
    return {
        name.as_posix(): path.read_bytes()
        for name, path in named
        if not any(part.startswith((".", "__")) for part in name.parts)
    }


def digest(files: Mapping[str, bytes]) -> str:
    """Return what identifies files by their content."""
    whole = hashlib.sha256()
    for name, raw in sorted(files.items()):
        whole.update(name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(raw).digest())
    return whole.hexdigest()


def lay_out(files: Mapping[str, bytes], target: Path) -> None:
    """Write files into a new folder, which is there with all of them or not at all.

    Raises:
        ParcelError: a name leads out of the folder.
        OSError: they cannot be written.
    """
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=target.parent))
    for name, raw in files.items():
        parts = PurePosixPath(name).parts
        if not parts or PurePosixPath(name).is_absolute() or ".." in parts:
            msg = f"{name!r} is no name of a file in a folder"
            raise ParcelError(msg)
        path = made.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    try:
        os.rename(made, target)  # noqa: PTH104 - Path.rename would do the same
    except OSError:
        if not target.is_dir():  # else another desk of this worker was quicker
            raise
