"""What was handed in -> one entry per student. A bad or double submission is a status, never the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from graders.archives import Item, files_of, is_archive, unpack
from graders.choosing import Choice, Keep, Work, choose, work_in
from graders.inboxes import LAYOUTS, HandIn, Inbox, Who, is_litter, read_inbox, unplaced
from graders.lateness import LatenessError, LatePolicy, how_late, policy_of_text, read_time
from graders.marks import Lateness, Person
from graders.names import some_of
from graders.owners import Owners, alike
from graders.roster import Roster
from graders.scratch import scratch_folder
from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.feedback.text import printable
from pytest_symmetry.submission import find_submissions, read_submission

NOT_GRADABLE, WAITS = "not gradable", "waits for a person"

PLATFORMS = {
    "gradescope": "a Gradescope export",
    "nbgrader": "nbgrader's submitted folder",
    "moodle": "a Moodle download",
    "canvas": "a Canvas download",
    "github": "clones of GitHub Classroom",
    "otter": "otter's export zips",
    "folder": "a folder of files or a folder per student",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One submission of a class.

    ``label`` is its path below the folder that was given; ``sha256`` is that of its bytes, "" where it could
    not be read. ``status`` and ``reason`` are set for what cannot be graded. ``name`` and ``group`` are as
    platform and roster have them; ``submitted`` is the platform's time (ISO 8601, "" where it is not known);
    ``chosen_from`` are the labels of what was handed in beside it and does not count.
    """

    student: str
    path: Path
    label: str
    sha256: str = ""
    status: str = ""
    reason: str = ""
    name: str = ""
    group: str = ""
    submitted: str = ""
    chosen_from: tuple[str, ...] = ()

    @property
    def gradable(self) -> bool:
        """Whether there is something to grade."""
        return not self.status


@dataclass(frozen=True, slots=True)
class Rules:
    """How to read what comes in: all optional.

    ``layout`` names one of :data:`graders.inboxes.LAYOUTS`; "" finds out. ``due`` and ``policy`` hold where
    the roster has no others; ``zone`` is the course's.
    """

    layout: str = ""
    keep: Keep = "latest"
    assignment: str = ""
    roster: Roster | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    due: datetime | None = None
    policy: LatePolicy = field(default_factory=LatePolicy)


