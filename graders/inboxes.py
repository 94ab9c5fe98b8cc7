"""How platforms hand a class over: from a list of files to who handed in what.

Each layout is recognised by its structure: names that only that platform makes, or files that only it adds.
The names are those of Moodle's ``download_submissions`` (mod/assign/locallib.php), Canvas's
``ContentZipper``, Gradescope's "Export submissions", ``gh classroom clone student-repos``, nbgrader's
``submitted`` tree and exchange, and otter's export zips.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from os.path import commonprefix

from graders.archives import METADATA, METADATA_BYTES, NOTEBOOKS, Item, is_archive
from graders.gradescope import Submitted, read_metadata

# Names come first and hold no such pattern (the platforms see to that); file names are the students' own, and
# what they say after the first match must not count.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<file>.*))?", re.DOTALL)
_CANVAS = re.compile(
    r"(?P<name>.+?)_(?P<late>LATE_)?(?P<id>\d+)_(?P<number>\d+)_(?P<file>.+)"
    r"|(?P<anonymous>anon_[0-9A-Za-z]{5})_(?P<its_late>LATE_)?(?P<its_number>\d+)_(?P<its_file>.+)",
    re.DOTALL,
)
_INBOUND = re.compile(
    r"(?P<id>[^+]+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d [\d:.]+ [A-Za-z_/]+)(?:\+[^+]*)?"
)
_WRAPPING = re.compile(r"assignment_\d+_export|submitted|(?:.*-)?submissions?", re.IGNORECASE)
_RESENT = re.compile(r"-\d+(?=\.[^.]+$)")
_OF_OTTER = ("__zip_filename__", ".OTTER_LOG")
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Who:
    """One person as a platform knows them; ``ids`` are further identifiers, an e-mail address for example."""

    student: str
    name: str = ""
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandIn:
    """What one person, or a group together, handed in at one time.

    ``files`` are (name that its owner gave, file). ``time`` is the platform's, as it writes it, "" where it
    does not say; ``order`` grows with time, where only that is known.
    """

    who: tuple[Who, ...]
    label: str
    files: tuple[tuple[str, Item], ...]
    time: str = ""
    order: int = 0
    marked_late: bool = False


@dataclass(frozen=True, slots=True)
class Inbox:
    """What lies in one place; ``inside`` returns the names of the files in an archive that lies there."""

    name: str
    items: Sequence[Item]
    notebook: str
    assignment: str = ""
    archive: bool = False
    inside: Callable[[Item], Iterable[str]] = field(default=lambda _: ())

    @property
    def files(self) -> list[Item]:
        """The files, without what systems and editors leave behind."""
        return [item for item in self.items if not is_litter(item)]

    def one_down(self) -> Inbox | None:
        """Return the one folder that all files lie in as an inbox, or None.

        A folder among folders may be a student's, who says what lies in it: one is entered only if its name
        is that of a whole class.
        """
        tops = {item.parts[0] for item in self.files}
        if len(tops) != 1 or not (self.archive or _WRAPPING.fullmatch(next(iter(tops)))):
            return None
        if any(len(item.parts) == 1 for item in self.files):
            return None
        items = [item.below() for item in self.items if item.parts[0] in tops]
        return replace(self, name=next(iter(tops)), items=items)


def read_inbox(inbox: Inbox, layout: str = "") -> tuple[str, list[HandIn]] | None:
    """Return the layout of an inbox and what was handed in; None where it is not of the ``layout`` named.

    Where all files lie in one folder, as in most archives, that folder may be the inbox.
    """
    readers = {layout: LAYOUTS[layout]} if layout else LAYOUTS
    inner: Inbox | None = inbox
    for _ in range(_DEEPEST):
        if inner is None:
            break
        for name, reader in readers.items():
            if name != "folder" and (found := reader(inner)):
                return name, found
        inner = inner.one_down()
    return None if layout not in ("", "folder") else ("folder", read_folder(inbox))


def is_litter(item: Item) -> bool:
    """Return whether a file is what systems and editors leave behind."""
    hidden = any(p.startswith(".") or p in ("__MACOSX", "__pycache__") for p in item.parts[:-1])
    own = item.name in ("", "Thumbs.db", "desktop.ini") or item.name.startswith((".", "~"))
    return hidden or own or item.name.lower().endswith(("-checkpoint.ipynb", ".tmp"))


def is_candidate(name: str) -> bool:
    """Return whether a file of that name may be a submission."""
    lower = name.lower()
    return lower.endswith(NOTEBOOKS) and not lower.startswith("test_") and lower != "conftest.py"


def _own(items: Iterable[Item]) -> tuple[tuple[str, Item], ...]:
    return tuple((item.name, item) for item in items if item.name not in METADATA)


def _folders(items: Iterable[Item], depth: int = 1) -> dict[tuple[str, ...], list[Item]]:
    """Return the files by the first ``depth`` folders that they lie in."""
    found: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        if len(item.parts) > depth:
            found[item.parts[:depth]].append(item)
    return found


def _mostly(some: Sequence[object], all_of_them: Sequence[object]) -> bool:
    """Return whether a pattern that fits ``some`` is the way in which all are named."""
    return bool(some) and 2 * len(some) >= len(all_of_them)


def _text(item: Item) -> str:
    """Return the text of a platform's own file; a student may have put one in its place."""
    if item.path is None:
        return ""
    with item.path.open("rb") as file:
        return file.read(METADATA_BYTES).decode("utf-8", "replace")


