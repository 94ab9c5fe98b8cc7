"""docs/packages.md shows one packaged autograder from start to end: its commands are run, and print that."""

import os
import re
import subprocess
import sys
from pathlib import Path

import packed_rooms
import pytest
from typer.testing import CliRunner

from graders import cli
from graders.bundles import making

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the platforms' containers are Linux")

PAGE = Path(__file__).parents[2] / "docs" / "packages.md"


def transcript():
    """Return the page's commands, each with what it prints."""
    text = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def printed(command, home):
    """Run a command as it stands; the environment that setup.sh would make is there already."""
    name, *rest = command.split()
    if name == "symmetry":
        ended = CliRunner().invoke(cli.app, rest)
        assert 0 == ended.exit_code, ended.output
        return ended.output
    if command.endswith("setup.sh"):
        Path("autograder/grader").symlink_to(home)
        return ""
    done = subprocess.run(
        [*packed_rooms.without_network(), "bash", "-c", command],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_the_transcript_is_what_the_commands_print(tmp_path, monkeypatch, packaged_wheels, packaged_home):
    """From the command to the platform's file; "…" stands for what differs from machine to machine."""
    monkeypatch.chdir(tmp_path)
    wheels = {path.name: path.read_bytes() for path in packaged_wheels.glob("*.whl")}
    monkeypatch.setattr(making.wheelhouse, "gather", lambda _: wheels)
    for command, shown in transcript():
        said = "".join(f"{line.rstrip()}\n" for line in printed(command, packaged_home).splitlines())
        parts = (
            r"(?:.*\n)*?" if line == "…\n" else re.escape(line).replace("…", ".*")
            for line in shown.splitlines(True)
        )

        assert re.fullmatch("".join(parts), said), f"$ {command}\n{said}"
