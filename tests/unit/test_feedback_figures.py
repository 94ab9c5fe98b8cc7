"""Pictures: they show what the data says, have a twin in words, and never cost the page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reading_html import Page
from shown_results import (
    BOUNDARIES,
    COMPARISON,
    DIRECTIONS,
    ERROR_MAP,
    FIGURES,
    GRADIENTS,
    LARGE_ERROR_MAP,
    PAIRING,
    RECEPTIVE_FIELD,
    UNITS,
    WIDTHS,
    gradient,
    result,
    verdict,
)

from pytest_symmetry.feedback.figures import figure
from pytest_symmetry.feedback.html import pages, student_page
from pytest_symmetry.findings import FIGURE_BYTES, Outcome


def drawn(data: dict[str, Any]) -> str:
    """Return one picture as its template draws it."""
    made = figure(data)
    assert made is not None
    return pages().get_template(made.template).render(figure=made, identifier="figure-1")


@pytest.mark.parametrize("data", FIGURES, ids=lambda d: f"{d['kind']}")
def test_picture_has_a_name_a_description_and_a_table(data: dict[str, Any]) -> None:
    """For readers who cannot see it."""
    text = drawn(data)

    assert 'role="img" aria-labelledby="figure-1-title" aria-describedby="figure-1-desc"' in text
    assert '<title id="figure-1-title">' in text
    assert '<desc id="figure-1-desc">' in text
    assert "<summary>The same as a table</summary>" in text
    page = Page(f"<h1></h1>{text}")
    assert page.faults == []
    assert page.dangers == []


def test_error_map_counts_what_differs() -> None:
    """Eight of twelve entries; a value that is no number is among the largest."""
    made = figure(ERROR_MAP)

    assert made is not None
    assert (made.facts["wrong"], made.facts["entries"]) == (8, 12)
    assert made.facts["rows_with_errors"] == [0, 1, 2, 3]
    levels = [cell["level"] for cell in made.shapes["cells"]]
    assert levels == [3, 0, 1, 2, 1, 0, 4, 4, 4, 0, 0, 2]
    assert "nan" in drawn(ERROR_MAP)
    assert made.table.head == ("row", "0", "1", "2")


def test_error_map_names_rows_and_columns_of_large_arrays() -> None:
    """A large map is drawn by the size of its squares, and its table holds the largest entries."""
    made = figure(LARGE_ERROR_MAP)

    assert made is not None
    assert made.facts["rows_with_errors"] == [3, 6, 9, 12, 15, 18]
    assert made.shapes["cells"] == []
    assert len(made.table.rows) == 20
    assert made.table.left_out == 460
    assert len(drawn(LARGE_ERROR_MAP)) < 40_000


@pytest.mark.parametrize(
    ("errors", "shape"), [(0.5, []), ([0.5, 0.0], [2]), ([[0.0, 0.0]], [1, 2]), ([["inf"]], [1, 1])]
)
def test_error_map_takes_numbers_and_vectors(errors: Any, shape: list[int]) -> None:
    """What is not 2-D is one row; no error at all, and infinite errors, are drawn too."""
    assert "<svg" in drawn({"kind": "error-map", "array": "db", "shape": shape, "errors": errors})


def test_units_are_lettered_by_group_and_the_width_is_counted() -> None:
    """Two groups leave three units of six; fourteen copies leave one."""
    made = figure(UNITS)

    assert made is not None
    first, second = made.facts["layers"]
    assert [disc["letter"] for disc in first["discs"]] == ["A", "", "B", "A", "A", "B"]
    assert (first["width"], second["width"]) == (3, 1)
    text = drawn(UNITS)
    assert "effective width 3 of 6" in text
    assert "Group B: units 2 and 5" in text


def test_many_units_are_cut_with_a_word_about_it() -> None:
    """A layer of a thousand units does not fill the page."""
    text = drawn({"kind": "units", "layers": [{"name": "wide", "units": 1000, "classes": [[0, 999]]}]})

    assert "940 units not drawn" in text
    assert "effective width 999 of 1000" in text


def test_width_over_training_draws_one_line_for_each_layer() -> None:
    """Told apart by dashes and names, not by colour."""
    text = drawn(WIDTHS)

    assert "line dash-0" in text
    assert "line dash-1" in text
    assert "hidden layer 2, 6 units: effective width 2 at the start, 6 at the end" in " ".join(text.split())


def test_pairing_joins_each_unit_to_its_partner() -> None:
    """Three units changed their number, one its sign; a layer of a thousand is cut."""
    made = figure(PAIRING)

    assert made is not None
    assert (made.facts["moved"], made.facts["turned"]) == (3, 1)
    assert [line["turned"] for line in made.shapes["lines"]] == [False, True, False, False]
    assert made.table.rows[1] == ("1", "0", "turned", "0.7")
    wide = {"kind": "pairing", "name": "x", "partners": list(range(999, -1, -1)), "signs": [1] * 1000}
    text = drawn(wide | {"correlations": [0.5] * 1000})
    assert "976 units are not drawn" in text
    assert text.count("<circle") == 48


def test_blocks_of_a_large_array_are_called_blocks() -> None:
    """A 100 x 30 array in 3 x 2 blocks: rows 0, 34 and 67, columns 0 and 15."""
    data = {"kind": "error-map", "array": "dW", "shape": [100, 30], "rows": 100, "cols": 30}
    made = figure({**data, "errors": [[0, 0], [0, 0.5], [0, 0]], "scale": "relative to the largest entry"})

    assert made is not None
    assert made.table.rows == (("0", "0", "0"), ("34", "0", "0.5"), ("67", "0", "0"))
    assert (made.facts["rows_with_errors"], made.facts["columns_with_errors"]) == ([34], [15])
    text = drawn({**data, "errors": [[0, 0], [0, 0.5], [0, 0]], "scale": "relative to the largest entry"})
    assert "1 of 6 blocks differ" in text
    assert "the number is its error, relative to the largest entry" in text


def test_gradients_off_the_line_are_counted() -> None:
    """Three of four finite points; a point within its error bar agrees."""
    made = figure(GRADIENTS)

    assert made is not None
    assert (made.facts["agree"], made.facts["shown"], made.facts["left_out"]) == (1, 4, 1)


def test_units_that_share_a_path_share_a_label() -> None:
    """Two units that never part are seen to be one."""
    made = figure(DIRECTIONS)

    assert made is not None
    assert (made.facts["start"], made.facts["end"]) == (2, 2)
    assert [label for _, _, label in made.shapes["labels"]] == ["0, 1", "2"]


def test_boundaries_are_clipped_to_the_picture() -> None:
    """A line that does not cross it is not drawn, and the words say so."""
    made = figure(BOUNDARIES)

    assert made is not None
    assert [line["unit"] for line in made.shapes["lines"]] == [0, 1, 3]
    assert "3 of 4 units have their line within the picture" in drawn(BOUNDARIES)


def test_receptive_fields_name_their_size() -> None:
    """In the description and in the table."""
    assert "conv 2 sees 12 x 12, conv 1 sees 3 x 3" in drawn(RECEPTIVE_FIELD)


def test_comparison_shows_what_is_not_finite_in_words() -> None:
    """nan has no place on an axis."""
    text = drawn(COMPARISON)

    assert "not a finite number" in text
    assert "A1[1, 0]" in text


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"kind": "sculpture"},
        {"kind": "error-map"},
        {"kind": "error-map", "array": "x", "errors": []},
        {"kind": "error-map", "array": "x", "errors": [[1.0], []]},
        {"kind": "error-map", "array": "x", "errors": "abc"},
        {"kind": "error-map", "array": "x", "errors": [[0.0] * 41]},
        {"kind": "units", "layers": None},
        {"kind": "units", "layers": [{"name": "a", "units": "many", "classes": []}]},
        {"kind": "width-over-training", "steps": [], "layers": []},
        {"kind": ["error-map"]},
        {"kind": "width-over-training", "steps": [0], "layers": [{"name": "a", "units": 0, "widths": [1]}]},
        {"kind": "comparison", "array": "x", "seen": [1, 2], "expected": [1]},
        {"kind": "comparison", "array": "x", "seen": "x", "expected": "x"},
    ],
)
def test_data_of_no_known_form_draws_nothing(data: dict[str, Any] | None) -> None:
    """And the page is there all the same."""
    assert figure(data) is None
    page = student_page(result("s", [verdict("q", Outcome.FAILED, 1, [gradient(figure=data)])]), title="t")
    assert "<figure" not in page


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "points",
    "units",
    "axes",
    "range",
    "lines",
    "grid",
    "size",
    "fields",
    "array",
    "errors",
    "shape",
    "layers",
    "steps",
    "seen",
    "expected",
    "rows",
    "cols",
    "scale",
]


@given(st.sampled_from([d["kind"] for d in FIGURES]), st.dictionaries(st.sampled_from(KEYS), JSON))
@example(kind="directions", data={"units": [], "axes": []})
def test_no_data_breaks_a_picture(kind: str, data: dict[str, Any]) -> None:
    """Any JSON either draws nothing or a well-formed picture."""
    if figure({**data, "kind": kind}) is not None:
        assert Page(f"<h1></h1>{drawn({**data, 'kind': kind})}").faults == []


@given(
    st.integers(1, 12), st.integers(1, 12), st.data()
)  # fmt: skip
def test_error_map_is_as_dark_as_the_error_is_large(rows: int, columns: int, data: st.DataObject) -> None:
    """Levels are ordered as the errors are; zero is level 0 and the largest is level 4."""
    row = st.lists(st.floats(0, 1e6), min_size=columns, max_size=columns)
    errors = data.draw(st.lists(row, min_size=rows, max_size=rows))
    made = figure({"kind": "error-map", "array": "x", "shape": [rows, columns], "errors": errors})
    if made is None or not made.shapes["cells"]:
        return
    pairs = sorted(
        zip([v for r in errors for v in r], [c["level"] for c in made.shapes["cells"]], strict=True)
    )

    assert [level for _, level in pairs] == sorted(level for _, level in pairs)
    assert all((value > 0) >= (level > 0) for value, level in pairs)
    assert pairs[-1][1] == (4 if pairs[-1][0] > 0 else 0)


def test_figure_data_of_the_largest_size_keeps_the_page_small() -> None:
    """Six figures of 4 KB each stay within 150 KB with everything else."""
    errors = [[j % 3 for j in range(40)] for _ in range(40)]
    errors[3] = [0.125] * 40
    data = {"kind": "error-map", "array": "dW1", "shape": [40, 40], "errors": errors}
    findings = [gradient(f"dW{i}", figure=data) for i in range(9)]
    page = student_page(result("s", [verdict("q", Outcome.FAILED, 1, findings)]), title="t")

    assert FIGURE_BYTES * 0.8 < len(json.dumps(data, separators=(",", ":"))) <= FIGURE_BYTES
    assert len(page.encode("utf-8")) < 150_000