# Gradescope


def read_gradescope(inbox: Inbox) -> list[HandIn]:
    """A folder per submission, and submission_metadata.yml beside them."""
    metadata = next((i for i in inbox.files if i.parts == (METADATA[0],)), None)
    if metadata is None:
        return []
    submitted = read_metadata(_text(metadata))
    folders = _folders(inbox.files)
    found = []
    for name in dict.fromkeys([*submitted, *(folder for (folder,) in folders)]):
        about = submitted.get(name, Submitted())
        people = tuple(_submitter(p) for p in about.submitters) or (Who(name),)
        found.append(HandIn(people, name, _own(folders.get((name,), ())), about.created_at))
    return found


def _submitter(person: dict[str, str]) -> Who:
    ids = tuple(v for k in ("sid", "email") if (v := person.get(k, "")))
    name = person.get("name", "")
    return Who(ids[0] if ids else name, name, ids)


# nbgrader


def read_nbgrader(inbox: Inbox) -> list[HandIn]:
    """``<student>/<assignment>/`` with timestamp.txt, or the exchange's ``student+assignment+time``."""
    students = {name: items for (name,), items in _folders(inbox.files).items()}
    inbound = [m for name in students if (m := _INBOUND.fullmatch(name))]
    if _mostly(inbound, list(students)):
        mine = [m for m in inbound if m["assignment"] == inbox.assignment] or [
            m for m in inbound if any(i.name == inbox.notebook for i in students[m[0]])
        ]
        return [HandIn((Who(m["id"]),), m[0], _own(students[m[0]]), m["time"]) for m in mine]
    folders = _folders(inbox.files, 2)
    stamped = {f[0] for f, items in folders.items() if any(i.parts[2:] == (METADATA[1],) for i in items)}
    named = inbox.name == "submitted" and not any(len(i.parts) < 3 for i in inbox.files)
    if not (named or _mostly(sorted(stamped), list(students))):
        return []
    wanted = [f for f in folders if f[1] == inbox.assignment] or [
        f for f, items in folders.items() if any(i.name == inbox.notebook for i in items)
    ]
    return [_of_nbgrader(folder, folders[folder]) for folder in wanted]


def _of_nbgrader(folder: tuple[str, ...], items: list[Item]) -> HandIn:
    stamp = next((_text(i) for i in items if i.parts[2:] == (METADATA[1],)), "")
    return HandIn((Who(folder[0]),), "/".join(folder), _own(items), stamp.strip())


# Moodle


def read_moodle(inbox: Inbox) -> list[HandIn]:
    """``Full name_12345_assignsubmission_file/``, or the same in front of each file's name."""
    tops = {item.parts[0]: _MOODLE.fullmatch(item.parts[0]) for item in inbox.files}
    if not _mostly([m for m in tops.values() if m], list(tops)):
        return []
    gathered: dict[tuple[bool, str], list[Item]] = defaultdict(list)
    for item in inbox.files:
        match = tops[item.parts[0]]
        gathered[match is not None, match["id"] if match else item.parts[0]].append(item)
    return [_of_moodle(own, items) for (_, own), items in gathered.items()]


def _of_moodle(own: str, items: list[Item]) -> HandIn:
    match = _MOODLE.fullmatch(items[0].parts[0])
    files = tuple((_moodle_name(item), item) for item in items)
    if match is None:
        return HandIn((Who(_stem(own)),), own, files)
    label = items[0].parts[0] if len(items[0].parts) > 1 else f"{match['name']}_{own}"
    return HandIn((Who(own, match["name"].strip()),), label, files)


def _moodle_name(item: Item) -> str:
    match = _MOODLE.fullmatch(item.parts[0])
    return (match["file"] or item.name) if match and len(item.parts) == 1 else item.name


# Canvas


def read_canvas(inbox: Inbox) -> list[HandIn]:
    """``lovelaceada_LATE_12345_67890_planar-1.ipynb``: user, number of the file, name of the file."""
    matches = [_CANVAS.fullmatch(item.name) for item in inbox.files]
    if any(len(i.parts) > 1 for i in inbox.files) or not _mostly([m for m in matches if m], matches):
        return []
    found, gathered = [], defaultdict(list)
    for item, match in zip(inbox.files, matches, strict=True):
        if match is None:
            found.append(HandIn((Who(_stem(item.name)),), item.label, _own([item])))
            continue
        user = match["id"] or match["anonymous"]
        given = match["file"] or match["its_file"]
        if given != inbox.notebook:
            given = _RESENT.sub("", given)
        number = int(match["number"] or match["its_number"])
        late = bool(match["late"] or match["its_late"])
        gathered[user].append(_Sent(user, match["name"] or user, number, given, item, late))
    return found + [hand_in for sent in gathered.values() for hand_in in _of_canvas(sent)]


