"""JUnit XML as pytest writes it: a suite per student, a case per question.

There is no field for points: they ride in properties, as those of a run of pytest do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from graders.exports.files import label, require_somebody
from graders.exports.interface import Assignment, LeftOut, Written
from graders.exports.told import Question, plain, questions, summary
from pytest_symmetry.feedback.text import harmless
from pytest_symmetry.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.marks import Mark


@dataclass(frozen=True, slots=True)
class JUnit:
    """Students stand in it by their pseudonyms: CI systems show these files to many."""

    name: str = "junit"
    writes: str = "JUnit XML, points as properties"
    fills_in: str = ""
    approved_only: bool = False

    def export(
        self,
        marks: Sequence[Mark],
        assignment: Assignment,
        out: Path,
        into: Path | None = None,  # noqa: ARG002 - part of the interface
    ) -> Written:
        """Write the file."""
        left_out = LeftOut()
        told = left_out.tellable(marks)
        require_somebody(told, left_out)
        root = ET.Element("testsuites", name=harmless(assignment.name))
        for mark in told:
            root.append(_suite(mark, assignment))
        ET.indent(root)
        text = ET.tostring(root, encoding="unicode")
        write_atomically(out, f"<?xml version='1.0' encoding='utf-8'?>\n{text}\n")
        return Written((out,), len(told), tuple(left_out.students))


def _suite(mark: Mark, assignment: Assignment) -> ET.Element:
    told = questions(mark, assignment.reveal)
    suite = ET.Element("testsuite", name=label(mark))
    points = {"status": mark.status, "max_points": plain(mark.max_points)}
    if mark.final:
        points |= {"points": plain(mark.points), "deduction": plain(mark.deduction)}
    _properties(suite, points)
    for question in told:
        suite.append(_case(question, mark, assignment))
    kinds = {child.tag for case in suite.iter("testcase") for child in case} - {"properties"}
    for kind, name in (("error", "errors"), ("failure", "failures"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{kind}"))) if kind in kinds else "0")
    suite.set("tests", str(len(told)))
    suite.set("time", "0")
    if not told or not mark.final:
        ET.SubElement(suite, "system-out").text = summary(mark)
    return suite


def _case(question: Question, mark: Mark, assignment: Assignment) -> ET.Element:
    classname = f"{harmless(assignment.name)}.{label(mark)}"
    case = ET.Element("testcase", classname=classname, name=harmless(question.name), time="0")
    properties = {"symmetry_max_points": plain(question.max_points)}
    if question.points is not None:
        properties["symmetry_points"] = plain(question.points)
    _properties(case, properties)
    if question.points is None:
        ET.SubElement(case, "skipped", type="symmetry.not-judged", message=summary(mark))
    elif not question.full:
        kind = "error" if question.broke else "failure"
        message = question.head or f"{plain(question.points)} of {plain(question.max_points)} points"
        ET.SubElement(case, kind, message=message).text = question.text
    return case


def _properties(parent: ET.Element, named: dict[str, str]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in named.items():
        ET.SubElement(properties, "property", name=name, value=value)


EXPORTS = (JUnit(),)
