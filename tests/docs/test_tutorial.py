"""docs/tutorial-staff.md is followed as it stands: what it says to type is typed, its commands are run."""

import json
import re
import shlex
from pathlib import Path

from test_appeals import pattern
from typer.testing import CliRunner

from graders import cli
from pytest_symmetry.assignment import assignment_above, load_reference

PAGE = Path(__file__).parents[2] / "docs" / "tutorial-staff.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def typed(kind, text, folder):
    """Put a block of the page where the page says it goes."""
    if kind == "toml":
        name = "specimens.toml" if "[[specimen]]" in text else "assignment.toml"
        (folder / name).write_text(text, encoding="utf-8")
    elif "pytest.mark" in text:
        (folder / "test_softmax.py").write_text(text, encoding="utf-8")
    elif "### BEGIN SOLUTION" in text:
        cell_of_its_own(folder / "softmax.ipynb", text)


def cell_of_its_own(path, text):
    """Put a function into the notebook, in the place of the template's of that name."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    name = re.match(r"def (\w+)", text)[1]
    notebook["cells"] = [c for c in notebook["cells"] if c["id"] != name]
    cell = {"cell_type": "code", "id": name, "metadata": {}, "outputs": [], "execution_count": None}
    notebook["cells"].append(cell | {"source": text.rstrip("\n")})
    path.write_text(json.dumps(notebook), encoding="utf-8")


def commands(text):
    """Return the commands of a transcript, each with the lines that it prints."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        else:
            found[-1][1].append(line)
    return found


def test_the_tutorial_for_staff_can_be_followed(tmp_path, monkeypatch):
    """From nothing to graded."""
    monkeypatch.chdir(tmp_path)
    for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind != "console":
            typed(kind, text, tmp_path / "softmax")
            continue
        for command, shown in commands(text):
            load_reference.cache_clear()  # what one process knows of an assignment, a new one reads anew
            assignment_above.cache_clear()
            ended = CliRunner().invoke(cli.app, shlex.split(command)[1:])
            said = "".join(f"{line.rstrip()}\n" for line in ended.output.splitlines())

            assert int("One thing to mend." in shown) == ended.exit_code, (command, said, ended.exception)
            assert pattern(shown).fullmatch(said), f"$ {command}\n{said}"

    assert (tmp_path / "graded" / "class.html").is_file()


def test_the_tutorial_counts_its_lines_and_commands():
    """The figures of its first paragraph."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    lines = [
        line for kind, block in blocks if kind != "console" for line in block.splitlines() if line.strip()
    ]
    asked = [shlex.split(c) for kind, block in blocks if kind == "console" for c, _ in commands(block)]

    assert f"You type {len(lines)} lines and six commands" in text
    assert 6 == len(asked)
