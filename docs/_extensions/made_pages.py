"""Pages that are written from the code at every build, so that they are never stale: ``docs/generated/``.

The codes and causes of findings, the commands of ``symmetry``, the options of the pytest plugin. By hand:
``python docs/_extensions/made_pages.py FOLDER``.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import ChainableUndefined

from pytest_symmetry.diagnosis.causes import CodePage, all_causes, all_codes, code_page
from pytest_symmetry.feedback.text import environment

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FAMILIES = {
    "SYM": "Units that cannot be told apart",
    "GRD": "Gradients",
    "INI": "The start",
    "MAT": "Values and shapes",
    "PUR": "What a function changes",
    "SUB": "The submission",
    "TST": "The question itself",
}
"""What the codes of one beginning are about."""

CAUSES = {
    "gradients": "Gradients and the loss they belong to",
    "relations": "Told by the values alone",
    "shapes": "Shapes",
    "activations": "Activations and their derivatives",
    "formulas": "A formula with one thing wrong",
    "field": "Mistakes that the field has a name for",
    "located": "Where it goes wrong, without a name",
    "symmetry": "The start and its units",
}
"""What each file of causes is about; a file that is missing here goes by its own name."""

CODES_BEGIN = """\
# Codes

Every finding has a code. It stays what it is from release to release; its words may change. A word such as
*array* stands for what the finding names."""

CAUSES_BEGIN = """\
# Causes

The mistakes that a finding can name as its cause, and how often they are met. A code says what was measured;
a cause says why, and only where chance is ruled out ([when](../what-we-cannot-tell.md)). Courses add
[their own](../authoring-causes.md)."""

COMMANDS_BEGIN = """\
It comes with `pip install "pytest-symmetry[grade]"`. ASSIGNMENT is a folder, or the name of a bundled
assignment.

Exit codes: 0 done, 1 something is wrong (`check`) or did not arrive (`push`), 2 usage or bad input, 3
interrupted; the same command again goes on."""

OFTEN = {3: "often", 2: "sometimes", 1: "rarely"}


class Named(ChainableUndefined):
    """A fact that only a finding knows, shown by its name."""

    def __str__(self) -> str:
        return f"*{str(self._undefined_name).replace('_', ' ')}*"

    def __len__(self) -> int:
        return 1


def capitalized(fact: Named) -> str:
    """Return a fact's name as the first word of a sentence."""
    return re.sub("[a-z]", lambda letter: letter[0].upper(), str(fact), count=1)


def words(template: str) -> str:
    """Return a title as it reads before there is a finding: facts by their names, cases in the singular."""
    env = environment().overlay(undefined=Named)
    env.filters = {**env.filters, "listed": str, "number": str, "shape": str, "capitalize": capitalized}
    return re.sub(r"([_`<])", r"\\\1", env.from_string(template).render().strip())


def code(page: CodePage) -> str:
    """Return the page of a code."""
    parts = [f"# {page.code}: {words(page.title)}"]
    for head, text in page.sections.items():
        linked = re.sub(r"\b[A-Z]{3}\d{3}\b", r"[\g<0>](\g<0>.md)", text) if head == "See also" else text
        parts.append(f"## {head}\n\n{linked}")
    return "\n\n".join(parts)


def codes() -> str:
    """Return the list of all codes."""
    parts = [CODES_BEGIN]
    for start, about in FAMILIES.items():
        rows = [
            f"| [{c}](codes/{c}.md) | {words(code_page(c).title)} |"
            for c in all_codes()
            if c.startswith(start)
        ]
        parts.append("\n".join([f"## {about}", "", "| code | what it says |", "| --- | --- |", *rows]))
    hidden = "\n".join(f"codes/{c}" for c in all_codes())
    parts.append(f"```{{toctree}}\n:hidden:\n\n{hidden}\n```")
    return "\n\n".join(parts)


