"""Assignment -> bundle: what a platform takes, in one file."""

from __future__ import annotations

import hashlib
import html
import json
import tempfile
import uuid
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_symmetry
from graders.batch import check_solution
from graders.bundles import clones, wheelhouse
from graders.bundles.one import ASSIGNMENT
from graders.bundles.packing import packed
from graders.bundles.platforms import FILE, PLATFORMS, BundleError, Platform, Settings, accepts
from graders.release import release
from graders.specimens import FILE as SPECIMENS
from pytest_symmetry.assignment import REVEAL, load_assignment
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.grading import DEFAULT_SEED
from pytest_symmetry.points import is_manual
from pytest_symmetry.writing import write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_symmetry.assignment import Assignment
    from pytest_symmetry.findings import Result

_RUN = ("setup.sh", "run_autograder", "install.sh", "run.sh", "collect.py")
"""The programs of bundles."""


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle: where it lies, the names of what is in it, its size in bytes and its digest."""

    path: Path
    names: tuple[str, ...]
    size: int
    sha256: str


def make(
    platform: str,
    assignment: Assignment,
    out: Path,
    *,
    wheels: Path | None = None,
    isolation: str = "strict",
    level: str = "",
    seed: int | None = None,
) -> Made:
    """Write a bundle: the same assignment, wheels and settings give the same bytes.

    Args:
        platform: one of :data:`graders.bundles.platforms.PLATFORMS`.
        assignment: what is graded; its solution must pass its tests.
        out: the file to write, a .zip.
        wheels: a folder of wheels to take the grader's from; the package index if not given.
        isolation: what the bundle asks of the machine that it runs on, as for ``symmetry grade``.
        level: how much students are told; what the assignment says, if not given.
        seed: the seed of the inputs; one that follows from the assignment's files, if not given.

    Raises:
        BundleError: the platform is not known, ``out`` cannot be a file, or wheels are missing.
        AssignmentError: the assignment's solution fails, it needs files that bundles do not carry, or a
            person marks a part of it where the platform has no place for that.
        OSError: ``out`` cannot be written.
    """
    about = _platform(platform)
    if out.is_dir() or out.suffix != ".zip":
        msg = f"{out}: a bundle is one file; give a name that ends in .zip"
        raise BundleError(msg)
    if level and level not in REVEAL:
        msg = f"{level!r} is no level; give one of {', '.join(REVEAL)}"
        raise BundleError(msg)
    _require_marks(about, assignment, check_solution(assignment, 0))
    content = _tried(assignment)
    seed = seed if seed is not None else seed_of(content)
    settings = Settings(
        platform,
        assignment.name,
        str(seed),
        wheelhouse.python_version(),
        pytest_symmetry.__version__,
        isolation,
        level,
    )
    grader = _grader(settings, content, wheelhouse.gather(wheels))
    arranged = _ARRANGED[platform](about, assignment, settings, grader)
    programs = [name for name in arranged if name.rpartition("/")[2] in _RUN]
    raw = packed(arranged, programs)
    write_bytes_atomically(out, raw)
    return Made(out, tuple(sorted(arranged)), len(raw), hashlib.sha256(raw).hexdigest())


def seed_of(content: Mapping[str, bytes]) -> int:
    """Return a seed of 128 bits that follows from an assignment's files, its solution among them.

    It is the same for every student and every run, and whoever does not have the solution cannot work it
    out.
    """
    digest = hashlib.sha256(b"symmetry package\0")
    for name, raw in sorted(content.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(raw).digest())
    return int.from_bytes(digest.digest()[:16])


def _require_marks(platform: Platform, assignment: Assignment, solved: Result) -> None:
    """Refuse questions that a person marks where the platform takes a mark from the run, or none at all."""
    manual = [verdict.name for verdict in solved.tests if is_manual(verdict)]
    if platform.alone and manual:
        problem = (
            f"a person marks {manual[0]}, so that no run on {platform.title} would end with a mark; take it "
            "out of this assignment, or use `symmetry grade` and `symmetry export`"
        )
        raise AssignmentError(assignment.file, problem, "questions")


def _platform(name: str) -> Platform:
    if name not in PLATFORMS:
        msg = f"{name!r} is no platform; give one of {', '.join(PLATFORMS)}"
        raise BundleError(msg)
    return PLATFORMS[name]


def assignment_files(assignment: Assignment) -> dict[str, bytes]:
    """Return what grading needs of an assignment, by path: its own files and its data.

    Neither specimens, nor other notebooks, nor other folders: one may hold students' work.
    """
    found = [p for p in assignment.folder.iterdir() if p.is_file() and not p.name.startswith((".", "__"))]
    kept = [p for p in found if p.name != SPECIMENS and (p.suffix != ".ipynb" or p == assignment.source)]
    if assignment.data is not None:
        below = (p for p in assignment.data.rglob("*") if p.is_file())
        kept += [
            p
            for p in below
            if not any(x.startswith((".", "__")) for x in p.relative_to(assignment.data).parts)
        ]
    return {p.relative_to(assignment.folder).as_posix(): p.read_bytes() for p in sorted(kept)}


def _tried(assignment: Assignment) -> dict[str, bytes]:
    """Return the files of an assignment, after its solution has passed its tests with nothing but these."""
    content = assignment_files(assignment)
    with tempfile.TemporaryDirectory() as scratch:
        for name, raw in content.items():
            path = Path(scratch) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
        try:
            check_solution(load_assignment(Path(scratch)), 0)
        except AssignmentError:
            problem = (
                "its tests need files that a bundle does not carry (other folders, other notebooks); put "
                "what they read beside assignment.toml or into the folder data"
            )
            raise AssignmentError(assignment.folder, problem) from None
    return content


def _grader(
    settings: Settings, assignment: Mapping[str, bytes], wheels: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return what every bundle has: assignment, wheels, pins, settings, and the script that installs them."""
    found = {f"{ASSIGNMENT}/{name}": content for name, content in assignment.items()}
    found |= {f"wheelhouse/{name}": content for name, content in wheels.items()}
    found["requirements.txt"] = wheelhouse.requirements(wheels).encode()
    found[FILE] = (json.dumps(settings.to_json(), indent=1) + "\n").encode()
    found["install.sh"] = _template("install.sh").replace("@PYTHON@", settings.python).encode()
    return found


