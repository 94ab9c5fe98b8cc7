"""Which page stands under which heading of the contents: by its file's name, so a new page needs no list.

Two comments are instructions to this file. ``<!-- section: Tutorials -->`` becomes the list of the pages of a
section. ``<!-- text: ../FILE.md -->`` becomes the text of a file outside this folder, where a reader of
the repository looks for it; ``<!-- text: ../FILE.md, A heading -->`` that part of it.
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SECTIONS = {
    "Tutorials": ["tutorial-student", "tutorial-staff", "tutorial-*"],
    "Explanation": ["*-theory", "security", "sandbox", "what-we-cannot-tell"],
    "Measured": ["*-benchmark"],
    "Reference": ["reference-*"],
    "Project": ["house", "contributing", "changelog"],
}
"""The sections by the names of their pages; a page that fits none is a how-to guide."""

MADE = ["generated/commands", "generated/options", "generated/codes", "generated/causes"]
"""The pages of the reference that ``made_pages`` writes."""

INSIDE = {
    "../SECURITY.md": "security.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "README.md#how-it-is-built": "house.md",
}
"""Where a link to a file outside this folder leads in the built pages."""


def section_of(page: str) -> str:
    """Return the heading under which a page stands."""
    for section, patterns in SECTIONS.items():
        if any(fnmatch(page, pattern) for pattern in patterns):
            return section
    return "How-to guides"


def pages_of(folder: Path, section: str) -> list[str]:
    """Return the pages of a section: in the order of its patterns, then of the alphabet."""
    patterns = SECTIONS.get(section, [])
    names = sorted(p.stem for p in folder.glob("*.md") if p.stem != "index" and section_of(p.stem) == section)
    names.sort(key=lambda n: next((i for i, p in enumerate(patterns) if fnmatch(n, p)), 0))
    return names + MADE * (section == "Reference")


def part_of(path: Path, heading: str | None) -> str:
    """Return the text of a file, or of the part under a heading, with the links of this folder's pages."""
    text = path.read_text(encoding="utf-8")
    if heading:
        after = text.split(f"\n## {heading}\n", maxsplit=1)[1]
        text = f"# {heading}\n" + re.split(r"^## ", after, maxsplit=1, flags=re.MULTILINE)[0]
    return text.replace("](docs/", "](")


def read(app: Sphinx, name: str, source: list[str]) -> None:
    """Carry out the instructions of a page, and turn links to files outside into links to their pages."""
    folder = Path(app.srcdir)

    def contents(named: re.Match[str]) -> str:
        pages = "\n".join(pages_of(folder, named[1]))
        return f"```{{toctree}}\n:caption: {named[1]}\n:hidden:\n\n{pages}\n```"

    def text(named: re.Match[str]) -> str:
        path = folder / named[1]
        app.env.note_dependency(str(path), docname=name)
        return part_of(path, named[2])

    source[0] = re.sub(r"^<!-- section: (.+) -->$", contents, source[0], flags=re.MULTILINE)
    source[0] = re.sub(r"^<!-- text: ([^,\n]+)(?:, (.+))? -->$", text, source[0], flags=re.MULTILINE)
    for outside, inside in INSIDE.items():
        source[0] = source[0].replace(f"]({outside})", f"]({inside})")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", read)
    app.connect("env-get-outdated", lambda *_: ["index"])  # a new page changes the contents
    return {"parallel_read_safe": True}
