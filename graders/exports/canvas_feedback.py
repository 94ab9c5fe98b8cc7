"""Students' pages as the zip that Canvas takes as "Upload Submissions" in bulk: a comment with the page each.

Canvas finds user and attachment as the first two numbers between underscores of a file's name (app/models/
assignment.rb, ``infer_comment_context_from_filename``): the names are those of its own download.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from graders.exports.files import require_somebody, write_zip
from graders.exports.interface import Assignment, LeftOut, Written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from graders.marks import Mark

_DOWNLOADED = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<user>\d+)_(?P<attachment>\d+)_.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CanvasFeedback:
    """The page of every approved mark whose work came out of Canvas's "Download Submissions"."""

    name: str = "canvas-feedback"
    writes: str = "a zip of feedback pages for Canvas"
    fills_in: str = ""
    approved_only: bool = True

    def export(
        self,
        marks: Sequence[Mark],
        assignment: Assignment,
        out: Path,
        into: Path | None = None,  # noqa: ARG002 - part of the interface
    ) -> Written:
        """Write the zip."""
        left_out = LeftOut()
        files: dict[str, str] = {}
        for mark in left_out.graded(marks):
            name, page = _name(mark), assignment.page(mark)
            if not name:
                left_out.add(mark, "the work has no name as Canvas gives it")
            elif page is None:
                left_out.add(mark, "there is no page")
            elif name in files:
                left_out.add(mark, "another student's work has the same numbers of Canvas")
            else:
                files[name] = page
        require_somebody(list(files), left_out)
        write_zip(out, files)
        return Written((out,), len(files), tuple(left_out.students))


def _name(mark: Mark) -> str:
    label = mark.result.submission if mark.result is not None else ""
    found = _DOWNLOADED.fullmatch(PurePosixPath(label.replace("\\", "/")).name)
    mine = (mark.student, *mark.person.ids.values())
    if found is None or found["user"] not in mine:
        return ""
    name = re.sub(r"[^0-9A-Za-z]", "", found["name"]) or "student"
    # A name of digits alone would be taken for the number of a user.
    return f"x{name}_{found['user']}_{found['attachment']}_feedback.html"


EXPORTS = (CanvasFeedback(),)
