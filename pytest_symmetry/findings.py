"""Records: what was measured (evidence), what a failed check says (findings), what it earned (verdicts).

A finding is facts, never sentences: words are made from it by ``feedback`` with the pages in
``diagnosis/codes`` and ``diagnosis/causes``, so that a page can be rendered again, reworded or
translated without running anything. All records are frozen and go to JSON and back unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from pytest_symmetry.records import Record, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

FIGURE_BYTES = 4096
"""The most that the data of one figure may take as JSON, so that results stay small."""

Severity = Literal["fail", "warn", "note"]


class Outcome(StrEnum):
    """What became of one test of one submission: a closed set."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ATTEMPTED = "not attempted"
    COULD_NOT_RUN = "could not run"
    TIMED_OUT = "timed out"
    DIED = "died"
    WAITS = "waits for a person"


@dataclass(frozen=True, slots=True)
class Place(Record):
    """Where something is seen. Code cells are counted from 1, from the top; lines within the cell."""

    function: str | None = None
    cell: int | None = None
    line: int | None = None
    array: str | None = None
    index: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Finding(Record):
    """What a failed check says.

    ``code`` is stable (``GRD101``) and has a page; ``cause`` is the identifier of the named mistake, or
    None where it is not known; ``facts`` are the numbers and names that the words need;
    ``consequence_of`` is the code of the finding that explains this one; ``figure`` is the data of one
    picture, with its ``kind``.
    """

    code: str
    cause: str | None = None
    severity: Severity = "fail"
    place: Place = field(default_factory=Place)
    facts: Mapping[str, Any] = field(default_factory=dict)
    consequence_of: str | None = None
    figure: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", plain(self.facts))
        if self.figure is not None:
            object.__setattr__(self, "figure", plain(self.figure))

    def at(self, **place: Any) -> Finding:
        """Return the same finding with parts of its place filled in."""
        return replace(self, place=replace(self.place, **place))


@dataclass(frozen=True, slots=True)
class ArrayEvidence(Record):
    """The check of one parameter's gradient. Errors are relative to that array's own gradient."""

    name: str
    shape: tuple[int, ...]
    passed: bool
    relative_error: float
    error_bar: float
    directions: int
    evaluations: int
    kinks: int = 0
    entries_wrong: int | None = None
    settled: bool = True
    """Whether it was seen to be right or wrong: not so on a kink, or where the loss does not read it."""


@dataclass(frozen=True, slots=True)
class GradientEvidence(Record):
    """All that a gradient check measured; ``method`` is "central differences" or "complex step"."""

    passed: bool
    arrays: tuple[ArrayEvidence, ...]
    method: str
    at: str
    seed: int
    evaluations: int
    seconds: float
    notes: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        rows = [
            (a.name, "x".join(map(str, a.shape)) or "number", f"{a.relative_error:.1e}", f"{a.error_bar:.1e}",
             str(a.directions), str(a.kinks), "agrees" if a.passed else "differs")
            for a in self.arrays
        ]  # fmt: skip
        head = ("array", "shape", "rel. error", "error bar", "directions", "kinks", "verdict")
        foot = f"{self.evaluations} evaluations, {self.seconds:.3g} s, {self.method}"
        notes = "".join(f"\nnote {n.code}" + f" on {n.place.array}" * bool(n.place.array) for n in self.notes)
        return f"{_table(head, rows)}\n{foot}, at={self.at}, seed {self.seed}{notes}"


@dataclass(frozen=True, slots=True)
class Comparison(Record):
    """One value compared with its reference; ``error`` is its largest deviation."""

    path: str
    passed: bool
    kind: str
    shape: tuple[int, ...] = ()
    error: float = 0.0
    tolerance: float = 0.0
    entries_wrong: int = 0
    stands_for: int = 1
    """How many values of the reference it speaks of: several where a key or a whole container is missing."""


@dataclass(frozen=True, slots=True)
class MatchEvidence(Record):
    """All that a comparison with the reference looked at."""

    passed: bool
    comparisons: tuple[Comparison, ...]
    notes: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        rows = [
            (c.path or "result", c.kind, "x".join(map(str, c.shape)), f"{c.error:.1e}", f"{c.tolerance:.1e}",
             "agrees" if c.passed else "differs")
            for c in self.comparisons
        ]  # fmt: skip
        return _table(("value", "kind", "shape", "max error", "tolerance", "verdict"), rows)


