"""A class of repositories, judged in the staff's own: marks, and who changed what they were handed."""

from __future__ import annotations

import csv
import errno
import fnmatch
import hashlib
import io
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from graders.bundles.collect import ABOUT
from graders.bundles.one import Bundle, grade
from graders.bundles.platforms import BundleError
from graders.class_counts import cell
from graders.exports.choosing import find_format
from graders.exports.graded import assignment_of
from graders.exports.interface import carry_out
from graders.exports.told import plain
from graders.intake import Rules
from graders.lateness import read_zone
from graders.marks import marks
from graders.opening import read_gradebook
from graders.roster import read_roster
from graders.workers import PROCESSORS
from pytest_symmetry.feedback.text import printable
from pytest_symmetry.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from graders.gradebook import Gradebook
    from graders.marks import Mark

RELEASED = "released.json"
CHANGED = "changed.csv"
FORMATS = {
    "github": (("csv", "marks.csv"), ("github", "github")),
    "gitlab": (("csv", "marks.csv"), ("junit", "junit.xml")),
}
"""What is written beside the graded folder's own files, by platform."""

_NAMES_REFUSED = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EISDIR)
_WATCHED_FOLDERS = (".github", ".gitlab", ".circleci", ".gitea", ".forgejo")
_WATCHED_NAMES = (
    "test_*.py", "*_test.py", "conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml",
    "tox.ini", "setup.cfg", "pyproject.toml", "sitecustomize.py", "usercustomize.py", "*.pth",
    ".gitlab-ci.yml", ".gitlab-ci.yaml",
)  # fmt: skip
"""What a repository may hold that says how something runs: reported where it was not handed out."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a run has to say, nobody named; ``unjudged`` is how many repositories could not be fetched."""

    said: tuple[str, ...]
    unjudged: int


def judge(bundle: Bundle, collected: Path, roster: Path, out: Path, say: Callable[[str], None]) -> Judged:
    """Judge everyone whose repository was collected, into the graded folder ``out``.

    Args:
        bundle: the opened bundle.
        collected: the zip that ``collect.py`` wrote.
        roster: students.csv.
        out: the graded folder; beside what ``symmetry grade`` writes it gets marks and ``changed.csv``.
        say: is told the level.

    Raises:
        BundleError: the zip is not one of ``collect.py``'s.
        SymmetryError: the grader cannot judge here.
        OSError: something cannot be read or written.
    """
    with tempfile.TemporaryDirectory(prefix="symmetry-") as scratch:
        about, folders = _unpacked(collected, Path(scratch))
        released = handed_out(bundle.folder)
        changes = {student: list(changed(path, released)) for student, path in folders.items()}
        failed: Mapping[str, str] = about["failed"]
        zone = read_zone(bundle.assignment.timezone)
        enrolled = read_roster(roster, zone)
        # Of who could not be fetched nothing is known: not even that nothing was handed in.
        people = {student: one for student, one in enrolled.people.items() if student not in failed}
        rules = Rules(roster=replace(enrolled, people=people), zone=zone)
        line = grade(bundle, folders, out, rules, PROCESSORS, say)
    with read_gradebook(out) as book:
        everyone = marks(book)
        _write_changes(out / CHANGED, changes, failed)
        for name, file in FORMATS[bundle.settings.platform]:
            _export(name, everyone, failed, book, out / file)
        said = tuple(_said(everyone, changes, failed))
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        _add_summary(Path(summary), line, said)
    return Judged(said, len(failed))


def handed_out(folder: Path) -> dict[str, str]:
    """Return the digests of the files that students received, by path."""
    try:
        found: dict[str, str] = json.loads((folder / RELEASED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        msg = f"{folder / RELEASED}: it cannot be read; package the assignment again"
        raise BundleError(msg) from None
    return found


def digest(content: bytes) -> str:
    """Return the digest of a file; a line may end in either way, as git sees to that."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def changed(folder: Path, released: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (path, "changed", "missing" or "added") for what differs from what was handed out.

    The notebook is the student's to change, and is not in ``released``; added files count where they could
    say how something is run.
    """
    there = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    for path, known in sorted(released.items()):
        if path not in there:
            yield path, "missing"
        elif digest(there[path].read_bytes()) != known:
            yield path, "changed"
    yield from ((path, "added") for path in there if path not in released and _is_watched(path))


def _is_watched(path: str) -> bool:
    parts = PurePosixPath(path.lower()).parts
    return parts[0] in _WATCHED_FOLDERS or any(
        fnmatch.fnmatchcase(parts[-1], name) for name in _WATCHED_NAMES
    )


def _unpacked(collected: Path, into: Path) -> tuple[dict[str, dict[str, str]], dict[str, Path]]:
    """Unpack what was collected; return what was written down about it, and everyone's folder."""
    try:
        with zipfile.ZipFile(collected) as archive:
            about: dict[str, dict[str, str]] = json.loads(archive.read(ABOUT))
            for member in archive.infolist():
                _unpack(archive, member, into)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        msg = f"{collected}: it is not what collect.py writes; run that first"
        raise BundleError(msg) from None
    folders = {student: into / student for student in about["commits"]}
    for path in folders.values():
        path.mkdir(exist_ok=True)  # an empty repository has no member
    return about, folders


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, into: Path) -> None:
    """Unpack a file, unless its name is one that no file can have here: one student's must stop nobody."""
    try:
        archive.extract(member, into)
    except OSError as error:
        if error.errno not in _NAMES_REFUSED:
            raise


def _export(
    name: str, everyone: Iterable[Mark], failed: Mapping[str, str], book: Gradebook, out: Path
) -> None:
    """Export the marks, without who could not be fetched, who may have one by way of a group."""
    known = [mark for mark in everyone if mark.student not in failed]
    if known:
        carry_out(find_format(name), known, assignment_of(book), out)


def _write_changes(
    out: Path, changes: Mapping[str, list[tuple[str, str]]], failed: Mapping[str, str]
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["student", "file", "what"])
    for student, rows in sorted(changes.items()):
        writer.writerows([cell(student), cell(printable(path)), what] for path, what in rows)
    writer.writerows(
        [cell(s), "", cell(printable(f"not fetched: {why}"))] for s, why in sorted(failed.items())
    )
    write_atomically(out, text.getvalue())


def _said(
    everyone: Iterable[Mark], changes: Mapping[str, list[tuple[str, str]]], failed: Mapping[str, str]
) -> Iterator[str]:
    """Yield what a log may say: pseudonyms, points and counts, nothing that a student wrote."""
    for mark in everyone:
        points = f"{plain(mark.points)} of {plain(mark.max_points)} points"
        rows = changes.get(mark.student, [])
        meddled = f"; {_counted(rows)}" if rows else ""
        yield f"{mark.pseudonym}: {points if mark.final else mark.status}{meddled}"
    touched = sum(bool(rows) for rows in changes.values())
    if touched:
        said = f"{touched} of {len(changes)} repositories differ from what was handed out"
        yield f"{said}: see {CHANGED}. No mark depends on these files."
    if failed:
        yield f"Not fetched, and not judged: {len(failed)}; see {CHANGED}."


def _counted(rows: list[tuple[str, str]]) -> str:
    kinds = [what for _, what in rows]
    return ", ".join(
        f"{kinds.count(kind)} {kind}" for kind in ("changed", "missing", "added") if kind in kinds
    )


def _add_summary(summary: Path, line: str, said: Iterable[str]) -> None:
    """Add to the job's summary; it holds nothing that a student wrote."""
    lines = ["### Graded", "", line, "", *(f"- {text}" for text in said), ""]
    with summary.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines))
