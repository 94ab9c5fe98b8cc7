"""The fault dictionary: what the reference's results become under each planted mistake.

A student's results are looked up among them. They are named only where they agree on every number of every
call, so the student's code may look like anything. The idea is mutation testing turned round (R. DeMillo,
R. Lipton, F. Sayward, "Hints on test data selection", 1978) and the fault dictionaries of circuit testing.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry import __version__
from pytest_symmetry.diagnosis.course import Planted, planted_in
from pytest_symmetry.diagnosis.mutations import Mutation, mutations
from pytest_symmetry.diagnosis.operators import OPERATORS
from pytest_symmetry.diagnosis.replay import Earlier, Program, Step, measured

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_symmetry.diagnosis.mutations import Operator

PROJECTIONS = 4
"""Numbers that stand for one array: random combinations of its entries. Four that agree to nine digits each
do so by chance with probability 1e-36."""

MOST_ROUNDS = 600_000
"""Loop rounds that all planted mistakes may take together, some ten seconds; above it only mistakes of the
field are planted, and above that none."""

BY_COURSE = -1
"""The number of an entry that the course has planted, not an operator."""

MOST_KEPT = 64
"""Dictionaries that a folder keeps: at 0.1 to 0.3 MB each, and more only where students' own results are
arguments of further calls."""

Leaf = tuple[int, str]
"""One number or array of the results: the step, and the path within its result."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One planted mistake and what it stands for; ``number`` counts all that operators have planted."""

    function: str
    line: int
    cause: str
    facts: Mapping[str, Any]
    specific: bool
    operator: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Fingerprints of the reference (row 0) and of every planted mistake that changes a result.

    ``shapes`` and ``prints`` have one row per entry and one column (``PROJECTIONS`` columns) per leaf.
    ``operators`` planted them: the numbers of the entries count what these plant.
    """

    leaves: tuple[Leaf, ...]
    entries: tuple[Entry, ...]
    shapes: NDArray[np.int64]
    prints: NDArray[np.float64]
    tried: int = 0
    operators: Sequence[Operator] = OPERATORS

    def print_of(self, arrays: Mapping[Leaf, NDArray[Any]]) -> Print:
        """Return the fingerprint of some results; leaves that are not there are left open."""
        return print_of(arrays, self.leaves)

    def matching(self, seen: Print, noise: float = 1e-9) -> list[Entry]:
        """Return the entries whose results agree with what was seen, on every leaf that was seen."""
        agree = np.asarray(self.agreeing(seen, noise).all(axis=1))
        return [self.entries[i] for i in np.flatnonzero(agree[1:])]

    def differing(self, seen: Print, noise: float = 1e-9) -> list[Leaf]:
        """Return the leaves in which what was seen differs from the reference."""
        agree = self.explaining_reference(seen, noise)
        return [leaf for leaf, ok in zip(self.leaves, agree, strict=True) if not ok]

    def explaining(self, seen: Print, noise: float = 1e-9) -> NDArray[np.bool_]:
        """Return for each entry and leaf whether the entry agrees there (open leaves agree)."""
        return self.agreeing(seen, noise)[1:]

    def explaining_reference(self, seen: Print, noise: float = 1e-9) -> NDArray[np.bool_]:
        """Return for each leaf whether what was seen is what the reference gives."""
        return np.asarray(self.agreeing(seen, noise)[0])

    def changes(self, noise: float = 1e-9) -> NDArray[np.bool_]:
        """Return for each entry and leaf whether the entry's result is not the reference's."""
        return ~self.agreeing(self._shown(0), noise)[1:]

    def shown(self, entry: int) -> Print:
        """Return what the results of an entry, by its place among them, look like."""
        return self._shown(entry + 1)

    def _shown(self, row: int) -> Print:
        # A projection on directions of unit variance is on average as large as what is projected.
        prints = self.prints[row].reshape(len(self.leaves), PROJECTIONS)
        return Print(self.shapes[row], self.prints[row], np.linalg.norm(prints, axis=1) / PROJECTIONS**0.5)

    def agreeing(self, seen: Print, noise: float) -> NDArray[np.bool_]:
        """Return for each row and leaf whether it agrees with what was seen (open leaves agree)."""
        known = seen.shapes >= 0
        shapes = (self.shapes == seen.shapes) | ~known
        off: NDArray[np.float64] = np.abs(self.prints - seen.prints)
        error = off.reshape(len(self.prints), len(self.leaves), PROJECTIONS)
        limit = 10 * noise * np.maximum(seen.norms, 1e-12)
        near = np.all(np.less_equal(error, limit[None, :, None]), axis=2)
        agree: NDArray[np.bool_] = shapes & (near | ~known)
        return agree


@dataclass(frozen=True, slots=True)
class Print:
    """A fingerprint: per leaf a number for its shape (-1 for not seen), projections, and its size."""

    shapes: NDArray[np.int64]
    prints: NDArray[np.float64]
    norms: NDArray[np.float64]


def print_of(arrays: Mapping[Leaf, NDArray[Any]], leaves: Sequence[Leaf]) -> Print:
    """Return the fingerprint of some results on the given leaves."""
    shapes = np.full(len(leaves), -1, dtype=np.int64)
    prints = np.zeros((len(leaves), PROJECTIONS))
    norms = np.zeros(len(leaves))
    with np.errstate(all="ignore"):
        for i, leaf in enumerate(leaves):
            if (array := arrays.get(leaf)) is not None:
                flat = np.asarray(array, dtype=np.float64).ravel()
                shapes[i] = _shape_number(array.shape)
                prints[i] = _directions(flat.size) @ flat
                norms[i] = float(np.sqrt(flat @ flat))
    return Print(shapes, prints.ravel(), norms)


def _shape_number(shape: tuple[int, ...]) -> int:
    digest = hashlib.blake2b(repr(shape).encode(), digest_size=7).digest()
    return int.from_bytes(digest, "little")


_DIRECTIONS: dict[int, NDArray[np.float64]] = {}


def _directions(size: int) -> NDArray[np.float64]:
    """Return the fixed random directions for arrays of ``size`` entries."""
    if size not in _DIRECTIONS:
        _DIRECTIONS[size] = np.random.default_rng(size).normal(size=(PROJECTIONS, size))
    return _DIRECTIONS[size]


def measure(results: Sequence[Any]) -> dict[Leaf, NDArray[Any]]:
    """Return every number and array of the results of a run."""
    return {(i, path): array for i, result in enumerate(results) for path, array in measured(result)}


def build(
    source: str,
    steps: Sequence[Step],
    sizes: Mapping[int, str] | None = None,
    operators: Sequence[Operator] = OPERATORS,
) -> Dictionary:
    """Plant every mistake, run it on the steps, and keep those that change a result.

    Raises:
        ValueError: the source cannot be run, or raises on these steps.
    """
    program = Program(source)
    try:
        right = measure(program.run(steps))
        planted = list(mutations(program, steps, sizes or {}, operators))
        rounds = program.rounds_of(steps)
    except Exception as error:
        msg = f"the reference cannot be run on these calls: {error}"
        raise ValueError(msg) from error
    leaves = tuple(right)
    base = print_of(right, leaves)
    entries, rows = [], [base]
    costly = rounds * len(planted) > MOST_ROUNDS
    if costly and rounds * sum(mutation.specific for mutation in planted) > MOST_ROUNDS:
        msg = f"one run takes {rounds} rounds: too many to plant mistakes in"
        raise ValueError(msg)
    for number, mutation in enumerate(planted):
        if costly and not mutation.specific:
            continue
        found = printed(partial(mutation.run, program, steps), leaves)
        if found is not None and not _equal(base, found):
            entries.append(_entry(mutation, number))
            rows.append(found)
    for planted_by_course in planted_in(source):
        found = printed(partial(_run_apart, planted_by_course.source, steps), leaves)
        if found is not None and not _equal(base, found):
            entries.append(_course_entry(planted_by_course))
            rows.append(found)
    return Dictionary(
        leaves,
        tuple(entries),
        np.array([row.shapes for row in rows]),
        np.array([row.prints for row in rows]),
        len(planted),
        tuple(operators),
    )


def printed(run: Callable[[], list[Any]], leaves: Sequence[Leaf]) -> Print | None:
    """Return the fingerprint of one changed program, or None where it breaks or gives no number."""
    try:
        found = print_of(measure(run()), leaves)
    except Exception:  # noqa: BLE001 - a changed program may raise anything; it is no candidate then
        return None
    return found if np.isfinite(found.prints).all() else None


def _run_apart(source: str, steps: Sequence[Step]) -> list[Any]:
    return Program(source).run(steps)


def _course_entry(planted: Planted) -> Entry:
    return Entry(planted.function, planted.line, planted.cause, planted.facts, True, "course", BY_COURSE)


def _equal(base: Print, other: Print) -> bool:
    """Return whether a changed program gives the reference's results, so that it is no mistake at all."""
    if not np.array_equal(base.shapes, other.shapes):
        return False
    limit = np.repeat(1e-11 * base.norms + 1e-300, PROJECTIONS)
    return bool((np.abs(base.prints - other.prints) <= limit).all())


