"""The piece of HTML that a notebook shows: first cause, one hint, nothing that reaches out of it."""

from __future__ import annotations

import re
from pathlib import Path

from reading_html import Page
from shown_results import all_right, gradient, verdict, wrong_gradient
from xss_payloads import PAYLOADS

import pytest_symmetry
from pytest_symmetry.feedback.inline import inline
from pytest_symmetry.findings import Outcome, Place

STYLE = Path(pytest_symmetry.__file__).parent / "feedback" / "templates" / "_inline.css"


def page_of(*verdicts: object, **more: object) -> Page:
    """Return the piece as a reader of HTML sees it, inside a notebook of its own."""
    return Page(f"<h1>notebook</h1>{inline(verdicts, points=1, max_points=4, **more)}")


def test_notebook_shows_the_first_cause_with_its_hint() -> None:
    """Points, an outcome for each question, the finding, how many more there are."""
    page = page_of(*wrong_gradient().tests, remarks=["planar.ipynb was saved before the last change."])
    text = " ".join(page.text.split())

    assert page.faults == []
    assert page.dangers == []
    assert "1 of 4 points" in text
    assert "minibatches: timed out" in text
    assert "The gradient dW1 is not the slope of the loss GRD101" in text
    assert text.count("Hint") == 1
    assert "1 more finding comes after this one." in text
    assert text.endswith("planar.ipynb was saved before the last change.")


def test_notebook_says_when_all_is_right() -> None:
    """And nothing else."""
    text = page_of(*all_right().tests).text

    assert "Every question passed" in text
    assert "Hint" not in text


def test_two_outputs_of_one_notebook_do_not_share_ids() -> None:
    """Pictures of two cells stand in one document."""
    one, two = (
        inline([verdict("q", Outcome.FAILED, 1, [gradient(a)])], points=0, max_points=1)
        for a in ("dW1", "dW2")
    )

    assert Page(f"<h1>notebook</h1>{one}{two}").faults == []


def test_style_stays_within_the_piece() -> None:
    """Every rule starts with the piece's own class, so that no notebook changes its looks."""
    style = re.sub(r"\[data-jp[^{]*\{", ".symmetry-inline {", STYLE.read_text(encoding="utf-8"))
    selectors = [s.strip() for rule in re.findall(r"([^{}]+)\{", style) for s in rule.split(",")]

    assert len(selectors) > 50
    assert [s for s in selectors if not s.startswith(".symmetry-inline")] == []
    assert re.findall(r"url\(|@|expression|\{\{|</", style) == []


def test_no_text_of_a_student_leaves_its_place() -> None:
    """Sixty payloads in every field."""
    for payload in PAYLOADS:
        finding = gradient(payload, place=Place(payload, 1, 1, payload))
        page = page_of(verdict(payload, Outcome.FAILED, 1, [finding], payload), remarks=[payload])
        assert page.faults == [], payload
        assert page.dangers == [], payload
