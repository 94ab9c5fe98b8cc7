"""Pages as a browser, a screen reader, a keyboard, a printer and the W3C's checker meet them."""

from __future__ import annotations

from typing import Any

import pytest
from shown_results import every_figure, every_page
from xss_payloads import PAYLOADS

pytestmark = pytest.mark.browser

PAGES = [*(f"student-{name}" for name in every_page()), "class", "class-staff", "annotated"]
PAGES += [result.student for result in every_figure()]
NOTEBOOKS = ["notebook-light", "notebook-dark"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES + NOTEBOOKS)
def test_axe_finds_no_barrier(visited: dict[str, Any], name: str, scheme: str) -> None:
    """With everything unfolded, contrast included; nothing that axe could not decide about contrast."""
    report = visited["pages"][name]["axe"][scheme]

    assert report["violations"] == []
    assert report["passes"] > 10
    assert [i for i in report["incomplete"] if i["id"] != "color-contrast"] == []


@pytest.mark.parametrize("name", PAGES + NOTEBOOKS)
def test_page_asks_for_nothing_and_says_nothing(visited: dict[str, Any], name: str) -> None:
    """No request but for the file itself, no console message, no dialog."""
    seen = visited["pages"][name]["seen"]

    assert {url.rsplit("/", 1)[1] for url in seen["requests"]} == {f"{name}.html"}
    assert seen["console"] == []
    assert seen["dialogs"] == []


@pytest.mark.parametrize("name", PAGES + NOTEBOOKS)
def test_page_fits_320_pixels(visited: dict[str, Any], name: str) -> None:
    """Nothing scrolls sideways but tables and code in their own frames."""
    assert visited["pages"][name]["widthAt320"] == 320


@pytest.mark.parametrize("name", PAGES + NOTEBOOKS)
def test_page_works_by_keyboard(visited: dict[str, Any], name: str) -> None:
    """Every stop is reached, focus is seen, and Enter unfolds."""
    keyboard = visited["pages"][name]["keyboard"]

    assert keyboard["reached"] == keyboard["wanted"]
    assert keyboard["outline"] in {"solid", "none needed"}
    assert abs(keyboard["toggled"]) == 1 or keyboard["outline"] == "none needed"


@pytest.mark.parametrize("name", [p for p in PAGES if p.startswith("student")])
def test_student_page_prints_on_three_pages(visited: dict[str, Any], name: str) -> None:
    """On A4."""
    assert 1 <= visited["pages"][name]["printedPages"] <= 3


@pytest.mark.parametrize("screen", ["desktop", "phone"])
@pytest.mark.parametrize("name", ["student-wrong-gradient", "student-same-units"])
def test_first_screen_holds_cause_place_and_hint(visited: dict[str, Any], name: str, screen: str) -> None:
    """1280 x 800 and 360 x 740, without scrolling."""
    seen = visited["pages"][name]["screens"][screen]

    for part in ("title", "place", "hint"):
        assert seen[part]["text"]
        assert seen[part]["bottom"] <= seen["height"], part
        assert seen[part]["right"] <= seen["width"], part


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_report_keeps_its_layout_in_a_notebook(visited: dict[str, Any], name: str) -> None:
    """What a front end says of lists does not squeeze the labels: each is as wide as its word."""
    for label in visited["pages"][name]["labels"]:
        assert label["width"] > 60, label
        assert label["height"] < 60, label


@pytest.mark.sweep
@pytest.mark.parametrize("screen", ["desktop", "phone"])
def test_reader_of_a_specimens_page_sees_cause_place_and_hint(specimens: dict[str, Any], screen: str) -> None:
    """Twelve planted mistakes, as their students meet them."""
    hidden = {
        name: [p for p in ("title", "place", "hint") if not (s[p] and s[p]["bottom"] <= s["height"])]
        for name, screens in specimens.items()
        for s in [screens[screen]]
    }

    assert len(specimens) == 12
    assert {name: parts for name, parts in hidden.items() if parts} == {}


@pytest.mark.parametrize("name", [*map(str, range(len(PAYLOADS))), "annotated"])
def test_no_payload_runs_in_a_browser(visited: dict[str, Any], name: str) -> None:
    """Even without the page's policy: no script, no event, no dialog, no request."""
    seen = visited["hostile"][name]

    assert seen["dialogs"] == []
    assert seen["console"] == []
    assert len(seen["requests"]) == 1
    assert (seen["scripts"], seen["handlers"]) == (0, 0)


@pytest.mark.parametrize("name", PAGES)
def test_w3c_checker_finds_nothing(checked: dict[str, list[str]], name: str) -> None:
    """Neither errors nor warnings."""
    assert checked[f"{name}.html"] == []
