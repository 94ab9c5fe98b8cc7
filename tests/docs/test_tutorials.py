"""The tutorials of students and platforms are followed as they stand; what they say to type is typed."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_appeals import pattern
from test_tutorial import BLOCK, cell_of_its_own, commands

pytestmark = pytest.mark.sweep

DOCS = Path(__file__).parents[2] / "docs"
PROGRAMS = {"symmetry": "graders", "pytest": "pytest", "python": None}


def said(command, folder):
    """Run one command of a transcript, as a person would, and return what it prints."""
    program, *arguments = shlex.split(command, comments=True)
    module = PROGRAMS[program]
    asked = [sys.executable, *(["-m", module] if module else []), *arguments]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        asked, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode in (0, 1), (command, done.stdout, done.stderr)
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def follow(text, folder):
    """Run every transcript of a page in order; functions go into the notebook of the folder one is in."""
    done = 0
    for kind, block in BLOCK.findall(text):
        if kind == "python" and block.count("def ") == 1:
            cell_of_its_own(next(folder.glob("*.ipynb")), block[block.index("def ") :])
        for command, shown in commands(block) if kind == "console" else ():
            done += 1
            if command.startswith("cd "):
                folder = folder / command.removeprefix("cd ")
                continue
            printed = said(command, folder)
            assert pattern(shown).fullmatch(printed), f"$ {command}\n{printed}"
    return done


def test_the_tutorial_for_students_can_be_followed(tmp_path):
    """From a stub to full points."""
    assert 6 == follow((DOCS / "tutorial-student.md").read_text(encoding="utf-8"), tmp_path)


def test_the_tutorial_for_platforms_can_be_followed(tmp_path):
    """From a class to the files of platforms; then the steps of its workflow, in a released folder."""
    yaml = pytest.importorskip("yaml")
    text = (DOCS / "tutorial-platforms.md").read_text(encoding="utf-8")
    assert 7 == follow(text, tmp_path)

    (tmp_path / "submission").mkdir()
    shutil.copy(next((tmp_path / "inbox").iterdir()), tmp_path / "submission" / "ada.ipynb")
    shutil.rmtree(tmp_path / "graded")
    for line in next(block for kind, block in BLOCK.findall(text) if kind == "bash").splitlines():
        said(line, tmp_path)
    assert "score" in json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))

    said("symmetry release practice --out handout", tmp_path)
    workflow = yaml.safe_load(next(block for kind, block in BLOCK.findall(text) if kind == "yaml"))
    steps = [s["run"] for s in workflow["jobs"]["check"]["steps"] if "run" in s]
    assert [True, False] == ["pip install" in step for step in steps]
    said(steps[1], tmp_path / "handout")
    assert (tmp_path / "handout" / "feedback.html").is_file()
    assert "symmetry_points" in (tmp_path / "handout" / "report.xml").read_text(encoding="utf-8")
