"""A small assignment that runs in a moment, and submissions made by changing its solution."""

import json
from pathlib import Path

SOLUTION = """\
import numpy as np

def initialize(n_x, n_h, seed=0):
    rng = np.random.default_rng(seed)
    W1, W2 = rng.normal(size=(n_h, n_x)), rng.normal(size=(1, n_h))
    return {"W1": W1, "b1": np.zeros((n_h, 1)), "W2": W2, "b2": np.zeros((1, 1))}
""", """\
def loss(X, Y, parameters):
    A = np.tanh(parameters["W1"] @ X + parameters["b1"])
    return float(np.mean((parameters["W2"] @ A + parameters["b2"] - Y) ** 2))

def gradients(X, Y, parameters):
    A = np.tanh(parameters["W1"] @ X + parameters["b1"])
    D = 2 * (parameters["W2"] @ A + parameters["b2"] - Y) / X.shape[1]
    Z = (parameters["W2"].T @ D) * (1 - A**2)
    db1, db2 = Z.sum(axis=1, keepdims=True), D.sum(axis=1, keepdims=True)
    return {"dW1": Z @ X.T, "db1": db1, "dW2": D @ A.T, "db2": db2}
"""  # fmt: skip

TESTS = """\
import pytest
from pytest_symmetry import check_gradients, check_matches, check_symmetry

@pytest.fixture
def net(probe_rng):
    shapes = {"W1": (5, 3), "b1": (5, 1), "W2": (1, 5), "b2": (1, 1)}
    return {
        "X": probe_rng.normal(size=(3, 7)),
        "Y": probe_rng.normal(size=(1, 7)),
        "parameters": {k: probe_rng.normal(size=s) for k, s in shapes.items()},
    }

@pytest.mark.points(1)
def test_start(submission):
    check_symmetry(submission.initialize(3, 5))

@pytest.mark.points(2)
def test_loss(submission, reference, net):
    check_matches(submission.loss, reference.loss, net["X"], net["Y"], net["parameters"])

@pytest.mark.points(3)
def test_gradients(submission, net):
    check_gradients(
        lambda p: submission.loss(net["X"], net["Y"], p),
        lambda p: submission.gradients(net["X"], net["Y"], p),
        net["parameters"],
    )
"""

TOML = """\
schema = 1
name = "tiny"
title = "A tiny assignment"
notebook = "tiny.ipynb"
[limits]
seconds_per_call = 1
"""


def notebook(*cells):
    """Return the text of a notebook with these code cells."""
    made = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "source": text,
            "outputs": [],
            "execution_count": None,
        }
        for i, text in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


def write(path, text):
    """Write a file and the folders above it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_course(folder):
    """Write the assignment."""
    write(folder / "assignment.toml", TOML)
    write(folder / "tiny.ipynb", notebook(*SOLUTION))
    write(folder / "test_tiny.py", TESTS)
    return folder


def write_submission(path, *changes, extra=()):
    """Write the solution with (old, new) changes and extra cells as a student's notebook."""
    cells = list(SOLUTION)
    for old, new in changes:
        assert any(old in cell for cell in cells), old
        cells = [cell.replace(old, new) for cell in cells]
    return write(path, notebook(*cells, *extra))
