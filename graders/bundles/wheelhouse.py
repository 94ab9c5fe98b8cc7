"""The wheels of a bundle: this package as it runs here, and all that it needs, pinned by their hashes.

The package's own wheel is made from the files that are running, so that a bundle judges as this machine
does, also from a checkout, and no build tool is needed. The bundled assignments are left out of it: their
solutions have no business beside a submission.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import graders
import pytest_symmetry
from graders.bundles.packing import packed
from graders.bundles.platforms import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DISTRIBUTION = "pytest-symmetry"
MACHINE = "x86_64"
"""What the platforms' containers and runners are."""

_LEFT_OUT = ("bundled", "__pycache__")
_MANYLINUX = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
_WHEEL = "Wheel-Version: 1.0\nGenerator: symmetry package\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def python_version() -> str:
    """Return the Python that a bundle made here is for: this one, as ``3.12``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def gather(wheelhouse: Path | None = None, machine: str = MACHINE) -> dict[str, bytes]:
    """Return the wheels that a grader needs on Linux with this Python, by file name; ours among them.

    Args:
        wheelhouse: a folder of wheels to take them from; the package index that pip uses, if not given.
        machine: the processor that they are for.

    Raises:
        BundleError: there is no pip, it cannot gather them all, or this package is not installed.
    """
    if wheelhouse is not None and not wheelhouse.is_dir():
        msg = f"{wheelhouse}: there is no such folder; --wheelhouse must name a folder of wheels"
        raise BundleError(msg)
    if importlib.util.find_spec("pip") is None:
        msg = (
            f"{sys.executable}: this Python has no pip, which gathers the wheels of a bundle; add it with "
            "`python -m ensurepip`"
        )
        raise BundleError(msg)
    name, content = own_wheel()
    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch) / name
        own.write_bytes(content)
        found = Path(scratch) / "found"
        _download(own, found, wheelhouse, machine)
        wheels = {path.name: path.read_bytes() for path in sorted(found.glob("*.whl"))}
    return {**wheels, name: content}


def _download(own: Path, into: Path, wheelhouse: Path | None, machine: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--implementation", "cp", "--python-version", python_version()]
    for tag in _MANYLINUX:
        command += ["--platform", f"{tag}_{machine}"]
    if wheelhouse is not None:
        command += ["--no-index", "--find-links", str(wheelhouse)]
    done = subprocess.run(  # noqa: S603 - our own Python, and no text of anybody else's
        [*command, "--dest", str(into), str(own)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        said = errors[-1].removeprefix("ERROR: ") if errors else f"it ended with {done.returncode}"
        where = f"in {wheelhouse}" if wheelhouse is not None else "from the package index"
        mend = (
            "add what is missing" if wheelhouse is not None else "give a folder that has them, --wheelhouse"
        )
        what = f"the grader's wheels for Python {python_version()}"
        msg = f"{what} cannot be had {where}: pip says {said!r}; {mend}"
        raise BundleError(msg)


def requirements(wheels: Mapping[str, bytes]) -> str:
    """Return the text of a requirements file that pins each wheel by version and hash."""
    lines = []
    for name, content in sorted(wheels.items()):
        project, version = name.split("-")[:2]
        lines.append(f"{project}=={version} --hash=sha256:{hashlib.sha256(content).hexdigest()}\n")
    return "".join(lines)


def own_wheel() -> tuple[str, bytes]:
    """Return the name and the content of this package's own wheel; the same files give the same bytes.

    Raises:
        BundleError: the package is not installed, so that nothing says what it needs.
    """
    name = f"pytest_symmetry-{pytest_symmetry.__version__}"
    try:
        about = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        msg = f"{DISTRIBUTION} is not installed in {sys.executable}, only found there; install it with pip"
        raise BundleError(msg) from None
    files = dict(_sources())
    info = f"{name}.dist-info"
    files[f"{info}/METADATA"] = _metadata(about).encode()
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    files[f"{info}/entry_points.txt"] = (about.read_text("entry_points.txt") or "").encode()
    for file in about.files or ():
        if file.name == "LICENSE" and ".dist-info" in file.as_posix():
            files[f"{info}/licenses/LICENSE"] = Path(str(file.locate())).read_bytes()
    record = "".join(f"{path},{_record(content)}\n" for path, content in sorted(files.items()))
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return f"{name}-py3-none-any.whl", packed(files)


def _sources() -> Iterator[tuple[str, bytes]]:
    for package in (pytest_symmetry, graders):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).parts
            if path.is_file() and not {*_LEFT_OUT} & {*inside} and not path.name.startswith("."):
                yield "/".join((folder.name, *inside)), path.read_bytes()


def _metadata(about: importlib.metadata.Distribution) -> str:
    needed = [line for line in about.requires or () if "extra ==" not in line]
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {DISTRIBUTION}",
        f"Version: {pytest_symmetry.__version__}",
        f"Requires-Python: {about.metadata['Requires-Python']}",
        *(f"Requires-Dist: {line}" for line in needed),
    ]
    return "\n".join(lines) + "\n"


def _record(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest},{len(content)}"
