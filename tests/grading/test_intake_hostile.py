"""Hostile names and archives: no file outside the folder of this process, no two students merged."""

import io
import os
import re
import stat
import struct
import tarfile
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inbox_makers import cells, tar_link, tarred, tree, zip_link, zipped

from graders import archives
from graders.intake import receive, take_in
from pytest_symmetry.errors import SubmissionError
from pytest_symmetry.feedback.html import page_file
from pytest_symmetry.feedback.text import printable

NB = "planar.ipynb"


@pytest.fixture
def ground(tmp_path, monkeypatch):
    """A folder of the test's own in which everything lies, also what is unpacked; it tells what changed."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    (tmp_path / "secret.ipynb").write_bytes(cells("secret = 1"))
    return tmp_path


def everything(folder):
    """Return all files below a folder with their bytes, links by their target."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path] = path.readlink()
        elif path.is_file():
            found[path] = path.read_bytes()
    return found


def taken(ground, where):
    """Take in an inbox and see that nothing but the scratch folder changed, and that is flat and plain."""
    before = everything(ground)
    found = receive([where], NB)
    after = everything(ground)
    new = {path: data for path, data in after.items() if before.get(path) != data}
    new = {
        path: data
        for path, data in new.items()
        if path.name != "lock" or path.parent.parent.name != "scratch"
    }

    assert set(before) <= set(after)
    assert all((ground / "scratch") in path.parents for path in new), new
    assert all(re.fullmatch(r"[0-9a-f]{32}[a-z_]*\.[a-z.]+", path.name) for path in new), new
    for entry in found.entries:
        assert entry.student == printable(entry.student)
        assert entry.student == entry.student.strip()
        assert "secret" not in (entry.path.read_text(encoding="utf-8") if entry.gradable else "")
        entry.label.encode("utf-8")
        entry.reason.encode("utf-8")
    assert len({e.student for e in found.entries}) == len(found.entries)
    assert len({page_file(e.student).casefold() for e in found.entries}) == len(found.entries)
    return {e.student: e for e in found.entries}


# 33 names: pairs that must stay two students, as files of a folder and as members of a zip.

PAIRS = [
    ("ada", "ada "),
    ("ada", " ada"),
    ("ada", "ada\u200b"),
    ("ada", "ada\u202e"),
    ("ada", "\u202eada"),
    ("ada", "\u0430d\u0430"),
    ("ada", "a\u0301da"),
    ("ada", "Ada"),
    ("ada", "ADA"),
    ("ada", "ada (1)"),
    ("ada", "ada-Copy1"),
    ("ada", "ada."),
    ("ada", "ada\n"),
    ("ada", "ada\r"),
    ("ada", "ada\t"),
    ("ada", "ada\x1b[31m"),
    ("ada", "ada\\u200b"),
    ("ada", "[ada]"),
    ("[ada]", "(ada)"),
    ("ada", "ada~2"),
    ("con", "CON"),
    ("nul", "nul.txt"),
    ("aux", "aux "),
    ("ada", "-rf"),
    ("ada", "--out=x"),
    ("ada", "=1+1"),
    ("ada", "<script>alert(1)</script>".replace("/", "")),
    ("ada", "{{7*7}}"),
    ("ada", "%s%n"),
    ("\U0001f600", "\U0001f601"),
    ("x" * 120, "x" * 121),
    ("x" * 119 + "1" + "y" * 30, "x" * 119 + "2" + "y" * 30),
    ("ﬁ", "fi"),
]


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("pair", PAIRS, ids=range(len(PAIRS)))
def test_two_names_are_two_students(ground, pair, form):
    """Whatever they look like, and each with their own bytes."""
    if form == "zip" and any("\\" in name for name in pair):
        pytest.skip("a backslash in a zip stands between folders")
    files = {f"{name}.ipynb": f"owner = {number}" for number, name in enumerate(pair)}
    where = tree(ground / "inbox", files) if form == "folder" else zipped(ground / "inbox.zip", files)
    found = taken(ground, where)

    assert 2 == len(found)
    assert 2 == len({e.sha256 for e in found.values()})
    assert all(e.gradable for e in found.values()), found


