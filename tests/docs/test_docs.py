"""What README and docs show is run."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_python_blocks_run_in_order(page, capsys):
    """Each page is one program."""
    names = {"__name__": page.stem}
    for text in blocks(page, "python"):
        exec(compile(text, str(page), "exec"), names)

    if page.name == "README.md":
        assert "SYM201 1\n" in capsys.readouterr().out


def test_the_tests_of_the_readme_pass_on_the_bundled_assignment(tmp_path):
    """The example of a test file is a test file."""
    example = next(text for text in blocks(ROOT / "README.md", "python") if "def test_forward" in text)
    for name in ("assignment.toml", "planar.ipynb"):
        shutil.copy(ROOT / "assignments" / "planar" / name, tmp_path)
    (tmp_path / "test_example.py").write_text(example, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "10 of 10 points" in done.stdout, done.stdout


def test_the_commands_of_the_readme_run(tmp_path):
    """Every line that starts with pytest or symmetry, in a folder like the one it is meant for."""
    folder = tmp_path / "planar"
    shutil.copytree(ROOT / "assignments" / "planar", folder)
    shutil.copy(folder / "planar.ipynb", folder / "other.ipynb")
    (folder / "inbox").mkdir()
    shutil.copy(folder / "planar.ipynb", folder / "inbox" / "ada.ipynb")
    lines = [line for text in blocks(ROOT / "README.md", "bash") for line in text.splitlines()]
    commands = [
        shlex.split(line, comments=True) for line in lines if line.startswith(("pytest", "symmetry "))
    ]

    assert len(commands) >= 7
    for command in commands:
        module = "graders" if command[0] == "symmetry" else "pytest"
        done = subprocess.run(
            [sys.executable, "-m", module, *command[1:]],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, (command, done.stdout, done.stderr)


def test_ci_runs_the_test_command_of_the_readme():
    """Word for word."""
    command = next(c.strip() for c in blocks(ROOT / "README.md", "bash") if "pytest -n 2" in c)

    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
