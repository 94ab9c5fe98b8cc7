"""The page about a class: what it counts, what it never tells, and its size."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from reading_html import Page
from shown_results import a_class, every_page, gradient, result, same_units, verdict
from xss_payloads import PAYLOADS

from graders.class_counts import class_csv, compared, general_title
from graders.class_page import class_page
from pytest_symmetry.diagnosis.causes import all_causes, all_codes
from pytest_symmetry.feedback.html import page_file
from pytest_symmetry.findings import Finding, Outcome, Place

FAILED = Outcome.FAILED
TITLE = "Planar"


def text_of(page: str) -> str:
    """Return what a reader of the page reads."""
    return " ".join(Page(page).text.split())


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("size", [0, 1, 2, 60])
def test_page_is_well_formed_and_loads_nothing(names: bool, size: int) -> None:
    """For classes of every size, none included."""
    page = Page(class_page(a_class(size), title=TITLE, names=names))

    assert page.faults == []
    assert page.dangers == []


def test_causes_are_counted_by_students() -> None:
    """Once for each student, however often a student has it; consequences not at all."""
    missing, follows = gradient(cause="factor-m"), gradient(consequence_of="GRD101")
    results = [
        result("a", [verdict("q1", FAILED, 1, [missing, missing]), verdict("q2", FAILED, 1, [missing])]),
        result("b", [verdict("q1", FAILED, 1, [missing]), verdict("q2", FAILED, 1, [follows])]),
        result("c", [verdict("q1"), verdict("q2", FAILED, 1, [gradient()])]),
        result("d", [verdict("q1"), verdict("q2")]),
    ]
    text = text_of(class_page(results, title=TITLE, names=True))

    assert "The 1/m is missing GRD101 2 of 4" in text
    assert "The gradient … is not the slope of the loss GRD101 1 of 4" in text


def test_questions_show_how_many_passed() -> None:
    """In the assignment's order, and the hardest first."""
    results = [
        result(s, [verdict("easy"), verdict("hard", o)]) for s, o in (("a", FAILED), ("b", Outcome.TIMED_OUT))
    ]
    text = text_of(class_page(results, title=TITLE))

    assert "easy 100 % 2 / 2 hard 0 % 0 / 2 1 failed, 1 timed out" in text
    assert text.index("hard 0 %", text.index("The hardest first")) < text.rindex("easy 100 %")


def test_points_are_distributed_over_all_students() -> None:
    """Every graded student is in exactly one bar."""
    results = a_class(200)
    page = class_page(results, title=TITLE)
    description = re.search(r'<desc id="points-desc">(.*?)</desc>', page, re.DOTALL)

    assert description is not None
    counts = [int(n) for n in re.findall(r"points: (\d+)\.", description[1])]
    assert sum(r.status == "graded" for r in results) == sum(counts)


def test_part_of_a_class_says_so() -> None:
    """A page made before the end names how many are missing."""
    assert "20 of 300 submissions so far" in text_of(class_page(a_class(20), title=TITLE, expected=300))
    assert "so far" not in text_of(class_page(a_class(20), title=TITLE, expected=20))


def test_page_for_the_projector_tells_nobody() -> None:
    """Without names: no student, no file, no link, no text that only a few share."""
    odd = Finding("ZZZ1", facts={"said": "secret-fact"}, place=Place("secret_function", 1, 2, "secret_array"))
    results = [
        *a_class(40),
        *every_page().values(),
        result("secret-name", [verdict("backward", FAILED, 5, [odd])]),
        result("someone", [verdict("test_cost[secret-three]")]),
        result("secret-two", [], "not gradable", "secret-reason in the file"),
    ]
    page = class_page(results, title=TITLE)

    assert [r.student for r in results if r.student in page] == []
    assert "secret" not in page
    assert "href" not in page
    assert "various reasons" in page


def test_page_for_staff_links_every_student() -> None:
    """Each link is the file that the student's page has."""
    results = [*a_class(30), result("Zoë O'Hara", [verdict("q")])]
    page = Page(class_page(results, title=TITLE, names=True))
    links = {value for _, name, value in page.attributes if name == "href"}

    assert {f"feedback/{page_file(r.student)}" for r in results} == links


def test_students_are_listed_in_the_orders_that_staff_ask_for() -> None:
    """By name, by points, by first cause: nothing on the page needs a script."""
    results = [
        result("Zoe", [verdict("q", max_points=1)]),
        result("ada", [verdict("q", FAILED, 1, [gradient(cause="factor-m")])]),
        result("Ben", [], "not gradable", "empty"),
    ]
    page = class_page(results, title=TITLE, names=True)
    orders = [re.findall(r"<bdi>(\w+)</bdi>", part) for part in page.split("<summary>All 3 ")[1:]]

    assert [["ada", "Ben", "Zoe"], ["Ben", "ada", "Zoe"], ["ada", "Ben", "Zoe"]] == orders


