"""What workers are asked, as parcels: on which terms they grade, and chunk after chunk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from graders.cluster.parcels import digest, files_of, pack
from pytest_symmetry.assignment import load_assignment

if TYPE_CHECKING:
    from graders.batch import Task


@dataclass(frozen=True, slots=True)
class Terms:
    """An assignment by its content, and how well submissions have to be locked in."""

    folder: str
    isolation: str
    name: str
    assignment: str
    parcel: bytes = field(repr=False)
    """Asks a worker to lay the assignment out, to try it, and to say what judges there."""

    @classmethod
    def of(cls, folder: str, isolation: str) -> Terms:
        """Read an assignment.

        Raises:
            OSError: one of its files cannot be read.
            AssignmentError: it is no assignment.
        """
        files, name = files_of(Path(folder)), load_assignment(Path(folder)).name
        content = digest(files)
        head = {**_where(folder, content), "what": "examine", "isolation": isolation, "files": list(files)}
        return cls(folder, isolation, name, content, pack(head, list(files.values())))

    def cover(self, task: Task) -> bool:
        """Return whether a chunk is graded on these terms."""
        return (task.assignment, task.isolation) == (self.folder, self.isolation)

    def chunk(self, task: Task) -> bytes:
        """Return the parcel of a chunk, its submissions in it by content.

        Raises:
            OSError: a submission cannot be read, or is not what was taken in.
        """
        head = {
            **_where(self.folder, self.assignment),
            "what": "grade",
            "task": {
                "seed": task.seed,
                "reveal": task.reveal,
                "isolation": task.isolation,
                "patience": task.patience,
                "names": dict(task.names),
                "seed_mark": task.seed_mark,
                "more_seeds": list(task.more_seeds),
            },
            "entries": [
                {"student": e.student, "file": e.path.name, "label": e.label, "sha256": e.sha256}
                for e in task.entries
            ],
        }
        return pack(head, [_bytes_of(entry.path, entry.sha256) for entry in task.entries])


def _where(folder: str, digest_of_it: str) -> dict[str, str]:
    return {"assignment": digest_of_it, "name": Path(folder).name, "told": folder}


def _bytes_of(path: Path, sha256: str) -> bytes:
    raw = path.read_bytes()
    if sha256 and hashlib.sha256(raw).hexdigest() != sha256:
        msg = f"{path}: it was changed while the class was graded; run the same command again"
        raise OSError(msg)
    return raw
