"""What the page about the sandbox shows is what `symmetry doctor` says."""

import re
import sys
from pathlib import Path

import pytest

from graders import doctor

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def told(lines):
    """Return lines without what is another on each machine: versions, and the user."""
    return [
        re.sub(r"\d+(\.\d+)*", "N", line) for line in lines if not line.startswith(("System", "Versions"))
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
def test_the_report_of_doctor_is_the_one_shown():
    """On a machine of level 3 without a control group; on others the page shows what they lack."""
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    said = list(doctor.report())
    if "level 3" not in said[0] or any(line.startswith("Cgroup      yes") for line in said):
        pytest.skip(f"this machine has another report: {said[0]}")
    reasons = r"^(Cgroup      no:).*;$"

    assert [re.sub(reasons, r"\1", line) for line in told(shown.splitlines())] == [
        re.sub(reasons, r"\1", line) for line in told(said)
    ]
