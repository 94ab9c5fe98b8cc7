"""The built documentation: whole, reachable, and asking nobody for anything."""

import functools
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from pytest_symmetry.diagnosis.causes import all_causes, all_codes

ROOT = Path(__file__).parents[2]
LOADS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "srcset")}
BESIDE = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]


class Page(HTMLParser):
    """What a page links to, what it loads, and which places it has."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.places = [], [], {""}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("id", "name"):
                self.places.add(value)
            elif (tag, name) in LOADS:
                self.loads.append(value or "")
            elif (tag, name) == ("a", "href"):
                self.links.append(value or "")


@functools.cache
def page(path):
    return Page(path.read_text(encoding="utf-8"))


def elsewhere(link):
    return re.match(r"[a-z][a-z0-9+.-]*:|//", link) is not None


def broken(path, links, places=lambda target: page(target).places):
    """Return the links of a page that lead to no file, or to no place in it."""
    found = []
    for link in links:
        name, place = urldefrag(link)
        target = (path.parent / unquote(name.partition("?")[0])).resolve() if name else path
        if elsewhere(link):
            continue
        if not target.exists() or (target.suffix == ".html" and unquote(place) not in places(target)):
            found.append(link)
    return found


def test_every_internal_link_leads_somewhere(site):
    """Pages, pictures, styles and scripts; anchors too."""
    pages = sorted(site.rglob("*.html"))
    found = {p.name: broken(p, page(p).links + page(p).loads) for p in pages}

    assert len(pages) > 80
    assert {} == {name: links for name, links in found.items() if links}


def test_a_broken_link_is_found(tmp_path):
    """The test above can fail."""
    path = tmp_path / "a.html"
    path.write_text('<a href="b.html">b</a><a href="#no">no</a><a href="#here" id="here">here</a>')

    assert ["b.html", "#no"] == broken(path, page(path).links)


def test_nothing_is_loaded_from_elsewhere(site):
    """Neither by a page nor by a style: the pages can be read offline, and tell nobody who reads them."""
    outside = [link for p in site.rglob("*.html") for link in page(p).loads if elsewhere(link)]
    styles = [style.read_text(encoding="utf-8") for style in site.rglob("*.css")]
    wanted = [u for text in styles for u in re.findall(r"(?:@import\s*|url\()\s*[\"']?([^\"')\s]+)", text)]

    assert [] == outside
    assert [] == [url for url in wanted if elsewhere(url) and not url.startswith("data:")]


def test_every_page_code_and_command_stands_in_the_contents(site):
    """A new file of docs/, a new code and a new command need no list."""
    links = {unquote(link) for link in page(site / "index.html").links}
    pages = [p.stem for p in (ROOT / "docs").glob("*.md") if p.stem != "index"]

    assert [] == [name for name in pages if f"{name}.html" not in links]
    assert [] == [c for c in all_codes() if not (site / "generated" / "codes" / f"{c}.html").is_file()]
    commands = page(site / "generated" / "commands.html").places
    assert {"symmetry-grade", "symmetry-doctor"} <= commands
    told = (site / "generated" / "causes.html").read_text(encoding="utf-8")
    assert [] == [c for c in all_causes() if c != "of-the-course" and f">{c}<" not in told]


@pytest.mark.parametrize("name", BESIDE)
def test_links_of_the_pages_beside_the_docs_lead_somewhere(name):
    """As they are read in the repository."""
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)

    assert [] == broken(ROOT / name, links)
