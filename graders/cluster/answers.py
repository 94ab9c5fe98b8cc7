"""What workers answer, looked at before it is believed: it came over a network, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.batch import NO_ISOLATION, Judge
from graders.cluster.kinds import Kind
from graders.cluster.parcels import ParcelError, unpack
from graders.sandbox.levels import NAMES, Isolation
from pytest_symmetry.findings import Result

if TYPE_CHECKING:
    from graders.batch import Task

PAGE_BYTES = 16 << 20
"""No page of a student is as long as that."""


class BadAnswer(Exception):
    """A worker's answer is none; the message says what is the matter, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a worker said of itself: its kind, and who judges there."""

    kind: Kind
    judge: Judge


def _opened(parcel: object) -> tuple[dict[str, Any], list[bytes]]:
    if not isinstance(parcel, bytes):
        msg = "its answer is no parcel"
        raise BadAnswer(msg)
    try:
        head, blobs = unpack(parcel)
    except ParcelError:
        msg = "its answer is no parcel"
        raise BadAnswer(msg) from None
    if "error" in head:
        raise BadAnswer(str(head["error"]))
    return head, blobs


def examined(parcel: object) -> Examined:
    """Read what a worker says of itself.

    Raises:
        BadAnswer: it says why it cannot grade, or nothing that can be read.
    """
    head, _ = _opened(parcel)
    try:
        kind, said = Kind.of(head["kind"]), dict(head["isolation"])
        isolation = Isolation(int(said["level"]), dict(said["locked"]), dict(said["refused"]))
        if isolation.level not in NAMES:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        msg = "what it says of itself cannot be read"
        raise BadAnswer(msg) from None
    return Examined(kind, Judge(isolation, kind.versions))


def graded(parcel: object, task: Task, by: Examined, course: str) -> list[tuple[Result, str]]:
    """Read what a worker made of a chunk: a result and a page for each entry, in order.

    ``by`` is what the worker said of itself before; ``course`` is the assignment's name.

    Raises:
        BadAnswer: it says why it could not, or its answer does not belong to this chunk or this worker.
    """
    head, blobs = _opened(parcel)
    try:
        same = Kind.of(head["kind"]) == by.kind
        results = [Result.from_json(line) for line in head["results"]]
        pages = [blob.decode("utf-8", "surrogatepass") for blob in blobs]
        pairs = list(zip(task.entries, results, pages, strict=True))
    except (KeyError, TypeError, ValueError, AttributeError):
        msg = "its answer cannot be read"
        raise BadAnswer(msg) from None
    if not same:
        msg = "it changed between two answers"
        raise BadAnswer(msg)
    if any(len(blob) > PAGE_BYTES for blob in blobs):
        msg = "a page that it sent is too long"
        raise BadAnswer(msg)
    for entry, result, _ in pairs:
        if (result.student, result.submission, result.sha256) != (entry.student, entry.label, entry.sha256):
            msg = "it answered for a submission that it was not sent"
            raise BadAnswer(msg)
        if result.assignment != course:
            msg = "it judged another assignment"
            raise BadAnswer(msg)
        if result.isolation not in (str(by.judge.isolation), NO_ISOLATION, ""):
            msg = "it judged at another isolation than it said"
            raise BadAnswer(msg)
        if result.seed != str(task.seed) or dict(result.versions) != dict(by.kind.versions):
            msg = "it judged with another seed or other versions than it was asked for"
            raise BadAnswer(msg)
    return [(result, page) for _, result, page in pairs]
