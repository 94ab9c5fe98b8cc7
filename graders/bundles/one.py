"""The work of one student, judged where a platform has put it, and the file that the platform reads.

It is the way of ``symmetry grade`` and ``symmetry export``, over a class of one: the same intake, the same
gradebook, the same format. What comes to no mark becomes an error of the platform, never a 0.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders import grading_run
from graders.bundles.platforms import FILE, PLATFORMS, BundleError, Settings, level_line
from graders.exports.choosing import find_format
from graders.exports.files import as_json
from graders.exports.graded import assignment_of
from graders.exports.interface import carry_out
from graders.intake import Rules, receive_folders
from graders.lateness import late_policy
from graders.marks import marks
from graders.opening import read_gradebook
from graders.sandbox.levels import thin
from graders.workers import Workers
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_symmetry.assignment import Assignment

ASSIGNMENT = "assignment"
_STUDENT = "submission"


@dataclass(frozen=True, slots=True)
class Bundle:
    """An unpacked bundle: where it lies, its settings, its assignment."""

    folder: Path
    settings: Settings
    assignment: Assignment


def read_settings(folder: Path) -> Settings:
    """Return what a bundle was made for.

    Raises:
        BundleError: there is no such file, or it was written by another version.
    """
    file = folder / FILE
    try:
        settings = Settings.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        settings = None
    if settings is None or settings.platform not in PLATFORMS:
        msg = f"{file}: this is not what `symmetry package` writes; package the assignment again"
        raise BundleError(msg)
    return settings


def open_bundle(folder: Path) -> Bundle:
    """Read an unpacked bundle.

    Raises:
        BundleError: as :func:`read_settings`.
        AssignmentError: the assignment in it is not right.
    """
    return Bundle(folder, read_settings(folder), load_assignment(folder / ASSIGNMENT))


def grade(
    bundle: Bundle,
    folders: Mapping[str, Path],
    out: Path,
    rules: Rules,
    jobs: int,
    say: Callable[[str], None],
) -> str:
    """Grade what lies in ``folders``, by student, into ``out``, as ``symmetry grade`` does.

    Args:
        bundle: what is graded, and how.
        folders: each student's.
        out: the graded folder.
        rules: how to read what came in; when it was due is the assignment's.
        jobs: how many worker processes.
        say: is told the level as soon as it is known.

    Returns:
        The sentence about the level.

    Raises:
        AssignmentError: the assignment's own solution fails here.
        SandboxError: this machine cannot lock submissions in as well as the bundle asks for.
        SubmissionError: a folder cannot be read.
    """
    found, settings = bundle.assignment, bundle.settings
    rules = replace(rules, assignment=found.name, due=found.policy.due, policy=late_policy(found))
    intake = receive_folders(folders, found.notebook, rules)
    with Workers(jobs) as workers:
        order = grading_run.order_of(found, intake, out, settings.isolation, workers)
        line = level_line(order.offered or thin(), settings.isolation)
        say(line)
        seed, reveal = int(settings.seed), settings.reveal
        with grading_run.started(order, seed=seed, jobs=jobs, reveal=reveal, workers=workers) as run:
            for _ in run.grade_new():
                pass
    return line


def judge(bundle: Bundle, submission: Path, out: Path, say: Callable[[str], None]) -> str:
    """Judge what lies in ``submission`` and write the platform's file ``out``; ``say`` is told the level.

    Returns:
        Why there is no mark, "" where there is one.

    Raises:
        SymmetryError: the grader cannot judge here.
        OSError: something cannot be read or written.
    """
    if not submission.is_dir():
        msg = f"{submission}: there is no such folder; the platform puts the student's files there"
        raise BundleError(msg)
    platform = PLATFORMS[bundle.settings.platform]
    with tempfile.TemporaryDirectory(prefix="symmetry-") as scratch:
        graded, file = Path(scratch) / "graded", Path(scratch) / out.name
        line = grade(bundle, {_STUDENT: submission}, graded, Rules(), 1, say)
        with read_gradebook(graded) as book:
            (mark,) = marks(book)
            why = "" if mark.final else f"{mark.status}: {mark.reason}"
            if mark.final or platform.fault is not None:
                carry_out(find_format(platform.name), [mark], assignment_of(book), file)
        if file.exists():
            write_atomically(out, _with_line(file, platform.text, line))
    return why


def _with_line(file: Path, key: str, line: str) -> str:
    """Return a platform's file with the sentence about the level under its text."""
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if isinstance(data.get(key), str):
        data[key] = f"{data[key]}\n{line}"
    return as_json(data)


def no_mark(folder: Path, out: Path) -> None:
    """See that a platform reads "not judged": in its own words, or by finding no file."""
    fault = None
    with suppress(BundleError):
        fault = PLATFORMS[read_settings(folder).platform].fault
    with suppress(OSError):  # what cannot be written here cannot be mended here: the exit code tells
        if fault is not None:
            write_atomically(out, as_json(dict(fault)))
        else:
            out.unlink(missing_ok=True)
