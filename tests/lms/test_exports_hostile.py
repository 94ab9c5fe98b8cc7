"""Names, labels and findings that would run in a spreadsheet, a log, a page or a reader."""

import csv
import io
import json
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from paper_marks import ASSIGNMENT, canvas_file, finding, mark, moodle_file, with_work
from platform_rules import (
    canvas_comments,
    canvas_import,
    gradescope_problems,
    moodle_feedback,
    moodle_import,
    prairielearn_problems,
    workflow_commands,
)

from graders.exports.choosing import own_formats
from graders.exports.interface import carry_out
from graders.exports.told import questions, report
from graders.marks import Lateness
from pytest_symmetry.feedback.text import printable
from pytest_symmetry.findings import Finding, Place

NASTY = st.sampled_from(
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a,b", 'a"b', "a;b", "::error::x",
     "\n::set-output name=a::b",
     "%0A::error::x", "<script>alert(1)</script>", "]]>", "</pre><b>", "| a | b |", "@octocat", "a_9_assign",
     "..", "/etc/passwd", "C:\\x", "\\", '\\"', "نور", "李", "\u202egnp", "\x1b[2J", "\ufeff", "EX",
     "\ud800", "&amp;"]
)  # fmt: skip
NAMES = NASTY | st.text(max_size=20) | st.tuples(NASTY, NASTY).map("".join)
FEW = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def export(kind, marks, out, into=None, assignment=ASSIGNMENT):
    return carry_out(own_formats()[kind], marks, assignment, out, into)


@FEW
@example(name="=1+1", label="@x")
@given(name=NAMES, label=NAMES)
def test_no_cell_of_a_table_is_a_formula(tmp_path, name, label):
    """In both tables, for identifiers, names and everything else that a person may have typed."""
    student = mark("s1", name=name, label=label, ids={name or "id": label})
    for kind, delimiter in (("csv", ","), ("csv-semicolon", ";")):
        export(kind, [student], tmp_path / "out.csv")
        text = (tmp_path / "out.csv").read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))

        assert 2 == len(rows)
        assert len(rows[0]) == len(rows[1])
        assert not [c for row in rows for c in row if c.startswith(("=", "+", "-", "@", "\t", "\r"))]


@FEW
@given(name=NAMES, other=NAMES)
def test_canvas_cells_of_others_stay(tmp_path, name, other):
    """Byte for byte, whatever they hold."""
    clean = [text.encode("utf-8", "replace").decode() for text in (name, other)]
    into = canvas_file(tmp_path / "c.csv", (f"x{clean[0]}", "1", "a", "", clean[1]), ("B", "2", "b", "3", ""))
    before = into.read_bytes()
    export("canvas", [mark("1", 1.0, 2.0, 0.5)], tmp_path / "out.csv", into)
    after = (tmp_path / "out.csv").read_bytes()

    assert len(before) + 3 == len(after)
    assert before == after.replace(b",3.5,", b",,", 1)


@FEW
@example(name="a,b", comment='\\"<b>')
@given(name=NAMES, comment=NAMES)
def test_moodle_reads_the_rows_of_any_name(tmp_path, name, comment):
    """Our cells end where they should for PHP too, which reads a backslash before a quote in its own way."""
    reason = comment.encode("utf-8", "replace").decode()
    plain = name.encode("utf-8", "replace").decode().replace("\\", "")
    into = moodle_file(
        tmp_path / "m.csv", (1, f"x{plain}", "a", "", "6.00", ""), (2, "B", "b", "4", "6.00", "old")
    )
    student = mark("a", 1.0, 2.0, 0.0, late=0.5, findings=[finding()])
    lateness = Lateness(60.0, 10.0, line=reason)
    export("moodle", [replace(student, lateness=lateness)], tmp_path / "out.csv", into)
    found = moodle_import((tmp_path / "out.csv").read_bytes(), {"1", "2"})

    assert ["1"] == list(found)
    assert "2.5" == found["1"][0]
    assert found["1"][1].startswith("2.5 of 6 points, 0.5 less for lateness.")
    assert not set(found["1"][1]) & set('<>"\\\r\n')