@dataclass(frozen=True, slots=True)
class Intake:
    """All that came in: an entry per student who handed something in, in order.

    ``people`` is what the roster says of everyone in it, ``lateness`` how late each entry came, where due
    time and time are known; ``strangers`` are students that the roster does not have. ``said`` is what a
    person should read before grading: layouts, choices, doubts.
    """

    entries: tuple[Entry, ...]
    people: Mapping[str, Person] = field(default_factory=dict)
    lateness: Mapping[str, Lateness] = field(default_factory=dict)
    strangers: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Who is on the roster, not excused, and handed nothing in."""
        came = {entry.student for entry in self.entries}
        return tuple(s for s, person in self.people.items() if s not in came and not person.excused)


def take_in(paths: Sequence[Path], notebook: str) -> list[Entry]:
    """Return the submissions at ``paths``, by student; :func:`receive` says more.

    Raises:
        SubmissionError: there is nothing at one of the paths.
    """
    return list(receive(paths, notebook).entries)


def receive(paths: Sequence[Path], notebook: str, rules: Rules | None = None) -> Intake:
    """Return what was handed in at ``paths``: files, folders, archives or patterns.

    Archives are unpacked into a folder of this process that is removed when it ends; nothing is written
    anywhere else. Each submission is read once.

    Raises:
        SubmissionError: there is nothing at one of the paths, an archive cannot be read, or something is
            not of the layout that the rules name.
    """
    desk = _Desk(notebook, rules or Rules())
    for path in paths:
        desk.open(path)
    return desk.settle()


def receive_folders(folders: Mapping[str, Path], notebook: str, rules: Rules | None = None) -> Intake:
    """Return what lies in a folder each, by student: for who is handed one folder and knows whose it is.

    Raises:
        SubmissionError: a folder holds more files than any submission does.
    """
    desk = _Desk(notebook, rules or Rules())
    for student, folder in sorted(folders.items()):
        items = [item for item in files_of(folder) if not is_litter(item)]
        desk.take(HandIn((Who(student),), student, tuple((item.name, item) for item in items)), folder)
    return desk.settle()


@dataclass(slots=True)
class _Desk:
    """Where the post is opened: hand-ins come in, entries go out."""

    notebook: str
    rules: Rules
    works: list[Work] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    scratch: Path | None = None

    def _unpacked(self, path: Path, said: str = "", *, inner: bool = False) -> list[Item]:
        if self.scratch is None:
            self.scratch = scratch_folder()
        return unpack(path, self.scratch, said=said or str(path), inner=inner)

    def open(self, path: Path) -> None:
        """Take in what lies at a path."""
        archive = path.is_file() and is_archive(path.name)
        if path.is_dir() or archive:
            items = self._unpacked(path) if archive else files_of(path)
            name = path.name if archive else path.resolve().name
            inbox = Inbox(name, items, self.notebook, self.rules.assignment, archive, self._inside)
            self._read(inbox, path)
            return
        for found in find_submissions(path, self.notebook):
            item = Item((found.path.name,), found.path)
            self.take(HandIn((Who(found.student),), item.label, ((item.name, item),)), path)

    def _inside(self, item: Item) -> list[str]:
        try:
            return [i.name for i in self._opened(item)]
        except SubmissionError:
            return []

    def _opened(self, item: Item) -> list[Item]:
        """Return the files of an archive in the inbox, named below it."""
        assert item.path is not None
        inside = self._unpacked(item.path, item.label, inner=True)
        return [replace(i, above=(*item.above, *item.parts)) for i in inside if not is_litter(i)]

    def _read(self, inbox: Inbox, path: Path) -> None:
        found = read_inbox(inbox, self.rules.layout)
        if found is None:
            msg = (
                f"{path}: it is not {PLATFORMS[self.rules.layout]}; leave --layout out, or give another one "
                f"({', '.join(LAYOUTS)})"
            )
            raise SubmissionError(msg)
        layout, hand_ins = found
        if not hand_ins:
            msg = f"{path}: no submission found; give a notebook, a .py file, a folder of them, or a pattern"
            raise SubmissionError(msg)
        count = f"{len(hand_ins)} submission{'s' if len(hand_ins) != 1 else ''}"
        self.said.append(f"{printable(str(path))}: {PLATFORMS[layout]}, {count}")
        if rest := unplaced(inbox, hand_ins):
            self.said.append(f"not looked at: {some_of(rest)}")
        for hand_in in hand_ins:
            self.take(hand_in, path)

    def take(self, hand_in: HandIn, path: Path) -> None:
        """Take in what one person handed in; ``path`` is the place that remarks name."""
        work = work_in(hand_in, self.notebook, self.rules.keep, self._opened)
        if hand_in.time:
            try:
                work = replace(work, submitted=read_time(hand_in.time, self.rules.zone))
            except LatenessError as error:
                self.said.append(f"{printable(str(path))}, {work.label}: {printable(str(error))}")
        self.works.append(work)

    def settle(self) -> Intake:
        """Return an entry per student."""
        owned: dict[str, list[Work]] = defaultdict(list)
        names: dict[str, str] = {}
        owners = Owners(self.rules.roster, [w.hand_in for w in self.works])
        for work in self.works:
            for student, name in owners.of(work.hand_in):
                owned[student].append(work)
                names.setdefault(student, name)
        people = self.rules.roster.people if self.rules.roster else {}
        read = cache(_bytes_of)
        entries, lateness = [], {}
        for student in sorted(owned):
            choice = choose(owned[student], self.rules.keep)
            entry = self._entry(student, names[student], choice, read)
            self._say(entry, choice)
            entries.append(entry)
            if (late := self._lateness(entry, choice.work)) is not None:
                lateness[student] = late
        strangers = tuple(s for s in sorted(owned) if people and s not in people)
        self.said += [*owners.said, *alike(owned), *_strangers(strangers, names)]
        return Intake(
            tuple(entries), {s: e.person for s, e in people.items()}, lateness, strangers, tuple(self.said)
        )

    def _entry(
        self, student: str, name: str, choice: Choice, read: Callable[[Path], tuple[str, str]]
    ) -> Entry:
        work = choice.work
        enrolled = self.rules.roster.people.get(student) if self.rules.roster else None
        time = enrolled.submitted if enrolled is not None and enrolled.submitted else work.submitted
        entry = Entry(
            student=student,
            path=work.item.path if work.item is not None and work.item.path is not None else Path(),
            label=work.label,
            name=name,
            group=enrolled.person.group if enrolled is not None else "",
            submitted=time.isoformat() if time is not None else "",
            chosen_from=tuple(dict.fromkeys([*(w.label for w in choice.others), *work.left])),
        )
        if choice.waits or work.unclear:
            return replace(entry, status=WAITS, reason=choice.waits or work.reason)
        if work.reason or work.item is None:
            return replace(entry, status=NOT_GRADABLE, reason=work.reason)
        sha256, reason = read(entry.path)
        return replace(entry, sha256=sha256, status=NOT_GRADABLE if reason else "", reason=reason)

    def _say(self, entry: Entry, choice: Choice) -> None:
        """Say what was chosen, where there was a choice."""
        if entry.status == WAITS:
            self.said.append(f"{entry.student}: waits for a person: {entry.reason}")
        elif choice.why or choice.work.left:
            why = f" ({choice.why})" if choice.why else ""
            rest = f"; not graded: {some_of(entry.chosen_from)}" if entry.chosen_from else ""
            self.said.append(f"{entry.student}: {entry.label}{why}{rest}")

    def _lateness(self, entry: Entry, work: Work) -> Lateness | None:
        """Return how late an entry came; None where the due time or the time is not known."""
        rules = self.rules
        enrolled = rules.roster.people.get(entry.student) if rules.roster else None
        due = enrolled.due if enrolled is not None and enrolled.due is not None else rules.due
        if due is None:
            return None
        if not entry.submitted:
            if work.hand_in.marked_late:
                self.said.append(
                    f"{entry.student}: Canvas says late, but not how late; put the time into the roster's "
                    "column submitted"
                )
            return None
        policy = policy_of_text(enrolled.late_policy if enrolled is not None else "", rules.policy)
        return how_late(due, datetime.fromisoformat(entry.submitted), policy, rules.zone)


def _bytes_of(path: Path) -> tuple[str, str]:
    """Return the hash of a file ("" where it cannot be read), and why it cannot be graded."""
    try:
        submission = read_submission(path)
    except SubmissionError as error:
        return "", printable(str(error).removeprefix(f"{path}: "))
    return submission.sha256, "there is no code in it" if submission.empty else ""


def _strangers(strangers: Sequence[str], names: Mapping[str, str]) -> list[str]:
    if not strangers:
        return []
    shown = [f"{s} ({names[s]})" if names[s] else s for s in strangers]
    return [f"not on the roster, graded all the same: {some_of(shown, 20)}"]


def in_chunks(entries: Iterable[Entry], size: int) -> list[list[Entry]]:
    """Return the entries in lists of at most ``size``, in order."""
    rows = list(entries)
    return [rows[i : i + size] for i in range(0, len(rows), size)]
