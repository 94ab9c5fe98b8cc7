"""What is in a bundle, that it is the same each time, and what is refused."""

import io
import json
import os
import platform
import sys
import zipfile

import packed_rooms
import pytest
import tiny_course
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from graders import cli
from graders.bundles import making, wheelhouse
from graders.bundles.packing import packed
from graders.bundles.platforms import PLATFORMS, BundleError
from graders.commands.packaging import PlatformName
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.errors import AssignmentError


@pytest.fixture
def course(tmp_path):
    return packed_rooms.course(tmp_path / "tiny")


@pytest.fixture
def no_wheels(tmp_path):
    (tmp_path / "none").mkdir()
    return tmp_path / "none"


def names(path):
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_same_assignment_gives_the_same_bytes(tmp_path, course, no_wheels, monkeypatch):
    """Wherever and whenever it is packaged; another seed gives another bundle."""
    first = packed_rooms.make("prairielearn", course, tmp_path / "1.zip", no_wheels, monkeypatch)
    there = packed_rooms.course(tmp_path / "elsewhere" / "tiny")
    for path in there.iterdir():
        os.utime(path, (1, 1))
    again = packed_rooms.make("prairielearn", there, tmp_path / "2.zip", no_wheels, monkeypatch)
    other = packed_rooms.make("prairielearn", course, tmp_path / "3.zip", no_wheels, monkeypatch, seed=7)

    assert first.sha256 == again.sha256
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert first.sha256 != other.sha256
    assert "image/assignment/tiny.ipynb" in first.names
    assert not [name for name in first.names if "inbox" in name or "ben" in name]
    with zipfile.ZipFile(first.path) as archive:
        seed = json.loads(archive.read("image/bundle.json"))["seed"]
        readme = archive.read("README.md").decode()
        assert 0o100755 == archive.getinfo("image/run.sh").external_attr >> 16
        assert 0o100644 == archive.getinfo("image/assignment/tiny.ipynb").external_attr >> 16
        assert json.loads(archive.read("question/info.json"))["externalGradingOptions"]["enabled"]
    assert int(seed) == making.seed_of(making.assignment_files(load_assignment(course)))
    assert "level 2 or better is accepted" in readme
    assert "@" not in readme.replace("your-registry@", "")


def test_a_title_is_only_a_title(tmp_path, course, no_wheels, monkeypatch):
    """In JSON, HTML and the scripts: none of it is markup or a command."""
    title = 'Nets </p><script> "; rm -rf / $(id) `id`'
    toml = (course / "assignment.toml").read_text().replace('"A tiny assignment"', json.dumps(title))
    (course / "assignment.toml").write_text(toml)
    made = packed_rooms.make("prairielearn", course, tmp_path / "x.zip", no_wheels, monkeypatch)
    with zipfile.ZipFile(made.path) as archive:
        texts = {name: archive.read(name).decode() for name in made.names if not name.endswith(".whl")}

    assert title == json.loads(texts["question/info.json"])["title"]
    assert "<script>" not in texts["question/question.html"]
    for name in ("image/run.sh", "image/install.sh", "image/Dockerfile"):
        assert "Nets" not in texts[name]


def test_a_seed_follows_from_the_solution(tmp_path, course):
    """It is the class's secret: who has the handout, and not the solution, has another one."""
    before = making.seed_of(making.assignment_files(load_assignment(course)))
    tiny_course.write(course / "inbox" / "eve.ipynb", "{}")
    assert before == making.seed_of(making.assignment_files(load_assignment(course)))
    tiny_course.write(course / "tiny.ipynb", tiny_course.notebook(*tiny_course.SOLUTION, "x = 1"))

    assert before != making.seed_of(making.assignment_files(load_assignment(course)))
    assert before < 2**128


def test_the_command_knows_every_platform():
    """And no other."""
    assert [p.value for p in PlatformName] == sorted(PLATFORMS, key=[p.value for p in PlatformName].index)
    assert set(PLATFORMS) == set(making._ARRANGED)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "."], "a bundle is one file; give a name that ends in .zip"),
        (["--out", "x.tar"], "a bundle is one file; give a name that ends in .zip"),
        (["--out", "x.zip", "--reveal", "all"], "'all' is no level; give one of"),
        (["--out", "x.zip", "--wheelhouse", "nowhere"], "nowhere: there is no such folder"),
    ],
)
def test_what_cannot_be_packaged_is_one_sentence(course, monkeypatch, arguments, said):
    """Exit code 2, and nothing is written."""
    monkeypatch.chdir(course.parent)
    monkeypatch.setattr(sys, "argv", ["symmetry", "package", "gradescope", "tiny", *arguments])
    before = sorted(course.parent.iterdir())
    told = []
    monkeypatch.setattr(cli, "warn", told.append)
    with pytest.raises(SystemExit) as ended:
        cli.run()

    assert 2 == ended.value.code
    assert [said in line for line in told] == [True]
    assert before == sorted(course.parent.iterdir())


