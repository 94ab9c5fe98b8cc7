"""docs/appeals.md is a transcript: its commands are run, and print what stands there."""

import re
import shlex
import subprocess
from pathlib import Path

from typer.testing import CliRunner

from graders import batch, cli
from graders.workers import Workers

PAGE = Path(__file__).parents[2] / "docs" / "appeals.md"


def transcript():
    """Return the page's commands with the lines that they print, in order."""
    text = PAGE.read_text(encoding="utf-8")
    lines = "".join(re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)).splitlines()
    commands = []
    for line in lines:
        if line.startswith("$ "):
            commands.append((line.removeprefix("$ "), []))
        else:
            commands[-1][1].append(line)
    return commands


def printed(command):
    """Run a command and return the lines that it prints."""
    name, *arguments = shlex.split(command)
    if name != "symmetry":
        done = subprocess.run([name, *arguments], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()
    shown = CliRunner().invoke(cli.app, arguments)
    assert 0 == shown.exit_code, (command, shown.output, shown.exception)
    return [line.rstrip() for line in shown.output.splitlines()]


def pattern(lines):
    """Return the regular expression of what is shown: "…" is any text, on a line of its own any lines."""
    parts = [r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in lines]
    return re.compile("".join(parts))


def test_the_transcript_of_an_appeal_is_what_the_commands_print(tmp_path, monkeypatch):
    """From the complaint to the corrected results."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        batch, "_through_workers", lambda tasks, _: ((t, batch.grade_chunk(t)) for t in tasks)
    )
    monkeypatch.setattr(Workers, "ask", lambda _, function, *args: function(*args))
    commands = transcript()

    assert len(commands) >= 12
    for command, shown in commands:
        said = "".join(f"{line}\n" for line in printed(command))

        assert pattern(shown).fullmatch(said), f"$ {command}\n{said}"
