"""The pack file: everything that an assignment's own tests need to know of the reference, as arrays.

One ``.npz`` that opens without pickle. Numbers lie in one long array per dtype, everything else in one JSON
text, stored as bytes. There is no source in it, and nothing in it can run.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.errors import PackError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Load = Callable[[Any], Any]

FILE = "pack.npz"
"""What the pack is called in a released folder."""

FORMAT = (1, 0)
"""Major and minor version of the file: another major is refused, any minor of the same is read."""

_TEXT = "text"
_DEPTH = 64


class Withheld:
    """A part of an answer that is not in the pack: its names are none of the student's business.

    Whoever uses it is told that the question is decided by staff.
    """

    __slots__ = ("what",)

    def __init__(self, what: str = "") -> None:
        self.what = what


@dataclass(slots=True)
class Writer:
    """Turns values into plain JSON data; their arrays are put into long ones, one per dtype."""

    keeps: Callable[[str], bool] = lambda _: True
    """Which names may stand in the pack: a dict with another key is withheld as a whole."""
    chunks: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    withheld: int = 0

    def put(self, value: Any, depth: int = 0) -> Any:
        """Return what stands for ``value`` in the JSON text."""
        if value is None or type(value) in (bool, str):
            return value
        if type(value) is int:
            return value if abs(value) < 2**53 else {"i": str(value)}
        if type(value) is float:
            return value if math.isfinite(value) else {"f": str(value)}
        if type(value) is complex:
            return {"c": [self.put(value.real), self.put(value.imag)]}
        if isinstance(value, np.ndarray | np.generic):
            return self._array(value)
        if isinstance(value, np.random.Generator):
            return {"g": [type(value.bit_generator).__name__, self.put(value.bit_generator.state)]}
        return self._container(value, depth)

    def _container(self, value: Any, depth: int) -> Any:
        if depth < _DEPTH and type(value) is list:
            return [self.put(member, depth + 1) for member in value]
        if depth < _DEPTH and type(value) is tuple:
            return {"t": [self.put(member, depth + 1) for member in value]}
        if depth < _DEPTH and isinstance(value, dict) and self._may_hold(value):
            return {"d": [[self.put(k), self.put(v, depth + 1)] for k, v in value.items()]}
        self.withheld += 1
        return {"w": ""}

    def _may_hold(self, value: dict[Any, Any]) -> bool:
        return all(not isinstance(key, str) or self.keeps(key) for key in value)

    def for_all_names(self) -> Writer:
        """Return a writer into the same arrays that withholds nothing for its names."""
        return Writer(chunks=self.chunks, lengths=self.lengths)

    def _array(self, value: Any) -> Any:
        array = np.asarray(value)
        if array.dtype.kind not in "fciub":
            self.withheld += 1
            return {"w": ""}
        dtype = array.dtype.newbyteorder("<").str
        start = self.lengths.get(dtype, 0)
        self.chunks.setdefault(dtype, []).append(np.ascontiguousarray(array, dtype).reshape(-1))
        self.lengths[dtype] = start + array.size
        return {"a": [dtype, start, list(array.shape), isinstance(value, np.generic)]}

    def members(self) -> dict[str, NDArray[Any]]:
        """Return the long arrays by the names of their dtypes."""
        return {f"numbers {dtype[1:]}": np.concatenate(parts) for dtype, parts in self.chunks.items()}


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns the JSON data of :class:`Writer` back into values."""

    members: Mapping[str, NDArray[Any]]

    def get(self, data: Any) -> Any:
        """Return the value that ``data`` stands for.

        Raises:
            PackError: nothing that a writer makes.
        """
        if isinstance(data, list):
            return [self.get(member) for member in data]
        if not isinstance(data, dict):
            return data
        try:
            ((kind, inner),) = data.items()
            return self._kinds()[kind](inner)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            msg = f"a part of it cannot be read: {error}"
            raise PackError(msg) from None

    def _kinds(self) -> Mapping[str, Load]:
        return {
            "a": self._array,
            "i": int,
            "f": float,
            "c": lambda parts: complex(*map(self.get, parts)),
            "t": lambda parts: tuple(map(self.get, parts)),
            "d": lambda pairs: {self.get(key): self.get(value) for key, value in pairs},
            "g": self._generator,
            "w": Withheld,
        }

    def _array(self, data: Any) -> Any:
        dtype, start, shape, scalar = data
        flat = self.members[f"numbers {dtype[1:]}"]
        found = flat[start : start + math.prod(shape)].reshape(shape).copy()
        return found[()] if scalar else found

    def _generator(self, data: Any) -> np.random.Generator:
        name, state = data
        bits = getattr(np.random, name)()
        if not isinstance(bits, np.random.BitGenerator):
            msg = f"there is no bit generator {name!r}"
            raise ValueError(msg)
        bits.state = self.get(state)
        return np.random.Generator(bits)


def write(file: Path, text: Mapping[str, Any], members: Mapping[str, NDArray[Any]]) -> None:
    """Write a pack; the same contents give the same bytes."""
    data = json.dumps({"format": list(FORMAT), **text}, ensure_ascii=False, separators=(",", ":"))
    arrays = {_TEXT: np.frombuffer(data.encode(), dtype=np.uint8), **members}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            inner = io.BytesIO()
            np.lib.format.write_array(inner, np.asarray(array), allow_pickle=False)
            # A fixed date, so that nothing but the contents decides the bytes.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), inner.getvalue(), zipfile.ZIP_DEFLATED)
    part = file.with_name(file.name + ".part")
    part.write_bytes(stream.getvalue())
    part.replace(file)


def read(file: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a pack: its JSON text, and its arrays by name.

    Raises:
        PackError: it is no pack, is damaged, or was made by another major version.
    """
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as kept:
            members = {name: kept[name] for name in kept.files}
        text = json.loads(members.pop(_TEXT).tobytes().decode())
        major, minor = (int(part) for part in text["format"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        msg = f"{file}: it is damaged or no pack; fetch the assignment's folder again"
        raise PackError(msg) from None
    if major != FORMAT[0]:
        newer = major > FORMAT[0]
        msg = (
            f"{file}: it has version {major}.{minor}, and this pytest-symmetry reads version {FORMAT[0]}: "
            + (
                "update it with  python -m pip install -U pytest-symmetry"
                if newer
                else "fetch the assignment again"
            )
        )
        raise PackError(msg)
    return text, members