@dataclass(frozen=True, slots=True)
class _Sent:
    """One file of a Canvas download; ``number`` grows with time."""

    user: str
    name: str
    number: int
    given: str
    item: Item
    late: bool


def _of_canvas(sent: list[_Sent]) -> list[HandIn]:
    """Return what one user sent: the newest file of each name together, older ones each for itself."""
    sent = sorted(sent, key=lambda s: -s.number)
    newest = {s.given: s for s in reversed(sent)}
    old = [[s] for s in sent if newest[s.given] is not s]
    return [
        HandIn(
            who=(Who(some[0].user, some[0].name),),
            label=some[0].item.label,
            files=tuple((s.given, s.item) for s in some),
            order=max(s.number for s in some),
            marked_late=any(s.late for s in some),
        )
        for some in [list(newest.values()), *old]
    ]


# GitHub Classroom


def read_github(inbox: Inbox) -> list[HandIn]:
    """Clones: a folder ``<assignment>-<user>`` each, with ``.git`` in it or named for it above."""
    folders = {folder: items for (folder,), items in _folders(inbox.files).items()}
    clones = {i.parts[0] for i in inbox.items if len(i.parts) > 2 and i.parts[1] == ".git"}
    everyone = list(dict.fromkeys([*folders, *sorted(clones)]))
    prefix = _prefix(everyone, inbox)
    if not prefix or not (_mostly(sorted(clones), everyone) or inbox.name == f"{prefix}submissions"):
        return []
    return [HandIn((Who(f.removeprefix(prefix)),), f, _own(folders.get(f, ()))) for f in everyone]


def _prefix(folders: Sequence[str], inbox: Inbox) -> str:
    """Return what the names of clones start with: the assignment's name, else what all have in common."""
    named = inbox.name.removesuffix("submissions") if inbox.name.endswith("-submissions") else ""
    for prefix in (named, f"{inbox.assignment}-" if inbox.assignment else ""):
        if prefix and all(f.startswith(prefix) and f != prefix for f in folders):
            return prefix
    common = commonprefix(list(folders)) if len(folders) > 1 else ""  # noqa: RUF071 - names, not paths
    return common[: common.rfind("-") + 1]


# otter, and plain folders


def read_otter(inbox: Inbox) -> list[HandIn]:
    """A zip per student, each with otter's own files in it."""
    zips = [i for i in inbox.files if len(i.parts) == 1 and is_archive(i.name)]
    ours = [i for i in zips[:20] if any(name in _OF_OTTER for name in inbox.inside(i))]
    return read_folder(inbox) if _mostly(ours, zips[:20]) and _mostly(zips, inbox.files) else []


def read_folder(inbox: Inbox) -> list[HandIn]:
    """A file per student, named by it, or a folder per student; or the archive of one student."""
    one = inbox.one_down() if inbox.archive else None
    if one is not None and len({i.parts[0] for i in one.files if _is_work(i)}) > 1:
        return read_folder(one)
    single = [item for item in inbox.files if len(item.parts) == 1 and _is_work(item)]
    if inbox.archive and [item.parts for item in inbox.files if _is_work(item)] == [(inbox.notebook,)]:
        return [HandIn((Who(_stem(inbox.name)),), single[0].label, _own(single))]
    found = [HandIn((Who(_stem(item.name)),), item.label, _own([item])) for item in single]
    return found + [HandIn((Who(f),), f, _own(items)) for (f,), items in _folders(inbox.files).items()]


def _is_work(item: Item) -> bool:
    return len(item.parts) > 1 or is_candidate(item.name) or is_archive(item.name)


def _stem(name: str) -> str:
    """Return a file's name without its suffix: that of a notebook, a script or an archive, or any other."""
    for suffix in (*NOTEBOOKS, ".tar.gz", ".tar.bz2", ".tar.xz"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name.rpartition(".")[0] or name


def unplaced(inbox: Inbox, found: Iterable[HandIn]) -> list[str]:
    """Return the labels of the files that belong to no hand-in."""
    placed = Counter(id(item) for hand_in in found for _, item in hand_in.files)
    return [i.label for i in inbox.files if not placed[id(i)] and i.name not in METADATA]


LAYOUTS: dict[str, Callable[[Inbox], list[HandIn]]] = {
    "gradescope": read_gradescope,
    "nbgrader": read_nbgrader,
    "moodle": read_moodle,
    "canvas": read_canvas,
    "github": read_github,
    "otter": read_otter,
    "folder": read_folder,
}
"""By name, in the order in which they are tried: what only one platform makes comes first."""
