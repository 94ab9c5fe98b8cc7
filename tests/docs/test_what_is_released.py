"""What a release says about itself is said once, or agrees."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pytest_symmetry

ROOT = Path(__file__).parents[2]


def test_the_oldest_versions_are_the_floors_of_pyproject():
    """``.ci/oldest.txt`` pins each dependency at its floor, padded to a full version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(r for rs in project["optional-dependencies"].values() for r in rs)]
    lines = (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))

    assert {r.split(">=")[0]: r.split(">=")[1] for r in wanted} == {
        name: version[: len(next(r for r in wanted if r.startswith(f"{name}>=")).split(">=")[1])]
        for name, version in pinned.items()
    }


def test_the_citation_names_this_version():
    """Whoever cites it, cites what is installed."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")

    assert pytest_symmetry.__version__ == re.search(r"^version: (.+)$", text, re.MULTILINE)[1]


def test_zizmor_finds_nothing_in_the_workflows():
    """Actions are pinned by hash, tokens are not kept, and no text of strangers is run."""
    zizmor = shutil.which("zizmor", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if zizmor is None:
        pytest.skip("zizmor is not installed")
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", ROOT / ".github" / "workflows"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout


def test_workflows_ask_for_no_right_by_default():
    """Each job names the rights that it needs."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        assert re.search(r"^permissions: \{\}$", path.read_text(encoding="utf-8"), re.MULTILINE), path.name
