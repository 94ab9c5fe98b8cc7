"""Rules for every template, so that no student's text can ever become markup; and rules for our words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pytest_symmetry
from pytest_symmetry.diagnosis.causes import all_causes, all_codes, code_page
from pytest_symmetry.feedback import text
from pytest_symmetry.feedback.html import pages

FOLDER = Path(pytest_symmetry.__file__).parent / "feedback" / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
NAMES = [str(path.relative_to(FOLDER)) for path in TEMPLATES]
HOLE = r"\{\{.*?\}\}"


@pytest.mark.parametrize("name", NAMES)
def test_template_compiles_with_escaping_on(name: str) -> None:
    """Every template is escaped, whatever its name."""
    assert pages().get_template(name)
    assert pages().autoescape is True


@pytest.mark.parametrize("name", NAMES)
def test_template_never_switches_escaping_off(name: str) -> None:
    """No safe filter, no autoescape block, no Markup."""
    source = (FOLDER / name).read_text(encoding="utf-8")

    assert re.findall(r"\|\s*safe\b|autoescape|Markup|\|\s*tojson|\|\s*xmlattr|\|\s*urlize", source) == []


@pytest.mark.parametrize("name", NAMES)
def test_template_has_data_only_where_escaping_protects(name: str) -> None:
    """Data stands in text and in quoted attributes; never in script, style, events or the start of a URL."""
    source = (FOLDER / name).read_text(encoding="utf-8")
    tags = re.findall(r"<[a-zA-Z](?:\{\{.*?\}\}|\{%.*?%\}|[^>{]|\{(?![{%]))*>", source, re.DOTALL)
    bare = [tag for tag in tags if re.search(r"=\s*\{\{", tag) or re.search(r"<[^\s>]*\{\{", tag)]

    assert bare == []
    assert re.findall(r"<script|<iframe|<object|<embed|<link|<base|<img", source, re.IGNORECASE) == []
    assert re.findall(r"\son[a-z]+\s*=|\sstyle\s*=|javascript:|@import|url\(", source, re.IGNORECASE) == []
    assert re.findall(rf"(?:href|src)=\"{HOLE}", source) == []
    assert {
        "feedback/{{ file }}",
        "feedback/{{ row.file }}",
        "feedback/{{ s.file }}",
        "feedback/{{ row.notebook }}",
        "./{{ notebook }}",
        "#{{ n.block.identifier }}",
    } >= set(re.findall(r"(?:href|src)=\"([^\"]*)\"", source))
    for style in re.findall(r"<style.*?</style>", source, re.DOTALL):
        assert re.findall(HOLE, style) == []


def test_style_sheet_loads_nothing() -> None:
    """No font, image or sheet from anywhere."""
    style = (FOLDER / "_style.css").read_text(encoding="utf-8")

    assert re.findall(r"url\(|@import|@font-face|expression|\{\{|\{%|</", style) == []


@pytest.mark.parametrize("code", all_codes())
def test_words_of_a_code_are_templates_that_compile(code: str) -> None:
    """A misspelled filter or an open brace is found here, not by a student."""
    page = code_page(code)
    for source in (page.title, page.seen, page.expected, page.hint):
        text.environment().from_string(source)
    assert page.why


def sentences() -> list[tuple[str, str]]:
    """Return all sentences that people read, with where they stand."""
    found = [
        (name, re.sub(r"\{[#%{].*?[#%}]\}|<[^>]*>|&\w+;", "", (FOLDER / name).read_text("utf-8")))
        for name in NAMES
    ]
    for code in all_codes():
        page = code_page(code)
        found += [(code, s) for s in (page.title, page.seen, page.expected, page.hint, page.why)]
    found += [(i, s) for i, c in all_causes().items() for s in (c.title, c.hint, c.cause)]
    return found


@pytest.mark.parametrize(("where", "sentence"), sentences())
def test_words_are_plain_and_blame_nobody(where: str, sentence: str) -> None:
    """No exclamation mark, no emoji, no "you did wrong"."""
    plain = re.sub(r"!=|<!DOCTYPE html>", "", sentence)

    assert "!" not in plain, where
    assert (
        re.search(r"\b(you (did|made|forgot|failed)|your (mistake|error|fault))\b", plain, re.IGNORECASE)
        is None
    )
    assert re.search("[\U0001f000-\U0001ffff\u2600-\u27bf]", plain) is None, where
