"""The student's page: what it says, that it is valid and small, and that students' text stays text."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading_html import Page
from shown_results import (
    FACTS,
    FIGURES,
    SOURCE,
    all_right,
    every_page,
    gradient,
    not_attempted,
    result,
    same_units,
    verdict,
    wrong_gradient,
)  # fmt: skip
from xss_payloads import PAYLOADS

from pytest_symmetry.feedback.html import page_file, student_page
from pytest_symmetry.feedback.text import question_words
from pytest_symmetry.findings import Finding, Outcome, Place, Result

TITLE = "Planar: one hidden layer"


def squeezed(text: str) -> str:
    """Return text with white space as a reader sees it."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", sorted(every_page()))
@pytest.mark.parametrize("reveal", ["hint", "cause"])
def test_page_is_well_formed_and_loads_nothing(name: str, reveal: str) -> None:
    """Tags closed, ids once, headings in order; no script, no event, no address, no style attribute."""
    text = student_page(every_page()[name], title=TITLE, reveal=reveal, source=SOURCE)
    page = Page(text)

    assert page.faults == []
    assert page.dangers == []
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert ("meta", "content", policy) in page.attributes
    assert re.search(r"https?:", text) is None
    assert len(text.encode("utf-8")) < 150_000


def test_page_says_first_cause_in_full_and_others_without_hint() -> None:
    """Points, what is right, place, code, I see, Expected, why, one hint; then the rest."""
    text = squeezed(Page(student_page(wrong_gradient(), title=TITLE, source=SOURCE)).text)
    order = [
        "9 of 22 points", "4 of 8 questions are right", "initialize parameters, forward, cost and update.",
        "The gradient dW1 is not the slope of the loss", "backward, cell 7, line 12: dW1[2, 1]",
        "I see", "Expected", "Hint", "Why it matters", "1 more difference follows", "Your cell 7",
        "dW1 = dZ1 @ X.T ← here", "Also found", "The gradient dW2 is not", "Every question", "Notes",
        "Printed by your code", "File inbox/s0412.ipynb", "SHA-256 ab12cd34ab12",
        "Seed 310938109381093810938", "Isolation plain process", "numpy 2.4.6",
    ]  # fmt: skip
    positions = [text.index(part) for part in order]

    assert sorted(positions) == positions
    assert len(re.findall(r"\bHint\b", text)) == 1
    assert "timed out" in text
    assert "not attempted" in text


def test_marked_line_is_the_students_own() -> None:
    """The line of the finding is marked, with its own number, in an excerpt and in the whole cell."""
    text = student_page(wrong_gradient(), title=TITLE, source=SOURCE)

    assert text.count('<li value="12" class="marked"><mark><code>    dW1 = dZ1 @ X.T</code></mark>') == 2
    assert "13 more lines" in text
    short = student_page(wrong_gradient(), title=TITLE, source={7: "x\n" * 18})
    assert "The whole cell" not in short
    assert short.count('<li value="18">') == 1
    assert "Your cell" not in student_page(wrong_gradient(), title=TITLE)


def test_place_on_the_head_of_a_function_shows_the_function() -> None:
    """A finding that knows only where its function starts does not point at that line as the culprit."""
    finding = gradient(place=Place("backward", 7, 1))
    shown = result("s", [verdict("q", Outcome.FAILED, 1, [finding])])
    text = Page(student_page(shown, title=TITLE, source=SOURCE)).text.split("The whole cell")[0]

    assert "← starts here" in text
    assert "dW1 = dZ1 @ X.T" in text


def test_questions_are_called_as_people_call_them() -> None:
    """Without test_ and underscores; a case in brackets stays."""
    assert question_words("test_units_start_different") == "units start different"
    assert question_words("test_gradients[batch of 2]") == "gradients (batch of 2)"
    assert question_words("test_") == "test_"
    assert question_words("own name") == "own name"


def test_excerpt_without_a_line_shows_the_functions_head() -> None:
    """A place with a cell but no line marks nothing."""
    finding = gradient(place=Place("second", 1))
    cell = "\n".join(["x = 1"] * 20 + ["def second(a):", "    return a"])
    text = student_page(
        result("s", [verdict("q", Outcome.FAILED, 1, [finding])]), title=TITLE, source={1: cell}
    )

    assert "<mark>" not in text
    assert '<li value="21"><code>def second(a):' in text.split("The whole cell")[0]


