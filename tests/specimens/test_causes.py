"""Mistakes in other styles than the reference's: each has its name, and correct programs have none."""

import pytest
from specimens.mistakes_page import mistakes
from specimens.rehearsal import first_finding
from specimens.subjects import SUBJECTS, planted, start

from pytest_symmetry.feedback.text import render

CASES = [
    pytest.param(
        subject,
        fault,
        style,
        id=f"{subject.__name__.split('.')[-1]}-{fault.row}-{fault.name}-{style}",
        marks=pytest.mark.sweep if subject is start else (),
    )
    for subject in SUBJECTS
    for fault in subject.FAULTS
    for style in fault.patches
]
CODES = {mistake["row"]: mistake.get("codes", ()) for mistake in mistakes()}
CORRECT = [
    pytest.param(subject, style, id=f"{subject.__name__.split('.')[-1]}-{style}")
    for subject in SUBJECTS
    for style in subject.STYLES
]


@pytest.mark.parametrize(("subject", "style"), CORRECT)
def test_a_correct_program_of_another_style_is_silent(subject, style):
    assert first_finding(subject.REFERENCE, subject.STYLES[style], subject.tests) == (-1, None)


@pytest.mark.parametrize(("subject", "fault", "style"), CASES)
def test_a_mistake_in_another_style_is_named(subject, fault, style):
    _, finding = first_finding(subject.REFERENCE, planted(subject, fault, style), subject.tests)

    assert finding is not None
    if not fault.causes:
        assert finding.cause is None
        assert finding.code in CODES[fault.row]
        return

    assert finding.cause in fault.causes
    assert "Cause    " in render(finding, reveal="cause")
    assert not points_at_innocent_line(finding, planted(subject, fault, style), subject.STYLES[style])


def points_at_innocent_line(finding, source, correct):
    """Return whether the line shown is one that the correct program has too, and no head of a function."""
    if finding.place.line is None:
        return False
    line = source.splitlines()[finding.place.line - 1].strip()
    return not line.startswith("def ") and line in map(str.strip, correct.splitlines())
