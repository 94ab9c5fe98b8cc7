"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Write ``text`` as UTF-8 to ``path``: beside it first, then in its place in one step.

    ``durable`` waits until the disk has it: not needed for what can be written again.

    Raises:
        OSError: the folder cannot be made or written to; an older file is left as it was.
    """
    write_bytes_atomically(path, text.encode("utf-8", "backslashreplace"), durable=durable)


def write_bytes_atomically(path: Path, content: bytes | Iterable[bytes], *, durable: bool = True) -> None:
    """Write ``content`` to ``path`` as :func:`write_atomically` writes text; parts as they come.

    Raises:
        OSError: as there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
