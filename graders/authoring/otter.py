"""An otter-grader source notebook, by its documented raw cells and comments (format v1).

Raw cells ``# BEGIN QUESTION`` hold YAML of ``name``, ``points`` and ``manual``; between ``# BEGIN SOLUTION``
and ``# END SOLUTION`` lie cells with the solution, between ``# BEGIN TESTS`` and ``# END TESTS`` cells with a
test each. In code, ``# SOLUTION`` at the end of a line marks that line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graders.authoring.imported import Imported, Question, identifier
from graders.student_notebook import BEGIN, END

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD = re.compile(
    r"^#\s*(ASSIGNMENT CONFIG|(?:BEGIN|END) (?:QUESTION|SOLUTION|TESTS|PROMPT))", re.IGNORECASE
)
_KEY = re.compile(r"^([a-z_]+):\s*(.*?)\s*(?:#.*)?$")
_CONFIG = re.compile(
    r'^"""\s*#\s*BEGIN TEST CONFIG\s*\n(.*?)^"""\s*#\s*END TEST CONFIG\s*\n?', re.MULTILINE | re.DOTALL
)
_HIDDEN = re.compile(r"^#\s*HIDDEN\s*\n", re.MULTILINE | re.IGNORECASE)
_LINE = re.compile(r"^(?P<indent>\s*)(?P<code>.*?)\s*#\s*SOLUTION(?P<whole> NO PROMPT)?\s*$")
_BEGIN, _END = re.compile(r"^\s*#\s*BEGIN SOLUTION"), re.compile(r"^\s*#\s*END SOLUTION")
_PROMPT = re.compile(
    r'^\s*"""\s*#\s*BEGIN PROMPT.*?"""\s*;?\s*#\s*END PROMPT\s*\n?', re.MULTILINE | re.DOTALL
)


def is_otter(notebook: Mapping[str, Any]) -> bool:
    """Return whether a notebook has otter's raw cells."""
    return any(c["cell_type"] == "raw" and _HEAD.match("".join(c["source"])) for c in notebook["cells"])


def from_otter(notebook: Mapping[str, Any]) -> Imported:
    """Return what an otter source notebook comes to."""
    reader = _Reader(Imported())
    for number, cell in enumerate(notebook["cells"], start=1):
        reader.take(number, cell, "".join(cell["source"]))
    return reader.made


def _keys(lines: list[str]) -> dict[str, str]:
    """Return the keys of lines of plain YAML, with their values as texts."""
    found = (_KEY.match(line.strip()) for line in lines)
    return {m[1]: m[2].strip("'\"") for m in found if m}


class _Reader:
    """Goes through the cells in order; ``where`` are the blocks that are open."""

    def __init__(self, made: Imported) -> None:
        self.made = made
        self.where: list[str] = []
        self.about: dict[str, str] = {}
        self.tests: list[tuple[int, str]] = []

    def take(self, number: int, cell: dict[str, Any], text: str) -> None:
        """Take one cell."""
        head = _HEAD.match(text)
        if cell["cell_type"] == "raw" and head is not None:
            self._block(number, head[1].upper(), text)
        elif "TESTS" in self.where:
            self.tests.append((number, text))
        elif "PROMPT" in self.where or not text.strip():
            return
        elif cell["cell_type"] == "code":
            self.made.keep(cell, self._marked(text))
        else:
            inside = "SOLUTION" in self.where
            self.made.keep(cell, f"{BEGIN}\n{text}\n{END}" if inside else text)

    def _block(self, number: int, head: str, text: str) -> None:
        verb, _, what = head.partition(" ")
        if head == "ASSIGNMENT CONFIG":
            return
        if verb == "BEGIN":
            self.where.append(what)
            if what == "QUESTION":
                self.about, self.tests = _keys(text.splitlines()[1:]), []
        elif what in self.where:
            self.where.remove(what)
            if what == "QUESTION":
                self._question(number)

    def _question(self, number: int) -> None:
        """Make the questions of a block that ends at a cell."""
        name = self.about.get("name") or f"q{number}"
        points = self._points(number, name, self.about.get("points", ""))
        if self.about.get("manual", "").lower() == "true":
            self.made.manual[identifier(name, list(self.made.manual))] = points
            return
        if not self.tests:
            self.made.decide.append(
                f"cell {number} (question {name}): it has no tests and is not manual; decide who marks it"
            )
        for cell, text in self.tests:
            config = "".join(_CONFIG.findall(text))
            own = _keys(config.splitlines())
            hidden = own.get("hidden", "").lower() == "true" or bool(_HIDDEN.search(text))
            share = points / len(self.tests)
            worth = self._points(cell, name, own["points"]) if "points" in own else share
            called = identifier(name, [q.name for q in self.made.questions])
            body = _HIDDEN.sub("", _CONFIG.sub("", text))
            self.made.questions.append(Question(called, round(worth, 6), body, hidden=hidden))

    def _points(self, number: int, name: str, text: str) -> float:
        try:
            return float(text) if text else 1.0
        except ValueError:
            self.made.decide.append(
                f"cell {number} (question {name}): its points are {text!r}; 1 was taken, decide how many"
            )
            return 1.0

    def _marked(self, text: str) -> str:
        """Return code with this package's markers for otter's."""
        lines: list[str] = []
        for line in _PROMPT.sub("", text).splitlines():
            indent = line[: len(line) - len(line.lstrip())]
            if _BEGIN.match(line):
                lines.append(f"{indent}{BEGIN}")
            elif _END.match(line):
                lines.append(f"{indent}{END}")
            elif (single := _LINE.match(line)) is not None:
                lines += [f"{indent}{BEGIN}", f"{indent}{single['code']}", f"{indent}{END}"]
            else:
                lines.append(line)
        made = "\n".join(lines).replace(f"{END}\n{BEGIN}\n", "")
        made = re.sub(rf"^[ \t]*{END}\n[ \t]*{BEGIN}\n", "", made, flags=re.MULTILINE)
        if "SOLUTION" in self.where and BEGIN not in made:
            return f"{BEGIN}\n{made}\n{END}"
        return made
