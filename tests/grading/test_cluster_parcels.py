"""What travels arrives as it was, or not at all; and a desk says what one machine says."""

import random
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import small_class
import tiny_course
from hypothesis import given
from hypothesis import strategies as st

from graders import batch
from graders.cluster import answers, parcels, post
from graders.cluster.connecting import check_place, cluster_workers
from graders.cluster.desk import Desk
from graders.cluster.kinds import kind_here
from graders.cluster.orders import Terms
from graders.cluster.roll import ClusterError
from graders.intake import take_in
from graders.workers import Workers

HEADS = st.dictionaries(
    st.text(max_size=5).filter(lambda k: k != "sizes"), st.integers() | st.text(max_size=5)
)


@given(HEADS, st.lists(st.binary(max_size=40), max_size=4))
def test_a_parcel_arrives_as_it_was_packed(head, blobs):
    assert (head, blobs) == parcels.unpack(parcels.pack(head, blobs))


@given(st.binary(max_size=200) | st.integers(0, 2**32))
def test_bytes_that_are_no_parcel_are_refused_and_nothing_else_happens(raw):
    """Any bytes, and parcels in which some were changed before or after they were compressed."""
    if isinstance(raw, int):
        chance = random.Random(raw)
        plain = bytearray(zlib.decompress(parcels.pack({"a": [1, {"b": "c"}]}, [b"12345", b""])))
        plain[chance.randrange(len(plain))] ^= 1 << chance.randrange(8)
        raw = zlib.compress(bytes(plain)[: chance.choice((None, chance.randrange(len(plain))))])
    try:
        head, blobs = parcels.unpack(raw)
    except parcels.ParcelError:
        return
    assert isinstance(head, dict)
    assert all(isinstance(blob, bytes) for blob in blobs)


@pytest.mark.parametrize(
    "head",
    ["[]", "1", '{"sizes": 3}', '{"sizes": [-4]}', '{"sizes": ["a"]}', '{"sizes": [1e9]}', "[" * 99999, "{}"],
)
def test_a_head_that_is_none_is_refused(head):
    raw = len(head).to_bytes(8, "little") + head.encode()
    with pytest.raises(parcels.ParcelError):
        parcels.unpack(zlib.compress(raw))


def test_a_parcel_that_grows_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(parcels, "MOST_BYTES", 1000)
    with pytest.raises(parcels.ParcelError):
        parcels.unpack(parcels.pack({}, [bytes(2000)]))


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "", "."])
def test_no_file_is_laid_out_beside_its_folder(tmp_path, name):
    with pytest.raises(parcels.ParcelError):
        parcels.lay_out({"ok": b"1", name: b"2"}, tmp_path / "deep" / "folder")

    assert not (tmp_path / "deep" / "folder").exists()
    assert [] == list(tmp_path.rglob("x"))


def test_a_folder_arrives_with_its_content_and_its_name_is_its_content(tmp_path):
    folder = tiny_course.write_course(tmp_path / "tiny")
    (folder / "data").mkdir()
    (folder / "data" / "x.bin").write_bytes(bytes(range(256)))
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "left.pyc").write_bytes(b"no")
    files = parcels.files_of(folder)
    parcels.lay_out(files, tmp_path / "there")
    parcels.lay_out({}, tmp_path / "there")  # another was quicker

    assert files == parcels.files_of(tmp_path / "there")
    assert "__pycache__/left.pyc" not in files
    assert parcels.digest(files) == parcels.digest(dict(reversed(files.items())))
    assert parcels.digest(files) != parcels.digest({**files, "data/x.bin": b""})


@pytest.fixture
def desk(tmp_path, no_workers):
    """A desk, grading in this process."""
    return Desk(tmp_path / "scratch", Workers(1))


@pytest.fixture
def course(tmp_path):
    small_class.write_class(tmp_path)
    (tmp_path / "scratch").mkdir()
    return tmp_path


