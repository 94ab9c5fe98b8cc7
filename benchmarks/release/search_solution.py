"""Looks for an assignment's solution in a released folder: every line, and every name that only it has.

    symmetry release planar --out /tmp/handout
    python benchmarks/release/search_solution.py assignments/planar /tmp/handout

Every file is searched, every member of the pack, and every value of the notebook's JSON. A line that the
course itself hands out elsewhere (in a cell without solution, in a test) is listed as given. Exit code 1
where anything else is found.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from graders.release import search
from graders.specimens import source_notebook
from graders.student_notebook import split
from pytest_symmetry.assignment import load_assignment


def contents(folder: Path) -> dict[str, bytes]:
    """Return everything in a folder by its name, members of archives too."""
    found = {}
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        found[file.name] = file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                found |= {f"{file.name}: {name}": archive.read(name) for name in archive.namelist()}
    return found


def main(assignment_folder: str, released: str) -> int:
    """Search, print, and say by the exit code whether something was found."""
    assignment = load_assignment(Path(assignment_folder))
    source = source_notebook(assignment.folder)
    given, solutions = split(source, assignment.source)
    shown = "\n".join([*given, *(test.read_text(encoding="utf-8") for test in assignment.tests)])
    lines = list(
        dict.fromkeys(line.strip() for s in solutions for line in s.text.splitlines() if line.strip())
    )
    everything = contents(Path(released))
    leaks = 0
    for line in lines:
        spellings = {line.encode(), line.replace('"', '\\"').encode()}
        places = [name for name, data in everything.items() if any(text in data for text in spellings)]
        if places and line in shown:
            print(f"given   {line!r} in {', '.join(places)}")
        elif places:
            leaks += 1
            print(f"LEAK    {line!r} in {', '.join(places)}")
    found = list(search(Path(released), assignment, source))
    for sentence in found:
        print(f"LEAK    {sentence}")
    size = sum(map(len, everything.values()))
    print(
        f"{len(lines)} lines of the solution searched in {len(everything)} files and members, {size} bytes: "
        f"{leaks} found; {len(found)} telling statements or names found."
    )
    return 1 if leaks or found else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))
