"""A fault dictionary that tells a mistake only to those who made it.

What a planted mistake stands for is written in a box; the key of the box is made from the results that the
mistake gives. Nobody can read which mistakes are in there without results that agree with one: neither their
causes nor the names of quantities in the reference. The fingerprints themselves are kept as digests only.

Results agree only to some digits, digests agree or do not. So each projection is put on a grid, coarser than
what may differ, and the one who looks up tries every cell that is within reach: never more than two for
nearly all numbers. (The idea is that of a fuzzy vault: A. Juels and M. Sudan, 2002, on a grid.)
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.diagnosis.causes import COURSE, all_causes
from pytest_symmetry.diagnosis.dictionary import PROJECTIONS, Dictionary, Entry, Leaf, Print, print_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOISES = (1e-9, 1e-6)
"""What results may be off by, relative to their size: double precision, and single precision."""

CELL = 160
"""Width of a cell of the grid, in multiples of the noise: sixteen times what two equal results may differ."""

_SMALLEST = 1e-12
_KEY = 16


@dataclass(frozen=True, slots=True)
class Locks:
    """The locked form of the planted mistakes; those that give the same share a box.

    ``tokens`` are digests of fingerprints, one array of shape (boxes, leaves) per noise. ``changes`` say in
    which leaves a box differs from the reference, in the same shapes; ``wraps`` hold the key of each box,
    hidden once for each leaf that it changes, ``boxes`` the locked texts, ``box_of`` the box of each entry.
    """

    salt: bytes
    tokens: Sequence[NDArray[np.uint64]]
    changes: Sequence[NDArray[np.bool_]]
    wraps: Sequence[NDArray[np.uint8]]
    boxes: Sequence[bytes]
    box_of: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LockedDictionary(Dictionary):
    """A dictionary of which only row 0, the reference, is known in numbers.

    ``right`` holds what the reference gives, by leaf. ``entries`` can be read where results agreed with them.
    """

    right: Mapping[Leaf, NDArray[Any]] = field(default_factory=dict)
    locks: Locks | None = None

    def agreeing(self, seen: Print, noise: float) -> NDArray[np.bool_]:
        """Return for each row and leaf whether it agrees with what was seen (open leaves agree)."""
        first = Dictionary.agreeing(self, seen, noise)
        opened = self.entries
        if self.locks is None or not isinstance(opened, Opened):
            return first
        rest = opened.agreeing(seen, noise)
        return np.concatenate([first, (rest | (seen.shapes < 0))[self.locks.box_of]])

    def changes(self, noise: float = 1e-9) -> NDArray[np.bool_]:
        """Return for each entry and leaf whether the entry's result is not the reference's."""
        if self.locks is None:
            return np.zeros((0, len(self.leaves)), dtype=bool)
        return self.locks.changes[_level(noise)][self.locks.box_of]


class Opened(tuple[Entry, ...]):
    """The entries of a locked dictionary; one can be read once results have agreed with it."""

    locks: Locks
    keys: dict[int, bytes]
    texts: dict[int, list[Entry]]

    @classmethod
    def of(cls, locks: Locks) -> Opened:
        """Return the entries behind some locks, all shut."""
        shut = Entry("", 0, "", {}, specific=False, operator="")
        opened = cls([shut] * len(locks.box_of))
        opened.locks, opened.keys, opened.texts = locks, {}, {}
        return opened

    def agreeing(self, seen: Print, noise: float) -> NDArray[np.bool_]:
        """Return for each box and leaf whether it agrees with what was seen, and keep the keys found."""
        level = _level(noise)
        tokens, changes = self.locks.tokens[level], self.locks.changes[level]
        agree = np.zeros(tokens.shape, dtype=bool)
        place = np.cumsum(changes.ravel()).reshape(changes.shape) - 1
        for leaf in np.flatnonzero(seen.shapes >= 0):
            for message in _messages(seen, int(leaf), level):
                same = tokens[:, leaf] == _token(self.locks.salt, message)
                agree[:, leaf] |= same
                for box in np.flatnonzero(same & changes[:, leaf]):
                    wrap = self.locks.wraps[level][place[box, leaf]].tobytes()
                    self.keys.setdefault(int(box), _xor(wrap, _hiding(self.locks.salt, message, int(box))))
        return agree

    def __getitem__(self, index: Any) -> Any:
        entry = super().__getitem__(index)
        if isinstance(index, slice) or (key := self.keys.get(box := int(self.locks.box_of[index]))) is None:
            return entry
        if box not in self.texts:
            self.texts[box] = _read_box(self.locks.boxes[box], key)
        mine = np.flatnonzero(self.locks.box_of == box)
        return self.texts[box][int(np.searchsorted(mine, index % len(self)))]


def _level(noise: float) -> int:
    return 0 if noise <= NOISES[0] else 1


def _messages(seen: Print, leaf: int, level: int) -> Iterator[bytes]:
    """Yield the cell of a leaf's fingerprint, and its neighbours that are within the noise."""
    prints = seen.prints.reshape(-1, PROJECTIONS)[leaf]
    if not np.isfinite(prints).all():
        return
    off = 10 * NOISES[level] * max(float(seen.norms[leaf]), _SMALLEST)
    size = float(np.abs(prints).max())
    for exponent in {_exponent(size - off), _exponent(size), _exponent(size + off)}:
        width = 2.0**exponent * CELL * NOISES[level]
        spans = [range(math.floor((p - off) / width), math.floor((p + off) / width) + 1) for p in prints]
        if math.prod(map(len, spans)) <= 4**PROJECTIONS:
            yield from (
                _message(level, leaf, int(seen.shapes[leaf]), exponent, c) for c in itertools.product(*spans)
            )