def test_a_desk_says_what_one_machine_says(course, desk):
    """Results and pages, to the byte; and it leaves no submission lying about."""
    terms = Terms.of(str(course / "tiny"), "best")
    entries = tuple(e for e in take_in([course / "inbox"], "tiny.ipynb") if e.gradable)
    task = batch.Task(
        terms.folder, 5, "hint", entries, "best", names={e.student: f"p-{e.student}" for e in entries}
    )
    introduced = answers.examined(desk.answer(terms.parcel))
    said = answers.graded(desk.answer(terms.chunk(task)), task, introduced, "tiny")
    alone = batch.grade_chunk(replace(task, dictionaries=str(course / "dictionaries")))

    assert batch.examine(terms.folder, "best") == introduced.judge
    assert kind_here() == introduced.kind
    assert [(r.to_json(), page) for r, page in alone] == [(r.to_json(), page) for r, page in said]
    assert [] == [p for p in (course / "scratch").rglob("*") if p.name in {e.path.name for e in entries}]


def test_a_desk_says_what_is_the_matter_with_an_assignment(course, desk):
    """By the name that the asker has for it."""
    tests = course / "tiny" / "test_tiny.py"
    tests.write_text(
        tests.read_text().replace("check_symmetry(submission.initialize(3, 5))", "assert 1 == 2")
    )
    answer = desk.answer(Terms.of(str(course / "tiny"), "best").parcel)

    with pytest.raises(
        answers.BadAnswer, match=f"^{course}/tiny/tiny.ipynb: its own solution fails test_start"
    ):
        answers.examined(answer)


@pytest.mark.parametrize(
    ("parcel", "said"),
    [
        (b"", "no parcel"),
        (parcels.pack({}), "KeyError"),
        (parcels.pack({"what": "grade", "assignment": "0", "name": "tiny"}), "does not have the assignment"),
        (
            parcels.pack({"what": "examine", "assignment": "0", "name": "tiny", "files": ["a"]}, [b"b"]),
            "other bytes than it was sent with",
        ),
    ],
)
def test_a_desk_answers_whatever_it_is_asked(desk, parcel, said):
    with pytest.raises(answers.BadAnswer, match=said):
        answers.examined(desk.answer(parcel))


@pytest.mark.parametrize(
    "parcel",
    [
        None,
        b"",
        parcels.pack({}),
        parcels.pack({"kind": kind_here().to_json(), "isolation": {"level": 9, "locked": {}, "refused": {}}}),
        parcels.pack({"kind": [], "isolation": {"level": 3, "locked": {}, "refused": {}}}),
        parcels.pack({"kind": kind_here().to_json(), "isolation": 3}),
    ],
)
def test_what_a_worker_says_of_itself_is_looked_at(parcel):
    with pytest.raises(answers.BadAnswer):
        answers.examined(parcel)


@pytest.mark.parametrize("where", ["", "here", "http://host", "host:8786"])
def test_a_place_that_is_no_cluster_is_told_before_anything_starts(where):
    with pytest.raises(ClusterError, match="give local, slurm, or the address"):
        check_place(where)


def test_a_desk_serves_until_it_ends_and_another_takes_its_place(monkeypatch, tmp_path):
    """It is a process without dask's settings; told to leave, it is gone."""
    monkeypatch.setattr(post, "_scratch", lambda: tmp_path)
    monkeypatch.setenv("DASK_SECRET", "1")
    monkeypatch.setenv("__DASK_PARENT_PID", "1")  # dask's own, in each process that has started a cluster
    empty = parcels.pack({})
    first, second = post.ask(empty), post.ask(empty)
    (desk,) = post._free
    environment = Path(f"/proc/{desk.pid}/environ")
    seen = environment.read_bytes() if environment.exists() else b""
    desk.kill()
    desk.wait()
    with pytest.raises((ChildProcessError, BrokenPipeError)):
        post.ask(empty)
    third = post.ask(empty)
    (other,) = post._free
    post.leave()

    assert first == second == third
    assert b"DASK" not in seen
    assert other.returncode == 0
    assert [] == post._free


def test_without_dask_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    told = pytest.raises(ClusterError, match=r"pip install 'pytest-symmetry\[cluster\]'")
    with told, cluster_workers("local", 1, print):
        pass