@dataclass(frozen=True, slots=True)
class LayerEvidence(Record):
    """One hidden layer: ``classes`` are the groups of units that no training can tell apart."""

    name: str
    units: int
    effective_width: int
    classes: tuple[tuple[int, ...], ...]
    verdict: str
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SymmetryEvidence(Record):
    """All that a symmetry check found, one entry per hidden layer."""

    passed: bool
    layers: tuple[LayerEvidence, ...]
    layout: str = ""
    notes: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        rows = [(x.name, str(x.units), str(x.effective_width), x.verdict) for x in self.layers]
        return _table(("layer", "units", "effective width", "verdict"), rows)


@dataclass(frozen=True, slots=True)
class ScaleEvidence(Record):
    """The spread of one layer's starting weights, pooled over draws, beside what the law asks for."""

    name: str
    shape: tuple[int, ...]
    entries: int
    mean: float
    std: float
    expected: float | None
    low: float | None
    high: float | None
    passed: bool


@dataclass(frozen=True, slots=True)
class InitializationEvidence(Record):
    """All that a check of an initialiser measured; ``slope`` is that of log std over log fan-in."""

    passed: bool
    scales: tuple[ScaleEvidence, ...]
    law: str
    calls: int
    slope: float | None = None
    notes: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        rows = [
            (s.name, "x".join(map(str, s.shape)), str(s.entries), f"{s.mean:.2g}", f"{s.std:.3g}",
             "any" if s.expected is None else f"{s.expected:.3g}", "agrees" if s.passed else "differs")
            for s in self.scales
        ]  # fmt: skip
        return _table(("array", "shape", "entries", "mean", "std", "expected", "verdict"), rows)


@dataclass(frozen=True, slots=True)
class WidthEvidence(Record):
    """One hidden layer while it trains: effective width and rank of the activations after each of ``steps``.

    ``ranks`` is empty where no activations were given; ``roles`` are groups of units that compute the same
    at the end, up to scale and sign.
    """

    name: str
    units: int
    steps: tuple[int, ...]
    widths: tuple[int, ...]
    ranks: tuple[int, ...] = ()
    roles: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class PairingEvidence(Record):
    """Two runs compared, layer by layer: unit i of the first goes with ``partners[i]`` of the second.

    The correlations are means of absolute values: of units of the same number, of matched units, and of
    matched units before training (what chance gives). ``correlations`` holds the one of each matched pair.
    """

    name: str
    partners: tuple[int, ...]
    signs: tuple[int, ...]
    same_number: float
    matched: float
    matched_before: float
    correlations: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecializationEvidence(Record):
    """All that was seen of the units while they trained."""

    passed: bool
    layers: tuple[WidthEvidence, ...]
    pairings: tuple[PairingEvidence, ...] = ()
    notes: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        rows = [(x.name, str(x.units), " ".join(map(str, x.widths)), " ".join(map(str, x.ranks)))
                for x in self.layers]  # fmt: skip
        steps = " ".join(map(str, self.layers[0].steps)) if self.layers else ""
        return _table(("layer", "units", f"effective width after {steps} steps", "rank"), rows)


Evidence = (
    GradientEvidence | MatchEvidence | SymmetryEvidence | InitializationEvidence | SpecializationEvidence
)


@dataclass(frozen=True, slots=True)
class Partial(Record):
    """What a failed check says of its arrays one by one: which of them were seen to be right.

    ``shared`` is whether the question gives points for each; ``explained`` whether the ``causes`` that are
    named account for everything that is wrong ("" stands for a cause without a name).
    """

    arrays: Mapping[str, bool]
    shared: bool = False
    explained: bool = False
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict(Record):
    """What one test of one submission came to. ``printed`` is what the student's code printed, capped."""

    name: str
    nodeid: str
    outcome: Outcome
    points: float
    max_points: float
    findings: tuple[Finding, ...] = ()
    printed: str = ""
    partial: Partial | None = None


@dataclass(frozen=True, slots=True)
class Result(Record):
    """What became of one submission: one line of results.jsonl.

    ``status`` is "graded", "not gradable" or "waits for a person", ``reason`` says why it is not the first;
    ``seed`` is text, because 128 bits do not survive every reader of JSON numbers.
    """

    student: str
    submission: str
    sha256: str
    status: str
    reason: str
    points: float
    max_points: float
    assignment: str
    versions: Mapping[str, str]
    seed: str
    isolation: str
    tests: tuple[Verdict, ...] = ()


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Lay out a plain text table, columns padded to their widest cell."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines
    )
