"""Results as people will see them: the pages, the terminal and the browser tests are shown these."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace

from pytest_symmetry.findings import Finding, Outcome, Place, Result, Verdict

ERROR_MAP = {
    "kind": "error-map",
    "array": "dW1",
    "shape": [4, 3],
    "errors": [[0.31, 0.0, 0.12], [0.2, 0.01, 0.0], [0.5, 0.4, "nan"], [0.0, 0.0, 0.22]],
}
LARGE_ERROR_MAP = {
    "kind": "error-map",
    "array": "dW2",
    "shape": [20, 24],
    "errors": [[round((i * j) % 7 / 7 * (i % 3 == 0), 2) for j in range(24)] for i in range(20)],
}
UNITS = {
    "kind": "units",
    "layers": [
        {"name": "hidden layer 1", "units": 6, "classes": [[0, 3, 4], [1], [2, 5]]},
        {"name": "hidden layer 2", "units": 14, "classes": [list(range(14))]},
    ],
}
WIDTHS = {
    "kind": "width-over-training",
    "steps": [0, 1, 5, 20],
    "layers": [
        {"name": "hidden layer 1", "units": 4, "widths": [1, 1, 1, 1]},
        {"name": "hidden layer 2", "units": 6, "widths": [2, 4, 6, 6]},
    ],
}
COMPARISON = {
    "kind": "comparison",
    "array": "A1",
    "seen": [[0.5, -0.25], ["nan", 2.0]],
    "expected": [[0.5, 0.25], [1.0, 1.0]],
}
GRADIENTS = {
    "kind": "gradients",
    "array": "dW1",
    "points": [[0.1, 0.7, 0.0], [-0.05, -0.35, 1e-9], [0.02, 0.02, 1e-9], [0.2, 1.4, 0.1], [0.1, "nan", 0.0]],
}
DIRECTIONS = {
    "kind": "directions",
    "axes": ["w1", "w3"],
    "units": [
        [[0.5, 0.5], [0.6, 0.4], [0.8, 0.1]],
        [[0.5, 0.5], [0.6, 0.4], [0.8, 0.1]],
        [[-0.2, 0.1], [-0.9, 0.4]],
    ],
}
BOUNDARIES = {
    "kind": "boundaries",
    "range": [-1, 1, -1, 1],
    "points": [[0.1, 0.2, 0], [-0.5, 0.5, 1], [0.6, -0.6, 2], [-0.4, -0.8, 3]],
    "lines": [[1, 0, 0], [0, 1, 0.5], [1, 1, 5], [1, -1, 0]],
    "grid": [[0, 0, 1, 1], [0, 1, 1, 1], [2, 2, 3, 3]],
}
RECEPTIVE_FIELD = {
    "kind": "receptive-field",
    "size": [28, 28],
    "fields": [
        {"name": "conv 2", "rows": [4, 16], "cols": [4, 16]},
        {"name": "conv 1", "rows": [6, 9], "cols": [6, 9]},
    ],
}
PAIRING = {
    "kind": "pairing", "name": "hidden layer 1", "partners": [2, 0, 1, 3], "signs": [1, -1, 1, 1],
    "correlations": [0.98, 0.7, 1.0, 0.2],
}  # fmt: skip
FIGURES = (
    ERROR_MAP, LARGE_ERROR_MAP, UNITS, WIDTHS, COMPARISON, GRADIENTS, DIRECTIONS, BOUNDARIES, RECEPTIVE_FIELD,
    PAIRING,
)  # fmt: skip

FACTS = {
    "array": "dW1",
    "index": [2, 1],
    "student": 0.312,
    "numerical": 0.1559123,
    "error_bar": 2e-9,
    "entries_wrong": 9,
    "entries": 12,
    "factor": 7,
}
SOURCE = {
    7: '''def backward(X, Y, parameters, cache):
    """Gradients of the cost."""
    m = X.shape[1]
    W2 = parameters["W2"]
    A1, A2 = cache["A1"], cache["A2"]

    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m

    dZ1 = (W2.T @ dZ2) * (1 - A1**2)
    dW1 = dZ1 @ X.T
    db1 = dZ1.sum(axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def norm(gradients):
    """Length of all gradients together."""
    total = 0
    for gradient in gradients.values():
        total += (gradient**2).sum()
    return total**0.5
'''
}
QUESTIONS = (
    ("initialize parameters", 2),
    ("forward", 3),
    ("cost", 2),
    ("backward", 5),
    ("update", 2),
    ("units differentiate when trained", 4),
)


def gradient(array: str = "dW1", **changes: object) -> Finding:
    """Return a finding about one gradient, with every fact that its words need."""
    finding = Finding(
        "GRD101",
        place=Place("backward", 7, 12, array, (2, 1)),
        facts={**FACTS, "array": array},
        figure=ERROR_MAP,
    )
    return replace(finding, **changes)


def verdict(
    name: str,
    outcome: Outcome = Outcome.PASSED,
    max_points: float = 2,
    findings: Sequence[Finding] = (),
    printed: str = "",
) -> Verdict:
    """Return what one question came to: all points where it passed, else none."""
    points = max_points if outcome is Outcome.PASSED else 0
    nodeid = f"test_planar.py::test_{name.replace(' ', '_')}"
    return Verdict(name, nodeid, outcome, points, max_points, tuple(findings), printed)


def result(student: str, tests: Sequence[Verdict], status: str = "graded", reason: str = "") -> Result:
    """Return one submission's result."""
    return Result(
        student=student,
        submission=f"inbox/{student}.ipynb",
        sha256="ab12cd34" * 8,
        status=status,
        reason=reason,
        points=sum(t.points for t in tests),
        max_points=sum(t.max_points for t in tests),
        assignment="planar",
        versions={"python": "3.11.2", "numpy": "2.4.6", "pytest-symmetry": "0.1.0"},
        seed="310938109381093810938",
        isolation="plain process",
        tests=tuple(tests),
    )