@FEW
@example(name="a_9_assignsubmission_file_../..")
@given(name=NAMES)
def test_moodle_finds_the_participant_of_any_name(tmp_path, name):
    """And no name leads out of the folder."""
    clean = name.encode("utf-8", "replace").decode()
    into = moodle_file(tmp_path / "m.csv", (7, f"x{clean}", "a", "", "6.00", ""))
    export("moodle-feedback", [mark("7")], tmp_path / "out.zip", into, with_work(None))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        (path,) = archive.namelist()

    assert {"7": "/feedback.html"} == moodle_feedback([path], {"7", "9"})
    assert 1 == path.count("/")
    assert "\\" not in path


@FEW
@example(text="50%0A::error::x\n::warning::y", label="a%0Ab,line=9:c")
@given(text=NAMES, label=NAMES)
def test_no_text_becomes_a_command_of_a_log(tmp_path, text, label):
    """One finding is one command, and its text arrives."""
    (tmp_path / "work.py").write_text("a = 1\nb = 2\n", encoding="utf-8")
    said = Finding("XXX999", place=Place(function="f", cell=1, line=2), facts={"what": text})
    student = mark("s", 1.0, 2.0, 0.0, label=f"x{label}", findings=[said])
    export("github", [student], tmp_path / "out", assignment=with_work(tmp_path / "work.py"))
    log = (tmp_path / "out" / "annotations.txt").read_text(encoding="utf-8")
    found = workflow_commands(log)

    assert 1 == len(log.splitlines()) == len(found)
    assert ("error", "2") == (found[0][0], found[0][1]["line"])
    assert {"file", "line", "endLine", "title"} == set(found[0][1])
    assert (found[0][1]["file"], found[0][2]) == (
        printable(student.result.submission), questions(student, "hint")[2].text
    )  # fmt: skip