def test_one_name_in_two_spellings_is_one_student(ground):
    """Unicode says that they are the same; nothing says which is newer: a person decides."""
    names = [unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD")]
    found = taken(ground, zipped(ground / "inbox.zip", [(f"{n}.ipynb", n) for n in names]))

    assert ["Zoë"] == list(found)
    assert "waits for a person" == found["Zoë"].status


def test_bytes_that_are_no_text_are_names_too(ground):
    """As an old file system has them."""
    folder = ground / "inbox"
    folder.mkdir()
    for name in (b"caf\xe9.ipynb", b"caf\xe8.ipynb"):
        (folder / os.fsdecode(name)).write_bytes(cells(repr(name)))
    found = taken(ground, folder)

    assert 2 == len(found)
    assert all("\\udc" in student for student in found)


# 15 names that lead out: nothing is written there, nothing there is read, and the reason is said.

OUT = [
    "../out.ipynb",
    "../../out.ipynb",
    "ada/../../out.ipynb",
    "/tmp/out.ipynb",
    "//tmp/out.ipynb",
    "\\out.ipynb",
    "..\\out.ipynb",
    "ada\\..\\..\\out.ipynb",
    "C:\\out.ipynb",
    "C:/out.ipynb",
    "./../out.ipynb",
    "a/b/../../../out.ipynb",
    "..",
    "ada/..",
    "../ada/planar.ipynb",
]


@pytest.mark.parametrize(
    ("make", "file"), [(zipped, "inbox.zip"), (tarred, "inbox.tar.gz")], ids=["zip", "tar"]
)
@pytest.mark.parametrize("name", OUT)
def test_names_that_lead_out_are_not_followed(ground, name, make, file):
    """The others in the archive are graded."""
    (ground / "deep").mkdir()
    where = make(ground / "deep" / file, [(name, "1"), ("ben.ipynb", "2")])
    found = taken(ground, where)

    assert found["ben"].gradable
    assert all("leads out" in e.reason for student, e in found.items() if student != "ben")


# 12 links, devices, bombs and damage


def test_links_are_not_followed(ground):
    """Out of the inbox, or to somebody else's work in it: files, folders, in archives."""
    inbox = tree(ground / "inbox", {"ben.ipynb": "2", "ada/x.txt": b"", "cho/x.txt": b""})
    (inbox / "eve.ipynb").symlink_to(ground / "secret.ipynb")
    (inbox / "ada" / NB).symlink_to("../ben.ipynb")
    (inbox / "cho" / NB).symlink_to("/dev/zero")
    (inbox / "dee").symlink_to(ground)
    found = taken(ground, inbox)

    assert {"ben"} == {s for s, e in found.items() if e.gradable}
    assert {"it is a link, not a file"} == {e.reason for s, e in found.items() if s != "ben"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_not_made(ground, kind):
    """Not even when a later member would go through one."""
    link = tar_link("ada.ipynb", str(ground / "secret.ipynb"), kind)
    through = [tar_link("out", str(ground), tarfile.SYMTYPE), ("out/written.ipynb", "1")]
    found = taken(ground, tarred(ground / "inbox.tar.gz", [link, ("ben.ipynb", "2"), *through]))

    assert found["ben"].gradable
    assert "not a file" in found["ada"].reason
    assert not (ground / "written.ipynb").exists()


def test_links_in_a_zip_are_not_made(ground):
    """They are files of Unix mode 0120000."""
    files = [zip_link("ada.ipynb", str(ground / "secret.ipynb")), ("ben.ipynb", cells("2"))]
    found = taken(ground, zipped(ground / "inbox.zip", files))

    assert "it is a link, not a file" == found["ada"].reason
    assert found["ben"].gradable


def test_a_pipe_in_the_inbox_does_not_hang(ground):
    """Reading it would wait for ever."""
    inbox = tree(ground / "inbox", {"ben.ipynb": "2", "ada/x.txt": b""})
    os.mkfifo(inbox / "ada" / NB)
    found = taken(ground, inbox)

    assert "it is not a file" == found["ada"].reason


def test_a_file_that_unpacks_to_far_more_is_not_unpacked(ground):
    """20 MB of zeros in 20 kB: one file's reason, and the class goes on."""
    files = {"ada.ipynb": bytes(20 << 20), "ben.ipynb": cells("2")}
    found = taken(ground, zipped(ground / "inbox.zip", files))

    assert "it is larger than 10 MB" == found["ada"].reason
    assert found["ben"].gradable


def test_many_such_files_are_not_unpacked_either(ground, monkeypatch):
    """What they may take together is limited; honest files do not pay for it."""
    monkeypatch.setattr(archives, "RATIO_FREE", 3 << 20)
    files = {f"bomb/{i}.ipynb": bytes(1 << 20) for i in range(9)} | {"ben.ipynb": cells("2")}
    where = zipped(ground / "inbox.zip", files)
    found = taken(ground, where)

    assert found["ben"].gradable
    assert 4 << 20 > sum(len(d) for p, d in everything(ground).items() if p != where)


def test_a_tar_that_unpacks_to_far_more_is_not_read_further(ground, monkeypatch):
    """A sentence says so, and what to do."""
    monkeypatch.setattr(archives, "RATIO_FREE", 1 << 20)
    with pytest.raises(SubmissionError, match=r"inbox.tar.gz: it unpacks to more than 200 times its size"):
        take_in([tarred(ground / "inbox.tar.gz", {"x.bin": bytes(30 << 20), "ben.ipynb": "2"})], NB)


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [("MEMBERS", 3, "holds more than 3 files"), ("TOTAL_BYTES", 900, "unpacks to more than 0 MB")],
)
def test_an_archive_may_hold_only_so_much(ground, monkeypatch, limit, value, said):
    """In one sentence that says what to do."""
    monkeypatch.setattr(archives, limit, value)
    where = zipped(ground / "inbox.zip", {f"{i}.ipynb": "x" * 99 for i in range(9)})
    with pytest.raises(SubmissionError, match=rf"inbox.zip: it {said}; unpack it yourself"):
        take_in([where], NB)


def _damaged(data, at):
    return data[:at] + bytes(b ^ 0xFF for b in data[at : at + 40]) + data[at + 40 :]


def _zip_bytes(**files):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"{name}.ipynb", data)
    return held.getvalue()


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip", _zip_bytes(a=cells("1"))[:-30]], ids=range(4))
def test_an_archive_that_is_none_is_told(ground, data):
    """Before anything is graded."""
    path = ground / "inbox.zip"
    path.write_bytes(data)
    with pytest.raises(SubmissionError, match=r"inbox.zip: the archive cannot be read"):
        take_in([path], NB)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"])