def wrong_gradient() -> Result:
    """A gradient without its 1/m, a consequence, a second cause, a note, a loop, a question left alone."""
    missing = gradient(cause="factor-m")
    other = gradient("dW2", place=Place("backward", 7, 8, "dW2"), figure=LARGE_ERROR_MAP)
    follows = gradient("W1", place=Place("train", 9, 2, "W1"), consequence_of="GRD101", figure=None)
    note = gradient("db1", severity="note", figure=None)
    tests = [verdict(name, max_points=points) for name, points in QUESTIONS]
    tests[3] = verdict("backward", Outcome.FAILED, 5, [missing, other])
    tests[5] = verdict(
        "units differentiate when trained", Outcome.FAILED, 4, [follows, note], "cost 0.69\n" * 9
    )
    tests += [verdict("minibatches", Outcome.TIMED_OUT), verdict("momentum", Outcome.NOT_ATTEMPTED)]
    return result("s0412", tests)


def same_units() -> Result:
    """Hidden units that start equal, and every outcome that there is."""
    finding = gradient("W1", place=Place("initialize_parameters", 3, 5, "W1"), figure=UNITS)
    others = [o for o in Outcome if o not in (Outcome.PASSED, Outcome.FAILED)]
    tests = [verdict("initialize parameters", Outcome.FAILED, 2, [finding]), verdict("forward")]
    return result("s0413", [*tests, *(verdict(f"question {i}", o) for i, o in enumerate(others))])


def all_right() -> Result:
    """Every question passed."""
    return result("s0414", [verdict(name, max_points=points) for name, points in QUESTIONS])


def not_attempted() -> Result:
    """The template, handed in as it was."""
    return result("s0415", [verdict(name, Outcome.NOT_ATTEMPTED, points) for name, points in QUESTIONS])


def not_gradable() -> Result:
    """A file that is no notebook."""
    return result("s0416", [], "not gradable", "inbox/s0416.ipynb is not a notebook: line 1, column 1")


def waiting() -> Result:
    """Two files of one student."""
    return result("s0417", [], "waits for a person", "two files belong to one student")


def every_figure() -> list[Result]:
    """All kinds of pictures, on pages of at most six."""
    pages = []
    for start in range(0, len(FIGURES), 6):
        shown = [gradient(f"dW{i}", figure=f) for i, f in enumerate(FIGURES[start : start + 6])]
        pages.append(result(f"figures{start}", [verdict("q", Outcome.FAILED, 1, shown)]))
    return pages


def every_page() -> dict[str, Result]:
    """All of the above by name."""
    return {
        "wrong-gradient": wrong_gradient(),
        "same-units": same_units(),
        "all-right": all_right(),
        "not-attempted": not_attempted(),
        "not-gradable": not_gradable(),
        "waiting": waiting(),
    }


def a_class(size: int, seed: int = 3) -> list[Result]:
    """Return a class of ``size`` submissions, the same for the same seed."""
    draw = random.Random(seed)
    mistakes = [
        gradient(cause="factor-m"),
        gradient(),
        gradient("dW2", place=Place("backward", 7, 8, "dW2")),
        gradient("W1", consequence_of="GRD101"),
    ]
    rest = [Outcome.NOT_ATTEMPTED, Outcome.TIMED_OUT, Outcome.COULD_NOT_RUN]
    results = []
    for i in range(size):
        tests = []
        for name, points in QUESTIONS:
            fate = draw.random()
            if fate < 0.6:
                tests.append(verdict(name, max_points=points))
            elif fate < 0.9:
                tests.append(verdict(name, Outcome.FAILED, points, [draw.choice(mistakes)]))
            else:
                tests.append(verdict(name, draw.choice(rest), points))
        student, fate = f"s{i:05d}", draw.random()
        if fate < 0.02:
            reason = f"inbox/{student}.ipynb is not a notebook: line 1, column 1"
            results.append(result(student, [], "not gradable", reason))
        elif fate < 0.03:
            results.append(result(student, [], "waits for a person", "two files belong to one student"))
        else:
            results.append(result(student, tests))
    return results


PROSE = """# Planar

One hidden layer: $A_1 = \\tanh(W_1 X + b_1)$, and the gradient is

$$\\frac{\\partial J}{\\partial W^{[1]}} = \\frac{1}{m} dZ^{[1]} X^T$$

- **forward**, then *backward*, see [the notes](https://example.org/notes)
- `update`

| layer | units |
| --- | --- |
| hidden | 4 |
"""


def a_notebook(*prose: str, output: str = "cost 0.69") -> str:
    """Return the text of a notebook whose code cell 7 is the backward pass, and whose cells all printed."""
    sources = [*(f"x{i} = {i}  # cell {i}" for i in range(1, 7)), SOURCE[7], "", "def train():\n    return 1"]
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": output},
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": output, "text/plain": output}},
    ]
    cells: list[dict[str, object]] = [
        {"cell_type": "markdown", "id": f"p{i}", "metadata": {}, "source": text}
        for i, text in enumerate(prose)
    ]
    cells += [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source, "execution_count": None,
         "outputs": outputs}
        for i, source in enumerate(sources)
    ]  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
