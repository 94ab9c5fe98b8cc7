"""Draws docs/figures/student-page.png: the page that a student gets about one planted mistake.

    python benchmarks/feedback/draw_page.py

Runs the tests of `planar` over its specimen `tanh-derivative-missing` and photographs the page in Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from graders.batch import run_tests
from graders.intake import Entry
from graders.specimens import write_specimens
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.feedback.html import student_page
from pytest_symmetry.submission import read_submission

ROOT = Path(__file__).parents[2]
OUT = ROOT / "docs" / "figures" / "student-page.png"
SPECIMEN = "tanh-derivative-missing"
SIZE = "1080,1000"


def page(folder: Path) -> Path:
    """Write the page about the specimen."""
    assignment = load_assignment(ROOT / "assignments" / "planar")
    found = next(p for p in write_specimens(assignment.folder, folder) if p.stem == SPECIMEN)
    (result,) = run_tests(assignment, [Entry("planar", found, "planar.ipynb")], 20)
    text = student_page(result, title=assignment.title, source=dict(read_submission(found).cells))
    written = folder / "page.html"
    written.write_text(text, encoding="utf-8")
    return written


def main() -> None:
    """Draw the page, in light colours."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("no Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--window-size={SIZE}", f"--screenshot={OUT}", page(Path(folder)).as_uri()]
        subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
