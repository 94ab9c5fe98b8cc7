"""What a local report says beside its findings: which file, saved when, what only this session can do.

The sentences stand in remarks.toml.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pytest_symmetry.feedback.text import environment, listed, printable

if TYPE_CHECKING:
    from pathlib import Path

    import jinja2


def remark(name: str, **facts: Any) -> str:
    """Return the sentence ``name`` of remarks.toml about these facts.

    Raises:
        KeyError: there is no such sentence.
    """
    return printable(_template(name).render(facts).strip())


def saved_at(path: Path) -> str:
    """Return when a file was last written, in this machine's own time; "" where it is not there."""
    try:
        moment = path.stat().st_mtime
    except OSError:
        return ""
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")


def _quoted(names: list[str]) -> str:
    return listed([f"`{name}`" for name in names])


@cache
def _template(name: str) -> jinja2.Template:
    text = files("pytest_symmetry").joinpath("feedback/remarks.toml").read_text(encoding="utf-8")
    env = environment().overlay()
    env.filters["quoted"] = _quoted
    return env.from_string(str(tomllib.loads(text)[name]))
