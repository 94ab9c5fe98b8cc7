"""Correct work in every style that came up gets full marks from planar, and no check accuses it.

This corpus only grows: whoever finds correct work accused adds it to specimens.toml as a [[variant]].
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.batch import run_tests
from graders.intake import Entry
from graders.specimens import load_specimens, write_specimens
from pytest_symmetry.assignment import load_assignment

PLANAR = Path(__file__).parents[2] / "assignments" / "planar"
VARIANTS = [s.name for s in load_specimens(PLANAR) if s.correct]

# Notes that are true of a variant, whatever the seed. An unfounded one would be a false word too.
NOTES = {
    "single-precision-inside": {"MAT202", "GRD108", "GRD122"},  # float32 where the notebook says float64
    "cost-with-a-small-number-inside-the-log": {"GRD121"},  # where it shows: 2e-9 of a gradient
    "a-number-computed-in-another-cell": {"SUB201"},  # a cell that is no definition had to run
    "cache-as-a-named-tuple": {"SUB201"},  # as above: a named tuple is made by a call
}


def graded(folder, seed):
    paths = [p for p in write_specimens(PLANAR, folder) if p.stem in VARIANTS]
    entries = [Entry(p.stem, p, p.name) for p in paths]
    return {r.student: r for r in run_tests(load_assignment(PLANAR), entries, seed)}


def said(result):
    """Return (severity, code) of everything that was said about a submission."""
    return {(f.severity, f.code) for v in result.tests for f in v.findings}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return graded(tmp_path_factory.mktemp("variants"), 20)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_correct_variant_gets_full_marks(name, results):
    """All ten points."""
    lost = {v.name: v.outcome for v in results[name].tests if v.points < v.max_points}

    assert lost == {}
    assert (results[name].points, results[name].max_points) == (10.0, 10.0)


@pytest.mark.parametrize("name", VARIANTS)
def test_nothing_is_said_against_a_correct_variant(name, results):
    """No finding; and only those notes that are true of it."""
    assert said(results[name]) <= {("note", code) for code in NOTES.get(name, ())}


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(1, 21))
def test_correct_variants_stay_unaccused_under_twenty_seeds(seed, tmp_path):
    """An accusation that one seed in twenty makes is one too many."""
    results = graded(tmp_path, seed)

    assert {n: r.points for n, r in results.items()} == dict.fromkeys(VARIANTS, 10.0)
    for name, result in results.items():
        assert said(result) <= {("note", code) for code in NOTES.get(name, ())}, name
