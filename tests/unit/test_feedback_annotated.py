"""The annotated notebook: findings beside their cells, and nothing of a student's that could do harm."""

from __future__ import annotations

import json
import re
from xml.etree.ElementTree import Element, SubElement

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading_html import Page
from shown_results import SOURCE, all_right, gradient, result, verdict, wrong_gradient
from xss_payloads import PAYLOADS

from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.feedback.annotated import annotated_page
from pytest_symmetry.feedback.prose import formula, mathml, prose
from pytest_symmetry.findings import Finding, Outcome, Place

TITLE = "Planar"
TEXT = {"p", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "br", "hr", "div"}
TABLES = {"table", "thead", "tbody", "tr", "th", "td", "mtable", "mtr", "mtd"}
MATH = {"math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msqrt", "mroot", "mspace", "mstyle"}
SCRIPTS = {"msub", "msup", "msubsup", "munder", "mover", "munderover"}
INERT = TEXT | TABLES | MATH | SCRIPTS
INERT_ATTRIBUTES = {"class", "tabindex", "role", "aria-label", "scope", "display", "stretchy", "width"}


def notebook(*cells: tuple[str, str], output: str = "") -> str:
    """Return a notebook of (kind, source) cells, every code cell with the same output."""
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": output},
        {"output_type": "error", "ename": "E", "evalue": output, "traceback": [output]},
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": output, "text/plain": output,
                                                                 "image/svg+xml": output}},
    ]  # fmt: skip
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
            "cells": [
                {"cell_type": kind, "id": f"c{i}", "metadata": {}, "source": source}
                | ({"outputs": outputs if output else [], "execution_count": None} if kind == "code" else {})
                for i, (kind, source) in enumerate(cells)
            ],
        }
    )


PLANAR = notebook(
    ("markdown", "# Planar\n\nThe gradient is $\\frac{1}{m} dZ X^T$."),
    *(("code", f"x = {i}") for i in range(1, 7)),
    ("code", SOURCE[7]),
    ("code", ""),
    ("code", "def train():\n    pass"),
    output="cost 0.69",
)


def test_findings_stand_beside_their_cells() -> None:
    """Cells are counted as in the place of a finding; consequences and notes are called what they are."""
    text = annotated_page(PLANAR, wrong_gradient(), title=TITLE)
    page = Page(text)
    cells = re.split(r'aria-label="Code cell (\d+)"', text)
    by_number = dict(zip(cells[1::2], cells[2::2], strict=True))

    assert page.faults == []
    assert page.dangers == []
    assert "Look at this first" in by_number["7"]
    assert '<li value="12" class="marked"><mark><code>    dW1 = dZ1 @ X.T</code></mark>' in by_number["7"]
    assert "Also found" in by_number["7"]
    assert "Follows from another finding" in by_number["9"]
    assert "(empty)" in by_number["8"]
    assert text.count("<dt>Hint</dt>") == 1


def test_outputs_are_left_out_unless_asked_for() -> None:
    """And then only their text is shown."""
    assert "cost 0.69" not in annotated_page(PLANAR, all_right(), title=TITLE)
    shown = annotated_page(PLANAR, all_right(), title=TITLE, outputs=True)
    assert "cost 0.69" in shown
    assert "(image/svg+xml is not shown)" in shown


def test_finding_without_a_cell_is_told_at_the_end() -> None:
    """Nothing is lost: also not what concerns a cell that is not there."""
    findings = [Finding("ZZZ1", facts={"a": "nowhere"}), gradient(place=Place("f", 99, 1))]
    shown = result("s", [verdict("q", Outcome.FAILED, 1, findings)])
    text = annotated_page(notebook(("code", "x")), shown, title=TITLE)
    end = text.split("Findings about no single cell")[1]

    assert "a = nowhere" in end
    assert "f, cell 99, line 1" in end


def test_old_notebooks_are_read_too() -> None:
    """Version 3 is upgraded."""
    cell = {"cell_type": "code", "language": "python", "input": "x = 1", "outputs": []}
    old = {
        "nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
        "worksheets": [{"cells": [cell]}],
    }  # fmt: skip

    assert "x = 1" in annotated_page(json.dumps(old), all_right(), title=TITLE)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "not json", '{"nbformat": 4}', '{"nbformat": 4, "cells": [1]}']
)
def test_what_is_no_notebook_is_said_in_one_sentence(text: str) -> None:
    """Not a traceback."""
    with pytest.raises(SubmissionError, match="not a notebook that Jupyter could open"):
        annotated_page(text, all_right(), title=TITLE)


def test_same_input_gives_same_bytes() -> None:
    """And one page leaves nothing behind in the next."""
    first = annotated_page(PLANAR, wrong_gradient(), title=TITLE)
    annotated_page(notebook(("code", "x")), all_right(), title=TITLE)

    assert first == annotated_page(PLANAR, wrong_gradient(), title=TITLE)


