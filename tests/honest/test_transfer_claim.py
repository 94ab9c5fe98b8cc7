"""What the notebook `transfer` says of its digits is true: old features beat random ones and a new start."""

from __future__ import annotations

import numpy as np
import pytest

from graders.specimens import source_notebook
from pytest_symmetry.assignment import bundled_assignments

FOLDER = bundled_assignments()["transfer"]
ENOUGH = 15
"""Draws; the notebook makes twenty."""


@pytest.fixture(scope="module")
def notebook():
    """The names that the notebook binds, up to where it compares."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(FOLDER)
        patch.setenv("MPLBACKEND", "agg")
        names: dict[str, object] = {"axes_side_by_side": None}
        for cell in source_notebook(FOLDER)["cells"]:
            if cell["cell_type"] == "code" and not cell["id"].endswith("figure"):
                code = "".join(cell["source"]).replace("range(20)", f"range({ENOUGH})")
                exec(compile(code, cell["id"], "exec"), names)
    return names


def test_old_features_beat_random_ones_and_a_new_start(notebook):
    """By more than four standard errors of the paired differences, and two against a new start."""
    shares = notebook["shares"]
    against_random, against_new = (notebook["paired"](shares[:, 0], shares[:, k]) for k in (1, 2))

    assert shares.shape == (ENOUGH, 3)
    assert against_random[0] > 4 * against_random[1]
    assert against_new[0] > 2 * against_new[1]


def test_frozen_features_did_not_move(notebook):
    """To the last bit, while the head did."""
    before, after = notebook["before"], notebook["after"]

    assert all(np.array_equal(before[name], after[name]) for name in ("W1", "b1"))
    assert not any(np.array_equal(before[name], after[name]) for name in ("W2", "b2"))
    assert all(np.all(notebook["gradients"][name] == 0) for name in ("dW1", "db1"))


def test_the_new_digits_are_not_among_the_old(notebook):
    """The first layer was trained without one look at them."""
    assert not set(notebook["OLD"]) & set(notebook["NEW"])
    assert set(notebook["OLD"]) | set(notebook["NEW"]) == set(range(10))
