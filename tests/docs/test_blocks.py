"""No block is only shown: Python and transcripts are run elsewhere, the other kinds are tried here."""

import csv
import importlib.util
import io
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer.main

from graders import cli, specimens
from graders.roster import read_roster
from pytest_symmetry import assignment

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```([\w{}-]+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = {"text", "{include}", "{eval-rst}"}  # what something prints, and instructions to Sphinx
TRIED = {"python", "toml", "csv", "bash"}
WRITERS = {"symmetry", "pytest"}
WORKSHEET = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,\
Last modified (submission),Last modified (grade),Feedback comments
Participant 1,ada,,Submitted,,10.00,Yes,-,-,
"""


def blocks(kind):
    """Return every block of a kind with its page."""
    found = [(page, BLOCK.findall(page.read_text(encoding="utf-8"))) for page in PAGES]
    return [(page, text) for page, texts in found for language, text in texts if language == kind]


def lines(kind="bash"):
    """Return the commands of all bash blocks, split as a shell does."""
    return [
        (page.name, words)
        for page, text in blocks(kind)
        for line in text.splitlines()
        if (words := shlex.split(line, comments=True))
    ]


def followed(page):
    """Return whether a test of its own names a page."""
    tests = [p for p in (ROOT / "tests").rglob("test_*.py") if p != Path(__file__)]
    return any(f'"{page.name}"' in p.read_text(encoding="utf-8") for p in tests)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_of_a_kind_that_is_tried(page):
    """A transcript, or a language that is not tried here, needs a test that names its page and follows it."""
    kinds = {kind for kind, _ in BLOCK.findall(page.read_text(encoding="utf-8"))}

    assert kinds <= TRIED | SHOWN or followed(page)


def test_keys_in_toml_blocks_exist():
    """What is shown of assignment.toml and specimens.toml can be written there."""
    for page, text in blocks("toml"):
        data = tomllib.loads(text)
        kinds = set(data)
        if kinds & {"specimen", "variant"}:
            keys = {key for tables in data.values() for table in tables for key in table}
            assert keys <= specimens._KEYS, page.name
        else:
            assert kinds <= set(assignment._KEYS) | {"project"} or followed(page), page.name


def test_the_reference_lists_every_key():
    """In the order of its tables: assignment.toml, then specimens.toml."""
    text = (ROOT / "docs" / "reference-assignment.md").read_text(encoding="utf-8")
    first, second = (
        set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)) for part in text.split("## specimens")
    )

    assert set(assignment._KEYS) == first
    assert specimens._KEYS == second


def test_csv_blocks_are_rosters(tmp_path):
    """Read as ``symmetry grade --roster`` reads them."""
    for _, text in blocks("csv"):
        path = tmp_path / "roster.csv"
        path.write_text(text, encoding="utf-8")

        assert len(list(csv.reader(io.StringIO(text)))) - 1 == len(read_roster(path, ZoneInfo("UTC")).people)


def test_commands_of_bash_blocks_exist():
    """Each of ours with its options; files and modules that Python is asked to run are there."""
    group = typer.main.get_command(cli.app)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    needed = {str(package).partition(">")[0] for group in groups.values() for package in group}
    asked = lines()

    assert len(asked) > 20
    for page, words in asked:
        if words[0] == "symmetry":
            command = group.commands[words[1]]
            command.make_context(words[1], list(words[2:]))
        elif words[:2] == ["python", "-m"]:
            assert words[2] in needed or importlib.util.find_spec(words[2]), (page, words)
        elif words[0] in ("python", "bash"):
            assert (ROOT / words[1]).is_file(), (page, words)


@pytest.mark.sweep
@pytest.mark.parametrize("page", ["feedback.md", "exports.md"])
def test_commands_of_a_page_run(page, tmp_path):
    """In a folder with an assignment, its notebook, a second one, and a class of one that is graded."""
    folder = tmp_path / "two_units"
    shutil.copytree(ROOT / "assignments" / "two_units", folder)
    shutil.copy(folder / "two_units.ipynb", folder / "other.ipynb")
    shutil.copy(folder / "two_units.ipynb", folder / "ada.ipynb")
    run("symmetry", ["grade", ".", "--submissions", "ada.ipynb", "--out", "graded", "--jobs", "1"], folder)
    (folder / "Grades-worksheet.csv").write_text(WORKSHEET, encoding="utf-8")
    for name, words in lines():
        if name == page and words[0] in WRITERS:
            run(words[0], words[1:], folder)


def run(program, arguments, folder):
    """Run a command, which must end well."""
    module = {"symmetry": "graders", "pytest": "pytest"}[program]
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=200, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, (program, arguments, done.stdout[-2000:], done.stderr[-2000:])
