"""A matplotlib that draws nothing: plots inside graded functions cost no point and no second."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODULES = (
    "matplotlib", "matplotlib.pyplot", "matplotlib.cm", "matplotlib.colors", "matplotlib.animation",
    "matplotlib.ticker", "matplotlib.patches", "mpl_toolkits", "mpl_toolkits.mplot3d",
)  # fmt: skip


class Silent:
    """Whatever is done with it, nothing happens: every attribute, call and item is silent too."""

    def __getattr__(self, name: str) -> Silent:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_args: Any, **_kwargs: Any) -> Silent:
        """Do nothing, whatever was asked for."""
        return self

    def __getitem__(self, _key: Any) -> Silent:
        return self

    def __setitem__(self, _key: Any, _value: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Silent]:
        yield from (self, self)  # fig, ax = plt.subplots()

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_details: object) -> None:
        pass


class _SilentModule(types.ModuleType):
    __path__: list[str] = []  # noqa: RUF012 - a package with nothing below it
    __version__ = "0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Silent()


def silence_plots() -> None:
    """Put the silent matplotlib where an import finds it."""
    for name in _MODULES:
        module = _SilentModule(name)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
