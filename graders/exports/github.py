"""GitHub Classroom and GitHub Actions, a folder per student with four files.

``result.json`` is what ``autograding-grading-reporter`` reads; ``output.txt`` is the same as the line that a
step appends to ``$GITHUB_OUTPUT``; ``annotations.txt`` is for the step's output, ``summary.md`` for
``$GITHUB_STEP_SUMMARY``. What was not judged has status "error" and a maximum of 0: the reporter then sends
nothing, where a missing list of tests would end it, and a 0 would count.
"""

from __future__ import annotations

import base64
import html
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graders.exports.files import as_json, label, require_somebody
from graders.exports.interface import Assignment, LeftOut, Written
from graders.exports.lines import line_in_file
from graders.exports.told import plain, questions, summary
from pytest_symmetry.feedback.text import printable
from pytest_symmetry.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.exports.told import Question
    from graders.marks import Mark

_MOST_OUTPUT = 500
_MOST_ANNOTATIONS = 8
"""GitHub shows about ten errors of a step; the summary has all."""


@dataclass(frozen=True, slots=True)
class GitHub:
    """The files of one student lie in ``out``, of several in a folder each."""

    name: str = "github"
    writes: str = "GitHub Classroom's result, annotations and job summary"
    fills_in: str = ""
    approved_only: bool = False

    def export(
        self,
        marks: Sequence[Mark],
        assignment: Assignment,
        out: Path,
        into: Path | None = None,  # noqa: ARG002 - part of the interface
    ) -> Written:
        """Write the files."""
        left_out = LeftOut()
        told = left_out.tellable(marks)
        require_somebody(told, left_out)
        files: list[Path] = []
        for mark in told:
            folder = out if len(told) == 1 else out / label(mark)
            for name, text in _files(mark, assignment).items():
                write_atomically(folder / name, text, durable=False)
                files.append(folder / name)
        return Written(tuple(files), len(told), tuple(left_out.students))


def _files(mark: Mark, assignment: Assignment) -> dict[str, str]:
    told = questions(mark, assignment.reveal)
    places = {q.name: _place(mark, q, assignment) for q in told}
    result = _result(mark, told, places)
    packed = base64.b64encode(json.dumps(result, allow_nan=False).encode()).decode("ascii")
    return {
        "result.json": as_json(result),
        "output.txt": f"result={packed}\n",
        "annotations.txt": "".join(f"{line}\n" for line in _annotations(told, places)),
        "summary.md": _summary(mark, told, assignment),
    }


def _place(mark: Mark, question: Question, assignment: Assignment) -> tuple[str, int] | None:
    """Return file and line of what a question failed on; None where no line is known."""
    work = assignment.work(mark)
    if question.full or question.finding is None or work is None or mark.result is None:
        return None
    line = line_in_file(work, question.finding.place)
    return (mark.result.submission, line) if line is not None else None


def _result(
    mark: Mark, told: Sequence[Question], places: dict[str, tuple[str, int] | None]
) -> dict[str, Any]:
    if not mark.final:
        return {"version": 3, "status": "error", "message": summary(mark), "max_score": 0, "tests": []}
    tests = [_test(q, places[q.name]) for q in told]
    if mark.deduction:  # the reporter adds up the tests: lateness must be one of them
        late: dict[str, Any] = {"name": "lateness", "status": "fail", "score": -mark.deduction}
        tests.append({**_NOTHING, **late, "message": summary(mark)[:_MOST_OUTPUT]})
    status = "pass" if mark.points >= mark.max_points else "fail"
    about = {"version": 3, "status": status, "message": summary(mark)}
    return {**about, "max_score": mark.max_points, "tests": tests}


_NOTHING: dict[str, Any] = {
    "name": "", "status": "pass", "message": "", "test_code": "", "task_id": None, "filename": "",
    "line_no": 0, "duration": 0, "score": 0, "output": "",
}  # fmt: skip


def _test(question: Question, place: tuple[str, int] | None) -> dict[str, Any]:
    missed = "error" if question.broke else "fail"
    return {
        **_NOTHING,
        "name": question.words,
        "status": "pass" if question.full else missed,
        "message": question.head[:_MOST_OUTPUT],
        "test_code": question.name,
        "filename": place[0] if place else "",
        "line_no": place[1] if place else 0,
        "score": question.points,
        "output": question.text[:_MOST_OUTPUT],
    }


def _annotations(told: Sequence[Question], places: dict[str, tuple[str, int] | None]) -> list[str]:
    """Return the errors at the student's own lines, each finding once."""
    lines: dict[str, None] = {}
    for question in told:
        place = places[question.name]
        if place is None:
            continue
        file, line = _property(place[0]), place[1]
        title, text = _property(question.head), _message(question.text)
        lines.setdefault(f"::error file={file},line={line},endLine={line},title={title}::{text}")
    return list(lines)[:_MOST_ANNOTATIONS]


def _message(text: str) -> str:
    """Escape text of a workflow command as GitHub's own toolkit does; nothing of it can end the command."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _summary(mark: Mark, told: Sequence[Question], assignment: Assignment) -> str:
    """Return the job summary; what others wrote stands in it as entities, so that none of it is markup."""
    lines = [f"### {_words(assignment.title)}", "", _words(summary(mark)), ""]
    if mark.final and told:
        lines += ["| Question | Points |", "| --- | ---: |"]
        lines += [f"| {_words(q.words)} | {plain(q.points or 0.0)} / {plain(q.max_points)} |" for q in told]
        lines.append("")
    for q in told if mark.final else ():
        if q.text:
            lines += [f"<b>{_words(q.words)}</b>", "", f"<pre>{html.escape(q.text)}</pre>", ""]
    return "\n".join(lines)


def _words(text: str) -> str:
    return "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in printable(text))


EXPORTS = (GitHub(),)
