"""A small class in every format, read back by the rules of each platform."""

import base64
import csv
import json
import zipfile
from pathlib import Path

import pytest
from called_here import symmetry
from paper_marks import canvas_file, moodle_file, read_json
from platform_rules import (
    canvas_import,
    classroom_points,
    coursera_problems,
    gradescope_problems,
    moodle_feedback,
    moodle_import,
    prairielearn_problems,
    workflow_commands,
)

from graders.exports.choosing import own_formats
from graders.marks import marks
from graders.opening import read_gradebook


def export(graded, kind, out, *more):
    code, said = symmetry("export", graded, "--format", kind, "--out", out, *more)
    assert 0 == code, said
    return said


@pytest.fixture
def pseudonyms(graded):
    with read_gradebook(graded) as book:
        return {mark.student: mark.pseudonym for mark in marks(book)}


@pytest.fixture
def approved(graded):
    symmetry("approve", graded, "--all")
    return graded


def test_the_class_as_a_table(graded, tmp_path):
    """What nobody decided is empty, and lateness has columns of its own."""
    export(graded, "csv", tmp_path / "marks.csv")
    text = (tmp_path / "marks.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    found = {r["student"]: (r["status"], r["raw"], r["deduction"], r["points"], r["of"]) for r in rows}

    assert {
        "11": ("graded", "6", "0", "6", "6"),
        "22": ("graded", "3", "0.6", "2.4", "6"),
        "33": ("not gradable", "", "", "", "6"),
        "44": ("excused", "", "", "", "6"),
        "55": ("missing", "", "", "", "6"),
    } == found
    assert "1 hour late: 10 % of the points" == rows[1]["late"]


def test_a_table_for_spreadsheets_of_semicolon_locales(graded, tmp_path):
    """A byte order mark, semicolons, and a comma in numbers."""
    export(graded, "csv-semicolon", tmp_path / "marks.csv")
    raw = (tmp_path / "marks.csv").read_bytes()
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines(), delimiter=";"))

    assert raw.startswith(b"\xef\xbb\xbf")
    assert "2,4" == rows[1]["points"]


@pytest.mark.parametrize(
    ("kind", "problems", "score"),
    [
        ("gradescope", gradescope_problems, lambda data: data["score"]),
        ("prairielearn", prairielearn_problems, lambda data: data.get("score") and data["score"] * 6),
        ("coursera", coursera_problems, lambda data: data["fractionalScore"] * 6),
    ],
)
def test_autograders_get_a_file_per_student(graded, pseudonyms, tmp_path, kind, problems, score):
    """It follows the platform's rules, and has the points that count, lateness taken off."""
    export(graded, kind, tmp_path / "out")
    found = {path.stem: read_json(path) for path in (tmp_path / "out").iterdir()}
    right, late = found[pseudonyms["11"]], found[pseudonyms["22"]]

    assert [] == [p for data in found.values() for p in problems(data)]
    assert (6.0, pytest.approx(2.4)) == (score(right), score(late))
    assert "1 hour late" in json.dumps(late)
    assert "0.6 less for lateness" in json.dumps(late)
    assert "GRD101" in json.dumps(late)


@pytest.mark.parametrize("kind", ["gradescope", "coursera"])
def test_what_was_not_judged_is_no_file(graded, pseudonyms, tmp_path, kind):
    """A platform that needs a score gets none: never a 0."""
    said = export(graded, kind, tmp_path / "out")

    assert {pseudonyms["11"], pseudonyms["22"]} == {path.stem for path in (tmp_path / "out").iterdir()}
    assert f"left out, not gradable: it is not a notebook: Expecting ':' delimiter at line 1; open it in Jupyter and save it again: {pseudonyms['33']}\n" in said  # fmt: skip # noqa: E501 - one line that is printed
    assert "left out, missing: nothing was handed in: " in said
    assert "Mia" not in said


def test_prairielearn_takes_no_attempt_for_what_was_not_judged(graded, pseudonyms, tmp_path):
    """It says why instead."""
    export(graded, "prairielearn", tmp_path / "out")
    data = read_json(tmp_path / "out" / f"{pseudonyms['33']}.json")

    assert {"gradable", "format_errors"} == set(data)
    assert data["gradable"] is False
    assert "not a notebook" in data["format_errors"]


