"""A difference between two arrays, as a picture: which kind, and that every one can be drawn."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pytest_symmetry import CheckFailed, check_matches
from pytest_symmetry.checks.pictures import difference_figure
from pytest_symmetry.feedback.figures import figure
from pytest_symmetry.findings import FIGURE_BYTES, Finding


def finding_of(student, expected):
    with pytest.raises(CheckFailed) as caught:
        check_matches(student, expected)
    return caught.value.finding


def test_few_entries_are_shown_side_by_side():
    shown = finding_of(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.5], [3.0, 4.0]])).figure

    assert {
        "kind": "comparison", "array": "result",
        "seen": [[1.0, 2.0], [3.0, 4.0]], "expected": [[1.0, 2.5], [3.0, 4.0]],
    } == shown  # fmt: skip


def test_many_entries_are_a_map_on_the_arrays_own_shape():
    right = np.arange(20.0).reshape(4, 5)
    wrong = right.copy()
    wrong[2, 3] += 5
    shown = finding_of({"A1": wrong}, {"A1": right}).figure

    assert ("error-map", "A1", [4, 5]) == (shown["kind"], shown["array"], shown["shape"])
    assert [(2, 3)] == [(i, j) for i, row in enumerate(shown["errors"]) for j, v in enumerate(row) if v]


def test_what_is_not_finite_is_seen_in_the_map():
    right = np.ones((4, 5))
    wrong = right.copy()
    wrong[1, 1] = np.nan
    shown = finding_of(wrong, right)

    assert "MAT105" == shown.code
    assert "nan" == shown.figure["errors"][1][1]
    assert 1 == figure(shown.figure).facts["wrong"]


@pytest.mark.parametrize("pair", [(1.0, 2.0), ("a", "b"), (np.array([1.0]), np.array([2.0]))])
def test_one_value_needs_no_picture(pair):
    assert finding_of(*pair).figure is None


def test_shapes_and_names_have_no_picture():
    assert finding_of(np.ones((2, 3)), np.ones((3, 2))).figure is None
    assert finding_of({}, {"W": np.ones(3)}).figure is None


@given(st.data())
def test_every_difference_can_be_drawn_within_its_bytes(data):
    """Any shape, any dtype, infinities and NaN."""
    shape = data.draw(arrays.array_shapes(max_dims=4, max_side=40))
    kinds = st.sampled_from(["f8", "f4", "i8", "?", "c16"])
    first, second = (data.draw(arrays.arrays(data.draw(kinds), shape)) for _ in range(2))
    shown = difference_figure("dW1", first, second)

    if shown is None:
        assert first.size < 2
    else:
        kept = Finding("MAT101", figure=shown).figure
        assert len(json.dumps(kept)) <= FIGURE_BYTES
        assert figure(kept) is not None
