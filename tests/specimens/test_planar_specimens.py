"""Each planted mistake of planar is caught: by its test first, with its code and its cause, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.batch import run_tests
from graders.intake import Entry
from graders.specimens import (
    Patch,
    load_specimens,
    notebook_bytes,
    notebook_with,
    source_notebook,
    write_specimens,
)
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.feedback.text import render, words

PLANAR = Path(__file__).parents[2] / "assignments" / "planar"
SPECIMENS = {s.name: s for s in load_specimens(PLANAR) if not s.correct}

# One specimen for each code, for every day; the sweep grades them all, so that no cause goes untried.
FEW = sorted({s.code: s.name for s in reversed(SPECIMENS.values())}.values())


def graded(folder, names, seed):
    entries = [Entry(p.stem, p, p.name) for p in write_specimens(PLANAR, folder) if p.stem in names]
    return {r.student: r for r in run_tests(load_assignment(PLANAR), entries, seed)}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What became of the specimens, graded in one run with the seed of a student's own machine."""
    return graded(tmp_path_factory.mktemp("specimens"), FEW, 20)


def first_failure(result):
    """Return the first test that failed, and what it said."""
    return next((v.name, f) for v in result.tests for f in v.findings if f.severity == "fail")


def caught(result, specimen):
    """Return what was reported first; the cause only where the specimen promises one."""
    name, finding = first_failure(result)
    return name, finding.code, (finding.cause or "") if specimen.cause else ""


@pytest.mark.parametrize("name", FEW)
def test_a_specimen_is_caught_with_its_code_and_its_cause(name, results):
    """The first finding is the promised one, from the promised test; the mistake costs points."""
    specimen, result = SPECIMENS[name], results[name]

    assert caught(result, specimen) == (specimen.test, specimen.code, specimen.cause)
    assert result.points < result.max_points


@pytest.mark.parametrize("name", FEW)
def test_the_message_of_a_specimen_names_what_it_is_about(name, results):
    """A student reads which array or function is meant, what is seen, what is expected, and one hint."""
    _, finding = first_failure(results[name])
    said = words(finding, reveal="hint")
    subject = finding.place.array or finding.place.function or ""

    assert subject in render(finding)
    assert all([said.title, said.seen, said.expected, said.hint])
    assert said.code != said.title


@pytest.mark.parametrize("name", FEW)
def test_no_question_of_a_specimen_waits_for_a_person(name, results):
    """A planted mistake is never taken for an accident of the test."""
    assert (results[name].status, results[name].reason) == ("graded", "")


def test_causes_are_known_by_name():
    """Every cause that a specimen promises has its words."""
    assert {s.cause for s in SPECIMENS.values()} - {""} <= set(all_causes())


@pytest.mark.sweep
@pytest.mark.parametrize("seed", [20, 1, 2])
def test_every_specimen_is_caught_under_every_seed(seed, tmp_path):
    """What is said does not hang on the numbers drawn."""
    results = graded(tmp_path, SPECIMENS, seed)
    expected = {s.name: (s.test, s.code, s.cause) for s in SPECIMENS.values()}

    assert {n: caught(r, SPECIMENS[n]) for n, r in results.items()} == expected


ODD_RETURNS = {
    "nothing": "None",
    "a-number": "3",
    "a-text": "'done'",
    "an-empty-list": "[]",
    "an-empty-dict": "{}",
    "an-empty-tuple": "()",
    "a-small-array": "np.zeros((2, 2))",
    "an-empty-array": "np.zeros((0, 3))",
    "a-nested-list": "[[1, 2], [3]]",
    "nan": "float('nan')",
    "a-dict-of-texts": "{'W1': 'a', 'b1': 'b', 'W2': 'c', 'b2': 'd', 'dW1': 'e'}",
    "a-dict-of-nothing": "{'W1': None, 'b1': None, 'W2': None, 'b2': None}",
    "a-function": "lambda: 0",
    "a-tuple-of-nothing": "(None, None)",
    "all-arguments": "args",
    "an-object": "type('Thing', (), {})()",
}


@pytest.mark.sweep
@pytest.mark.parametrize("function", load_assignment(PLANAR).functions)
def test_no_return_value_of_a_function_makes_a_question_wait(function, tmp_path):
    """Whatever a function returns, the course's tests come to a verdict."""
    entries = []
    for name, value in ODD_RETURNS.items():
        definition = f"def {function}(*args, **kwargs):\n    return {value}"
        path = tmp_path / f"{name}.ipynb"
        path.write_bytes(notebook_bytes(notebook_with(source_notebook(PLANAR), Patch(define=definition))))
        entries.append(Entry(name, path, path.name))
    results = run_tests(load_assignment(PLANAR), entries, 20)

    assert {r.student: r.reason for r in results if r.status != "graded"} == {}
    assert all(r.points < r.max_points for r in results)