def test_one_student_in_one_file(graded, tmp_path):
    """As an autograder on a platform asks for it."""
    export(graded, "gradescope", tmp_path / "results" / "results.json", "--student", "22")

    assert pytest.approx(2.4) == read_json(tmp_path / "results" / "results.json")["score"]


def test_classroom_reports_the_points_that_count(graded, pseudonyms, tmp_path):
    """The sum of the tests is the mark; what was not judged is an error, and no points of any number."""
    export(graded, "github", tmp_path / "out")
    found = {}
    for student in ("11", "22", "33"):
        folder = tmp_path / "out" / pseudonyms[student]
        found[student] = read_json(folder / "result.json")
        line = (folder / "output.txt").read_text(encoding="ascii")
        assert found[student] == json.loads(base64.b64decode(line.removeprefix("result=")))
        assert 1 == line.count("\n")

    assert (6.0, 6.0) == classroom_points([found["11"]])
    assert pytest.approx((2.4, 6.0)) == classroom_points([found["22"]])
    assert classroom_points([found["33"]]) is None
    assert ["pass", "fail", "error"] == [data["status"] for data in found.values()]
    assert all(data["version"] == 3 for data in found.values())
    assert all(len(test["output"]) <= 500 for data in found.values() for test in data["tests"])


def test_errors_stand_at_the_students_own_line(graded, pseudonyms, tmp_path):
    """The file of the notebook is one line long here; another test has longer ones."""
    export(graded, "github", tmp_path / "out", "--student", "22")
    ((name, properties, message),) = workflow_commands((tmp_path / "out" / "annotations.txt").read_text())

    assert ("error", "22.ipynb", "1") == (name, properties["file"], properties["line"])
    assert properties["title"].startswith("GRD101  The gradient dW1 is not the slope of the loss")
    assert "\n  Hint" in message
    assert "GRD101" in (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")


def test_junit_through_junitparser(graded, pseudonyms, tmp_path):
    """Another program reads the same suites, cases and points."""
    junitparser = pytest.importorskip("junitparser", reason="junitparser is in the test group")
    export(graded, "junit", tmp_path / "marks.xml")
    suites = {s.name: s for s in junitparser.JUnitXml.fromfile(str(tmp_path / "marks.xml"))}
    properties = {name: {p.name: p.value for p in s.properties()} for name, s in suites.items()}
    late, broken = suites[pseudonyms["22"]], suites[pseudonyms["33"]]

    assert {pseudonyms[s] for s in ("11", "22", "33")} == set(suites)
    assert ("2.4", "6", "0.6") == tuple(
        properties[pseudonyms["22"]][k] for k in ("points", "max_points", "deduction")
    )
    assert "points" not in properties[pseudonyms["33"]]
    assert (3, 1, 0, 0) == (late.tests, late.failures, late.errors, late.skipped)
    assert (3, 0, 0, 3) == (broken.tests, broken.failures, broken.errors, broken.skipped)
    for suite in suites.values():
        before = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()
        assert before == (suite.tests, suite.failures, suite.errors, suite.skipped)


CANVAS_ROWS = (
    ("Right, Ada", "11", "ada", "", "9"),
    ("Late, Ben", "22", "ben", "1", ""),
    ("Broken, Cut", "33", "cut", "2.5", "8,5"),
    ("Excused, Eve", "900", "eve", "", ""),
    ('Stranger, Sam "Q"', "901", "sam", "4", "-"),
)


def test_canvas_reads_the_filled_in_gradebook(approved, tmp_path):
    """Approved points and EX arrive; who was not judged keeps what stood there."""
    into = canvas_file(tmp_path / "teacher.csv", *CANVAS_ROWS)
    before = into.read_bytes()
    said = export(approved, "canvas", tmp_path / "out.csv", "--into", into)
    grades, created = canvas_import((tmp_path / "out.csv").read_bytes())

    assert [] == created
    assert {"11": 6.0, "22": 2.4, "33": 2.5, "900": "EX", "901": 4.0} == {
        u: g["77"] for u, g in grades.items()
    }
    assert canvas_import(before)[0]["33"]["78"] == grades["33"]["78"]
    assert before == into.read_bytes()
    assert "3 students in" in said
    assert "column 'A tiny assignment (77)'" in said


def test_moodle_reads_the_filled_in_worksheet(approved, tmp_path):
    """Only rows that were graded are in it, and all their other cells are as they were."""
    rows = [(n, f"Name {n}", f"s{n}@x.org", "", "6.00", "") for n in (11, 22, 33, 66)]
    into = moodle_file(tmp_path / "teacher.csv", *rows)
    export(approved, "moodle", tmp_path / "out.csv", "--into", into)
    raw = (tmp_path / "out.csv").read_bytes()
    found = moodle_import(raw, {"11", "22", "33", "66"})
    before = {r["Identifier"]: r for r in _moodle_rows(into.read_bytes())}

    assert {"11": "6", "22": "2.4"} == {who: grade for who, (grade, _) in found.items()}
    assert found["22"][1].startswith(
        "2.4 of 6 points, 0.6 less for lateness. 1 hour late: 10 % of the points"
    )
    for row in _moodle_rows(raw):
        same = {k: v for k, v in row.items() if k not in ("Grade", "Feedback comments")}
        assert same == {k: before[row["Identifier"]][k] for k in same}


def _moodle_rows(raw):
    return list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))


