"""Fetches students' repositories into one zip. A bundle carries this file alone: standard library only.

    python3 collect.py students.csv collected.zip

``students.csv`` has the columns id and repository ("owner/name"). The token that may read the repositories
comes from the environment variable STUDENT_REPOS_TOKEN and is given to git in its environment, never in an
argument or an address. Of a repository only the regular files of its newest commit are taken, out of git's
own store: nothing is checked out, so that no hook, filter, submodule, link or odd name of it does anything.
Whose repository could not be fetched stands in the zip with the reason, so that it is never taken for work
that was not handed in.
"""

from __future__ import annotations

import argparse
import base64
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ABOUT = "collected.json"
TOKEN = "STUDENT_REPOS_TOKEN"  # noqa: S105 - the name of a variable
FILE_BYTES = 20 << 20
REPOSITORY_BYTES = 100 << 20
REPOSITORY_FILES = 5000
LISTING_BYTES = 8 << 20
NAME = 1000
SECONDS = 300
LISTING_SECONDS = 60

_TOO_MUCH = "it holds more, or larger, files than any submission; ask for a smaller repository"

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
        reader = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
        rows, columns = list(reader), reader.fieldnames or ()
    except (OSError, ValueError, csv.Error) as error:
        msg = f"{path}: it cannot be read: {error}"
        raise CollectError(msg) from None
    if not {"id", "repository"} <= set(columns):
        msg = f"{path}, line 1: it must name the columns id and repository, with a comma between them"
        raise CollectError(msg)
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
                    commit, files = _fetched(repository, Path(scratch) / "store", server, token)
                except CollectError as error:
                    failed[student] = str(error)
                    continue
            commits[student] = commit
            for name, content in files:
                archive.writestr(f"{student}/{name}", content)
        about = {"repositories": students, "commits": commits, "failed": failed}
        archive.writestr(ABOUT, json.dumps(about, indent=1))
    return failed


def _fetched(repository: str, store: Path, server: str, token: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return the newest commit of a repository, "" where it has none, and its files."""
    scheme = urlsplit(server).scheme
    settings = ("core.hooksPath=/dev/null", "protocol.allow=never", f"protocol.{scheme}.allow=always")
    options = [part for setting in settings for part in ("-c", setting)]
    shape = ["--quiet", "--bare", "--depth", "1", "--single-branch", "--no-tags"]
    address = f"{server.rstrip('/')}/{repository}.git"
    _git([*options, "clone", *shape, "--", address, str(store)], _secret(server, token))
    within = ["-C", str(store)]
    try:
        commit = _git([*within, "rev-parse", "--verify", "--quiet", "HEAD"]).decode().strip()
    except CollectError:
        return "", []
    found = _listed(_listing([*within, "ls-tree", "-r", "-l", "-z", commit]))
    asked = "".join(f"{digest}\n" for _, digest in found).encode()
    contents = _contents(_git([*within, "cat-file", "--batch"], given=asked))
    return commit, [(name, content) for (name, _), content in zip(found, contents, strict=True)]


def _secret(server: str, token: str) -> dict[str, str]:
    """Return what of git's environment lets it in."""
    if not token:
        return {}
    secret = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{server.rstrip('/')}/.extraheader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {secret}",
    }


def _environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE")
    environment = {key: os.environ[key] for key in kept if key in os.environ}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return {**environment, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def _git(arguments: list[str], more: Mapping[str, str] | None = None, given: bytes = b"") -> bytes:
    environment = {**_environment(), **(more or {})}
    try:
        done = subprocess.run(  # noqa: S603 - names are checked, and no shell reads them
            ["git", *arguments],  # noqa: S607 - the runner's own git
            env=environment, input=given, capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        msg = f"git did not come to an end within {SECONDS} seconds"
        raise CollectError(msg) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "backslashreplace").splitlines()
        lines = [line for line in said if line.strip()] or ["no reason given"]
        msg = f"git says: {lines[-1]}"
        raise CollectError(msg)
    return done.stdout


def _listing(arguments: list[str]) -> bytes:
    """Return what git lists, unless that is more than any submission has.

    A few folders that hold one another many times are a small repository with a listing without end.
    """
    with subprocess.Popen(  # noqa: S603 - as above
        ["git", *arguments],  # noqa: S607 - as above
        env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        clock = threading.Timer(LISTING_SECONDS, process.kill)
        clock.start()
        try:
            assert process.stdout is not None
            listing = process.stdout.read(LISTING_BYTES + 1)
            if len(listing) > LISTING_BYTES:
                process.kill()
            code = process.wait()
        finally:
            clock.cancel()
    if code:
        raise CollectError(_TOO_MUCH)
    return listing


def _listed(listing: bytes) -> list[tuple[str, str]]:
    """Return (path, digest) of the regular files of a commit, as ``ls-tree -r -l -z`` lists it.

    Raises:
        CollectError: they are more, or larger, than any submission.
    """
    found, total = [], 0
    for entry in filter(None, listing.split(b"\0")):
        about, _, raw = entry.partition(b"\t")
        mode, _, digest, size = about.decode().split()
        name = raw.decode("utf-8", "backslashreplace")
        odd = len(name) > NAME or {"", ".", "..", ".git"} & {*name.split("/")}
        if not mode.startswith("100") or odd:
            continue
        found.append((name, digest))
        total += int(size)
        if int(size) > FILE_BYTES or total > REPOSITORY_BYTES or len(found) > REPOSITORY_FILES:
            raise CollectError(_TOO_MUCH)
    return found


def _contents(batch: bytes) -> Iterator[bytes]:
    """Yield the contents that ``cat-file --batch`` wrote one after another."""
    at = 0
    while at < len(batch):
        end = batch.index(b"\n", at)
        size = int(batch[at:end].split()[-1])
        yield batch[end + 1 : end + 1 + size]
        at = end + size + 2


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
