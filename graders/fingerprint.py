"""What verdicts depend on in an assignment: its folder as a hash. Another hash, another basis."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

from pytest_symmetry.assignment import Assignment

_NOT_JUDGING = ("costs", "late", "due", "timezone")
"""What of assignment.toml no verdict depends on."""


def fingerprint(assignment: Assignment) -> str:
    """Return the hash of what verdicts depend on in an assignment, "/", and the hash of what causes cost.

    What follows the "/" changes marks without any test being run. The late policy is in neither: lateness
    is worked out from the times of handing in.
    """
    digest = hashlib.sha256()
    for file in _files(assignment.folder):
        digest.update(file.relative_to(assignment.folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(_judging(assignment, file)).digest())
    prices = json.dumps(dict(sorted(assignment.points.costs.items())))
    return f"{digest.hexdigest()}/{hashlib.sha256(prices.encode()).hexdigest()}"


def _judging(assignment: Assignment, file: Path) -> bytes:
    """Return of a file what verdicts may depend on."""
    raw = file.read_bytes()
    if file != assignment.file:
        return raw
    tables = tomllib.loads(raw.decode())
    return repr({k: v for k, v in sorted(tables.items()) if k not in _NOT_JUDGING}).encode()


def _files(folder: Path) -> list[Path]:
    """Return the files of an assignment, without what Python and editors leave behind."""
    files = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return sorted(folder / p for p in files if not any(part.startswith((".", "__")) for part in p.parts))
