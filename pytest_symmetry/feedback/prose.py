"""A student's Markdown to markup that cannot do anything: built element by element from a closed list.

Nothing of the student's becomes a tag, an attribute or an address: raw HTML is shown as typed, links show
where they lead, pictures their description, formulas become MathML, so that they need no script. Needs
mistune (it comes with nbconvert); latex2mathml where formulas are to be set rather than shown as typed.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pytest_symmetry.feedback.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

_MOST_MARKDOWN = 20_000
_MOST_FORMULA = 2_000

_SHAPES = {
    "paragraph": Markup("<p>{}</p>\n"),
    "block_text": Markup("{}"),
    "heading": Markup('<p class="heading">{}</p>\n'),
    "emphasis": Markup("<em>{}</em>"),
    "strong": Markup("<strong>{}</strong>"),
    "strikethrough": Markup("<del>{}</del>"),
    "codespan": Markup("<code>{}</code>"),
    "block_code": Markup('<pre tabindex="0"><code>{}</code></pre>\n'),
    "block_quote": Markup("<blockquote>{}</blockquote>\n"),
    "block_html": Markup('<pre tabindex="0"><code>{}</code></pre>\n'),
    "list_item": Markup("<li>{}</li>\n"),
    "table": Markup(
        '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>{}</table></div>\n'
    ),
    "table_head": Markup("<thead><tr>{}</tr></thead>\n"),
    "table_body": Markup("<tbody>{}</tbody>\n"),
    "table_row": Markup("<tr>{}</tr>\n"),
    "table_cell": Markup("<td>{}</td>"),
}
_SOURCE = Markup('<pre tabindex="0">{}</pre>\n')
_TEX = Markup('<code class="tex">{}</code>')
_BREAKS = {"linebreak": Markup("<br>\n"), "softbreak": Markup("\n"), "thematic_break": Markup("<hr>\n")}
_MATH = {
    tag: Markup(f"<{tag}>{{}}</{tag}>")  # noqa: S704 - the tags are the ones below, never a student's
    for tag in (
        "math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
        "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mspace", "mstyle",
    )
}  # fmt: skip
_DISPLAYED = Markup('<math display="block">{}</math>\n')
_SPACE = Markup('<mspace width="{}"></mspace>')
_WIDTH = re.compile(r"-?\d{1,2}(\.\d{1,4})?em")
_STIFF = Markup('<mo stretchy="false">{}</mo>')


def prose(markdown: str) -> Markup:
    """Return Markdown as harmless markup; what cannot be read as Markdown is shown as typed."""
    import mistune

    text = printable(markdown[:_MOST_MARKDOWN])
    try:
        tokens = mistune.create_markdown(renderer=None, plugins=["math", "table", "strikethrough"])(text)
        return _joined(tokens if isinstance(tokens, list) else [])
    except Exception:  # noqa: BLE001 - whatever a text provokes in the reader, it can still be shown
        return _SOURCE.format(text)


def formula(tex: str, *, displayed: bool) -> Markup:
    """Return a TeX formula as MathML, or as typed where it cannot be set."""
    if len(tex) > _MOST_FORMULA:
        return _TEX.format(tex)
    try:
        from latex2mathml.converter import convert_to_element
    except ImportError:
        return _TEX.format(tex)
    try:
        return mathml(
            convert_to_element(tex, display="block" if displayed else "inline"), displayed=displayed
        )
    except Exception:  # noqa: BLE001 - whatever a formula provokes in the converter, it can still be shown
        return _TEX.format(tex)


def _joined(tokens: Sequence[Mapping[str, Any]]) -> Markup:
    return Markup("").join(_shown(token) for token in tokens)


def _shown(token: Mapping[str, Any]) -> Markup:
    """Return one piece of Markdown; a piece of an unknown kind is shown by what is in it."""
    kind = token["type"]
    if kind in ("inline_math", "block_math"):
        return formula(token["raw"], displayed=kind == "block_math")
    if kind in _BREAKS:
        return _BREAKS[kind]
    inner = _joined(token["children"]) if "children" in token else Markup("{}").format(token.get("raw", ""))
    if kind == "link":
        return Markup("{} ({})").format(inner, token["attrs"]["url"])
    if kind == "image":
        return Markup("[picture: {}]").format(inner)
    if kind == "list":
        return (Markup("<ol>{}</ol>\n") if token["attrs"].get("ordered") else Markup("<ul>{}</ul>\n")).format(
            inner
        )
    if kind == "table_cell" and token["attrs"].get("head"):
        return Markup('<th scope="col">{}</th>').format(inner)
    return _SHAPES[kind].format(inner) if kind in _SHAPES else inner


def mathml(element: Element, *, displayed: bool = False) -> Markup:
    """Return a MathML element from the closed list, without what its attributes say."""
    inner = Markup("{}").format(html.unescape(element.text or ""))
    for child in element:
        inner += mathml(child) + Markup("{}").format(html.unescape(child.tail or ""))
    if displayed and element.tag == "math":
        return _DISPLAYED.format(inner)
    if element.tag == "mo" and element.get("stretchy") == "false":
        return _STIFF.format(inner)
    if element.tag == "mspace" and _WIDTH.fullmatch(width := element.get("width", "")):
        return _SPACE.format(width)
    return _MATH.get(str(element.tag), _MATH["mrow"]).format(inner)
