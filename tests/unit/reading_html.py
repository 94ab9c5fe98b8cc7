"""A strict reader of our pages: every tag closed, every id once, every reference met, headings in order."""

from __future__ import annotations

import itertools
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "link", "input", "hr", "source", "wbr"}
URL_ATTRIBUTES = {
    "href",
    "src",
    "action",
    "formaction",
    "data",
    "poster",
    "xlink:href",
    "srcset",
    "background",
}


class Page(HTMLParser):
    """A parsed page: its elements, its text, and the faults that a reader found in it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.pieces: list[str] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self._self_closed = False
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]
        self._check_ids()
        self._check_headings()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.pieces.append("" if tag in {"code", "bdi", "strong", "mark"} else " ")
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.faults.append(f"<{tag}> has an attribute twice: {names}")
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1:]}")
        elif self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.pieces.append(data)

    @property
    def text(self) -> str:
        """All text of the page, white space as in the source."""
        return "".join(self.pieces)

    @property
    def dangers(self) -> list[str]:
        """What could run something, load something or leave the page."""
        bad = [
            f"<{t}>"
            for t in self.tags
            if t in {"script", "iframe", "object", "embed", "base", "form", "link", "img"}
        ]
        for tag, name, value in self.attributes:
            if name.startswith("on") or name in {"style", "srcdoc"}:
                bad.append(f"<{tag} {name}={value!r}>")
            if name in URL_ATTRIBUTES and tag != "path" and not value.startswith(("feedback/", "#finding-")):
                bad.append(f"<{tag} {name}={value!r}>")
            if "javascript:" in value.lower():
                bad.append(f"<{tag} {name}={value!r}>")
        return bad

    def _check_ids(self) -> None:
        ids = [value for _, name, value in self.attributes if name == "id"]
        self.faults += [f"id {i!r} is there twice" for i in set(ids) if ids.count(i) > 1]
        for _, name, value in self.attributes:
            if name in {"aria-labelledby", "aria-describedby", "for"}:
                self.faults += [f"{name}={part!r} names nothing" for part in value.split() if part not in ids]

    def _check_headings(self) -> None:
        levels = [int(t[1]) for t in self.tags if len(t) == 2 and t[0] == "h" and t[1] in "123456"]
        if levels.count(1) != 1 or levels[:1] != [1]:
            self.faults.append(f"headings {levels}: not one h1 at the top")
        self.faults += [f"h{b} after h{a}" for a, b in itertools.pairwise(levels) if b > a + 1]