def _entry(mutation: Mutation, number: int) -> Entry:
    return Entry(
        function=mutation.function,
        line=mutation.line,
        cause=mutation.cause,
        facts=dict(mutation.facts),
        specific=mutation.specific,
        operator=mutation.operator,
        number=number,
    )


_MEMORY: OrderedDict[str, Dictionary | None] = OrderedDict()
_REMEMBERED = 32


def dictionary_for(
    source: str, steps: Sequence[Step], sizes: Mapping[int, str] | None = None, folder: Path | None = None
) -> Dictionary | None:
    """Return the dictionary of a reference on some calls: remembered, read from ``folder``, or built.

    What it is remembered by is its content: the source, the calls with the bytes of their arguments, and the
    code that plants the mistakes. None where the reference cannot be run on these calls.
    """
    key = content_key(source, steps, sizes or {})
    if key in _MEMORY:
        _MEMORY.move_to_end(key)
        return _MEMORY[key]
    found = read(folder / f"{key}.npz") if folder is not None else None
    if found is None:
        try:
            found = build(source, steps, sizes)
        except ValueError:
            found = None
        if folder is not None and found is not None:
            _keep(found, folder / f"{key}.npz")
    _MEMORY[key] = found
    while len(_MEMORY) > _REMEMBERED:
        _MEMORY.popitem(last=False)
    return found


