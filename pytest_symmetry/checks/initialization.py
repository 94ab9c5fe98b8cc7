"""check_initialization: the law, the scale and the seeds of a function that draws starting parameters."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_symmetry.checks.drawing import Caller, Draw, leaves, rows_of_lists
from pytest_symmetry.checks.failing import fail
from pytest_symmetry.checks.parameters import fail_unreadable
from pytest_symmetry.checks.symmetry import layer_findings
from pytest_symmetry.context import current, record
from pytest_symmetry.findings import Finding, InitializationEvidence, Place, ScaleEvidence
from pytest_symmetry.laws import (
    Fans,
    Law,
    Sample,
    Z,
    bounds,
    fits,
    lookalike,
    mean_score,
    shape_of_law,
    slope,
    spreads,
)
from pytest_symmetry.layouts import Layout, readings
from pytest_symmetry.verdicts import looks_drawn

if TYPE_CHECKING:
    from pytest_symmetry.findings import Severity
    from pytest_symmetry.partition import FloatArray

SIZES = ((5, 3, 2), (40, 30, 7), (300, 20, 11))
"""Widths tried where the caller names none: fan-ins far apart, all widths of one net different."""

_ENTRIES = 1000
_MOST_EXTRA_CALLS = 40

Shapes = Callable[..., Mapping[str, tuple[int, ...]]]


def check_initialization(
    initialize: Callable[..., Any],
    *,
    sizes: Sequence[Sequence[int]] = SIZES,
    law: Law = None,
    shapes: Shapes | None = None,
    distribution: str | None = None,
    biases: str | None = None,
    seeds: Sequence[int] = (1, 2, 3),
) -> InitializationEvidence:
    """Check a function that draws the parameters that training starts from.

    Args:
        initialize: called as ``initialize(*widths)``, with ``seed=`` where it takes that argument (or
            ``rng=`` with a numpy Generator). Returns any container of arrays.
        sizes: the widths to try, each from the inputs to the outputs: ``[(3, 5, 2), …]``.
        law: "he" (std sqrt(2/n_in)), "lecun" (sqrt(1/n_in)), "glorot" (sqrt(2/(n_in+n_out))), "xavier"
            (either of the last two), "fixed:0.01" (that std), "uniform:0.01" (between -0.01 and 0.01), a
            function (n_in, n_out) -> std, or None for any.
        shapes: ``shapes(*widths)`` returns the shape of every array by name.
        distribution: "normal" or "uniform", where the statement asks for one.
        biases: "zero" where the statement asks for zero biases.
        seeds: the seeds to draw with.

    Raises:
        CheckFailed: the first finding of severity "fail".
        SymmetryError: there is no such law.

    A correct function is accused with a probability below 1e-6 per check (see ``laws``).
    Laws: He et al. 2015 (arXiv 1502.01852); Glorot & Bengio 2010 (AISTATS 9:249); LeCun et al. 1998.
    """
    __tracebackhide__ = True
    allowed = spreads(law)
    caller = Caller(initialize)
    draws = [caller.draw(tuple(s), seed) for s in sizes for seed in seeds]
    findings = _contract(draws, shapes)
    samples: list[Sample] = []
    if not any(f.severity == "fail" for f in findings):
        findings += _seeds(caller, draws)
        samples = _samples(caller, draws)
        findings += _layers(draws, law) + _statistics(samples, allowed, law, distribution)
        if biases == "zero":
            findings += _biases(draws)
    findings = [f.at(**caller.place()) for f in findings]
    return _ended(findings, _scales(samples, allowed), law, caller.calls, slope(samples))


def _ended(
    findings: list[Finding], scales: tuple[ScaleEvidence, ...], law: Law, calls: int, steepness: float | None
) -> InitializationEvidence:
    """Raise the first failure, or return the evidence."""
    __tracebackhide__ = True
    failing = [f for f in findings if f.severity == "fail"]
    said = law if isinstance(law, str) else "any" if law is None else "the caller's"
    notes = tuple(f for f in findings if f.severity != "fail")
    evidence = InitializationEvidence(not failing, scales, said, calls, steepness, notes)
    if failing:
        fail(failing[0], evidence)
    record(evidence)
    return evidence


def _finding(code: str, array: str | None = None, *, severity: Severity = "fail", cause: str | None = None,
             **facts: Any) -> Finding:  # fmt: skip
    return Finding(code, cause, severity, Place(array=array), {"array": array, **facts})


# --- what every single call must keep --------------------------------------------------------------------


def _contract(draws: Sequence[Draw], shapes: Shapes | None) -> list[Finding]:
    """Shapes, finite values, kinds of numbers, memory of its own: the first of each kind."""
    found: dict[str, Finding] = {}
    for draw in draws:
        for finding in (*_shape_findings(draw, shapes), *_value_findings(draw), *_memory_findings(draw)):
            found.setdefault(finding.code, finding)
    return sorted(found.values(), key=lambda f: f.code)


def _shape_findings(draw: Draw, shapes: Shapes | None) -> Iterator[Finding]:
    if shapes is None:
        return
    for name, expected in shapes(*draw.sizes).items():
        actual = draw.arrays[name].shape if name in draw.arrays else None
        if actual != tuple(expected):
            turned = actual is not None and actual == tuple(reversed(expected))
            yield _finding(
                "INI301",
                name,
                cause="shape-turned" if turned else None,
                sizes=draw.sizes,
                shape=actual,
                expected=tuple(expected),
                names=list(draw.arrays),
            )


def _value_findings(draw: Draw) -> Iterator[Finding]:
    for name, values in draw.arrays.items():
        bad = int(values.size - np.isfinite(values).sum())
        if bad:
            yield _finding("INI302", name, sizes=draw.sizes, bad=bad, entries=values.size)
    for name, leaf in leaves(draw.raw):
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "iu" and leaf.size:
            yield _finding("INI310", name, severity="warn", dtype=str(leaf.dtype))


def _memory_findings(draw: Draw) -> Iterator[Finding]:
    arrays = [(n, a) for n, a in leaves(draw.raw) if isinstance(a, np.ndarray) and a.size > 1]
    for name, array in arrays:
        if any(stride == 0 and n > 1 for stride, n in zip(array.strides, array.shape, strict=True)):
            yield _finding("INI309", name, cause="broadcast-view", other=name)
    for (one, a), (other, b) in itertools.combinations(arrays, 2):
        if np.shares_memory(a, b) and not _is_one_vector([x for _, x in arrays], a, b):
            yield _finding("INI309", one, cause="same-memory", other=other)
    for name, rows in rows_of_lists(draw.raw):
        if len({id(row) for row in rows}) < len(rows):
            yield _finding("INI309", name, cause="same-list", other=name)
    call = context.calls[-1] if (context := current()) is not None and context.calls else None
    if call is not None and call.result is draw.raw and call.shared_paths:
        yield _finding("INI309", call.shared_paths[0], cause="same-memory", other=call.shared_paths[-1])


def _is_one_vector(arrays: Sequence[FloatArray], one: FloatArray, other: FloatArray) -> bool:
    """Return whether one of two arrays is the vector of all parameters that the others are parts of."""
    vector = max(one, other, key=lambda a: a.size)
    parts = [a.size for a in arrays if a is not vector and np.shares_memory(a, vector)]
    return vector.ndim == 1 and len(parts) > 1 and sum(parts) <= vector.size


# --- seeds -----------------------------------------------------------------------------------------------


def _seeds(caller: Caller, draws: Sequence[Draw]) -> list[Finding]:
    """Same seed, same values; another seed, other values; the global generator left alone."""
    first = draws[0]
    other = next((d for d in draws if d.sizes == first.sizes and d.seed != first.seed), None)
    findings = []
    if caller.seeded_by:
        again = caller.draw(first.sizes, first.seed, outer=first.seed + 7919)
        if (name := _difference(first, again)) is not None:
            findings.append(_finding("INI306", name, seed=first.seed, sizes=first.sizes))
        if first.touched:
            findings.append(_finding("INI308", severity="note", seed=first.seed))
    # Global seeds set here do not reach a function that runs in another process.
    reached = caller.seeded_by is not None or not caller.elsewhere
    if other is not None and reached and _varies(first) and _difference(first, other) is None:
        severity: Severity = "fail" if caller.seeded_by else "note"
        findings.append(
            _finding(
                "INI307",
                severity=severity,
                seeds=[first.seed, other.seed],
                takes_seed=bool(caller.seeded_by),
                sizes=first.sizes,
            )
        )
    return findings


def _difference(one: Draw, other: Draw) -> str | None:
    """Return the first array that differs between two calls, or None."""
    for name, values in one.arrays.items():
        if name not in other.arrays or not np.array_equal(values, other.arrays[name]):
            return name
    return None


def _varies(draw: Draw) -> bool:
    """Return whether anything looks drawn at random: a constant or an identity matrix does not."""
    return any(looks_drawn(values) for values in draw.arrays.values())


# --- the values ------------------------------------------------------------------------------------------


def _fitting(draw: Draw) -> list[Layout]:
    """Return the readings of the arrays whose widths are those asked for.

    Raises:
        CheckFailed: SYM291, there is none.
    """
    found = readings({name: values.shape for name, values in draw.arrays.items()})
    fitting = [layout for layout in found if layout.sizes == draw.sizes]
    if not fitting:
        fail_unreadable(draw.arrays, draw.sizes)
    return fitting


def _samples(caller: Caller, draws: list[Draw]) -> list[Sample]:
    """Pool every weight array over distinct draws, drawing more where one call has few entries."""
    samples = []
    for sizes in dict.fromkeys(d.sizes for d in draws):
        same = [d for d in draws if d.sizes == sizes]
        layout = _fitting(same[0])[0]
        pooled = {name: [d.arrays[name] for d in same] for name in layout.weights}
        smallest = min(same[0].arrays[name].size for name in layout.weights)
        wanted = min(_MOST_EXTRA_CALLS, -(-_ENTRIES // max(smallest, 1)) - len(same))
        for extra in range(wanted if _difference(same[0], same[-1]) else 0):
            drawn = caller.draw(sizes, 1000 + extra)
            for name, values in pooled.items():
                values.append(drawn.arrays[name])
        widths = zip(layout.weights, layout.sizes[:-1], layout.sizes[1:], strict=True)
        samples += [_pooled(name, pooled[name], Fans(n_in, n_out)) for name, n_in, n_out in widths]
    return samples


def _pooled(name: str, values: list[FloatArray], fans: Fans) -> Sample:
    distinct = {v.tobytes(): v for v in values}.values()
    return Sample(name, values[0].shape, fans, np.concatenate([v.ravel() for v in distinct]))


def _layers(draws: Sequence[Draw], law: Law) -> list[Finding]:
    """What the units say under every seed: identical ones, one number per unit, layers from one stream."""
    first: dict[tuple[int, ...], list[Finding]] = {}
    always: dict[tuple[int, ...], set[str]] = {}
    for draw in draws:
        if always.get(draw.sizes) == set():
            continue  # what one seed does not show is not in how a start of these sizes is drawn
        fitting = _fitting(draw)
        found = [*layer_findings(draw.arrays, fitting), *_one_number_per_unit(draw, fitting[0], law)]
        codes = {finding.code for finding in found} & _OF_A_START
        first.setdefault(draw.sizes, found)
        always[draw.sizes] = always.get(draw.sizes, codes) & codes
    findings: dict[str, Finding] = {}
    for sizes, per_size in first.items():
        for finding in per_size:
            if finding.code in always[sizes]:
                findings.setdefault(finding.code, finding)
    return sorted(findings.values(), key=lambda f: f.severity != "fail")


_OF_A_START = {"SYM201", "SYM202", "SYM209", "INI312"}
"""What concerns the way a start is drawn; the other remarks belong to check_symmetry."""


def _one_number_per_unit(draw: Draw, layout: Layout, law: Law) -> Iterator[Finding]:
    """Yield the weight array whose units each use one number for all their inputs, while the units differ."""
    for name, n_in, n_out in zip(layout.weights, layout.sizes[:-1], layout.sizes[1:], strict=True):
        values = draw.arrays[name]
        if values.ndim != 2 or n_in < 2 or n_out < 2 or n_in == n_out:
            continue
        inputs = values.shape.index(n_in)
        if np.ptp(values) > 0 and not np.any(np.ptp(values, axis=inputs)):
            yield _finding("INI312", name, severity="warn" if law is None else "fail", sizes=draw.sizes)


def _statistics(
    samples: Sequence[Sample], allowed: Sequence[Any], law: Law, distribution: str | None
) -> list[Finding]:
    """Mean, spread and kind of law, each held against its own distribution."""
    findings = []
    drawn = [s for s in samples if law is not None or looks_drawn(s.entries)]
    off = next((s for s in drawn if mean_score(s) > Z), None)
    if off is not None:
        positive = float(np.min(off.entries)) >= 0
        # Where no law is asked for, a mean of its own may be meant, as in an identity with noise.
        severity: Severity = "fail" if law is not None else "warn" if positive else "note"
        findings.append(
            _finding(
                "INI304",
                off.name,
                severity=severity,
                cause="all-positive" if positive else None,
                mean=float(np.mean(off.entries)),
                standard_error=float(np.std(off.entries) / np.sqrt(off.entries.size)),
                entries=off.entries.size,
            )
        )
    findings += _spread_findings(samples, allowed, law)
    for sample in samples if distribution else ():
        kind = shape_of_law(sample.entries)
        if kind is not None and kind != distribution:
            findings.append(_finding("INI305", sample.name, kind=kind, expected=distribution))
            break
    return findings


def _spread_findings(samples: Sequence[Sample], allowed: Sequence[Any], law: Law) -> list[Finding]:
    off = [s for s in samples if allowed and not any(fits(s, spread) for spread in allowed)]
    if not off:
        return []
    worst = max(off, key=lambda s: s.entries.size)
    like = lookalike(samples)
    expected = allowed[0](worst.fans)
    facts = {
        "law": law if isinstance(law, str) else "the assignment's",
        "std": worst.std,
        "expected": expected,
        "ratio": worst.std / expected,
        "n_in": worst.fans.n_in,
        "n_out": worst.fans.n_out,
        "entries": worst.entries.size,
        "slope": slope(samples),
        "formula": like[1] if like else None,
    }
    return [_finding("INI303", worst.name, cause=like[0] if like else None, **facts)]


def _biases(draws: Sequence[Draw]) -> list[Finding]:
    for draw in draws:
        for name in _fitting(draw)[0].biases:
            values = draw.arrays[name]
            if np.any(values):
                largest = float(np.abs(values).max())
                return [_finding("INI311", name, largest=largest, sizes=draw.sizes)]
    return []


def _scales(samples: Sequence[Sample], allowed: Sequence[Any]) -> tuple[ScaleEvidence, ...]:
    found = []
    for s in samples:
        expected = allowed[0](s.fans) if allowed else None
        low, high = bounds(expected, s.entries.size) if expected is not None else (None, None)
        agrees = not allowed or any(fits(s, spread) for spread in allowed)
        mean = float(np.mean(s.entries))
        found.append(
            ScaleEvidence(s.name, s.shape, s.entries.size, mean, s.std, expected, low, high, passed=agrees)
        )
    return tuple(found)
