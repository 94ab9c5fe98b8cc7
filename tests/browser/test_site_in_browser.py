"""The documentation as a browser and a screen reader meet it: front page, a code, theories, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.sweep]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier_in_the_documentation(visited_site: dict[str, Any], scheme: str) -> None:
    """With everything unfolded, contrast included."""
    found = {name: seen["axe"][scheme]["violations"] for name, seen in visited_site.items()}

    assert len(found) == 8
    assert {name: violations for name, violations in found.items() if violations} == {}


def test_the_documentation_asks_for_nothing_but_its_own_files(
    visited_site: dict[str, Any], site: Path
) -> None:
    """No request leaves the folder, and nothing is said on the console."""
    for seen in (page["seen"] for page in visited_site.values()):
        assert [url for url in seen["requests"] if not url.startswith((site.as_uri(), "data:"))] == []
        assert seen["console"] == []


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_the_documentation_fits_the_screen(visited_site: dict[str, Any], width: int) -> None:
    """Tables, formulas and code scroll in their own frames."""
    assert {name: seen["widths"][str(width)] for name, seen in visited_site.items()} == dict.fromkeys(
        visited_site, width
    )
