"""Which of several files counts: the notebook among what one person handed in, the newest of several times.

Where nothing says which, nothing is chosen: a person decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Literal

from graders.archives import Item, is_archive
from graders.inboxes import HandIn, is_candidate
from graders.names import identifier, key
from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.submission import is_copy

Keep = Literal["latest", "first", "ask"]


@dataclass(frozen=True, slots=True)
class Work:
    """The one file of a hand-in that is graded; ``reason`` says why there is none.

    ``left`` are the labels of other notebooks in it; ``unclear`` where several could be meant.
    """

    hand_in: HandIn
    item: Item | None = None
    reason: str = ""
    left: tuple[str, ...] = ()
    unclear: bool = False
    submitted: datetime | None = None

    @property
    def label(self) -> str:
        """What it is called in messages and in the gradebook."""
        return self.item.label if self.item is not None else identifier(self.hand_in.label)


def work_in(hand_in: HandIn, notebook: str, keep: Keep, opened: Callable[[Item], list[Item]]) -> Work:
    """Return the file of a hand-in that counts: ``notebook``, else a copy of it, else the only notebook.

    Archives are looked into where nothing else is there; ``opened`` unpacks one, or raises
    SubmissionError with the reason.
    """
    candidates = [(given, item) for given, item in hand_in.files if is_candidate(given)]
    trouble = ""
    if all(item.trouble for _, item in candidates):
        inside, trouble = _in_archives(hand_in, opened)
        candidates += inside
    usable = [(given, item) for given, item in candidates if not item.trouble]
    if not usable:
        refused = [item for _, item in (*candidates, *hand_in.files) if item.trouble]
        reason = trouble or (refused[0].trouble if refused else _nothing(hand_in))
        return Work(hand_in, refused[0] if refused else None, reason)
    ranked = sorted(usable, key=lambda pair: (_rank(pair[0], notebook), len(pair[1].parts), pair[1].parts))
    best = [item for given, item in ranked if _rank(given, notebook) == _rank(ranked[0][0], notebook)]
    best = [item for item in best if len(item.parts) == len(best[0].parts)]
    others = tuple(item.label for _, item in ranked if item is not best[0])
    if len(best) > 1 and keep != "first" and not _all_alike(best):
        names = ", ".join(item.label for item in best[:4])
        return Work(hand_in, best[0], f"{len(best)} files could be meant: {names}", others, unclear=True)
    return Work(hand_in, best[0], left=others)


def _in_archives(hand_in: HandIn, opened: Callable[[Item], list[Item]]) -> tuple[list[tuple[str, Item]], str]:
    """Return what may be meant in the archives of a hand-in, and why one could not be opened."""
    found: list[tuple[str, Item]] = []
    trouble = ""
    for item in (item for given, item in hand_in.files if is_archive(given) and not item.trouble):
        try:
            found += [(inside.name, inside) for inside in opened(item) if is_candidate(inside.name)]
        except SubmissionError as error:
            trouble = trouble or str(error)
    return found, trouble


def _rank(given: str, notebook: str) -> int:
    """Return how well a name fits what was asked for; 0 is the name itself."""
    plain, wanted = PurePath(key(given)), key(notebook)
    if plain.name == wanted:
        return 0
    is_notebook = plain.suffix == ".ipynb"
    if is_copy(plain.name, wanted):
        return 1 if is_notebook else 3
    return 2 if is_notebook else 3 if plain.stem == PurePath(wanted).stem else 4


def _nothing(hand_in: HandIn) -> str:
    names = sorted({given.rpartition("/")[2] for given, _ in hand_in.files})
    if not names:
        return "there is no file in it"
    shown = ", ".join(identifier(name) for name in names[:3]) + (", …" if len(names) > 3 else "")
    return f"there is no notebook and no .py file in it, only {shown}"


def _all_alike(items: Sequence[Item]) -> bool:
    """Return whether files are the same, byte by byte."""
    digests = set()
    for item in items:
        if item.path is None:
            return False
        try:
            with item.path.open("rb") as file:
                digests.add(hashlib.file_digest(file, "sha256").digest())
        except OSError:
            return False
    return len(digests) == 1


@dataclass(frozen=True, slots=True)
class Choice:
    """What counts of all that one student handed in; ``why`` says so where there was a choice."""

    work: Work
    others: tuple[Work, ...] = ()
    why: str = ""
    waits: str = ""


def choose(works: Sequence[Work], keep: Keep) -> Choice:
    """Return what counts of several hand-ins: by the platform's time or count, never by a file's own date."""
    works = sorted(works, key=lambda w: w.label)
    if len(works) == 1:
        return Choice(works[0])
    items = [w.item for w in works if w.item is not None]
    if len(items) == len(works) and _all_alike(items):
        return Choice(works[0], tuple(works[1:]), "the same file several times")
    ordered = _in_order(works)
    if keep == "ask" or (ordered is None and keep == "latest"):
        names = ", ".join(w.label for w in works[:4]) + (", …" if len(works) > 4 else "")
        unknown = "" if keep == "ask" else ", and nothing says which is the newest"
        return Choice(works[0], tuple(works[1:]), waits=f"handed in {len(works)} times{unknown}: {names}")
    ordered = works if ordered is None else ordered
    counts = ordered[-1] if keep == "latest" else ordered[0]
    word = "newest" if keep == "latest" else "first"
    when = f" ({counts.submitted:%Y-%m-%d %H:%M})" if counts.submitted else ""
    others = tuple(w for w in ordered if w is not counts)
    return Choice(counts, others, f"the {word} of {len(works)}{when}")


def _in_order(works: Sequence[Work]) -> list[Work] | None:
    """Return the works by time, or by the platform's own count; None where not all of them have it."""
    times = [w.submitted for w in works if w.submitted is not None]
    if len(set(times)) == len(works):
        return sorted(works, key=lambda w: w.submitted or datetime.min)
    if len({w.hand_in.order for w in works}) == len(works) and all(w.hand_in.order for w in works):
        return sorted(works, key=lambda w: w.hand_in.order)
    return None
