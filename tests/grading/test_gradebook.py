"""The gradebook under what happens to files: two writers, full disks, flipped bits, hands that edit."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import textwrap

import class_on_paper
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graders import gradebook, opening
from graders.gradebook import FILE, GradebookError
from graders.history import Event, Kind
from graders.lock import FolderLocked, only_writer
from graders.marks import marks
from graders.opening import open_gradebook, read_gradebook


@pytest.fixture
def folder(tmp_path):
    """A gradebook with two results."""
    with open_gradebook(tmp_path / "graded", author="staff") as book:
        class_on_paper.settle(book)
        class_on_paper.grade(book, "ada", (1, 2, 3))
        class_on_paper.grade(book, "ben", (1, 0, 0))
        book.expect(["ada", "ben"])
    return tmp_path / "graded"


def fill(folder, count=100):
    """Add results until the disk, as large as the file is now, is full."""
    with open_gradebook(folder) as book:
        (pages,) = book.connection.execute("PRAGMA page_count").fetchone()
        book.connection.execute(f"PRAGMA max_page_count = {pages}")
        for i in range(count):
            class_on_paper.grade(book, f"student {i}", (1, 2, 3))


def write(folder):
    """Write to a database that may not be written to."""
    with open_gradebook(folder) as book:
        book.connection.execute("PRAGMA query_only = ON")
        book.set_headers(seeds="2")


def look(folder):
    """Read all that a run reads."""
    with read_gradebook(folder) as book:
        marks(book)
        book.settle_seed(None)


def points(folder):
    with read_gradebook(folder) as book:
        return {mark.student: mark.points for mark in marks(book)}


def test_an_event_says_who_when_and_why(folder):
    """What the history keeps, and only that."""
    with open_gradebook(folder, author="prof") as book:
        book.record(Event(0, Kind.VOIDED, question="test_loss", reason="unclear"))
        last = book.history()[-1]

    assert (3, Kind.VOIDED, "prof", "test_loss", "unclear") == (
        last.number, last.kind, last.author, last.question, last.reason,
    )  # fmt: skip
    assert last.at.endswith("+00:00")


def test_a_second_writer_is_told_who_holds_the_folder(folder):
    """Process, host and since when; the first goes on."""
    with open_gradebook(folder), pytest.raises(FolderLocked) as told, open_gradebook(folder):
        pass
    said = str(told.value)

    assert f"process {os.getpid()} on {socket.gethostname()}, since 20" in said
    assert "run this again when that is done" in said
    with open_gradebook(folder) as book:
        assert 2 == len(book.history())


def test_a_reader_need_not_wait_for_a_writer(folder):
    """A report of a class that is being graded."""
    with open_gradebook(folder) as book:
        class_on_paper.grade(book, "cho", (0, 0, 3))

        assert {"ada": 6.0, "ben": 1.0, "cho": 3.0} == points(folder)


def test_the_lock_ends_with_its_holder(folder):
    """Killed, not closed: nothing has to be removed by hand."""
    code = f"""
        import os, signal, pathlib
        from graders.lock import only_writer
        with only_writer(pathlib.Path({str(folder)!r})):
            print("held", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )

    assert "held" in done.stdout
    with only_writer(folder):
        pass