def _template(name: str) -> str:
    return (files("graders") / "bundles" / "templates" / name).read_text(encoding="utf-8")


def _words(platform: Platform, assignment: Assignment, settings: Settings) -> dict[str, str]:
    """Return what stands for each @KEY@ of a template."""
    number = uuid.UUID(
        bytes=hashlib.sha256(f"{platform.name}\0{settings.seed}".encode()).digest()[:16], version=4
    )
    return {
        "TITLE": " ".join(assignment.title.split()),
        "TITLE_JSON": json.dumps(assignment.title),
        "TITLE_HTML": html.escape(assignment.title),
        "NOTEBOOK": assignment.notebook,
        "NOTEBOOK_HTML": html.escape(assignment.notebook),
        "NAME": "".join(c if c.isascii() and c.isalnum() else "-" for c in assignment.name.lower()),
        "PYTHON": settings.python,
        "VERSION": settings.version,
        "SECONDS": str(platform.seconds),
        "UUID": str(number),
        "GIVES": platform.gives,
        "ACCEPTS": accepts(settings.isolation),
    }


def _filled(platform: Platform, assignment: Assignment, settings: Settings, *names: str) -> dict[str, bytes]:
    """Return a platform's templates with their words, by the names that they have in the bundle."""
    words = _words(platform, assignment, settings)
    found = {}
    for name in names:
        text = _template(f"{platform.name}/{name}")
        if name == "README.md":
            text += _template("README.md")
        for key, value in words.items():
            text = text.replace(f"@{key}@", value)
        found[name] = text.encode()
    return found


def _one_folder(
    platform: Platform, assignment: Assignment, settings: Settings, grader: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return the grader with the platform's own files beside it."""
    own = {"gradescope": ("setup.sh", "run_autograder"), "coursera": ("Dockerfile", "run.sh")}[platform.name]
    return {**grader, **_filled(platform, assignment, settings, "README.md", *own)}


def _prairielearn(
    platform: Platform, assignment: Assignment, settings: Settings, grader: Mapping[str, bytes]
) -> dict[str, bytes]:
    image = _filled(platform, assignment, settings, "Dockerfile", "run.sh")
    fault = {"not-judged.json": (json.dumps(platform.fault, indent=1) + "\n").encode()}
    own = _filled(platform, assignment, settings, "README.md", "question/info.json", "question/question.html")
    return {**own, **_below("image", {**grader, **image, **fault})}


def _repositories(
    platform: Platform, assignment: Assignment, settings: Settings, grader: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return two repositories: ``student``, a released folder, and ``staff``, which grades."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "student"
        release(assignment, folder, level=settings.reveal, seed=DEFAULT_SEED)
        student = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    released = {
        name: clones.digest(raw) for name, raw in sorted(student.items()) if name != assignment.notebook
    }
    workflow = {"github": ".github/workflows/grade.yml", "gitlab": ".gitlab-ci.yml"}[platform.name]
    filled = _filled(platform, assignment, settings, "README.md", "workflow.yml")
    staff = {
        **grader,
        clones.RELEASED: (json.dumps(released, indent=1) + "\n").encode(),
        "collect.py": (files("graders") / "bundles" / "collect.py").read_bytes(),
        "run.sh": _template("class/run.sh").encode(),
        "students.csv": _template("class/students.csv").encode(),
        ".gitignore": _template("class/gitignore").encode(),
        workflow: filled.pop("workflow.yml"),
    }
    return {**filled, **_below("student", student), **_below("staff", staff)}


def _below(folder: str, content: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": raw for name, raw in content.items()}


_ARRANGED = {
    "gradescope": _one_folder,
    "prairielearn": _prairielearn,
    "coursera": _one_folder,
    "github": _repositories,
    "gitlab": _repositories,
}
