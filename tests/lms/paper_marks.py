"""Marks made by hand, without grading anything: of any status, for any name."""

import csv
import io
import json
from dataclasses import replace

from graders.exports.interface import Assignment
from graders.marks import Lateness, Mark, Person, QuestionMark
from pytest_symmetry.findings import Finding, Outcome, Place, Result, Verdict

WORTH = {"test_start": 1.0, "test_loss": 2.0, "test_gradients": 3.0}
ASSIGNMENT = Assignment("tiny", "A tiny assignment")


def finding(**place):
    """What a test of the assignment would say of code that raises."""
    facts = {"error": "ValueError", "message": "boo"}
    return Finding("SUB104", place=Place(function="gradients", **place), facts=facts)


def mark(
    student, *points, late=0.0, label="", name="", ids=None, findings=(), status="graded", approved=True
):
    """Return a mark: points of the questions, None for one that waits."""
    given = points or tuple(WORTH.values())
    questions = tuple(
        QuestionMark(q, most, p, p, "nobody yet" if p is None else "the tests")
        for (q, most), p in zip(WORTH.items(), given, strict=True)
    )
    raw = sum(p for p in given if p is not None)
    tests = tuple(
        Verdict(q.question, f"test_tiny.py::{q.question}[x]", _outcome(q), q.points or 0.0, q.max_points,
                () if q.points == q.max_points else tuple(findings))
        for q in questions
    )  # fmt: skip
    most = sum(WORTH.values())
    result = Result(student, label or f"{student}.ipynb", "0" * 64, "graded", "", raw, most, "tiny", {}, "5",
                    "none", tests)  # fmt: skip
    waits = any(p is None for p in given)
    return Mark(
        student=student, status="waits for a person" if waits else status,
        reason="no verdict on test_gradients" if waits else "",
        questions=questions, raw=raw, deduction=late, points=raw - late, max_points=most,
        lateness=Lateness(3600.0, 10.0, line="1 hour late: 10 % of the points") if late else Lateness(),
        person=Person(name=name, ids=ids or {}), approved=approved and not waits,
        pseudonym=f"p{abs(hash(student)):x}"[:12], result=result,
    )  # fmt: skip


def _outcome(question):
    if question.points is None:
        return Outcome.WAITS
    return Outcome.PASSED if question.points == question.max_points else Outcome.FAILED


def with_work(path, page="<p>page</p>"):
    """Return the assignment whose submissions all lie at ``path``."""
    return replace(ASSIGNMENT, page=lambda _: page, work=lambda _: path)


def read_json(path):
    """Read JSON as strictly as a platform does: no NaN."""

    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,A tiny assignment (77),Other (78)\r\n"
    "    Points Possible,,,,,6,10\r\n"
)


def canvas_file(path, *rows, delimiter=",", bom=False):
    """Write a teacher's gradebook: rows are (name, id, login, grade, other)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    for line in CANVAS.splitlines():
        writer.writerow(line.split(","))
    writer.writerows([name, number, f"sis{number}", login, "S1", grade, other]
                     for name, number, login, grade, other in rows)  # fmt: skip
    path.write_bytes(b"\xef\xbb\xbf" * bom + text.getvalue().encode())
    return path


MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments"
)


def moodle_file(path, *rows, bom=True):
    """Write a teacher's worksheet: rows are (participant, name, email, grade, maximum, comment)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(MOODLE.split(","))
    writer.writerows(
        [f"Participant {number}", name, email, "Submitted for grading - ", grade, most, "Yes",
         "Sunday, 1 November 2026, 10:00 AM", "-", comment]
        for number, name, email, grade, most, comment in rows
    )  # fmt: skip
    path.write_bytes(b"\xef\xbb\xbf" * bom + text.getvalue().encode())
    return path