def test_a_patient_writer_waits(folder):
    """--wait: the lock is taken as soon as it is free."""
    code = f"""
        import pathlib, sys
        from graders.lock import only_writer
        with only_writer(pathlib.Path({str(folder)!r})):
            print("held", flush=True)
            sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert "held\n" == holder.stdout.readline()
        with pytest.raises(FolderLocked), only_writer(folder):
            pass
        holder.stdin.close()
        with only_writer(folder, patience=60):
            pass


def test_another_program_that_holds_the_database_is_named_as_the_reason(folder, monkeypatch):
    """A database browser with unsaved changes, say."""
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.01)
    other = sqlite3.connect(folder / FILE)
    other.execute("BEGIN IMMEDIATE")

    with (
        pytest.raises(GradebookError, match=r"another program has it open for writing"),
        open_gradebook(folder),
    ):
        pass
    other.close()
    assert {"ada": 6.0, "ben": 1.0} == points(folder)


def test_a_full_disk_loses_nothing(folder):
    """What was written stays; what was not is told in one line; with space again it goes on."""
    with pytest.raises(GradebookError, match=r"full; free some space and run the same command again"):
        fill(folder)

    before = points(folder)
    assert {"ada": 6.0, "ben": 1.0}.items() <= before.items()
    with open_gradebook(folder) as book:
        class_on_paper.grade(book, "zoe", (1, 2, 3))
    assert {**before, "zoe": 6.0} == points(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(folder):
    """Grading is refused in words, looking still works."""
    folder.chmod(0o500)
    try:
        with pytest.raises(GradebookError, match="Permission denied"), open_gradebook(folder):
            pass
        assert {"ada": 6.0, "ben": 1.0} == points(folder)
    finally:
        folder.chmod(0o700)


def test_a_read_only_file_is_refused_in_words(folder, monkeypatch):
    """As SQLite says it, with what to do."""
    with pytest.raises(GradebookError, match=r"readonly database; it may not be written to; see to its"):
        write(folder)


def test_a_folder_without_a_gradebook_is_told(tmp_path):
    """For the commands that only look."""
    with pytest.raises(GradebookError, match="there is no gradebook in it"), read_gradebook(tmp_path):
        pass


def test_gradebooks_of_other_versions_are_refused(folder):
    """An older form and a newer one, each with what to do."""
    for schema, said in (("1", "an earlier pytest-symmetry"), ("99", "a newer pytest-symmetry")):
        with open_gradebook(folder) as book:
            book.set_headers(schema=schema)
        with pytest.raises(GradebookError, match=said), open_gradebook(folder):
            pass
        with sqlite3.connect(folder / FILE) as raw:
            checksum = gradebook._checksum(("schema", str(gradebook.SCHEMA)))
            raw.execute(
                "UPDATE header SET value = ?, checksum = ? WHERE key = 'schema'", (gradebook.SCHEMA, checksum)
            )
        raw.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE results SET line = replace(line, '6.0', '6.5')", "result 1 is not what was written"),
        ("UPDATE results SET student = 'zoe' WHERE id = 2", "result 2 is not what was written"),
        ("UPDATE history SET event = replace(event, 'ada', 'ben')", "event 1 is not what was written"),
        ("UPDATE header SET value = '7' WHERE key = 'seed'", "header seed is not what was written"),
        ("DELETE FROM results WHERE id = 1", "result 1 is not what was written"),
        ("UPDATE students SET student = 'zoe' WHERE student = 'ben'", "student zoe is not what was written"),
    ],
)
def test_a_row_that_somebody_edited_is_not_believed(folder, statement, said):
    """Marks are changed by `symmetry override`, which says who and why."""
    with sqlite3.connect(folder / FILE) as raw:
        raw.execute(statement)
    raw.close()

    with pytest.raises(GradebookError, match=said):
        look(folder)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_bit_changes_no_mark(folder, data):
    """Whatever bit of the file it is: the marks are the same, or the file is refused."""
    path = folder / FILE
    whole = path.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << (bit % 8)
    path.write_bytes(changed)
    try:
        found = points(folder)
    except GradebookError:
        found = None
    finally:
        for file in folder.glob(f"{FILE}-*"):
            file.unlink()
        path.write_bytes(whole)

    assert found in (None, {"ada": 6.0, "ben": 1.0}), f"bit {bit}"


@pytest.mark.parametrize("name", [b"event TEXT", b"results (", b"student TEXT"])
def test_text_that_is_no_text_any_more_is_refused(folder, name):
    """A flipped bit may leave bytes that are no UTF-8: also in what SQLite says of the damage."""
    path = folder / FILE
    path.write_bytes(path.read_bytes().replace(name, bytes([name[0] ^ 0x80]) + name[1:]))

    with pytest.raises(GradebookError, match=r"gradebook\.sqlite: .*put back a copy of"):
        points(folder)


def test_a_row_that_is_no_text_any_more_is_refused(folder):
    """The checksum tells."""
    path = folder / FILE
    path.write_bytes(path.read_bytes().replace(b"ada", b"\xe1da"))

    with pytest.raises(GradebookError, match="is not what was written there; put back a copy"):
        points(folder)


def test_a_file_cut_short_is_refused(folder):
    """A copy that did not finish."""
    path = folder / FILE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(GradebookError, match="put back a copy of it; nothing in it was changed"):
        points(folder)


def test_six_writers_at_once_lose_nothing(folder):
    """Each waits for its turn; every event is there, once."""
    code = f"""
        import pathlib, sys
        from graders.history import Event, Kind
        from graders.opening import open_gradebook
        with open_gradebook(pathlib.Path({str(folder)!r}), author=sys.argv[1], patience=120) as book:
            for i in range(5):
                book.record(Event(0, Kind.OVERRIDDEN, student="ben", question="test_loss", points=i % 3))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    writers = [subprocess.Popen([*command, f"w{i}"], stderr=subprocess.PIPE, text=True) for i in range(6)]
    trouble = [writer.communicate()[1] for writer in writers]

    assert [""] * 6 == trouble
    with read_gradebook(folder) as book:
        events = [e for e in book.history() if e.kind is Kind.OVERRIDDEN]
    assert 30 == len(events)
    assert [0, 1, 2, 0, 1] * 6 == [e.points for e in events]  # nobody wrote between another's


def test_results_are_one_line_of_json_each(folder):
    """As results.jsonl has them."""
    with read_gradebook(folder) as book:
        judged = book.judged(1)

    assert "ada" == judged.student
    assert 6.0 == json.loads(gradebook.to_text(judged.line))["points"]
    assert class_on_paper.BASIS == judged.basis