def _keep(dictionary: Dictionary, file: Path) -> None:
    """Write a dictionary where that is possible, and let the oldest go where there are too many."""
    try:
        write(dictionary, file)
        kept = sorted(file.parent.glob("*.npz"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-MOST_KEPT]:
            path.unlink(missing_ok=True)
    except OSError:  # a full disk, a folder that cannot be written, another run that tidies up
        return


@cache
def _workmanship() -> bytes:
    """Return a digest of the code that plants mistakes: another version of it gives another dictionary."""
    digest = hashlib.sha256(__version__.encode())
    here = Path(__file__).parent
    for file in sorted([*here.glob("*.py"), *(here / "operators").glob("*.py")]):
        digest.update(file.read_bytes())
    return digest.digest()


def content_key(source: str, steps: Sequence[Step], sizes: Mapping[int, str]) -> str:
    """Return a digest of everything that decides what a dictionary holds."""
    digest = hashlib.sha256(_workmanship() + f"\n{sorted(sizes.items())}\n".encode())
    digest.update(source.encode())
    for step in steps:
        for part in _bytes((step.function, step.args, dict(step.kwargs))):
            digest.update(part)
    return digest.hexdigest()


def _bytes(value: Any) -> Iterator[bytes]:
    """Yield bytes that two values share only where they are equal."""
    if isinstance(value, np.ndarray):
        yield f"array {value.dtype.str} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, Mapping):
        yield b"{"
        for key, member in value.items():
            yield repr(key).encode()
            yield from _bytes(member)
        yield b"}"
    elif isinstance(value, list | tuple):
        yield b"["
        for member in value:
            yield from _bytes(member)
        yield b"]"
    elif isinstance(value, np.random.Generator):
        yield repr(value.bit_generator.state).encode()
    elif (
        isinstance(value, Earlier)
        or value is None
        or isinstance(value, bool | int | float | str | np.generic)
    ):
        yield f"{type(value).__name__} {value!r}".encode()
    else:  # an object of unknown inside: never taken for another one
        yield f"{type(value).__name__} {id(value)}".encode()


def write(dictionary: Dictionary, file: Path) -> None:
    """Keep a dictionary as arrays and JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "leaves": dictionary.leaves,
        "entries": [asdict(entry) for entry in dictionary.entries],
        "tried": dictionary.tried,
    }
    text = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    # Written beside and moved, so that a reader never meets half a file.
    part = file.with_suffix(f".{hashlib.blake2b(text.tobytes(), digest_size=4).hexdigest()}.part")
    with part.open("wb") as stream:
        np.savez(stream, about=text, shapes=dictionary.shapes, prints=dictionary.prints)
    part.replace(file)


def read(file: Path) -> Dictionary | None:
    """Read what :func:`write` kept; None where there is nothing that can be read."""
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as kept:
            about = json.loads(kept["about"].tobytes().decode())
            shapes, prints = kept["shapes"], kept["prints"]
        leaves = tuple((int(step), str(path)) for step, path in about["leaves"])
        entries = tuple(Entry(**entry) for entry in about["entries"])
        return Dictionary(leaves, entries, shapes, prints, int(about["tried"]))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
