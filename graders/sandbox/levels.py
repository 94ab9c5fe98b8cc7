"""The names of what a machine can keep from a student's code, and what to do where it is not enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_symmetry.errors import SymmetryError

DOCKERFILE = Path(__file__).parents[1] / "Dockerfile"

ENOUGH = 2
"""The level that grading a class asks for."""

NAMES = {
    3: "sealed",
    2: "sealed, without namespaces",
    1: "thin: own process, time and memory limits",
    0: "open",
}
NEEDED = ("files", "writing", "network", "processes", "judge", "shared memory", "privileges")
"""What must be refused to a child before its process counts as sealed."""

FULL = ("own root", "own process numbers")
"""What makes it level 3."""


class SandboxError(SymmetryError):
    """Students' code cannot be locked in here, or not well enough."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """A level, and the facts that it rests on: what was locked, and what a child was refused."""

    level: int
    locked: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, bool] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"level {self.level} ({NAMES[self.level]})"

    @classmethod
    def found(cls, locked: Mapping[str, Any], refused: Mapping[str, bool]) -> Isolation:
        """Return the level that probes have shown."""
        sealed = all(refused.get(name, False) for name in NEEDED)
        full = sealed and all(refused.get(name, False) for name in FULL)
        return cls(3 if full else 2 if sealed else 1, locked, refused)

    @property
    def possible(self) -> list[str]:
        """What a hostile submission could do here, of what a sealed one cannot."""
        return [name for name in NEEDED if not self.refused.get(name, False)]


def thin() -> Isolation:
    """Return the level of a plain child process."""
    return Isolation(1)


def refusal(isolation: Isolation, why: str = "") -> SandboxError:
    """Return the error for a machine that cannot lock students' code in well enough."""
    reason = why or f"a submission could still reach: {', '.join(isolation.possible)}"
    return SandboxError(
        f"this machine can isolate submissions at {isolation} only, and grading asks for level {ENOUGH}"
        f" ({reason}). Grade on Linux, in CI, or in a container: {DOCKERFILE} says how;"
        " or accept the risk with --isolation best, which every result will say."
        " `symmetry doctor` shows what is missing"
    )