def test_two_runs_are_compared_over_those_in_both() -> None:
    """Who is new or gone does not count."""
    missing = gradient(cause="factor-m")
    first = [result(s, [verdict("q", FAILED, 4, [missing]), verdict("p")]) for s in ("a", "b", "c")]
    second = [
        result("a", [verdict("q", max_points=4), verdict("p")]),
        result("b", [verdict("q", FAILED, 4, [missing]), verdict("p", FAILED)]),
        result("d", [verdict("q", FAILED, 4, [missing])]),
    ]
    change = compared(first, second)

    assert change is not None
    assert (2, 2.0, 3.0, 1, 1) == (
        change.students, change.mean_before, change.mean_now, change.risen, change.fallen,
    )  # fmt: skip
    assert [("The 1/m is missing", 2, 1)] == [(c.title, c.before, c.now) for c in change.causes]
    assert compared(first, []) is None
    text = text_of(class_page(second, title=TITLE, before=first, names=True))
    assert "2 students are in both runs: mean 2 points then, 3 now. 1 rose, 1 fell." in text
    assert "The 1/m is missing GRD101 2 1" in text


def test_counts_as_csv_hold_no_name_and_no_formula() -> None:
    """One line for each question and each cause; what a spreadsheet would run is quoted."""
    results = [result("=cmd|x", [verdict("=1+1", FAILED, 2, [gradient(cause="factor-m")]), verdict("b")])]
    lines = class_csv(results).splitlines()

    assert lines[0].startswith("what,name,code,passed,failed,not attempted,")
    assert lines[1:] == [
        "question,'=1+1,,0,1,0,0,0,0,0,1,1,0.0",
        "question,b,,1,0,0,0,0,0,0,1,1,2.0",
        "cause,The 1/m is missing,GRD101,,,,,,,,1,1,",
    ]


def test_no_text_of_a_student_leaves_its_place() -> None:
    """Sixty payloads as name, reason, question, function, array and fact, in both forms of the page."""
    for names in (False, True):
        for payload in PAYLOADS:
            finding = gradient(payload, place=Place(payload, 1, 1, payload))
            shown = result(payload, [verdict(payload, FAILED, 1, [finding])])
            stopped = replace(
                shown, status="not gradable", reason=payload, isolation=payload, versions={payload: payload}
            )
            page = Page(
                class_page([shown, shown, shown, stopped, stopped, stopped], title=payload, names=names)
            )
            assert page.faults == [], payload
            assert page.dangers == [], payload


def test_ten_thousand_students_fit_in_three_megabytes() -> None:
    """With all names."""
    page = class_page(a_class(10_000), title=TITLE, names=True)

    assert len(page.encode("utf-8")) < 3_000_000
    assert page.count("<a href=") >= 10_000


@pytest.mark.parametrize("code", all_codes())
def test_every_code_has_a_title_without_facts(code: str) -> None:
    """The class page speaks of all students at once."""
    title = general_title(code, None)

    assert code != title
    assert "{" not in title


@pytest.mark.parametrize("cause", sorted(all_causes()))
def test_every_cause_has_a_title_without_facts(cause: str) -> None:
    """As above, for causes."""
    title = general_title("GRD101", cause)

    assert title
    assert "{" not in title


def test_same_input_gives_same_bytes() -> None:
    """No time of making, no order of a set."""
    results = [*a_class(25), same_units()]

    assert class_page(results, title=TITLE, names=True) == class_page(results, title=TITLE, names=True)


SUSPICIOUS = {
    "student": "s00002",
    "question": "test_gradients",
    "kind": "finite differences",
    "measured": "backward called cost 31 times, and its error is that of a difference with step 1e-7.",
    "explanations": ["A gradient check was left inside the function.", "The code computes in float32."],
}


def test_staff_are_shown_what_a_person_should_look_at() -> None:
    """Student, question, what was measured, and what else looks like it."""
    page = class_page(a_class(5), title=TITLE, names=True, suspicious=[SUSPICIOUS])
    text = text_of(page)

    assert Page(page).faults == []
    assert (
        "s00002 gradients finite differences backward called cost 31 times, and its error is that of a "
        "difference with step 1e-7. A gradient check was left inside the function. "
        "The code computes in float32."
    ) in text
    assert "It has changed no points, and it stands on no student's page." in text
    assert f'href="feedback/{page_file("s00002")}"' in page


def test_the_projected_page_says_nothing_of_suspicion() -> None:
    """Not even that there is any: the two pages are the same to the byte."""
    results = a_class(40)

    assert class_page(results, title=TITLE) == class_page(results, title=TITLE, suspicious=[SUSPICIOUS])


def test_a_record_that_says_little_is_shown_as_far_as_it_goes() -> None:
    """Another tool's record, or one that holds markup."""
    for payload in PAYLOADS:
        records = [{"student": payload, "measured": payload, "kind": payload, "explanations": [payload]}]
        page = Page(class_page([], title=TITLE, names=True, suspicious=records))
        assert page.faults == []
        assert page.dangers == []
