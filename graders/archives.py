"""A folder or an archive as a list of files, none of which is trusted.

A member's name is only ever a text: what is unpacked gets a name made here, in a folder given here. Links,
devices and names that lead out of the archive are not read. What an archive may hold is limited while
reading, not by what its header says. Sources: OWASP's and Python's advice on zip and tar files
(docs.python.org/3/library/tarfile.html#tarfile-extraction-filter).
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO

from graders.names import identifier
from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.submission import FILE_BYTES

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
NOTEBOOKS = (".ipynb", ".py")
METADATA = ("submission_metadata.yml", "timestamp.txt")

MEMBERS = 200_000
TOTAL_BYTES = 4 << 30
ARCHIVE_BYTES = 50 << 20
"""The largest archive that is opened inside another one."""
METADATA_BYTES = 64 << 20
RATIO = 200
"""How many times its size a compressed file may unpack to, beyond ``RATIO_FREE`` bytes."""
RATIO_FREE = 200 << 20
DEPTH = 12

Wanted = Callable[[tuple[str, ...]], bool]


@dataclass(frozen=True, slots=True)
class Item:
    """One file of an inbox: the ``parts`` of its name; ``trouble`` says why it cannot be read, if so.

    ``path`` is where it can be read; None for what nobody asked to be unpacked. ``above`` are the folders
    that the inbox itself lies in.
    """

    parts: tuple[str, ...]
    path: Path | None = None
    trouble: str = ""
    above: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1]

    @property
    def label(self) -> str:
        """The whole name, harmless to show."""
        return "/".join(identifier(part) for part in (*self.above, *self.parts))

    def below(self) -> Item:
        """Return the same file, named from the first folder of its name on."""
        return replace(self, parts=self.parts[1:], above=(*self.above, self.parts[0]))


def is_archive(name: str) -> bool:
    """Return whether a file of that name is an archive that can be opened."""
    return name.lower().endswith(SUFFIXES)


def wanted(parts: tuple[str, ...]) -> bool:
    """Return whether a file is one that an inbox needs: notebooks, archives, and what says whose it is."""
    name = parts[-1].lower()
    return name.endswith(NOTEBOOKS) or is_archive(name) or name in METADATA


def files_of(root: Path) -> list[Item]:
    """Return the files below a folder, in order, following no link.

    Hidden folders are not entered; they appear with a name that ends in "/", as ``.git`` says a lot.
    """
    found: list[Item] = []
    stack: list[tuple[Path, tuple[str, ...]]] = [(root, ())]
    while stack:
        folder, parts = stack.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            found.append(Item((*parts, ""), trouble=f"the folder cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            below = (*parts, entry.name)
            if not entry.is_dir(follow_symlinks=False):
                found.append(_file(entry, below))
            elif entry.name.startswith(".") or len(below) >= DEPTH:
                found.append(Item((*below, "")))
            else:
                stack.append((Path(entry.path), below))
        if len(found) > MEMBERS:
            msg = f"{root}: it holds more than {MEMBERS} files; give a folder with the submissions only"
            raise SubmissionError(msg)
    return sorted(found, key=lambda item: item.parts)


def _file(entry: os.DirEntry[str], parts: tuple[str, ...]) -> Item:
    mode = entry.stat(follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        return Item(parts, trouble=_not_a_file(link=True))
    if not stat.S_ISREG(mode):
        return Item(parts, trouble=_not_a_file(link=False))
    return Item(parts, Path(entry.path))


def unpack(archive: Path, into: Path, *, said: str = "", inner: bool = False) -> list[Item]:
    """Return the files of an archive; those that :func:`wanted` takes are written into the folder ``into``.

    ``said`` is what the archive is called in messages. Names of written files are hashes of the archive's
    and the member's name, the same every time.

    Raises:
        SubmissionError: it is no archive, is damaged, or holds more than it may.
    """
    said = said or str(archive)
    if inner and archive.stat().st_size > ARCHIVE_BYTES:
        msg = f"{said}: it is larger than {ARCHIVE_BYTES >> 20} MB"
        raise SubmissionError(msg)
    members = _zip_members if archive.name.lower().endswith(".zip") else _tar_members
    writer = _Writer(into, said, RATIO_FREE if inner else TOTAL_BYTES)
    try:
        return sorted((writer.take(member) for member in members(archive, said)), key=lambda item: item.parts)
    except _DAMAGE as error:
        msg = f"{said}: the archive cannot be read: {str(error) or type(error).__name__}"
        raise SubmissionError(msg) from None


_DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, EOFError,
    zlib.error, OSError, NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
"""What Python's readers raise on archives that are damaged, encrypted or packed in an unknown way."""


@dataclass(frozen=True, slots=True)
class _Member:
    """A file of an archive: how to open it, or why not to; ``packed`` is its size there, if it is packed."""

    parts: tuple[str, ...]
    open: Callable[[], IO[bytes]] | None = None
    trouble: str = ""
    packed: int | None = None


