"""Each planted mistake of the course is caught: by its test first, with its code and its cause, in words."""

from __future__ import annotations

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
from pytest_symmetry.assignment import bundled_assignments, load_assignment
from pytest_symmetry.diagnosis.causes import all_causes
from pytest_symmetry.feedback.text import render, words

COURSE = sorted(bundled_assignments())
FOLDERS = {name: bundled_assignments()[name] for name in COURSE}
SPECIMENS = {(a, s.name): s for a in COURSE for s in load_specimens(FOLDERS[a]) if not s.correct}

# One specimen for each code, for every day; the sweep grades them all, so that no cause goes untried.
FEW = sorted({s.code: key for key, s in SPECIMENS.items()}.values())
each_of_few = pytest.mark.parametrize("key", FEW, ids="-".join)


def graded(assignment, folder, names, seed):
    entries = [Entry(p.stem, p, p.name) for p in write_specimens(FOLDERS[assignment], folder)]
    entries = [e for e in entries if (assignment, e.student) in names]
    results = run_tests(load_assignment(FOLDERS[assignment]), entries, seed)
    return {(assignment, r.student): r for r in results}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What became of the specimens, graded in one run each with the seed of a student's own machine."""
    found = {}
    for assignment in sorted({assignment for assignment, _ in FEW}):
        found |= graded(assignment, tmp_path_factory.mktemp(assignment), FEW, 20)
    return found


def first_failure(result):
    """Return the first test that failed, and what it said."""
    return next((v.name, f) for v in result.tests for f in v.findings if f.severity == "fail")


def caught(result, specimen):
    """Return what was reported first; the cause only where the specimen promises one."""
    name, finding = first_failure(result)
    return name, finding.code, (finding.cause or "") if specimen.cause else ""


@each_of_few
def test_a_specimen_is_caught_with_its_code_and_its_cause(key, results):
    """The first finding is the promised one, from the promised test; the mistake costs points."""
    specimen, result = SPECIMENS[key], results[key]

    assert caught(result, specimen) == (specimen.test, specimen.code, specimen.cause)
    assert result.points < result.max_points


@each_of_few
def test_the_message_of_a_specimen_names_what_it_is_about(key, results):
    """A student reads which array or function is meant, what is seen, what is expected, and one hint."""
    _, finding = first_failure(results[key])
    said = words(finding, reveal="hint")
    subject = finding.place.array or finding.place.function or ""

    assert subject in render(finding)
    assert all([said.title, said.seen, said.expected, said.hint])
    assert said.code != said.title


@each_of_few
def test_no_question_of_a_specimen_waits_for_a_person(key, results):
    """A planted mistake is never taken for an accident of the test."""
    assert (results[key].status, results[key].reason) == ("graded", "")


def test_causes_are_known_by_name():
    """Every cause that a specimen promises has its words."""
    own = {f"course:{cause.name}" for a in COURSE for cause in load_assignment(FOLDERS[a]).causes}
    assert {s.cause for s in SPECIMENS.values()} - {""} <= {*all_causes(), *own}


@pytest.mark.sweep
@pytest.mark.parametrize("seed", [20, 1, 2])
@pytest.mark.parametrize("assignment", COURSE)
def test_every_specimen_is_caught_under_every_seed(assignment, seed, tmp_path):
    """What is said does not hang on the numbers drawn."""
    results = graded(assignment, tmp_path, SPECIMENS, seed)
    expected = {k: (s.test, s.code, s.cause) for k, s in SPECIMENS.items() if k[0] == assignment}

    assert {k: caught(r, SPECIMENS[k]) for k, r in results.items()} == expected


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


FUNCTIONS = [(a, f) for a in COURSE for f in load_assignment(FOLDERS[a]).functions]


@pytest.mark.sweep
@pytest.mark.parametrize(("assignment", "function"), FUNCTIONS)
def test_no_return_value_of_a_function_makes_a_question_wait(assignment, function, tmp_path):
    """Whatever a function returns, the course's tests come to a verdict."""
    entries = []
    source = source_notebook(FOLDERS[assignment])
    for name, value in ODD_RETURNS.items():
        definition = f"def {function}(*args, **kwargs):\n    return {value}"
        path = tmp_path / f"{name}.ipynb"
        path.write_bytes(notebook_bytes(notebook_with(source, Patch(define=definition))))
        entries.append(Entry(name, path, path.name))
    results = run_tests(load_assignment(FOLDERS[assignment]), entries, 20)

    assert {r.student: r.reason for r in results if r.status != "graded"} == {}
    assert all(r.points < r.max_points for r in results)
