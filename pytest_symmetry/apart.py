"""pytest runs of our own, apart from the plugins, options and modules of whoever starts them.

It does not import pytest: who runs ``pytest.main`` does.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

_OURS = {"PYTEST_ADDOPTS": None, "PYTEST_PLUGINS": None, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def arguments(folder: Path, seed: int) -> list[str]:
    """Return the options of a run over an assignment's folder that shows nothing and writes nothing."""
    return [
        f"--rootdir={folder}",
        f"--confcutdir={folder}",
        f"-c{os.devnull}",
        "--import-mode=importlib",
        "--capture=sys",
        *("-p", "no:cacheprovider", "-p", "no:terminal"),
        *("-p", "pytest_symmetry.apart", "-p", "pytest_symmetry.plugin"),
        f"--symmetry-seed={seed}",
    ]


def pytest_configure(config: pytest.Config) -> None:
    """Say how much is shown: pytest 8.0 asks for it where there is no terminal, too."""
    config.option.verbose = 0


@contextlib.contextmanager
def apart(folder: Path) -> Iterator[None]:
    """Let no plugin and no option of the surroundings in; forget the test modules of ``folder`` afterwards.

    Another assignment may have test modules of the same name. Nothing compiled is left in the folder: it may
    be handed out.
    """
    before = {name: os.environ.get(name) for name in _OURS}
    writes_none, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        _set(_OURS)
        yield
    finally:
        sys.dont_write_bytecode = writes_none
        _set(before)
        below = os.path.join(folder, "")  # noqa: PTH118 - compared as text: there are a thousand modules
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(below):
                del sys.modules[name]


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