@dataclass(slots=True)
class _Writer:
    """Writes members under names of its own, and counts."""

    into: Path
    said: str
    room: int
    count: int = 0
    total: int = 0
    puffed: int = 0
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def take(self, member: _Member) -> Item:
        """Write a member that is wanted."""
        self.count += 1
        if self.count > MEMBERS:
            self._refuse(f"it holds more than {MEMBERS} files")
        parts = member.parts
        self.seen[parts] += 1  # an archive may hold a name twice: neither may overwrite the other
        if member.trouble or member.open is None or not wanted(parts):
            return Item(parts, trouble=member.trouble)
        name = parts[-1].lower()
        most = METADATA_BYTES if name in METADATA else ARCHIVE_BYTES if is_archive(name) else FILE_BYTES
        try:
            with member.open() as file:
                data = file.read(most + 1)
        except _BombError:
            raise
        except _DAMAGE as error:
            return Item(parts, trouble=f"it cannot be unpacked: {_reason(error)}")
        if len(data) > most:
            return Item(parts, trouble=f"it is larger than {most >> 20} MB")
        if member.packed is not None and len(data) > RATIO * member.packed:
            self.puffed += len(data)
            if self.puffed > RATIO_FREE:
                return Item(parts, trouble=f"it unpacks to more than {RATIO} times its size")
        self.total += len(data)
        if self.total > self.room:
            self._refuse(f"it unpacks to more than {self.room >> 20} MB")
        whole = "\0".join((self.said, str(self.seen[parts]), *parts))
        digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()
        suffix = next(s for s in (*NOTEBOOKS, *SUFFIXES, *METADATA) if name.endswith(s))
        path = self.into / f"{digest[:32]}{suffix}"
        self.into.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return Item(parts, path)

    def _refuse(self, problem: str) -> None:
        msg = f"{self.said}: {problem}; unpack it yourself and give the folder"
        raise SubmissionError(msg)


class _BombError(SubmissionError):
    """A compressed file that unpacks to far more than a submission could."""


def _reason(error: BaseException) -> str:
    text = str(error)
    if "password" in text or "encrypted" in text:
        return "it has a password"
    return identifier(text) if text else type(error).__name__


def _safe(name: str) -> tuple[tuple[str, ...], str]:
    """Return a member's name in parts, and why it cannot be used, if so."""
    plain = name.replace("\\", "/")
    parts = tuple(part for part in plain.split("/") if part not in ("", "."))
    inside = tuple(part for part in parts if part != "..") or ("(no name)",)
    drive = len(inside[0]) == 2 and inside[0].endswith(":")
    if plain.startswith("/") or ".." in parts or drive or "\0" in name:
        return inside, "its name leads out of the archive"
    return inside, ""


def _zip_members(archive: Path, _: str) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            name = _zip_name(info)
            if name.endswith("/"):
                yield from _folder(name)
                continue
            parts, trouble = _safe(name)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                trouble = trouble or _not_a_file(link=kind == stat.S_IFLNK)
            yield _Member(parts, partial(opened.open, info), trouble, info.compress_size)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name; many programs write UTF-8 without saying so."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.orig_filename


def _not_a_file(*, link: bool) -> str:
    return "it is a link, not a file" if link else "it is not a file"


def _tar_members(archive: Path, said: str) -> Iterator[_Member]:
    with archive.open("rb") as file:
        start = file.read(2)
    opened_by = {b"\x1f\x8b": gzip.GzipFile, b"BZ": bz2.BZ2File, b"\xfd7": lzma.LZMAFile}.get(start)
    plain = archive.open("rb") if opened_by is None else opened_by(archive)
    room = _Room(plain, said, max(RATIO * archive.stat().st_size, RATIO_FREE))
    with plain, tarfile.open(fileobj=room, mode="r|") as opened:  # type: ignore[call-overload] # it only reads
        for info in opened:
            if info.isdir():
                yield from _folder(info.name)
                continue
            parts, trouble = _safe(info.name)
            if not info.isreg():
                trouble = trouble or _not_a_file(link=info.issym() or info.islnk())
            yield _Member(parts, partial(opened.extractfile, info), trouble)


def _folder(name: str) -> Iterator[_Member]:
    """Yield hidden folders only, as :func:`files_of` does."""
    parts, _ = _safe(name)
    if parts[-1].startswith("."):
        yield _Member((*parts, ""))


@dataclass(slots=True)
class _Room:
    """A compressed file that is read only so far."""

    file: IO[bytes]
    said: str
    left: int

    def read(self, size: int = -1) -> bytes:
        """Read, and count."""
        data = self.file.read(size)
        self.left -= len(data)
        if self.left < 0:
            msg = f"{self.said}: it unpacks to more than {RATIO} times its size; it was not read further"
            raise _BombError(msg)
        return data
