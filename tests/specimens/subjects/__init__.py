"""References of several kinds, correct programs in other styles, and the mistakes planted in those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Fault:
    """One mistake: its row in docs/what-we-cannot-tell.md (0: none), its causes, and a patch per style.

    Where there are no causes, the code alone says what is wrong, or nothing is known but that it is.
    """

    row: int
    name: str
    causes: tuple[str, ...]
    patches: Mapping[str, tuple[tuple[str, str], ...]]


def fault(row: int, name: str, causes: str, **patches: str | tuple[str, ...]) -> Fault:
    """Return a fault; a patch is written "old => new", several of them as a tuple."""
    split = {}
    for style, texts in patches.items():
        pairs = []
        for text in (texts,) if isinstance(texts, str) else texts:
            old, new = text.split(" => ")
            pairs.append((old, new))
        split[style] = tuple(pairs)
    return Fault(row, name, tuple(causes.split()), split)


def planted(subject: ModuleType, fault: Fault, style: str) -> str:
    """Return a style's program with the fault in it; every patch fits at least once."""
    source: str = subject.STYLES[style]
    for old, new in fault.patches[style]:
        if old not in source:
            msg = f"{fault.name}, {style}: no {old!r}"
            raise ValueError(msg)
        source = source.replace(old, new.replace("; ", "\n    ") if "; " in new else new)
    return source


def _subjects() -> tuple[ModuleType, ...]:
    from specimens.subjects import (
        classifier,
        contracts,
        conv,
        deep,
        lstm,
        network,
        pieces,
        recurrent,
        softmax,
        start,
        training,
    )

    nets = (network, deep, softmax, conv, recurrent, lstm, training, classifier)
    return (*nets, contracts, pieces, start)


SUBJECTS = _subjects()
