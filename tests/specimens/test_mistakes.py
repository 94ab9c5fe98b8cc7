"""The table of mistakes is complete, and the page made from it is up to date."""

import tomllib
from pathlib import Path

import pytest
from specimens.mistakes_page import PAGE, mistakes, page, styles
from specimens.subjects import SUBJECTS

from pytest_symmetry.diagnosis.causes import all_causes, all_codes

PLANAR = Path(__file__).parents[2] / "assignments" / "planar" / "specimens.toml"
EVERY = mistakes()


def test_every_mistake_has_a_row():
    assert [m["row"] for m in EVERY] == list(range(1, 113))


@pytest.mark.parametrize("mistake", EVERY, ids=lambda m: str(m["row"]))
def test_a_mistake_is_caught_by_a_code_or_has_a_reason(mistake):
    if "cannot" in mistake:
        assert len(mistake["cannot"]) > 40
        return

    assert mistake["codes"]
    assert mistake["causes"] or len(mistake["unnamed"]) > 40
    assert set(mistake["codes"]) <= set(all_codes())
    assert set(mistake["causes"]) <= set(all_causes())


def test_what_the_specimens_are_named_is_in_the_table():
    rows = {m["row"]: set(m.get("causes", ())) for m in EVERY}
    strangers = [
        (fault.row, fault.name)
        for subject in SUBJECTS
        for fault in subject.FAULTS
        if fault.row and fault.causes and not rows[fault.row] & set(fault.causes)
    ]

    assert strangers == []


def test_the_specimens_of_planar_are_where_the_table_says():
    codes = {s["name"]: s["code"] for s in tomllib.loads(PLANAR.read_text(encoding="utf-8"))["specimen"]}
    named = [(m["row"], name, set(m["codes"])) for m in EVERY for name in m.get("planar", ())]

    assert [name for _, name, _ in named if name not in codes] == []
    assert [(row, name, codes[name]) for row, name, known in named if codes[name] not in known] == []


def test_every_mistake_that_can_be_told_is_shown_in_two_styles():
    """A name that one style has earned may be luck."""
    seen = styles()

    assert {m["row"] for m in EVERY if "cannot" not in m and len(seen[m["row"]]) < 2} == set()


def test_the_page_is_made_from_the_table():
    assert PAGE.read_text(encoding="utf-8") == page()