def test_moodle_takes_the_feedback_pages(approved, tmp_path):
    """An underscore in a name would move the participant's number; the page is the student's own."""
    rows = [
        (11, "Ada_9_Lovelace/..", "a@x.org", "", "6.00", ""),
        (22, "Ben & Co.", "b@x.org", "", "6.00", ""),
    ]
    into = moodle_file(tmp_path / "teacher.csv", *rows)
    export(approved, "moodle-feedback", tmp_path / "pages.zip", "--into", into)
    with zipfile.ZipFile(tmp_path / "pages.zip") as archive:
        found = moodle_feedback(archive.namelist(), {"9", "11", "22"})
        page = archive.read(next(n for n in archive.namelist() if "_22_" in n)).decode()

    assert {"11": "/feedback.html", "22": "/feedback.html"} == found
    assert "GRD101" in page
    assert "2.4" in page


@pytest.mark.parametrize("kind", ["canvas", "moodle", "moodle-feedback", "canvas-feedback"])
def test_what_goes_to_students_needs_approval(graded, tmp_path, kind):
    """Nothing is written before `symmetry approve`."""
    canvas = canvas_file(tmp_path / "c.csv", CANVAS_ROWS[0])
    moodle = moodle_file(tmp_path / "m.csv", (11, "A", "", "", "6", ""))
    into = {"canvas": ["--into", canvas], "canvas-feedback": []}.get(kind, ["--into", moodle])
    code, said = symmetry("export", graded, "--format", kind, "--out", tmp_path / "out", *into)

    assert own_formats()[kind].approved_only
    assert 2 == code
    assert said == "nothing was written: no mark is approved; `symmetry approve` approves marks"
    assert not (tmp_path / "out").exists()


def test_the_same_marks_give_the_same_bytes(approved, tmp_path):
    """All formats, twice."""
    canvas = canvas_file(tmp_path / "c.csv", *CANVAS_ROWS)
    moodle = moodle_file(tmp_path / "m.csv", (11, "A", "", "", "6", ""))
    for turn in ("one", "two"):
        for kind, one in own_formats().items():
            if kind == "canvas-feedback":
                continue
            into = [] if not one.fills_in else ["--into", canvas if kind == "canvas" else moodle]
            export(approved, kind, tmp_path / turn / kind, *into)
    first, second = (
        {p.relative_to(tmp_path / t): p.read_bytes() for p in (tmp_path / t).rglob("*") if p.is_file()}
        for t in ("one", "two")
    )

    assert len(own_formats()) - 1 <= len(first)
    assert first == second


def test_the_list_names_every_format():
    """With what is filled in, and who is in it."""
    code, said = symmetry("export", "--list")

    assert 0 == code
    assert list(own_formats()) == [line.split()[0] for line in said.splitlines()]
    assert "canvas           Canvas's gradebook, one column filled in; --into the gradebook exported from Canvas; approved marks only\n" in said  # fmt: skip # noqa: E501 - one line that is printed


def test_the_page_about_exports_shows_what_is_printed():
    """The list of formats stands in docs/exports.md word for word, and each has a row in its table."""
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")
    shown = page.partition("$ symmetry export --list\n")[2].partition("```")[0]
    rows = "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))

    assert symmetry("export", "--list")[1] == shown
    assert set(own_formats()) == set(rows.replace("`", " ").replace(",", " ").split())