def test_a_tar_that_is_none_is_told(ground, suffix):
    """The same for the others."""
    path = ground / f"inbox{suffix}"
    path.write_bytes(b"no tar")
    with pytest.raises(SubmissionError, match=r"the archive cannot be read"):
        take_in([path], NB)


def test_a_damaged_member_is_one_submissions_trouble(ground):
    """The checksum is off; the other member is graded."""
    noise = os.urandom(4000).hex()
    data = _zip_bytes(ada=cells(f"x = '{noise}'"), ben=cells("2"))
    path = ground / "inbox.zip"
    path.write_bytes(_damaged(data, 1000))
    found = taken(ground, path)

    assert found["ada"].reason.startswith("it cannot be unpacked")
    assert found["ben"].gradable


def test_a_member_with_a_password_is_one_submissions_trouble(ground):
    """The flag alone is enough to refuse."""
    data = bytearray(_zip_bytes(ada=cells("1"), ben=cells("2")))
    first = data.index(b"PK\x01\x02")
    for at in (6, first + 8):
        struct.pack_into("<H", data, at, struct.unpack_from("<H", data, at)[0] | 1)
    path = ground / "inbox.zip"
    path.write_bytes(bytes(data))
    found = taken(ground, path)

    assert "it cannot be unpacked: it has a password" == found["ada"].reason
    assert found["ben"].gradable


