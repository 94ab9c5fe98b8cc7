"""A zip whose bytes follow from its files alone."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_THEN = (1980, 1, 1, 0, 0, 0)
_COMPRESSED = (".whl", ".npz", ".png", ".zip")


def packed(files: Mapping[str, bytes], programs: Collection[str] = ()) -> bytes:
    """Return files as a zip: in order, all of one time, readable by everyone; ``programs`` can be run.

    What is compressed already is stored as it is.
    """
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in sorted(files.items()):
            about = zipfile.ZipInfo(name, _THEN)
            about.create_system = 3  # Unix, also where this runs on Windows: the modes below count only there
            about.external_attr = (0o100755 if name in programs else 0o100644) << 16
            stored = name.endswith(_COMPRESSED)
            about.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(about, content)
    return memory.getvalue()
