"""Programs that the diagnosis was not made with: correct ones are silent, nothing false is said of others."""

import pytest
from specimens.fresh import SILENT, first, fourth, second, third
from specimens.rehearsal import first_finding
from specimens.subjects import planted

from pytest_symmetry.diagnosis.causes import all_causes


def programs(sets):
    return [
        pytest.param(subject, fault, style, id=f"{style}-{fault.name}")
        for subject in sets
        for fault in subject.FAULTS
        for style in fault.patches
    ]


def check(subject, fault, style):
    _, finding = first_finding(subject.REFERENCE, planted(subject, fault, style), subject.tests)

    assert finding is not None
    silent = finding.cause is None or finding.cause.startswith("located")
    assert finding.cause in fault.causes or (silent and fault.name in SILENT)


@pytest.mark.parametrize(
    "subject", [*first.SETS, *second.SETS, *third.SETS, *fourth.SETS], ids=lambda s: next(iter(s.STYLES))
)
def test_a_correct_program_of_a_fresh_style_is_silent(subject):
    (source,) = subject.STYLES.values()

    assert first_finding(subject.REFERENCE, source, subject.tests) == (-1, None)


@pytest.mark.parametrize(("subject", "fault", "style"), programs(second.SETS))
def test_a_mistake_of_the_second_fresh_set_is_named(subject, fault, style):
    check(subject, fault, style)


@pytest.mark.sweep
@pytest.mark.parametrize(("subject", "fault", "style"), programs(first.SETS))
def test_a_mistake_of_the_first_fresh_set_is_named(subject, fault, style):
    check(subject, fault, style)


@pytest.mark.sweep
@pytest.mark.parametrize(("subject", "fault", "style"), programs([*third.SETS, *fourth.SETS]))
def test_a_mistake_of_the_later_fresh_sets_is_named(subject, fault, style):
    check(subject, fault, style)


@pytest.mark.sweep
@pytest.mark.parametrize("subject", third.SETS, ids=lambda s: next(iter(s.STYLES)))
def test_what_stays_right_stays_silent(subject):
    ((style, source),) = subject.STYLES.items()
    for change in third.RIGHT[style]:
        old, new = change.split(" => ")

        assert old in source
        assert first_finding(subject.REFERENCE, source.replace(old, new), subject.tests) == (-1, None)


def test_the_causes_that_are_promised_exist():
    faults = [
        fault
        for subject in (*first.SETS, *second.SETS, *third.SETS, *fourth.SETS)
        for fault in subject.FAULTS
    ]

    assert {cause for fault in faults for cause in fault.causes} <= set(all_causes())