def test_a_platform_that_is_not_known_is_refused():
    """With the names of those that are."""
    ended = CliRunner().invoke(cli.app, ["package", "blackboard", "planar", "--out", "x.zip"])

    assert 2 == ended.exit_code
    assert "gradescope" in ended.output


def test_a_bad_assignment_is_refused(tmp_path, course, no_wheels, monkeypatch):
    """Its own solution must pass, also with what is packed alone; no file appears."""
    text = (course / "tiny.ipynb").read_text()
    (course / "tiny.ipynb").write_text(text.replace("* (1 - A**2)", "* 2"))
    with pytest.raises(AssignmentError, match="its own solution fails test_gradients"):
        packed_rooms.make("gradescope", course, tmp_path / "x.zip", no_wheels, monkeypatch)
    (course / "tiny.ipynb").write_text(text)
    tiny_course.write(course / "extra" / "shapes.txt", "5")
    tests = (course / "test_tiny.py").read_text()
    reading = (
        'from pathlib import Path\nSIZE = int((Path(__file__).parent / "extra/shapes.txt").read_text())\n'
    )
    (course / "test_tiny.py").write_text(reading + tests)
    with pytest.raises(AssignmentError, match="files that a bundle does not carry"):
        packed_rooms.make("gradescope", course, tmp_path / "x.zip", no_wheels, monkeypatch)

    assert not (tmp_path / "x.zip").exists()


def test_a_question_that_a_person_marks_needs_a_place_for_that(tmp_path, course, no_wheels, monkeypatch):
    """On a platform that takes its mark from the run, every run would end without one."""
    with (course / "assignment.toml").open("a") as file:
        file.write("[questions]\nessay = { manual = true, points = 2 }\n")
    with pytest.raises(AssignmentError, match="a person marks essay, so that no run on Coursera"):
        packed_rooms.make("coursera", course, tmp_path / "x.zip", no_wheels, monkeypatch)


def test_data_is_packed_and_specimens_are_not(tmp_path, course):
    """What grading reads, and no more."""
    tiny_course.write(course / "data" / "deep" / "a.csv", "1")
    tiny_course.write(course / "data" / ".cache" / "b", "1")
    tiny_course.write(course / "specimens.toml", "")
    tiny_course.write(course / "helper.py", "")
    found = making.assignment_files(load_assignment(course))

    assert {
        "assignment.toml",
        "data/deep/a.csv",
        "data/numbers.csv",
        "helper.py",
        "test_tiny.py",
        "tiny.ipynb",
    } == set(found)


def test_a_wheelhouse_that_lacks_something_is_said(tmp_path, no_wheels):
    """Without a network, with the name of what is missing."""
    with pytest.raises(
        BundleError, match=r"cannot be had in .*none: pip says .*jinja2.*; add what is missing"
    ):
        wheelhouse.gather(no_wheels)


def test_a_python_without_pip_is_said(monkeypatch):
    """With how to get it."""
    monkeypatch.setattr(wheelhouse.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BundleError, match="this Python has no pip"):
        wheelhouse.gather()


def test_a_package_that_is_not_installed_is_said(monkeypatch):
    """Nothing says what it needs then."""
    monkeypatch.setattr(wheelhouse, "DISTRIBUTION", "no-such-distribution-anywhere")
    with pytest.raises(BundleError, match=r"is not installed in .*; install it with pip"):
        wheelhouse.own_wheel()


@pytest.mark.sweep
def test_the_wheels_of_a_bundle_make_the_next_one(packaged_wheels):
    """Without an index: from the folder wheelhouse/ of an earlier bundle."""
    before = {path.name: path.read_bytes() for path in packaged_wheels.glob("*.whl")}

    assert before == wheelhouse.gather(packaged_wheels, machine=platform.machine())


def test_our_own_wheel_is_the_same_each_time_and_whole():
    """Its record names every file with its digest."""
    name, content = wheelhouse.own_wheel()
    assert (name, content) == wheelhouse.own_wheel()
    assert name.startswith("pytest_symmetry-")
    assert wheelhouse.requirements({name: content}).startswith("pytest_symmetry==")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        record = next(n for n in archive.namelist() if n.endswith("RECORD"))
        listed = [line.rsplit(",", 2)[0] for line in archive.read(record).decode().splitlines()]
        metadata = archive.read(record.replace("RECORD", "METADATA")).decode()
    assert sorted(listed) == sorted(archive.namelist())
    assert "Requires-Dist: numpy" in metadata
    assert "typer" not in metadata


@settings(max_examples=25)
@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}\.whl)?", fullmatch=True), st.binary(max_size=99))
)
def test_a_packed_zip_depends_on_its_files_alone(files):
    """In whatever order they come."""
    raw = packed(files)
    assert raw == packed(dict(reversed(files.items())))
