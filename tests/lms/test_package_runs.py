"""Each bundle's run script in a room like its platform's, without network: what the platform gets to read."""

import json
import subprocess
import sys
import zipfile

import packed_rooms
import pytest
from packed_rooms import ROOMS, hand_in, result
from platform_rules import coursera_problems, gradescope_problems, is_number, prairielearn_problems

from graders import batch
from graders.bundles import __main__ as started
from graders.sandbox import choice
from graders.workers import Workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the platforms' containers are Linux")

PROBLEMS = {
    "gradescope": gradescope_problems,
    "prairielearn": prairielearn_problems,
    "coursera": coursera_problems,
}
SHARES = {"right": 1.0, "wrong": 0.5, "hostile": 0.5}


@pytest.fixture
def room(request, tmp_path, packaged):
    """A platform's room with a bundle in it; its wheels are installed already, but in the sweep."""
    whole = request.node.get_closest_marker("sweep") is not None
    return ROOMS[request.param](tmp_path / "room", packaged(request.param), wheels=whole)


def share(kind, data):
    """Return the share of the points that a platform's file gives, None where it gives none."""
    assert [] == PROBLEMS[kind](data)
    if kind == "gradescope":
        return data["score"] / sum(test["max_score"] for test in data["tests"])
    return data.get("score") if kind == "prairielearn" else data["fractionalScore"]


def meets_the_bar(room, what):
    """Hand something in, run, and see that the platform's file is what it must be."""
    hand_in(room, what)
    ended = room.start()
    data = result(room)
    said = ended.stdout + ended.stderr
    header = (ended.stderr if room.kind == "coursera" else ended.stdout).splitlines()[0]
    assert header.startswith("Judged at isolation level "), said
    assert header.endswith("level 2 or better is accepted (--isolation strict).")
    if what in SHARES:
        assert 0 == ended.returncode, said
        assert SHARES[what] == share(room.kind, data)
        assert "isolation level" in json.dumps(data)
        if room.kind == "coursera":
            assert data == json.loads(ended.stdout)
    elif room.kind == "prairielearn":
        assert [] == PROBLEMS[room.kind](data)
        assert data["gradable"] is False
        assert not any(is_number(value) for value in data.values() if not isinstance(value, bool))
    else:
        assert data is None
        assert 1 == ended.returncode
        assert "There is no mark: not gradable" in ended.stderr
    assert "Traceback" not in said


@pytest.mark.parametrize("room", ["gradescope"], indirect=True)
def test_gradescope_reads_the_right_marks(room, packaged_home):
    """Of hostile work; the sweep hands in all kinds everywhere."""
    room.use(packaged_home)
    meets_the_bar(room, "hostile")


@pytest.fixture
def here(monkeypatch):
    """A function that does what a run script starts, in this process and without workers."""
    monkeypatch.setattr(Workers, "ask", lambda _, function, *given: function(*given))
    monkeypatch.setattr(
        batch, "_through_workers", lambda tasks, _: ((t, batch.grade_chunk(t)) for t in tasks)
    )

    def start(room):
        asked = ["one", str(room.bundle), "--submission", str(room.submission), "--out", str(room.result)]
        return started.main(asked)

    return start


@pytest.mark.parametrize("what", ["empty", "link"])
@pytest.mark.parametrize("room", ["prairielearn"], indirect=True)
def test_prairielearn_reads_that_work_is_not_gradable(room, what, here):
    """With the reason, and without a score."""
    hand_in(room, what)

    assert 0 == here(room)
    assert [] == prairielearn_problems(result(room))
    assert result(room)["gradable"] is False
    assert "not gradable: " in result(room)["format_errors"]


@pytest.mark.parametrize("room", ["coursera"], indirect=True)
def test_coursera_reads_the_right_marks(room, packaged_home):
    """The same JSON in the file and on standard output."""
    room.use(packaged_home)
    meets_the_bar(room, "wrong")


@pytest.mark.sweep
@pytest.mark.parametrize("room", list(ROOMS), indirect=True)
def test_a_bundle_sets_itself_up_and_meets_the_bar(room):
    """In an environment of its own, installed by the bundle's scripts, all without network."""
    done = room.set_up()
    assert 0 == done.returncode, done.stderr
    for what in ("right", "wrong", "hostile", "link", "empty"):
        meets_the_bar(room, what)


