"""Rooms laid out as the platforms lay them out, and bundles to put into them.

The wheels are gathered once for all tests; the environment that most runs share has them unpacked. What
``install.sh`` itself makes of them is tried in the sweep.
"""

import contextlib
import functools
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import tiny_course

from graders.bundles import making, wheelhouse
from pytest_symmetry.assignment import load_assignment, load_reference

WRONG = ("* (1 - A**2)", "* 1")
HOSTILE = """
import atexit, json, os, sys

def steal():
    for path in {paths!r}:
        try:
            text = open(path).read()
        except OSError:
            continue
        if "numpy" in text:
            return text

def forge():
    full = dict(score=6.0, gradable=True, fractionalScore=1.0, feedback="", tests=[])
    for path in {results!r}:
        try:
            with open(path, "w") as file:
                json.dump(full, file)
        except OSError:
            pass

forge()
atexit.register(forge)

def gradients(X, Y, parameters):
    solution = steal()
    forge()
    if solution:
        names = dict()
        exec("".join("".join(c["source"]) for c in json.loads(solution)["cells"]), names)
        return names["gradients"](X, Y, parameters)
    os._exit(0)
"""


@contextlib.contextmanager
def built_once(tmp_path_factory, name):
    """Give a folder that is shared by all workers of a run, and whether it is still to be filled."""
    import fcntl  # not on Windows, where no bundle runs

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.with_suffix(".done")
        yield folder, not done.exists()
        done.touch()


def gather(folder):
    """Put a bundle's wheels into a folder, from wherever pip has them."""
    folder.mkdir(exist_ok=True)
    for name, content in wheelhouse.gather(machine=platform.machine()).items():
        (folder / name).write_bytes(content)


def environment(folder, wheels):
    """Make a fresh environment with the wheels unpacked, and nothing else."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)


def course(folder):
    """Write the small assignment, and beside it what must not be packed: students' work."""
    tiny_course.write_course(folder)
    tiny_course.write(folder / "data" / "numbers.csv", "1,2\n")
    tiny_course.write(folder / "inbox" / "ada.ipynb", tiny_course.notebook("x = 'work of ada'"))
    tiny_course.write(folder / "ben.ipynb", tiny_course.notebook("x = 'work of ben'"))
    return folder


def course_with_solutions(folder):
    """Write the same with its solutions marked, as releasing needs it."""
    body = re.compile(r"^(def .*\n)((?:    .*\n)+)", re.MULTILINE)
    marked = r"\1    ### BEGIN SOLUTION\n\2    ### END SOLUTION\n"
    cells = [body.sub(marked, cell) for cell in tiny_course.SOLUTION]
    course(folder)
    tiny_course.write(folder / "tiny.ipynb", tiny_course.notebook(*cells))
    return folder


def make(kind, folder, out, wheels, monkeypatch, **settings):
    """Package an assignment with the wheels at hand."""
    load_reference.cache_clear()
    found = {path.name: path.read_bytes() for path in wheels.glob("*.whl")}
    monkeypatch.setattr(making.wheelhouse, "gather", lambda _: found)
    return making.make(kind, load_assignment(folder), out, **settings)


def unpack(bundle, into, *, wheels=True):
    """Unpack a bundle with the modes that it says; without its wheels where nothing installs them."""
    with zipfile.ZipFile(bundle) as archive:
        for info in archive.infolist():
            if wheels or not info.filename.endswith(".whl"):
                archive.extract(info, into)
                (into / info.filename).chmod(info.external_attr >> 16 & 0o777)
    return into


@functools.cache
def without_network():
    """Return the command that takes the network away, empty where this user may not."""
    command = ["unshare", "-n"]
    able = shutil.which("unshare") and os.getuid() == 0
    if able and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
        return command
    return []


