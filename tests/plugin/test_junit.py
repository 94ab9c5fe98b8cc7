"""JUnit's XML, as CI systems read it: names, points, codes, places; never what is private.

To accept a change: ``SYMMETRY_WRITE_GOLDEN=1 pytest tests/plugin/test_junit.py``, then read the diff.
"""

import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pytest_symmetry.feedback.junit import properties
from pytest_symmetry.findings import Finding, Outcome, Verdict

GOLDEN = Path(__file__).parent / "junit.xml"
NO_TANH = ("* (1 - A**2)", "* 1")


def reported(course, *arguments):
    course.run("--junitxml", "report.xml", *arguments)
    return (course.folder / "report.xml").read_text(encoding="utf-8")


def settled(text):
    """Return the report without times, and without sentences, which are bettered elsewhere."""
    root = ElementTree.fromstring(text)
    root.attrib.pop("name", None)  # pytest 8.0 gives it none
    for element in root.iter():
        for name in {"time", "timestamp", "hostname"} & set(element.attrib):
            element.set(name, "...")
        if element.get("name") in ("symmetry_title", "symmetry_hint"):
            element.set("value", "...")
        if element.tag == "failure":
            element.set("message", element.get("message")[:6] + "...")
            element.text = re.sub(r"(?s)^(\w+)(.*)", r"\1...", element.text.strip())
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def test_a_report_is_as_agreed(course):
    """Right, wrong and not attempted; the student is a pseudonym and is named by nothing else."""
    stub = "def gradients(X, Y, parameters):\n    raise NotImplementedError"
    course.submission("inbox/k7w2.ipynb", NO_TANH)
    course.submission("inbox/m4q9.ipynb", extra=[stub])
    report = reported(course, "--symmetry-submission", "inbox")
    text = settled(report)
    if os.environ.get("SYMMETRY_WRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")

    assert GOLDEN.read_text(encoding="utf-8") == text
    assert str(course.folder) not in report


@pytest.mark.parametrize(("reveal", "told"), [("hint", False), ("cause", True)])
def test_the_cause_is_there_only_when_it_may_be_told(reveal, told):
    finding = Finding("SUB102", cause="factor-m", facts={"function": "f"})
    found = dict(properties(Verdict("q", "n", Outcome.FAILED, 0, 2, (finding,)), reveal=reveal))

    assert told == ("symmetry_cause" in found)


def test_a_class_runs_without_properties_where_nobody_asks(course):
    """They cost a little, and only XML shows them."""
    course.submission("ada.ipynb", NO_TANH)
    course.pytester.makeconftest(
        "def pytest_runtest_logreport(report):\n    assert not report.user_properties\n"
    )

    course.run("--symmetry-submission", "ada.ipynb").assert_outcomes(passed=2, failed=1)


def test_markup_of_a_student_is_text_in_the_report(course):
    """The XML is well formed, whatever a function raises."""
    course.submission(
        "ada.ipynb", ("return float(", "raise ValueError('</failure><x/>]]>\\x1b[2J') if 1 else float(")
    )
    root = ElementTree.fromstring(reported(course, "--symmetry-submission", "ada.ipynb"))

    assert root.find(".//x") is None
    assert "</failure><x/>" in "".join(root.find(".//failure").itertext())
