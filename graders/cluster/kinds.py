"""What has to be the same on all machines, so that all of them say the same bytes."""

from __future__ import annotations

import functools
import hashlib
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGES = ("pytest_symmetry", "graders")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a machine grades with: versions, the files of this package, the type of its processor."""

    versions: Mapping[str, str]
    files: str
    processor: str

    @classmethod
    def of(cls, data: Any) -> Kind:
        """Read :meth:`to_json`.

        Raises:
            ValueError: the data is something else.
        """
        if not isinstance(data, dict) or set(data) != {"versions", "files", "processor"}:
            msg = "no kind of machine"
            raise ValueError(msg)
        versions = {str(name): str(version) for name, version in dict(data["versions"]).items()}
        return cls(versions, str(data["files"]), str(data["processor"]))

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain data."""
        return asdict(self)

    def differs_from(self, other: Kind, whose: str) -> str:
        """Return how this machine's programs differ from another's, in words, or ""."""
        for name, version in sorted(other.versions.items()):
            if self.versions.get(name) != version:
                return f"it has {name} {self.versions.get(name, '(none)')}, and {whose} {version}"
        if self.files != other.files:
            return (
                f"its pytest-symmetry {self.versions['pytest-symmetry']} has other files "
                f"({self.files}) than that of {whose} ({other.files})"
            )
        return ""


@functools.cache
def kind_here() -> Kind:
    """Return the kind of this machine."""
    from pytest_symmetry.grading import versions

    return Kind(versions(), _files(), processor())


def _files() -> str:
    """Return the hash of the files of this package that decide what is said."""
    whole = hashlib.sha256()
    root = Path(__file__).parents[2]
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*")):
            name = path.relative_to(root)
            if path.is_file() and not any(
                part.startswith((".", "__pycache__", "bundled")) for part in name.parts
            ):
                whole.update(name.as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:12]


def processor() -> str:
    """Return the type of this machine's processor: another type may round in another way.

    numpy and its linear algebra choose their loops by what the processor can do and by its model.
    """
    import numpy as np

    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    found = " ".join(extensions.get("found", ()))
    return " ".join((platform.machine(), _model(), found)).strip()


def _model() -> str:
    """Return vendor, family and model of the processor as Linux tells them, "" elsewhere."""
    try:
        lines = (
            Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
        )
    except OSError:
        return ""
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return " ".join(told[key] for key in ("vendor_id", "cpu family", "model", "CPU part") if key in told)
