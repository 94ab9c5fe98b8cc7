"""Correct work in every style that came up gets full marks, and no check accuses it.

This corpus only grows: whoever finds correct work accused adds it to specimens.toml as a [[variant]].
"""

from __future__ import annotations

import pytest

from graders.batch import run_tests
from graders.intake import Entry
from graders.specimens import load_specimens, write_specimens
from pytest_symmetry.assignment import bundled_assignments, load_assignment

FOLDERS = bundled_assignments()
VARIANTS = [(a, s.name) for a in sorted(FOLDERS) for s in load_specimens(FOLDERS[a]) if s.correct]
each_variant = pytest.mark.parametrize("key", VARIANTS, ids="-".join)

# Notes that are true of a variant, whatever the seed. An unfounded one would be a false word too.
NOTES = {
    ("planar", "single-precision-inside"): {
        "MAT202",
        "GRD108",
        "GRD122",
    },  # float32 where the notebook says float64
    ("planar", "cost-with-a-small-number-inside-the-log"): {"GRD121"},  # where it shows: 2e-9 of a gradient
    ("planar", "a-number-computed-in-another-cell"): {"SUB201"},  # a cell that is no definition had to run
    ("planar", "cache-as-a-named-tuple"): {"SUB201"},  # as above: a named tuple is made by a call
}

EVERYWHERE = {"two_units": {"SYM204"}}  # it asks for a start whose units are equal at first, and part


def true_notes(key):
    """Return what may be said of a variant."""
    return {("note", code) for code in NOTES.get(key, set()) | EVERYWHERE.get(key[0], set())}


def graded(assignment, folder, seed):
    paths = [p for p in write_specimens(FOLDERS[assignment], folder) if (assignment, p.stem) in VARIANTS]
    entries = [Entry(p.stem, p, p.name) for p in paths]
    results = run_tests(load_assignment(FOLDERS[assignment]), entries, seed)
    return {(assignment, r.student): r for r in results}


def said(result):
    """Return (severity, code) of everything that was said about a submission."""
    return {(f.severity, f.code) for v in result.tests for f in v.findings}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    found = {}
    for assignment in FOLDERS:
        found |= graded(assignment, tmp_path_factory.mktemp(assignment), 20)
    return found


@each_variant
def test_a_correct_variant_gets_full_marks(key, results):
    """All points."""
    lost = {v.name: v.outcome for v in results[key].tests if v.points < v.max_points}

    assert lost == {}
    assert (results[key].points, results[key].max_points) == (10.0, 10.0)


@each_variant
def test_nothing_is_said_against_a_correct_variant(key, results):
    """No finding; and only those notes that are true of it."""
    assert said(results[key]) <= true_notes(key)


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(1, 21))
@pytest.mark.parametrize("assignment", FOLDERS)
def test_correct_variants_stay_unaccused_under_twenty_seeds(assignment, seed, tmp_path):
    """An accusation that one seed in twenty makes is one too many."""
    results = graded(assignment, tmp_path, seed)

    assert {k: r.points for k, r in results.items()} == {k: 10.0 for k in VARIANTS if k[0] == assignment}
    for key, result in results.items():
        assert said(result) <= true_notes(key), key
