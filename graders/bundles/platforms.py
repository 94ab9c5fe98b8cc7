"""The five platforms: what each gives a grader, and what it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graders.sandbox.levels import ENOUGH, NAMES, Isolation
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.records import Record

FILE = "bundle.json"


class BundleError(SymmetryError):
    """A bundle that cannot be made or used; one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Settings(Record):
    """What a bundle was made for: it stands in its ``bundle.json``.

    ``seed`` is that of the inputs, as text since JSON's numbers end at 53 bits; ``reveal`` is how much is
    told, "" for what the assignment says; ``isolation`` is "strict" or "best", as for ``symmetry grade``.
    """

    platform: str
    assignment: str
    seed: str
    python: str
    version: str
    isolation: str = "strict"
    reveal: str = ""


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform.

    ``gives`` is what is known of the level that its machines give. ``text`` is the key of its file under
    which a sentence can be added, ``fault`` what its file says where work was not judged, None where it
    then gets no file. ``alone`` is whether it starts a grader for one submission; ``seconds`` is how long
    that may take, less than the platform waits. ``speaks`` is whether it reads the grader's output as the
    result.
    """

    name: str
    title: str
    gives: str
    text: str = ""
    fault: Mapping[str, Any] | None = None
    alone: bool = True
    seconds: int = 540
    speaks: bool = False


_CONTAINER = (
    "Docker's and Podman's own profiles allow Landlock and seccomp, and no new namespaces: level 2 is what "
    "such a container gives, unless its kernel has no Landlock"
)

PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform(
            "gradescope",
            "Gradescope",
            "Gradescope starts a Docker container for each submission, as root and with network. "
            f"{_CONTAINER}.",
            text="output",
        ),
        Platform(
            "prairielearn",
            "PrairieLearn",
            f"PrairieLearn starts a Docker container for each submission, without network. {_CONTAINER}.",
            text="message",
            fault={
                "gradable": False,
                "message": "This work was not judged: the grader met a fault of its own. It costs no "
                "attempt. The course team finds the reason in the log of this job.",
            },
        ),
        Platform(
            "coursera",
            "Coursera",
            "Coursera starts a Docker container for each submission, without network and not as root. "
            f"{_CONTAINER}.",
            text="feedback",
            seconds=270,
            speaks=True,
        ),
        Platform(
            "github",
            "GitHub",
            "GitHub's runner images are Ubuntu, which denies new namespaces and has Landlock: level 2.",
            alone=False,
        ),
        Platform(
            "gitlab",
            "GitLab",
            f"GitLab's runners start a container for each job, as a rule as root. {_CONTAINER}.",
            alone=False,
        ),
    )
}


def accepts(isolation: str) -> str:
    """Return in words which levels a bundle grades at."""
    if isolation == "best":
        return "any level is accepted (--isolation best)"
    return f"level {ENOUGH} or better is accepted (--isolation strict)"


def level_line(found: Isolation, isolation: str) -> str:
    """Return the sentence about a run's level that heads its output and ends its platform's text."""
    risk = "" if found.level >= ENOUGH else "; a submission could reach more than its own work here"
    return f"Judged at isolation level {found.level} ({NAMES[found.level]}); {accepts(isolation)}{risk}."
