"""Students' pages as the zip that Moodle takes as "Upload multiple feedback files in a zip".

The folder of a file says whose it is: ``Full name_participant_assignsubmission_file``, read at its
underscores (mod/assign/feedback/file/importziplib.php).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graders.exports.files import require_somebody, write_zip
from graders.exports.interface import Assignment, LeftOut, Written
from graders.exports.matching import match
from graders.exports.worksheet import read_worksheet
from pytest_symmetry.feedback.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.marks import Mark

_UNSAFE = re.compile(r"""[_/\\:*?"'<>|&\s]+""")


@dataclass(frozen=True, slots=True)
class MoodleFeedback:
    """The page of every approved mark."""

    name: str = "moodle-feedback"
    writes: str = "a zip of feedback pages for Moodle"
    fills_in: str = "the grading worksheet downloaded from Moodle"
    approved_only: bool = True

    def export(
        self, marks: Sequence[Mark], assignment: Assignment, out: Path, into: Path | None = None
    ) -> Written:
        """Write the zip."""
        assert into is not None  # fills_in asks for it
        sheet = read_worksheet(into)
        left_out = LeftOut()
        matched = match(left_out.graded(marks), sheet.people)
        left_out.students += matched.left_out
        files = {}
        for row, mark in matched.rows.items():
            if (page := assignment.page(mark)) is None:
                left_out.add(mark, "there is no page")
                continue
            files[f"{_folder(sheet.people[row].name, sheet.participant(row))}/feedback.html"] = page
        require_somebody(list(files), left_out)
        write_zip(out, files)
        return Written((out,), len(files), tuple(left_out.students))


def _folder(name: str, participant: str) -> str:
    """Return the folder of a participant; an underscore in the name would move the number for Moodle."""
    plain = _UNSAFE.sub(" ", printable(name)).strip(" .~")[:60].strip() or "Participant"
    return f"{plain}_{participant}_assignsubmission_file"


EXPORTS = (MoodleFeedback(),)
