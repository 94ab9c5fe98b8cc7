"""Formats by name: those of this package, and those that other packages name in an entry point."""

from __future__ import annotations

import difflib
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from graders.exports.interface import ExportError

if TYPE_CHECKING:
    from graders.exports.interface import Export

GROUP = "pytest_symmetry.exports"
MODULES = (
    "plain_csv", "canvas_gradebook", "canvas_feedback", "moodle_worksheet", "moodle_feedback",
    "gradescope", "prairielearn", "github", "coursera", "junit",
)  # fmt: skip
"""Where our own formats are, in the order in which they are listed."""

_NEEDED = ("name", "writes", "fills_in", "approved_only", "export")


def own_formats() -> dict[str, Export]:
    """Return the formats of this package, by name."""
    modules = (import_module(f"graders.exports.{name}") for name in MODULES)
    return {export.name: export for module in modules for export in module.EXPORTS}


def formats() -> tuple[dict[str, Export], dict[str, str]]:
    """Return all formats by name, and why those of other packages that cannot be used cannot."""
    found, broken = own_formats(), {}
    for point in entry_points(group=GROUP):
        if point.name in found:
            broken[f"{point.name} ({point.value})"] = "its name is taken"
            continue
        try:
            found[point.name] = _loaded(point)
        except Exception as error:  # noqa: BLE001 - another package's code: the other formats must stay usable
            broken[point.name] = f"{point.value}: {type(error).__name__}: {error}"
    return found, broken


def find_format(name: str) -> Export:
    """Return a format by its name.

    Raises:
        ExportError: there is none, or it cannot be loaded.
    """
    found, broken = formats()
    if name in found:
        return found[name]
    if name in broken:
        msg = f"the format {name!r} cannot be used: {broken[name]}"
        raise ExportError(msg)
    near = difflib.get_close_matches(name, found, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`symmetry export --list` lists them"
    msg = f"there is no format {name!r}; {hint}"
    raise ExportError(msg)


def _loaded(point: EntryPoint) -> Export:
    export: Export = point.load()
    if missing := [part for part in _NEEDED if not hasattr(export, part)]:
        msg = f"it has no {', '.join(missing)}"
        raise TypeError(msg)
    return export