@pytest.mark.sweep
@pytest.mark.parametrize("room", ["coursera"], indirect=True)
def test_without_namespaces_and_privileges_it_is_level_2(room, packaged_home, monkeypatch):
    """As Docker's default profile leaves it: hostile work gets no more marks there."""
    refuse = "echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -sys_admin"
    command = ["unshare", "-rn", "bash", "-c", f'{refuse} --inh-caps -sys_admin "$@"', "-"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let its namespaces be refused")
    monkeypatch.setattr(packed_rooms, "without_network", lambda: command)
    room.use(packaged_home)
    meets_the_bar(room, "hostile")
    ended = room.start()

    assert ended.stderr.startswith("Judged at isolation level 2 ")


@pytest.mark.parametrize("body", ["kill -9 $$", "while :; do :; done"], ids=["killed", "too slow"])
@pytest.mark.parametrize("room", list(ROOMS), indirect=True)
def test_a_grader_that_is_killed_gives_no_mark(room, body, tmp_path):
    """By the kernel, or because it takes too long: an older file does not stay, and no 0 appears."""
    hand_in(room, "right")
    room.result.parent.mkdir(exist_ok=True)
    room.result.write_text('{"score": 6.0, "fractionalScore": 1.0}')
    fake = tmp_path / "killed" / "bin"
    fake.mkdir(parents=True)
    (fake / "python").write_text(f"#!/bin/sh\n{body}\n")
    (fake / "python").chmod(0o755)
    room.use(fake.parent)
    room.hurry()
    ended = room.start()

    if room.kind == "prairielearn":
        assert [] == prairielearn_problems(result(room))
        assert result(room)["gradable"] is False
    else:
        assert result(room) is None
        assert 0 != ended.returncode


@pytest.mark.parametrize("room", ["prairielearn"], indirect=True)
def test_a_fault_of_the_grader_is_not_gradable_and_tells_students_nothing(room, here, capsys):
    """Its reason is for staff: the log has it."""
    hand_in(room, "right")
    notebook = room.bundle / "assignment" / "tiny.ipynb"
    notebook.write_text(notebook.read_text().replace("* (1 - A**2)", "* 3"))

    assert 1 == here(room)
    assert result(room)["gradable"] is False
    assert "GRD" not in json.dumps(result(room))
    assert "its own solution fails test_gradients" in capsys.readouterr().err


@pytest.mark.parametrize("room", ["coursera"], indirect=True)
def test_a_platform_gets_no_mark_below_its_level(room, here, monkeypatch, capsys):
    """Strict refuses; best grades, and says the risk in the platform's own text."""
    monkeypatch.setattr(choice, "_offered", lambda _: (None, "no Landlock here"))
    hand_in(room, "right")

    assert 1 == here(room)
    assert result(room) is None
    assert "at level 1" in capsys.readouterr().err

    settings = room.bundle / "bundle.json"
    settings.write_text(settings.read_text().replace('"strict"', '"best"'))

    assert 0 == here(room)
    assert 1.0 == result(room)["fractionalScore"]
    last = result(room)["feedback"].splitlines()[-1]
    assert last.startswith("Judged at isolation level 1 (thin")
    assert "any level is accepted" in last
    assert "could reach more than its own work" in last


@pytest.mark.parametrize("room", ["coursera"], indirect=True)
def test_what_is_no_bundle_is_refused(room, here, capsys):
    """In one sentence; an older file goes."""
    hand_in(room, "right")
    (room.bundle / "bundle.json").write_text("{}")
    room.result.write_text("{}")

    assert 1 == here(room)
    assert "this is not what `symmetry package` writes" in capsys.readouterr().err
    assert result(room) is None


def test_the_wheels_are_enough_and_hold_no_solutions(packaged_wheels):
    """The templates are in our wheel, the bundled assignments are not."""
    (own,) = packaged_wheels.glob("pytest_symmetry-*.whl")
    with zipfile.ZipFile(own) as archive:
        names = set(archive.namelist())

    assert "graders/bundles/templates/gradescope/run_autograder" in names
    assert "graders/bundles/templates/prairielearn/question/info.json" in names
    assert "pytest_symmetry/diagnosis/codes/GRD101.md" in names
    assert not [name for name in names if "bundled" in name or name.endswith((".ipynb", ".pyc"))]