def run(script, *arguments, cwd, **variables):
    """Run a script of a bundle as a platform does: a clean environment, and no network."""
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "POSIX", "PIP_NO_INDEX": "1"}
    clean |= dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    return subprocess.run(
        [*without_network(), "bash", str(script), *map(str, arguments)],
        cwd=cwd, env=clean | {k: str(v) for k, v in variables.items()},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def hurry(script):
    """Give a run script a tenth of a second for what it gives minutes."""
    text, count = re.subn(r"timeout --kill-after=10 \d+ ", "timeout --kill-after=10 0.1 ", script.read_text())
    assert 1 == count
    script.write_text(text)


class Gradescope:
    """/autograder with source, submission and results."""

    kind = "gradescope"

    def __init__(self, root, bundle, *, wheels=True):
        self.root = root / "autograder"
        unpack(bundle, self.root / "source", wheels=wheels)
        shutil.copy(self.root / "source" / "run_autograder", self.root)
        (self.root / "results").mkdir()
        self.submission = self.root / "submission"
        self.result = self.root / "results" / "results.json"
        self.bundle = self.root / "source"

    def use(self, home):
        (self.root / "grader").symlink_to(home)

    def set_up(self):
        return run(self.bundle / "setup.sh", cwd=self.root, AUTOGRADER_ROOT=self.root)

    def hurry(self):
        hurry(self.root / "run_autograder")

    def start(self):
        return run(self.root / "run_autograder", cwd=self.root, AUTOGRADER_ROOT=self.root)


class PrairieLearn:
    """/grade with student and data; the image has the bundle and the grader below /opt."""

    kind = "prairielearn"

    def __init__(self, root, bundle, *, wheels=True):
        unpack(bundle, root / "unpacked", wheels=wheels)
        self.bundle = root / "opt" / "symmetry-bundle"
        shutil.copytree(root / "unpacked" / "image", self.bundle)
        self.root = root / "grade"
        (self.root / "data").mkdir(parents=True)
        self.submission = self.root / "student"
        self.result = self.root / "results" / "results.json"
        self.home = root / "opt" / "symmetry"

    def use(self, home):
        self.home.symlink_to(home)

    def set_up(self):
        more = ["private"] if self.kind == "prairielearn" else []  # as their Dockerfiles call it
        return run(self.bundle / "install.sh", self.home, *more, cwd=self.bundle)

    def hurry(self):
        hurry(self.bundle / "run.sh")

    def start(self):
        places = {"GRADE_ROOT": self.root, "SYMMETRY_HOME": self.home}
        return run(self.bundle / "run.sh", cwd="/", **places)


class Coursera(PrairieLearn):
    """/shared with submission; the image as PrairieLearn's. A part is named as an argument."""

    kind = "coursera"

    def __init__(self, root, bundle, *, wheels=True):
        self.bundle = unpack(bundle, root / "opt" / "symmetry-bundle", wheels=wheels)
        self.root = root / "shared"
        self.submission = self.root / "submission"
        self.result = self.root / "feedback.json"
        self.home = root / "opt" / "symmetry"

    def start(self):
        places = {"SHARED_ROOT": self.root, "SYMMETRY_HOME": self.home}
        return run(self.bundle / "run.sh", "partId", "Ab1cD", cwd="/", **places)


ROOMS = {room.kind: room for room in (Gradescope, PrairieLearn, Coursera)}


def hand_in(room, what):
    """Put a student's work where the platform puts it: right, wrong, hostile, a link, or empty."""
    shutil.rmtree(room.submission, ignore_errors=True)
    room.submission.mkdir(parents=True)
    notebook = room.submission / "tiny.ipynb"
    if what == "right":  # it reads what it may
        reading = "def loss(X, Y, parameters):\n    assert open('numbers.csv').read() == '1,2\\n'\n"
        tiny_course.write_submission(notebook, ("def loss(X, Y, parameters):\n", reading))
    elif what == "wrong":
        tiny_course.write_submission(notebook, WRONG)
    elif what == "hostile":
        solution = [str(room.bundle / "assignment" / "tiny.ipynb"), str(Path.home() / ".ssh" / "id_rsa")]
        attack = HOSTILE.format(paths=solution, results=[str(room.result)])
        tiny_course.write_submission(notebook, ("def gradients(", "def gradients_0("), extra=[attack])
        for name in ("conftest.py", "numpy.py", "sitecustomize.py", "json.py", "test_tiny.py"):
            (room.submission / name).write_text("raise SystemExit(0)\n")
        (room.submission / "results.json").write_text('{"score": 6}')
    elif what == "link":
        notebook.symlink_to(room.bundle / "assignment" / "tiny.ipynb")
    else:
        assert what == "empty"


def result(room):
    """Return the platform's file as it would be read, None where there is none."""
    return json.loads(room.result.read_text(encoding="utf-8")) if room.result.exists() else None
