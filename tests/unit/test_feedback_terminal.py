"""The terminal's lines: points per question, the first cause in short lines, 80 columns, nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shown_results import (
    a_class,
    all_right,
    every_page,
    gradient,
    not_attempted,
    result,
    verdict,
    wrong_gradient,
)

from pytest_symmetry.feedback.terminal import class_summary, summary
from pytest_symmetry.feedback.text import harmless, printable, render, title_words, words_or_facts
from pytest_symmetry.findings import Finding, Outcome, Place, Result

AGAIN = "pytest -k backward --symmetry-seed=310938109381093810938"


def lines_of(shown: Result, reveal: str = "hint") -> list[str]:
    """Return the summary of one result."""
    return summary(
        shown.tests, student=shown.student, points=shown.points, max_points=shown.max_points,
        reveal=reveal, again=AGAIN,
    )  # fmt: skip


def test_a_wrong_gradient_reads_like_this() -> None:
    """The whole summary, word for word."""
    expected = """\
s0412: 9 of 22 points
  initialize parameters                      2 / 2   passed
  forward                                    3 / 3   passed
  cost                                       2 / 2   passed
  backward                                   0 / 5   failed GRD101
  update                                     2 / 2   passed
  units differentiate when trained           0 / 4   failed GRD101
  minibatches                                0 / 2   timed out
  momentum                                   0 / 2   not attempted

GRD101  The gradient dW1 is not the slope of the loss
  Place      backward, cell 7, line 12: dW1[2, 1]"""
    lines = lines_of(wrong_gradient())

    assert expected.splitlines() == lines[:12]
    assert [line[2:13].strip() for line in lines[12:] if line[2] != " "] == [
        "I see",
        "Expected",
        "Hint",
        "Run again",
    ]
    assert lines[-1] == f"  Run again  {AGAIN}"


def test_the_cause_is_named_only_where_the_course_reveals_it() -> None:
    """With reveal "hint" the mistake's name stays unsaid."""
    assert not [line for line in lines_of(wrong_gradient()) if line.startswith("  Cause")]
    assert [line for line in lines_of(wrong_gradient(), "cause") if line.startswith("  Cause")]


def test_no_finding_means_no_hint_and_nothing_to_run_again() -> None:
    """All right, or not attempted without a word: only the points are said."""
    assert len(lines_of(all_right())) == 7
    assert all("not attempted" in line for line in lines_of(not_attempted())[1:])


def test_long_names_are_cut_before_the_points() -> None:
    """With a space between them."""
    line = lines_of(result("s", [verdict("test_" + "very_" * 20 + "long", max_points=12.5)]))[1]

    assert "... 12.5 / 12.5   passed" in line
    assert len(line) <= 80


@pytest.mark.parametrize("name", sorted(every_page()))
def test_no_line_is_wider_than_80_columns(name: str) -> None:
    """Whatever the result."""
    assert [line for line in lines_of(every_page()[name], "cause") if len(line) > 80] == []


HOSTILE = [
    "\x1b[31mred", "\x1b]0;title\x07", "a\rb", "\u202egnp.exe", "\ud800", "::error::x", "  ::add-mask::x",
    "##vso[task.setvariable]x", "##[add-mask]x", "\x9b31m", "a\u2028::set-output name=x::y",
]  # fmt: skip
ORDER = re.compile(r"^\s*::|##\[|##vso\[", re.MULTILINE)
DRIVES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_drives_neither_terminal_nor_ci_log(text: str) -> None:
    """Names, places and facts from a submission stay text."""
    finding = gradient(text, place=Place(text, 1, 2, text))
    shown = result(text, [verdict(text, Outcome.FAILED, 1, [finding])])
    lines = "\n".join([*lines_of(shown), render(finding), *class_summary([shown])])

    assert DRIVES.search(lines) is None
    assert ORDER.search(lines) is None
    assert lines.encode("utf-8")


@given(st.text(st.characters(), max_size=200))
def test_printable_text_is_safe_to_write_and_stays_so(text: str) -> None:
    """Making text printable leaves nothing that drives a terminal, and is done after one time."""
    once = printable(text)

    assert DRIVES.search(once) is None
    assert once == printable(once)
    assert ORDER.search(harmless(text)) is None
    assert once == once.encode("utf-8").decode("utf-8")


def test_names_of_people_stay_as_they_are() -> None:
    """Accents, scripts and joiners are how people are called."""
    names = [
        "Zoë Ångström",
        "李小龍",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क्\u200dष",
        "O'Brien-Łoś",
    ]

    assert names == [printable(name) for name in names]


def test_a_class_takes_one_line_for_each_submission() -> None:
    """Who, points, first cause or reason; 80 columns."""
    results = [*every_page().values(), *a_class(30)]
    lines = class_summary(results)

    assert len(results) == len(lines)
    assert [line for line in lines if len(line) > 80] == []
    assert "GRD101 The gradient dW1" in lines[0]
    assert "all passed" in lines[2]
    assert "not gradable: inbox/s0416" in lines[4]


def test_wide_characters_keep_the_columns_in_line() -> None:
    """A name of wide characters takes two columns for each."""
    shown = result("李小龍", [verdict("前向传播")])
    line = class_summary([shown])[0]

    assert line.index("2 / 2") == 26 - 3 + 9 - 5
    assert lines_of(shown)[1].startswith("  前向传播")


def test_a_finding_without_words_shows_its_code_and_facts() -> None:
    """A record from a newer version costs nobody the summary."""
    said = render(Finding("ZZZ999", facts={"units": [0, 3]}))

    assert "ZZZ999" in said
    assert "units = [0, 3]" in said


def test_a_title_alone_is_the_title_of_the_whole() -> None:
    """Also where the finding lacks what its words need."""
    for finding in (gradient(), Finding("ZZZ1"), Finding("GRD101"), Finding("ZZZ1", cause="other\x1b[2J")):
        assert title_words(finding) == words_or_facts(finding).title
