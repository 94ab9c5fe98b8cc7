"""The words about codes and causes, read from the files beside this one.

``codes/GRD101.md`` is the page of a code: a TOML head between ``+++`` lines with the templates of what a
finding says (``title``, ``seen``, ``expected``, ``hint``), then the page itself. ``causes/*.toml`` holds one
table per cause: ``title`` (the mistake's name), ``hint`` (which quantity, which kind of mistake) and
``cause`` (the mistake, said outright). All are jinja templates over the finding's facts and place.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

_HEADS = ("What it checks", "Why it matters", "Example", "Instead", "How sure we are", "See also")


@dataclass(frozen=True, slots=True)
class CodePage:
    """The page of one code; ``sections`` maps each head to its Markdown."""

    code: str
    title: str
    seen: str
    expected: str
    hint: str
    sections: dict[str, str]

    @property
    def why(self) -> str:
        """The first paragraph of "Why it matters", for the finding itself."""
        return self.sections["Why it matters"].split("\n\n", maxsplit=1)[0].replace("\n", " ").strip()


@dataclass(frozen=True, slots=True)
class Cause:
    """One named mistake; ``frequency`` is 3 for the commonest, 1 for the rare."""

    identifier: str
    title: str
    hint: str
    cause: str
    frequency: int = 1


@cache
def code_page(code: str) -> CodePage:
    """Read the page of ``code``.

    Raises:
        LookupError: there is no such code, or its page lacks one of the heads.
    """
    file = files("pytest_symmetry") / "diagnosis" / "codes" / f"{code}.md"
    if not file.is_file():
        msg = f"no page for the code {code!r}"
        raise LookupError(msg)
    _, head, body = file.read_text(encoding="utf-8").split("+++\n", maxsplit=2)
    words = tomllib.loads(head)
    parts = re.split(r"^## (.+)$", body, flags=re.MULTILINE)[1:]
    sections = {name.strip(): text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
    if missing := [h for h in _HEADS if h not in sections]:
        msg = f"the page of {code} lacks {missing}"
        raise LookupError(msg)
    return CodePage(code, words["title"], words["seen"], words["expected"], words["hint"], sections)


@cache
def all_codes() -> tuple[str, ...]:
    """Return every code that has a page, in order."""
    folder = files("pytest_symmetry") / "diagnosis" / "codes"
    return tuple(sorted(f.name.removesuffix(".md") for f in folder.iterdir() if f.name.endswith(".md")))


COURSE = "course:"
"""What the identifiers of a course's own causes begin with; their words travel in the finding's facts."""


def cause_named(identifier: str) -> Cause:
    """Return the cause of an identifier; one of a course's own says what the finding's facts say.

    Raises:
        KeyError: there is no such cause.
    """
    if identifier.startswith(COURSE):
        return replace(all_causes()["of-the-course"], identifier=identifier)
    return all_causes()[identifier]


@cache
def all_causes() -> dict[str, Cause]:
    """Return every named cause by its identifier."""
    folder = files("pytest_symmetry") / "diagnosis" / "causes"
    found: dict[str, Cause] = {}
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for identifier, words in tomllib.loads(file.read_text(encoding="utf-8")).items():
                found[identifier] = Cause(identifier, **words)
    return found