def causes() -> str:
    """Return the list of all causes, by the file that they stand in."""
    parts = [CAUSES_BEGIN]
    folder = files("pytest_symmetry") / "diagnosis" / "causes"
    found = {f.name.removesuffix(".toml"): f for f in folder.iterdir() if f.name.endswith(".toml")}
    for name in sorted(found, key=lambda n: [*CAUSES, n].index(n)):
        mine = [all_causes()[i] for i in tomllib.loads(found[name].read_text(encoding="utf-8"))]
        rows = [
            f"| {words(c.title)} | `{c.identifier}` | {OFTEN[c.frequency]} |"
            for c in mine
            if c.identifier != "of-the-course"
        ]
        head = f"## {CAUSES.get(name, name.capitalize())}"
        parts.append("\n".join([head, "", "| cause | name | met |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts)


def commands() -> str:
    """Return what ``symmetry --help`` and the help of every command say."""
    import typer.main

    from graders import cli

    group: Any = typer.main.get_command(cli.app)
    parts = [f"# The command symmetry\n\n{group.help} {COMMANDS_BEGIN}"]
    parts += [command(name, group.commands[name]) for name in group.commands]
    return "\n\n".join(parts)


def command(name: str, asked: Any) -> str:
    """Return what the help of one command says."""
    context = asked.make_context(f"symmetry {name}", [], resilient_parsing=True)
    rows = []
    for parameter in asked.params:
        if record := parameter.get_help_record(context):
            sort = record[0].replace("|", r"\|")
            text = re.sub(r"\[default: \d+; (x>=\d+)\]", r"[\1]", record[1])  # of this machine
            rows.append(f"| `{sort}` | {prose(text)} |")
    table = "\n".join(["| argument or option | what it does |", "| --- | --- |", *rows]) if rows else ""
    example = (asked.epilog or "").removeprefix("Example: ")
    said = "\n\n".join(prose(paragraph) for paragraph in (asked.help or "").split("\n\n"))
    return f"## symmetry {name}\n\n{said}\n\n{table}\n\n```text\n{example}\n```"


def prose(text: str) -> str:
    """Return help text as Markdown: one line, nothing in it taken for markup."""
    return re.sub(r"([*_`<|\[])", r"\\\1", " ".join(text.split()))


class Recorder:
    """Stands for pytest's parser and notes what is asked of it."""

    def __init__(self) -> None:
        self.options: list[tuple[str, dict[str, Any]]] = []
        self.settings: list[str] = []

    def getgroup(self, *_: str) -> Recorder:
        """Options go into one group."""
        return self

    def addoption(self, name: str, **settings: Any) -> None:
        """Note an option."""
        self.options.append((name, settings))

    def addini(self, name: str, *_: Any, **__: Any) -> None:
        """Note a key of the ini file."""
        self.settings.append(name)


def options() -> str:
    """Return the options and fixtures that the plugin adds to pytest."""
    from pytest_symmetry import hookspecs, plugin

    recorder: Any = Recorder()
    plugin.pytest_addoption(recorder)
    rows = []
    for name, settings in recorder.options:
        value = settings.get("metavar") or "\\|".join(settings.get("choices", []))
        rows.append(f"| `{name}{' ' if value else ''}{value}` | {prose(settings['help'])} |")
    fixtures = [
        f"| `{name}` | {prose(getattr(plugin, name).__doc__)} |"
        for name in ("submission", "reference", "probe_rng")
    ]
    hooks = [
        f"| `{name}` | {prose((hook.__doc__ or '').split(chr(10))[0])} |"
        for name, hook in vars(hookspecs).items()
        if name.startswith("pytest_symmetry_")
    ]
    return "\n".join(
        [
            "# The pytest plugin",
            "",
            "## Options",
            "",
            f"Each is also a key of the ini file, such as `{recorder.settings[0]}`.",
            "",
            *("| option | what it does |", "| --- | --- |", *rows, "", "## Fixtures", ""),
            *("| fixture | what it is |", "| --- | --- |", *fixtures, "", "## Marker", ""),
            f"`@pytest.mark.{plugin._POINTS_HELP.replace(chr(10), ' ').replace(': ', '`: ', 1)}.",
            *(
                "",
                "## Hooks for other plugins",
                "",
                "| hook | what an implementation does |",
                "| --- | --- |",
                *hooks,
            ),
        ]
    )


def write(folder: Path) -> None:
    """Write all pages; one that says the same as before keeps its time, and what is no longer made goes."""
    pages = {f"codes/{c}.md": code(code_page(c)) for c in all_codes()}
    pages |= {"codes.md": codes(), "causes.md": causes(), "commands.md": commands(), "options.md": options()}
    for old in folder.rglob("*.md"):
        if old.relative_to(folder).as_posix() not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text + "\n":
            path.write_text(text + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before Sphinx looks for them."""
    write(Path(app.srcdir) / "generated")
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