def _exponent(size: float) -> int:
    return math.floor(math.log2(max(size, _SMALLEST)))


def _message(level: int, leaf: int, shape: int, exponent: int, cells: Sequence[int]) -> bytes:
    return repr((level, leaf, shape, exponent, *cells)).encode()


def _token(salt: bytes, message: bytes) -> np.uint64:
    digest = hashlib.blake2b(message, digest_size=8, key=salt, person=b"token").digest()
    return np.uint64(int.from_bytes(digest, "little"))


def _hiding(salt: bytes, message: bytes, box: int) -> bytes:
    return hashlib.blake2b(b"%d " % box + message, digest_size=_KEY, key=salt, person=b"key").digest()


def _xor(one: bytes, two: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, two, strict=True))


def _stream(key: bytes, length: int) -> bytes:
    blocks = (hashlib.blake2b(b"%d" % i, key=key, person=b"box").digest() for i in itertools.count())
    return b"".join(itertools.islice(blocks, -(-length // 64)))[:length]


def lock(dictionary: Dictionary, *, causes: bool) -> Locks:
    """Return the locked form of the entries of a dictionary.

    Args:
        dictionary: a dictionary in the clear.
        causes: whether the boxes hold the names of causes; else only what picks a hint.
    """
    salt = hashlib.blake2b(dictionary.prints.tobytes(), digest_size=16, person=b"salt").digest()
    rows = [
        _cells(dictionary, row, level)
        for level in range(len(NOISES))
        for row in range(len(dictionary.prints))
    ]
    count = len(dictionary.prints)
    fine = rows[1:count]
    boxes: dict[tuple[bytes, ...], int] = {}
    box_of = np.array([boxes.setdefault(tuple(row), len(boxes)) for row in fine], dtype=np.int64)
    firsts = [int(np.flatnonzero(box_of == box)[0]) for box in range(len(boxes))]
    keys = [_key(dictionary, salt, box) for box in range(len(boxes))]
    tokens, changes, wraps = [], [], []
    for level, noise in enumerate(NOISES):
        mine = [rows[level * count + 1 + first] for first in firsts]
        shape = (len(mine), len(dictionary.leaves))
        flat = np.array([_token(salt, m) for row in mine for m in row], dtype=np.uint64)
        changed = dictionary.changes(noise)[firsts].reshape(shape)
        tokens.append(flat.reshape(shape))
        changes.append(changed)
        hidden = [_xor(keys[b], _hiding(salt, mine[b][leaf], int(b))) for b, leaf in np.argwhere(changed)]
        wraps.append(np.frombuffer(b"".join(hidden), dtype=np.uint8).reshape(-1, _KEY))
    texts = [
        _box([dictionary.entries[i] for i in np.flatnonzero(box_of == box)], key, causes=causes)
        for box, key in enumerate(keys)
    ]
    return Locks(salt, tokens, changes, wraps, texts, box_of)


def _cells(dictionary: Dictionary, row: int, level: int) -> list[bytes]:
    """Return the cell of each leaf's fingerprint in one row."""
    prints = dictionary.prints[row].reshape(-1, PROJECTIONS)
    found = []
    for leaf, numbers in enumerate(prints):
        exponent = _exponent(float(np.abs(numbers).max()))
        width = 2.0**exponent * CELL * NOISES[level]
        cells = [math.floor(number / width) for number in numbers]
        found.append(_message(level, leaf, int(dictionary.shapes[row][leaf]), exponent, cells))
    return found


def _key(dictionary: Dictionary, salt: bytes, box: int) -> bytes:
    """Return the key of a box: nobody can make it who has not the whole dictionary in the clear."""
    whole = hashlib.blake2b(dictionary.prints.tobytes(), key=salt, person=b"secret").digest()
    return hashlib.blake2b(b"%d" % box, digest_size=_KEY, key=whole).digest()


def _box(entries: Sequence[Entry], key: bytes, *, causes: bool) -> bytes:
    text = [
        [e.function, e.cause if causes else _opaque(e.cause, key), _facts(e, causes), e.specific, e.number]
        for e in entries
    ]
    plain = json.dumps(text, separators=(",", ":")).encode()
    return _xor(plain, _stream(key, len(plain)))


def _facts(entry: Entry, causes: bool) -> dict[str, Any]:
    """Return what a cause's words need; of a course's own mistake its outright words only if they may be."""
    left_out = () if causes else ("course_title", "course_cause")
    return {key: "" if key in left_out else value for key, value in entry.facts.items()}


def _read_box(box: bytes, key: bytes) -> list[Entry]:
    found = json.loads(_xor(box, _stream(key, len(box))).decode())
    by_mark = {_opaque(cause, key): cause for cause in all_causes()}
    return [
        Entry(function, 0, by_mark.get(cause, cause), facts, specific, "", number)
        for function, cause, facts, specific, number in found
    ]


def _opaque(cause: str, key: bytes) -> str:
    """Return what stands for a cause where its name may not: it still picks the hint."""
    mark = hashlib.blake2b(cause.encode(), digest_size=6, key=key, person=b"cause").hexdigest()
    return COURSE + mark if cause.startswith(COURSE) else mark  # its words are among the facts


def unlocked_for(
    leaves: Sequence[Leaf], right: Mapping[Leaf, NDArray[Any]], locks: Locks, tried: int
) -> LockedDictionary:
    """Return the dictionary behind some locks, with nothing open yet."""
    base = print_of(right, leaves)
    return LockedDictionary(
        tuple(leaves), Opened.of(locks), base.shapes[None], base.prints[None], tried, right=right, locks=locks
    )