@pytest.mark.parametrize(
    "source", [{}, {7: ""}, {8: "x"}, {7: "one line"}, {7: "x\n" * 5000}, {7: "y" * 10**6}]
)
def test_any_source_gives_a_page_of_bounded_size(source: dict[int, str]) -> None:
    """Missing, empty, shorter than the line says, or huge."""
    text = student_page(wrong_gradient(), title=TITLE, source=source)

    assert Page(text).faults == []
    assert len(text.encode("utf-8")) < 150_000


def test_lines_are_counted_as_python_counts_them() -> None:
    """A form feed or a Unicode line separator ends no line of a program; the marked one is the right one."""
    cell = "a = 1\x0c\nb = '\u2028'\r\nc = 3\n"
    finding = gradient(place=Place("f", 1, 3))
    text = student_page(
        result("s", [verdict("q", Outcome.FAILED, 1, [finding])]), title=TITLE, source={1: cell}
    )

    assert '<li value="3" class="marked"><mark><code>c = 3</code>' in text
    assert '<li value="4"' not in text


def test_a_line_far_down_a_long_cell_is_shown() -> None:
    """Whatever is cut, the marked line stays."""
    cell = "\n".join(f"x = {i}" for i in range(1, 3000))
    finding = gradient(place=Place("f", 1, 2500))
    text = student_page(
        result("s", [verdict("q", Outcome.FAILED, 1, [finding])]), title=TITLE, source={1: cell}
    )

    assert '<li value="2500" class="marked"><mark><code>x = 2500</code>' in text


def test_a_place_past_the_end_shows_the_start() -> None:
    """Of another version of the file, say; nothing is marked."""
    finding = gradient(place=Place("f", 1, 99))
    shown = result("s", [verdict("q", Outcome.FAILED, 1, [finding])])
    text = student_page(shown, title=TITLE, source={1: "x = 1\n" * 30})

    assert '<li value="1"><code>x = 1</code>' in text
    assert "<mark>" not in text


def test_page_stays_small_whatever_a_student_writes() -> None:
    """Names, facts, prints and code of a hundred thousand quotation marks."""
    long = '"&' * 50_000
    findings = [Finding(f"ZZZ{i}", facts={long: long}, place=Place(long, 7, 3, long)) for i in range(60)]
    tests = [verdict(long + str(i), Outcome.FAILED, 1, findings[: 60 * (i < 3)], long) for i in range(100)]
    shown = replace(result(long, tests), submission=long, assignment=long, seed=long, versions={long: long})
    page = student_page(shown, title=long, source={7: "\n".join([long] * 500)})

    assert len(page.encode("utf-8")) <= 150_000
    assert [] == Page(page).faults


def test_every_outcome_has_its_word() -> None:
    """All seven, as text and not as a colour."""
    text = Page(student_page(same_units(), title=TITLE)).text

    assert [o.value for o in Outcome if o.value not in text] == []


def test_pages_without_a_cause_say_what_is_so() -> None:
    """All right; not attempted; no question; not gradable; waiting."""
    pages = {name: Page(student_page(shown, title=TITLE)).text for name, shown in every_page().items()}

    assert "Every question passed" in pages["all-right"]
    assert "Every question passed" not in pages["not-attempted"]
    assert "could not be graded" in pages["not-gradable"]
    assert "is not a notebook: line 1" in pages["not-gradable"]
    assert "waits for a person" in pages["waiting"]
    assert "two files belong to one student" in pages["waiting"]
    assert "No question was run" in Page(student_page(result("s", []), title=TITLE)).text
    assert "points" not in pages["waiting"].split("Every question")[0].replace("No points", "")


def test_same_input_gives_same_bytes() -> None:
    """Also after a round trip through results.jsonl; no time of making on the page."""
    shown = wrong_gradient()
    read_back = Result.from_json(json.loads(json.dumps(shown.to_json())))

    assert student_page(shown, title=TITLE, source=SOURCE) == student_page(
        read_back, title=TITLE, source=SOURCE
    )


def test_finding_without_words_still_gives_a_page() -> None:
    """An unknown code, a missing fact, an unknown cause: code and facts are shown plainly."""
    broken = [
        Finding("ZZZ999", facts={"units": [0, 3]}),
        Finding("GRD101", facts={"array": "dW1"}),
        gradient(cause="no-such-cause"),
    ]
    for finding in broken:
        page = Page(student_page(result("s", [verdict("q", Outcome.FAILED, 1, [finding])]), title=TITLE))
        assert page.faults == []
        assert finding.code in page.text
        assert next(iter(finding.facts)) in page.text


