"""A tiny class, graded once: one right, one wrong and late, one in a file that is broken, one excused."""

import shutil

import packed_rooms
import pytest
import tiny_course

from graders import batch, grading_run
from graders.history import Event, Kind
from graders.opening import open_gradebook
from graders.sandbox.choice import establish
from graders.sandbox.levels import ENOUGH
from pytest_symmetry.assignment import load_assignment, load_reference

LATE = {"seconds": 3600.0, "percent": 10.0, "line": "1 hour late: 10 % of the points"}


@pytest.fixture(scope="session")
def _graded_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    inbox = folder / "inbox"
    tiny_course.write_course(folder / "tiny")
    tiny_course.write_submission(inbox / "11.ipynb")
    tiny_course.write_submission(inbox / "22.ipynb", ("* (1 - A**2)", "* 1"))
    tiny_course.write(inbox / "33.ipynb", tiny_course.notebook("x = 1")[:-9])
    load_reference.cache_clear()
    order = grading_run.take_order(load_assignment(folder / "tiny"), [inbox], folder / "graded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "_through_workers", lambda tasks, _: ((t, batch.grade_chunk(t)) for t in tasks))
        list(grading_run.carry_out(order, seed=5, jobs=1, reveal="hint"))
    with open_gradebook(folder / "graded", author="staff") as book:
        excused = {"name": "Eve Excused", "excused": True}
        book.record(
            Event(0, Kind.LATE, student="22", data=LATE),
            Event(0, Kind.ENROLLED, student="44", data=excused),
            Event(0, Kind.ENROLLED, student="55", data={"name": "Mia Missing"}),
        )
    return folder / "graded"


@pytest.fixture
def graded(_graded_once, tmp_path):
    """A graded folder of this test's own: students 11, 22 (late), 33 (broken), 44 (excused), 55 (missing)."""
    shutil.copytree(_graded_once, tmp_path / "graded")
    return tmp_path / "graded"


@pytest.fixture(scope="session")
def packaged_wheels(tmp_path_factory):
    """The wheels of a bundle, gathered once for all tests, where there is a pip to gather them."""
    pytest.importorskip("pip", reason="bundles are packaged with pip")
    with packed_rooms.built_once(tmp_path_factory, "packaged-wheels") as (folder, new):
        if new:
            packed_rooms.gather(folder)
    return folder


@pytest.fixture(scope="session")
def packaged_home(tmp_path_factory, packaged_wheels):
    """A fresh environment of these wheels, where submissions can be sealed."""
    if (found := establish("best")).level < ENOUGH:
        pytest.skip(f"this machine gives {found}")
    with packed_rooms.built_once(tmp_path_factory, "packaged-home") as (folder, new):
        if new:
            packed_rooms.environment(folder, packaged_wheels)
    return folder


@pytest.fixture(scope="session")
def packaged(tmp_path_factory, packaged_wheels):
    """A function from the name of a platform to the bundle of the small assignment, made once."""

    def bundle(kind):
        with packed_rooms.built_once(tmp_path_factory, f"packaged-{kind}") as (folder, new):
            if new:
                course = packed_rooms.course_with_solutions(folder / "tiny")
                with pytest.MonkeyPatch.context() as patch:
                    packed_rooms.make(kind, course, folder / "bundle.zip", packaged_wheels, patch)
        return folder / "bundle.zip"

    return bundle
