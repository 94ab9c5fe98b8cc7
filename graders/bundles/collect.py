"""Fetches students' repositories into one zip. A bundle carries this file alone: standard library only.

    python3 collect.py students.csv collected.zip

``students.csv`` has the columns id and repository ("owner/name"). The token that may read the repositories
comes from the environment variable STUDENT_REPOS_TOKEN and is given to git in its environment, never in an
argument or an address. Of a repository only regular files are taken, as data: no hook, filter, submodule or
link of it is followed. Whose repository could not be fetched stands in the zip with the reason, so that it
is never taken for work that was not handed in.
"""

from __future__ import annotations

import argparse
import base64
import csv
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

ABOUT = "collected.json"
TOKEN = "STUDENT_REPOS_TOKEN"  # noqa: S105 - the name of a variable
FILE_BYTES = 20 << 20
REPOSITORY_BYTES = 100 << 20
REPOSITORY_FILES = 5000
SECONDS = 300

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")


class CollectError(Exception):
    """Something a person can mend; one sentence."""


def read_students(path: Path) -> dict[str, str]:
    """Return the repository of each student.

    Raises:
        CollectError: the file is not there, or a line of it cannot be used.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, ValueError) as error:
        msg = f"{path}: it cannot be read: {error}"
        raise CollectError(msg) from None
    found: dict[str, str] = {}
    for line, row in enumerate(rows, start=2):
        student, repository = ((row.get(key) or "").strip() for key in ("id", "repository"))
        if not _ID.fullmatch(student):
            raise _wrong(path, line, "id", f"{student!r} is no identifier; use letters and digits")
        if not _REPOSITORY.fullmatch(repository):
            raise _wrong(path, line, "repository", f"{repository!r} is no repository; write owner/name")
        if student.lower() in {known.lower() for known in found}:
            raise _wrong(path, line, "id", f"{student!r} is there twice; keep one line")
        found[student] = repository
    if not found:
        msg = f"{path}: it names nobody; give it the columns id and repository, and a line a student"
        raise CollectError(msg)
    return found


def _wrong(path: Path, line: int, column: str, problem: str) -> CollectError:
    return CollectError(f"{path}, line {line}, column {column}: {problem}")


def collect(students: dict[str, str], out: Path, server: str, token: str = "") -> dict[str, str]:
    """Write everyone's files to the zip ``out``; return why whose repository could not be fetched."""
    failed: dict[str, str] = {}
    commits: dict[str, str] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for student, repository in sorted(students.items()):
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    commits[student] = _clone(repository, Path(scratch) / "clone", server, token)
                    files = _files(Path(scratch) / "clone")
                except CollectError as error:
                    failed[student] = str(error)
                    continue
                for path in files:
                    inside = path.relative_to(Path(scratch) / "clone").as_posix()
                    archive.writestr(f"{student}/{inside}", path.read_bytes())
        about = {"repositories": students, "commits": commits, "failed": failed}
        archive.writestr(ABOUT, json.dumps(about, indent=1))
    return failed


def _clone(repository: str, into: Path, server: str, token: str) -> str:
    """Fetch the newest state of a repository; return its commit, "" where it has none."""
    scheme = urlsplit(server).scheme
    settings = [
        "core.hooksPath=/dev/null",
        "core.symlinks=false",
        "core.longpaths=true",
        "protocol.allow=never",
    ]
    settings.append(f"protocol.{scheme}.allow=always")
    options = [part for setting in settings for part in ("-c", setting)]
    shape = ["--quiet", "--depth", "1", "--single-branch", "--no-tags", "--no-recurse-submodules"]
    address = f"{server.rstrip('/')}/{repository}.git"
    _git([*options, "clone", *shape, "--", address, str(into)], server, token)
    try:
        return _git(["-C", str(into), "rev-parse", "HEAD"], server, "").strip()
    except CollectError:
        return ""


def _git(arguments: list[str], server: str, token: str) -> str:
    environment = {
        key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE") if key in os.environ
    }
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C"}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    if token:
        secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        environment["GIT_CONFIG_COUNT"] = "1"
        environment["GIT_CONFIG_KEY_0"] = f"http.{server.rstrip('/')}/.extraheader"
        environment["GIT_CONFIG_VALUE_0"] = f"Authorization: Basic {secret}"
    try:
        done = subprocess.run(  # noqa: S603 - names are checked, and no shell reads them
            ["git", *arguments],  # noqa: S607 - the runner's own git
            env=environment, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        msg = f"git did not come to an end within {SECONDS} seconds"
        raise CollectError(msg) from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        msg = f"git says: {lines[-1]}"
        raise CollectError(msg)
    return done.stdout


def _files(clone: Path) -> list[Path]:
    """Return the regular files of a clone, git's own left out.

    Raises:
        CollectError: they are more, or larger, than any submission.
    """
    found, size = [], 0
    for path in sorted(clone.rglob("*")):
        state = path.lstat()
        if path.relative_to(clone).parts[0] == ".git" or not stat.S_ISREG(state.st_mode):
            continue
        size += state.st_size
        found.append(path)
        if state.st_size > FILE_BYTES or size > REPOSITORY_BYTES or len(found) > REPOSITORY_FILES:
            msg = "it holds more, or larger, files than any submission; ask for a smaller repository"
            raise CollectError(msg)
    return found


def main() -> int:
    """Collect as the arguments say; exit code 2 where the list cannot be used."""
    parser = argparse.ArgumentParser(description="Fetch students' repositories into one zip.")
    parser.add_argument("students", type=Path)
    parser.add_argument("out", type=Path)
    default = os.environ.get("CI_SERVER_URL") or os.environ.get("GITHUB_SERVER_URL") or "https://github.com"
    parser.add_argument("--server", default=default)
    chosen = parser.parse_args()
    try:
        students = read_students(chosen.students)
        failed = collect(students, chosen.out, chosen.server, os.environ.get(TOKEN, ""))
    except (CollectError, OSError) as error:
        sys.stderr.write(f"collect: {error}\n")
        return 2
    sys.stdout.write(f"{len(students) - len(failed)} of {len(students)} repositories were fetched.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