FIELDS = (
    "student", "submission", "reason", "seed", "isolation", "version", "version name", "assignment", "title",
    "question", "printed", "function", "array", "fact", "unknown fact", "cause", "code", "source",
    "figure array", "figure layer", "sha",
)  # fmt: skip


def hostile(field: str, payload: str) -> str:
    """Return a page with ``payload`` in one field."""
    place = Place(
        payload if field == "function" else "backward", 7, 12, payload if field == "array" else "dW1", (0,)
    )
    figure = {
        "figure array": {**FIGURES[0], "array": payload},
        "figure layer": {"kind": "units", "layers": [{"name": payload, "units": 2, "classes": [[0, 1]]}]},
    }.get(field, FIGURES[0])
    finding = gradient(
        place=place, figure=figure, facts={**FACTS, "array": payload if field == "fact" else "dW1"}
    )
    if field in {"unknown fact", "code", "cause"}:
        finding = Finding(payload if field == "code" else "ZZZ1", payload if field == "cause" else None,
                          facts={payload: payload})  # fmt: skip
    question = payload if field == "question" else "backward"
    printed = payload if field == "printed" else ""
    shown = result("s1", [verdict(question, Outcome.FAILED, 1, [finding], printed)])
    changes: dict[str, dict[str, object]] = {
        "student": {"student": payload}, "submission": {"submission": payload}, "seed": {"seed": payload},
        "isolation": {"isolation": payload}, "version": {"versions": {"numpy": payload}},
        "version name": {"versions": {payload: "1"}}, "assignment": {"assignment": payload},
        "reason": {"reason": payload, "status": "not gradable"}, "sha": {"sha256": payload},
    }  # fmt: skip
    shown = replace(shown, **changes.get(field, {}))
    source = {7: "\n".join([payload] * 14)} if field == "source" else SOURCE
    return student_page(shown, title=payload if field == "title" else TITLE, source=source)


@pytest.mark.parametrize("field", FIELDS)
def test_no_text_of_a_student_leaves_its_place(field: str) -> None:
    """Sixty payloads in each field: the page has the same elements as with a plain word there."""
    plain = Page(hostile(field, "word"))
    for payload in PAYLOADS:
        page = Page(hostile(field, payload))
        assert page.faults == [], payload
        assert page.dangers == [], payload
        several = {"source"}
        if field not in several and "`" not in payload:
            assert plain.tags == page.tags, payload


def test_payload_is_shown_as_it_was_typed() -> None:
    """Nothing is dropped: a student called <script> is called that, and braces are not filled in."""
    for payload in PAYLOADS[:1] + PAYLOADS[12:13] + PAYLOADS[55:57]:
        page = Page(student_page(replace(all_right(), student=payload), title=TITLE))
        assert payload in page.text


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_gives_a_well_formed_page(text: str, name: str) -> None:
    """Whatever a student prints or is called, down to control characters and lone surrogates."""
    finding = gradient(place=Place(name, 7, 2, name), facts={**FACTS, "array": text})
    shown = result(name, [verdict(name, Outcome.FAILED, 1, [finding], text)])
    page = student_page(shown, title=text, source={7: text})

    assert Page(page).faults == []
    assert page.encode("utf-8")
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page) is None


@given(st.lists(st.text(max_size=30), unique=True, max_size=20))
def test_pages_of_different_students_have_different_files(students: list[str]) -> None:
    """Also where a file system folds case; and no name leaves the folder or needs escaping."""
    files = [page_file(student) for student in students]

    assert len(set(students)) == len({file.lower() for file in files})
    assert all(
        re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.html", file) or file.startswith(("_", "-"))
        for file in files
    )
    assert all(len(file) < 100 for file in files)


@pytest.mark.parametrize(
    "name", ["con", "con.x", "nul", "com1", "a.", "..", ".x", "A", "a/b", "a\\b", "a:b", "", "é", "a" * 300]
)
def test_names_that_some_system_cannot_keep_are_spelled_otherwise(name: str) -> None:
    """Windows keeps no con.html and folds A to a."""
    file = page_file(name)

    assert f"{name}.html" != file
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}\.[0-9a-f]{12}\.html", file)
    assert page_file("s0412") == "s0412.html"
    assert page_file("Łukasz Wójcik").startswith("Lukasz-Wojcik.")


def test_not_attempted_is_never_told_as_failed() -> None:
    """The template handed in as it was has no failed question."""
    assert "failed" not in Page(student_page(not_attempted(), title=TITLE)).text