@FEW
@example(text="</pre><script>alert(1)</script>@you")
@given(text=NAMES)
def test_no_text_becomes_markup_of_a_summary(tmp_path, text):
    """What others wrote is inside <pre>, with its brackets spelled out."""
    student = mark("s", 1.0, 2.0, 0.0, findings=[Finding("XXX999", facts={"what": text})])
    export("github", [student], tmp_path / "out")
    page = (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")
    tags = [part.partition(">")[0] for part in page.split("<")[1:]]

    assert ["b", "/b", "pre", "/pre"] == tags
    assert "@" not in page.partition("<pre>")[0]


@FEW
@given(text=NAMES, name=NAMES)
def test_every_reader_of_json_and_xml_reads_any_text(tmp_path, text, name):
    """Characters that XML or JSON cannot hold are spelled out."""
    found = Finding("XXX999", facts={"what": text, "name": name})
    student = mark("s", 1.0, 2.0, 0.0, findings=[found])
    for kind, problems in (("gradescope", gradescope_problems), ("prairielearn", prairielearn_problems)):
        export(kind, [student], tmp_path / "one.json")
        assert [] == problems(json.loads((tmp_path / "one.json").read_bytes()))
    export("junit", [student], tmp_path / "one.xml")

    assert 3 == len(ET.parse(tmp_path / "one.xml").getroot().findall("testsuite/testcase"))


@FEW
@given(name=NAMES.map(lambda text: text.replace("_", "").replace("/", "").replace("\\", "")))
def test_canvas_finds_user_and_attachment(tmp_path, name):
    """Also where a name is a number."""
    labels = [f"x{name}_11_501_hw_7.ipynb", f"x{name}_LATE_22_502_hw.ipynb", "12_33_503_hw.ipynb"]
    marks = [mark(s, label=label) for s, label in zip(("11", "22", "33"), labels, strict=True)]
    export("canvas-feedback", marks, tmp_path / "out.zip", assignment=with_work(None))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        found, ignored = canvas_comments(archive.namelist(), {"501": "11", "502": "22", "503": "33"})

    assert {"11", "22", "33"} == set(found)
    assert [] == ignored


def test_a_file_name_speaks_for_nobody_else(tmp_path):
    """A page goes only to the student whose number the platform's own download has."""
    marks = [mark("11", label="a_11_501_hw.ipynb"), mark("mallory", label="m_11_502_hw.ipynb")]
    written = export("canvas-feedback", marks, tmp_path / "out.zip", assignment=with_work(None))

    assert 1 == written.students
    assert (("mallory", "the work has no name as Canvas gives it"),) == written.left_out


def test_canvas_in_a_semicolon_locale(tmp_path):
    """A comma in the number, as everything else in such a file; the mark stays first in the file."""
    into = canvas_file(tmp_path / "c.csv", ("A", "1", "a", "", "2,5"), delimiter=";", bom=True)
    export("canvas", [mark("1", 1.0, 2.0, 0.25)], tmp_path / "out.csv", into)
    raw = (tmp_path / "out.csv").read_bytes()

    assert raw.startswith(b"\xef\xbb\xbfStudent;")
    assert b";3,25;" in raw
    assert {"77": 3.25, "78": 2.5} == canvas_import(raw)[0]["1"]


def test_what_a_teacher_said_in_canvas_stays(tmp_path):
    """Excused and not assigned are not overwritten with points."""
    into = canvas_file(
        tmp_path / "c.csv", ("A", "1", "a", "EX", ""), ("B", "2", "b", "N/A", ""), ("C", "3", "c", "", "")
    )
    written = export("canvas", [mark("1"), mark("2"), mark("3")], tmp_path / "out.csv", into)

    assert ["EX", None, 6.0] == [
        g["77"] for g in canvas_import((tmp_path / "out.csv").read_bytes())[0].values()
    ]
    assert 1 == written.students


def test_what_a_teacher_wrote_in_moodle_stays(tmp_path):
    """A comment is not overwritten, and a locked grade is left out."""
    into = moodle_file(
        tmp_path / "m.csv", (1, "A", "a", "", "6.00", "<p>mine</p>"), (2, "B", "b", "", "6.00", "")
    )
    into.write_bytes(into.read_bytes().replace(b",b,Submitted for grading - ,,6.00,Yes", b",b,x,,6.00,No"))
    written = export("moodle", [mark("1"), mark("2")], tmp_path / "out.csv", into)

    assert {"1": ("6", "<p>mine</p>")} == moodle_import((tmp_path / "out.csv").read_bytes(), {"1", "2"})
    assert (("2", "Moodle says that this grade cannot be changed"),) == written.left_out
    assert ("1 comments that are there already stay",) == written.said


def test_a_comment_of_ours_follows_the_mark(tmp_path):
    """It came back from Moodle with a paragraph around it; a person's comment about points stays."""
    ours = "<p>3 of 6 points. - start: 1 of 1</p>"
    theirs = "3 of 6 pointsources are missing"
    rows = [(1, "A", "a", "3", "6.00", ours), (2, "B", "b", "3", "6.00", theirs)]
    into = moodle_file(tmp_path / "m.csv", *rows)
    export("moodle", [mark("1"), mark("2")], tmp_path / "out.csv", into)
    found = moodle_import((tmp_path / "out.csv").read_bytes(), {"1", "2"})

    assert found["1"][1].startswith("6 of 6 points. - start: 1 of 1")
    assert theirs == found["2"][1]


def test_one_hint_as_on_the_page():
    """The first cause has its hint, a later one waits; where all may be said, all is."""
    slow = [
        Finding("SUB104", place=Place(function=f), facts={"function": f, "seconds": 1.0, "inside": f})
        for f in "fg"
    ]
    whole = mark("s", 0.0, 0.0, 3.0)
    tests = [replace(test, findings=(f,)) for test, f in zip(whole.result.tests, slow, strict=False)]
    whole = replace(whole, result=replace(whole.result, tests=(*tests, whole.result.tests[2])))
    hinted = {reveal: ["Hint" in q.text for q in questions(whole, reveal)] for reveal in ("hint", "cause")}

    assert {"hint": [True, False, False], "cause": [True, True, False]} == hinted
    assert ["f does not come to an end" in questions(whole, "hint")[0].head] == [True]


def test_the_name_of_a_mistake_waits_until_it_may_be_said():
    """At the level "hint" no format says the cause."""
    said = Finding("GRD101", cause="mean-missing", facts={})
    whole = mark("s", 1.0, 2.0, 0.0, findings=[said])

    assert "Cause" not in report(whole, "hint")


def test_a_person_decided_and_says_why():
    """Reason and points of an override stand where the student reads."""
    whole = mark("s", 1.0, 2.0, 3.0)
    decided = replace(whole.questions[2], by="an override", judged=0.0, reason="the text was unclear")
    text = questions(replace(whole, questions=(*whole.questions[:2], decided)), "hint")[2].text

    assert "Decided by the course team. Reason: the text was unclear" == text