def test_an_archive_in_an_archive_is_opened_once(ground):
    """A student's own zip, yes; a zip in that one, no; one of 51 MB, no."""
    inner = _zip_bytes(planar=cells("1"))
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as archive:
        archive.writestr("inner.zip", inner)
    files = {"ada/work.zip": inner, "ben/work.zip": nested.getvalue(), "cho/work.zip": b"no zip"}
    found = taken(ground, zipped(ground / "inbox.zip", files))

    assert found["ada"].gradable
    assert "ada/work.zip/planar.ipynb" == found["ada"].label
    assert not found["ben"].gradable
    assert "the archive cannot be read" in found["cho"].reason


@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile's, of the zip that is made here
def test_a_name_twice_in_an_archive_is_a_persons_to_decide(ground):
    """Neither overwrites the other, and nothing says which counts."""
    found = taken(ground, zipped(ground / "inbox.zip", [("ada.ipynb", "1"), ("ada.ipynb", "2")]))

    assert "handed in 2 times" in found["ada"].reason
    assert "waits for a person" == found["ada"].status


def test_an_archive_of_one_student_is_not_the_disk(ground, monkeypatch):
    """What somebody's own zip unpacks to is limited more closely than the class's."""
    monkeypatch.setattr(archives, "RATIO_FREE", 3000)
    inner = _zip_bytes(**{f"n{i}": cells(os.urandom(400).hex()) for i in range(9)})
    found = taken(ground, zipped(ground / "inbox.zip", {"ada/work.zip": inner, "ben/planar.ipynb": "2"}))

    assert "it unpacks to more than 0 MB" in found["ada"].reason
    assert found["ben"].gradable


def test_what_editors_leave_behind_is_nobodys(ground):
    """Checkpoints, hidden files, resource forks."""
    files = {
        "ada/planar.ipynb": "1", "ada/.ipynb_checkpoints/planar-checkpoint.ipynb": "0",
        "ada/planar-checkpoint.ipynb": "0", "__MACOSX/ada/._planar.ipynb": b"x", ".hidden.ipynb": "0",
        "~planar.ipynb": "0", "ada/__pycache__/planar.py": b"",
    }  # fmt: skip
    for where in (tree(ground / "inbox", files), zipped(ground / "inbox.zip", files)):
        found = taken(ground, where)
        assert ["ada"] == list(found)
        assert "ada/planar.ipynb" == found["ada"].label
        assert () == found["ada"].chosen_from


def test_what_is_unpacked_is_for_nobody_else_to_read(ground):
    """The folder belongs to who runs this."""
    take_in([zipped(ground / "inbox.zip", {"ada.ipynb": "1", "ben.ipynb": "2"})], NB)
    (folder,) = (ground / "scratch").iterdir()

    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)


def test_one_students_files_do_not_change_how_the_class_is_read(ground):
    """Names and files of a platform, in the hands of one student."""
    files = {
        "ada/planar.ipynb": "1",
        "ben/planar.ipynb": "2",
        "cho/planar.ipynb": "3",
        "eve/planar/timestamp.txt": b"2020-01-01 00:00:00 UTC",
        "eve/submission_metadata.yml": b"submission_1:\n  :submitters:\n  - :name: ada\n",
        "eve/ada_11_assignsubmission_file_/planar.ipynb": "4",
        "eve/ada_11_12_planar.ipynb": "5",
        "eve/.git/config": b"",
    }
    for where in (tree(ground / "inbox", files), zipped(ground / "inbox.zip", files)):
        found = taken(ground, where)
        assert {"ada", "ben", "cho", "eve"} == set(found)
        assert {"planar.ipynb"} == {Path(found[s].label).name for s in ("ada", "ben", "cho")}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=5, unique=True))
def test_any_names_in_a_zip(ground, names):
    """Nothing outside; as many students as names that differ, each with one's own bytes or waiting."""
    path = ground / "any.zip"
    try:
        zipped(path, [(f"{n}.ipynb", f"owner = {i}") for i, n in enumerate(names)])
    except (UnicodeEncodeError, ValueError):
        return
    try:
        found = taken(ground, path)
    except SubmissionError as error:
        assert "no submission found" in str(error)  # noqa: PT017 - either is right
        return
    hashes = [e.sha256 for e in found.values() if e.sha256]
    assert len(hashes) == len(set(hashes))