@pytest.mark.parametrize("kind", ["markdown", "code", "raw"])
def test_no_payload_leaves_its_cell(kind: str) -> None:
    """Sixty payloads as prose, code, raw cell and output."""
    for payload in PAYLOADS:
        links = (f"[x]({payload})", f"![{payload}]({payload})")
        for wrapped in (payload, f"${payload}$", f"$\\text{{{payload}}}$", *links):
            text = notebook((kind, wrapped), ("code", payload), output=payload)
            page = Page(annotated_page(text, all_right(), title=TITLE, outputs=True))
            assert page.faults == [], wrapped
            assert page.dangers == [], wrapped


def inert(markup: str) -> list[str]:
    """Return what in a piece of markup is not on the closed list of harmless elements and attributes."""
    page = Page(f"<h1></h1>{markup}")
    tags = [tag for tag in page.tags[1:] if tag not in INERT]
    return page.faults + tags + [name for _, name, _ in page.attributes if name not in INERT_ATTRIBUTES]


MARKS = [
    "# ",
    "* ",
    "1. ",
    "> ",
    "`",
    "```",
    "**",
    "_",
    "~~",
    "---",
    "](",
    "[",
    "![",
    ")",
    "\n",
    "\n\n",
    "  ",
    "\t",
]
TAGS = [
    "<b>",
    "</b>",
    "<script>",
    "<!--",
    "-->",
    "&lt;",
    "&",
    "<http://e.x>",
    "http://e.x",
    "[a]: javascript:x\n",
]
TEX = [
    "$",
    "$$",
    "\\",
    "{",
    "}",
    "\\text{",
    "\\href{javascript:x}{y}",
    "\\frac",
    "\\style{a}{b}",
    "\\begin{matrix}",
]
PIECES = [*MARKS, *TAGS, *TEX, "\\end{matrix}", "é", "word"]
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n"
MARKDOWN = st.lists(st.sampled_from([*PIECES, TABLE]), max_size=25).map("".join)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(MARKDOWN | st.text(max_size=80))
def test_prose_is_made_of_harmless_elements_only(text: str) -> None:
    """Whatever a student writes in Markdown."""
    assert inert(str(prose(text))) == []


@given(MARKDOWN | st.text(max_size=80), st.booleans())
def test_formulas_are_made_of_harmless_elements_only(text: str, displayed: bool) -> None:
    """Also those that a converter would let through: links, styles, tags inside text."""
    assert inert(str(formula(text, displayed=displayed))) == []


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**a** *b* `c`", "<p><strong>a</strong> <em>b</em> <code>c</code></p>"),
        ("[a](http://e.x/?q=1&r=2)", "<p>a (http://e.x/?q=1&amp;r=2)</p>"),
        ("![a cat](http://e.x/c.png)", "<p>[picture: a cat]</p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("# T", '<p class="heading">T</p>'),
        ("1. a\n2. b", "<ol><li>a</li>\n<li>b</li>\n</ol>"),
    ],
)
def test_prose_reads_like_this(markdown: str, shown: str) -> None:
    """The common pieces of Markdown."""
    assert str(prose(markdown)).strip() == shown


def test_formulas_need_no_script_and_no_network() -> None:
    """They become MathML; what cannot be set is shown as typed."""
    pytest.importorskip("latex2mathml", reason="formulas are shown as typed without the extra grade")

    assert "<mfrac><mrow><mn>1</mn></mrow><mrow><mi>m</mi></mrow></mfrac>" in formula(
        r"\frac{1}{m}", displayed=False
    )
    assert str(formula(r"\frac{", displayed=False)) == r'<code class="tex">\frac{</code>'
    assert "&lt;script&gt;" in formula(r"\text{<script>x</script>}", displayed=True)
    assert '<mspace width="1em"></mspace>' in formula(r"a \quad b", displayed=False)
    assert "href" not in formula(r"\href{javascript:x}{y}", displayed=False)


def test_elements_that_no_formula_needs_become_plain_rows() -> None:
    """Whatever a converter of tomorrow puts in: a script, a link, a style."""
    pytest.importorskip("latex2mathml", reason="formulas are shown as typed without the extra grade")
    root = Element("math", {"onclick": "x"})
    SubElement(root, "script", {"src": "x"}).text = "alert(1)"

    assert str(mathml(root)) == "<math><mrow>alert(1)</mrow></math>"


def test_large_notebooks_are_cut_with_a_word_about_it() -> None:
    """Thousands of cells, lines and characters."""
    cells: list[tuple[str, str]] = [("code", "x\n" * 2000), ("code", "y" * 10**6), ("markdown", "z " * 10**5)]
    text = annotated_page(notebook(*cells, *[("code", "1")] * 400), all_right(), title=TITLE)

    assert "1600 more lines are not shown" in text
    assert "103 more cells are not shown" in text
    assert len(text) < 400_000


def test_everything_a_student_wrote_is_there() -> None:
    """Every line of code, in order."""
    text = Page(annotated_page(PLANAR, all_right(), title=TITLE)).text

    for line in SOURCE[7].splitlines():
        assert line in text
