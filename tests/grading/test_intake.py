"""What comes in: the layouts of seven platforms, duplicates, rosters, groups, lateness."""

import os
import tarfile
from zoneinfo import ZoneInfo

import pytest
import tiny_course
from inbox_makers import GRADESCOPE, cells, tarred, tree, zipped

from graders.intake import Rules, receive, take_in
from graders.lateness import LatePolicy, read_time
from graders.roster import read_roster
from pytest_symmetry.errors import SubmissionError

ZURICH = ZoneInfo("Europe/Zurich")
NB = "planar.ipynb"

FOLDERS = {
    "folder": {"ada.ipynb": "1", "ben.py": b"x = 1\n", "cho/planar.ipynb": "3", "cho/notes.ipynb": "4"},
    "moodle": {
        "Ada Lovelace_11_assignsubmission_file_/planar.ipynb": "1",
        "Ben Li_12_assignsubmission_file/planar (1).ipynb": "2",
        "Cho Yun_13_assignsubmission_onlinetext_/onlinetext.html": b"<p>hello",
        "Cho Yun_13_assignsubmission_file_/my work.ipynb": "3",
    },
    "gradescope": {
        "assignment_9_export/submission_metadata.yml": GRADESCOPE.encode(),
        "assignment_9_export/submission_101/planar.ipynb": "1",
        "assignment_9_export/submission_102/planar.ipynb": "2",
    },
    "github": {
        "planar-submissions/planar-adal/planar.ipynb": "1",
        "planar-submissions/planar-adal/.git/config": b"",
        "planar-submissions/planar-ben-li/planar.ipynb": "2",
        "planar-submissions/planar-ben-li/.git/config": b"",
    },
    "canvas": {
        "lovelaceada_11_901_planar.ipynb": "1",
        "liben_LATE_12_902_planar-1.ipynb": "2",
        "yuncho_13_903_planar.ipynb": "3",
        "yuncho_13_904_helper.py": b"y = 2\n",
    },
    "nbgrader": {
        "submitted/ada/planar/planar.ipynb": "1",
        "submitted/ada/planar/timestamp.txt": b"2026-03-01 22:30:00.5 UTC\n",
        "submitted/ben/planar/planar.ipynb": "2",
        "submitted/ben/planar/timestamp.txt": b"2026-03-01 22:59:01 UTC\n",
        "submitted/ben/other/other.ipynb": "3",
        "submitted/ben/other/timestamp.txt": b"2026-03-01 22:59:01 UTC\n",
    },
}
EXPECTED = {
    "folder": {"ada": "ada.ipynb", "ben": "ben.py", "cho": "cho/planar.ipynb"},
    "moodle": {
        "11": "Ada Lovelace_11_assignsubmission_file_/planar.ipynb",
        "12": "Ben Li_12_assignsubmission_file/planar (1).ipynb",
        "13": "Cho Yun_13_assignsubmission_file_/my work.ipynb",
    },
    "gradescope": {
        "0077": "assignment_9_export/submission_101/planar.ipynb",
        "b2": "assignment_9_export/submission_102/planar.ipynb",
        "c3": "assignment_9_export/submission_102/planar.ipynb",
    },
    "github": {
        "adal": "planar-submissions/planar-adal/planar.ipynb",
        "ben-li": "planar-submissions/planar-ben-li/planar.ipynb",
    },
    "canvas": {
        "11": "lovelaceada_11_901_planar.ipynb",
        "12": "liben_LATE_12_902_planar-1.ipynb",
        "13": "yuncho_13_903_planar.ipynb",
    },
    "nbgrader": {
        "ada": "submitted/ada/planar/planar.ipynb",
        "ben": "submitted/ben/planar/planar.ipynb",
    },
}
NAMES = {
    "moodle": ["Ada Lovelace", "Ben Li", "Cho Yun"],
    "gradescope": ["Ada Lovelace", 'Ben "B" Li', "Cho O'Yun"],
    "canvas": ["lovelaceada", "liben", "yuncho"],
}


def rules(**given):
    return Rules(zone=ZURICH, assignment="planar", **given)


@pytest.fixture
def roster(tmp_path):
    def read(text):
        path = tmp_path / "roster.csv"
        path.write_text(text, encoding="utf-8")
        return read_roster(path, ZURICH)

    return read


@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz", "named"])
@pytest.mark.parametrize("layout", FOLDERS)
def test_each_layout_is_recognised_as_a_folder_and_in_an_archive(tmp_path, layout, form):
    """Who handed in what, and which layout it was, printed."""
    if form == "zip":
        where = zipped(tmp_path / "inbox.zip", {n: _bytes(c) for n, c in FOLDERS[layout].items()})
    elif form == "tar.gz":
        where = tarred(tmp_path / "inbox.tar.gz", {n: _bytes(c) for n, c in FOLDERS[layout].items()})
    else:
        where = tree(tmp_path / "inbox", FOLDERS[layout])
    found = receive([where], NB, rules(layout=layout if form == "named" else ""))

    assert EXPECTED[layout] == {e.student: e.label for e in found.entries}
    assert all(e.gradable and len(e.sha256) == 64 and e.path.is_file() for e in found.entries), found
    assert NAMES.get(layout, [""] * len(found.entries)) == [e.name for e in found.entries]
    assert str(where) in found.said[0]
    assert layout in found.said[0].casefold()


def _bytes(content):
    return content if isinstance(content, bytes) else cells(content)


def test_otters_zips_are_a_student_each(tmp_path):
    """With otter's own files in them."""
    for name in ("ada", "ben"):
        inside = {"planar.ipynb": name, "__zip_filename__": b"x", ".OTTER_LOG": b"y"}
        zipped(tmp_path / "inbox" / f"{name}.zip", inside)
    found = receive([tmp_path / "inbox"], NB)

    assert {"ada": "ada.zip/planar.ipynb", "ben": "ben.zip/planar.ipynb"} == {
        e.student: e.label for e in found.entries
    }
    assert "otter" in found.said[0]
    assert found.entries[0].sha256 != found.entries[1].sha256


def test_moodle_without_folders_and_nbgraders_exchange(tmp_path):
    """The other forms of two platforms."""
    flat = {
        "Ada S_11_assignsubmission_file_planar.ipynb": "1",
        # What a student calls a file must not make it somebody else's.
        "Eve_12_assignsubmission_file_Ada S_11_assignsubmission_file_planar.ipynb": "2",
    }
    inbound = {
        "ada+planar+2026-03-01 22:00:00.5 UTC/planar.ipynb": "1",
        "ada+planar+2026-03-01 23:00:00.5 UTC+x7/planar.ipynb": "2",
        "ben+planar+2026-03-01 22:00:00 CET/planar.ipynb": "3",
    }
    one = receive([tree(tmp_path / "one", flat)], NB)
    two = receive([tree(tmp_path / "two", inbound)], NB)

    assert ["11", "12"] == [e.student for e in one.entries]
    assert [(), ()] == [e.chosen_from for e in one.entries]
    assert ["ada", "ben"] == [e.student for e in two.entries]
    assert "2026-03-01T23:00:00.500000+00:00" == two.entries[0].submitted
    assert "2026-03-01T22:00:00+01:00" == two.entries[1].submitted


def test_a_folder_that_has_the_name_of_a_number_is_not_that_accounts(tmp_path):
    """Moodle's participant 11 and a stray folder 11: not one submission of two files."""
    files = {f"{n}_assignsubmission_file_/planar.ipynb": n for n in ("Ada_11", "Ben_12")} | {
        "11/x.ipynb": "3"
    }
    ada, ben = receive([tree(tmp_path / "inbox", files)], NB).entries

    assert ("waits for a person", "") == (ada.status, ben.status)


def test_the_archive_of_one_notebook_is_named_by_the_archive(tmp_path):
    """ada.zip with planar.ipynb in it."""
    (entry,) = take_in([zipped(tmp_path / "ada.zip", {NB: "1"})], NB)

    assert ("ada", NB) == (entry.student, entry.label)


def test_a_layout_that_is_not_there_is_refused(tmp_path):
    """The sentence says which there are."""
    tree(tmp_path / "inbox", {"ada.ipynb": "1"})
    with pytest.raises(SubmissionError, match=r"it is not a Moodle download; leave --layout out, .*canvas"):
        receive([tmp_path / "inbox"], NB, rules(layout="moodle"))


def test_files_that_belong_to_nobody_are_listed(tmp_path):
    """Nothing is dropped silently."""
    tree(tmp_path / "inbox", {"ada.ipynb": "1", "readme.txt": b"x", "__MACOSX/ada.ipynb": "1", ".x": b""})
    found = receive([tmp_path / "inbox"], NB)

    assert ["ada"] == [e.student for e in found.entries]
    assert "not looked at: readme.txt" in found.said


TWICE = {
    "lovelaceada_11_901_planar.ipynb": "first",
    "lovelaceada_11_907_planar-1.ipynb": "second",
    "liben_12_902_planar.ipynb": "only",
}


@pytest.mark.parametrize(
    ("keep", "label", "said"),
    [
        ("latest", "lovelaceada_11_907_planar-1.ipynb", "the newest of 2"),
        ("first", "lovelaceada_11_901_planar.ipynb", "the first of 2"),
        ("ask", "", "handed in 2 times"),
    ],
)
def test_of_several_submissions_one_counts_and_the_choice_is_printed(tmp_path, keep, label, said):
    """By the platform's own order."""
    found = receive([tree(tmp_path / "inbox", TWICE)], NB, rules(keep=keep))
    ada = found.entries[0]
    (line,) = [text for text in found.said if text.startswith("11:")]

    assert said in line
    assert ("waits for a person" if keep == "ask" else "") == ada.status
    if keep != "ask":
        assert label == ada.label
        assert ada.chosen_from == tuple(n for n in sorted(TWICE) if "ada" in n and n != label)
        assert f"not graded: {ada.chosen_from[0]}" in line


def test_gradescopes_newest_counts_by_its_time(tmp_path):
    """Also where the folder's number is the smaller one."""
    metadata = GRADESCOPE.replace(":sid: b2", ":sid: '0077'").replace("- :name: 'Cho", "- :name: 'Cho")
    files = {"submission_metadata.yml": metadata.encode(), "submission_101/a.ipynb": "1",
             "submission_102/a.ipynb": "2"}  # fmt: skip
    found = receive([tree(tmp_path / "inbox", files)], NB)

    assert {"0077": "submission_102/a.ipynb", "c3": "submission_102/a.ipynb"} == {
        e.student: e.label for e in found.entries
    }
    assert any("the newest of 2 (2026-03-02 06:00)" in line for line in found.said)


def test_where_nothing_says_which_is_newer_a_person_decides(tmp_path):
    """A file's own date is not the platform's time."""
    tree(
        tmp_path / "inbox",
        {"ada.ipynb": "1", "ada/planar.ipynb": "2", "ben/a.ipynb": "1", "ben/b.ipynb": "2"},
    )
    ada, ben = receive([tmp_path / "inbox"], NB).entries

    assert ("waits for a person", "waits for a person") == (ada.status, ben.status)
    assert (
        "handed in 2 times, and nothing says which is the newest: ada.ipynb, ada/planar.ipynb" == ada.reason
    )
    assert "2 files could be meant: ben/a.ipynb, ben/b.ipynb" == ben.reason
    first = receive([tmp_path / "inbox"], NB, rules(keep="first")).entries
    assert ["ada.ipynb", "ben/a.ipynb"] == [e.label for e in first]


def test_the_same_bytes_twice_are_one_submission(tmp_path):
    """Moodle shows a team's file under every member."""
    tree(tmp_path / "inbox", {"ada.ipynb": "1", "ada/planar.ipynb": "1"})
    (ada,) = receive([tmp_path / "inbox"], NB).entries

    assert ada.gradable
    assert ("ada/planar.ipynb",) == ada.chosen_from


ROSTER = """\
id,name,email,group,due,excused,late policy,submitted
s1,Ada Lovelace,ada@x.edu,,2026-03-01 22:00,,,
s2,Ben Li,ben@x.edu,Red,,,,
s3,Cho O'Yun,cho@x.edu,Red,2026-03-02 23:59,,none,
s4,Dee Day,dee@x.edu,,,yes,,
s5,Eve Eck,eve@x.edu,,,,,
"""


def test_the_roster_says_who_is_who_and_who_is_missing(tmp_path, roster):
    """By e-mail address here; excused students are not missing."""
    inbox = tree(
        tmp_path / "inbox", FOLDERS["gradescope"] | {"assignment_9_export/submission_7/planar.ipynb": "7"}
    )
    found = receive([inbox], NB, rules(roster=roster(ROSTER)))

    assert ["s1", "s2", "s3", "submission_7"] == [e.student for e in found.entries]
    assert ("s5",) == found.missing
    assert found.people["s4"].excused
    assert ("submission_7",) == found.strangers
    assert "not on the roster, graded all the same: submission_7" in found.said
    assert ["", "Red", "Red", ""] == [e.group for e in found.entries]


def test_one_submission_of_a_group_is_every_members(tmp_path, roster):
    """Under the name of one of them, or of the group."""
    for name in ("s2", "Ben Li", "red"):
        inbox = tree(tmp_path / name, {f"{name}.ipynb": "1", "s1.ipynb": "2"})
        found = receive([inbox], NB, rules(roster=roster(ROSTER)))

        assert {"s1": "s1.ipynb", "s2": f"{name}.ipynb", "s3": f"{name}.ipynb"} == {
            e.student: e.label for e in found.entries
        }


def test_moodles_team_prefix_is_the_groups(tmp_path, roster):
    """ "Red-Ben Li_12_…"."""
    names = ("Red-Ben Li_12", "Red-Cho OYun_13")
    inbox = tree(tmp_path / "inbox", {f"{n}_assignsubmission_file_/planar.ipynb": "1" for n in names})
    found = receive([inbox], NB, rules(roster=roster(ROSTER)))

    assert ["s2", "s3"] == [e.student for e in found.entries]
    assert all(e.gradable for e in found.entries)


def test_two_accounts_of_one_name_are_not_one_student(tmp_path, roster):
    """Only an identifier tells them apart; both are graded, as strangers."""
    inbox = tree(
        tmp_path / "inbox", {"lovelaceada_11_901_planar.ipynb": "1", "lovelaceada_12_902_planar.ipynb": "2"}
    )
    found = receive([inbox], NB, rules(roster=roster(ROSTER)))

    assert ["11", "12"] == [e.student for e in found.entries]
    assert any("s1 of the roster has the name of several accounts" in line for line in found.said)


def test_a_name_does_not_take_somebody_elses_place(tmp_path, roster):
    """An account that only has the name gives way to the one with the identifier."""
    inbox = tree(tmp_path / "inbox", {"s1.ipynb": "1", "Ada Lovelace.ipynb": "2"})
    found = receive([inbox], NB, rules(roster=roster(ROSTER)))

    assert {"s1": "s1.ipynb", "Ada Lovelace": "Ada Lovelace.ipynb"} == {
        e.student: e.label for e in found.entries
    }


def test_lateness_is_the_platforms_time_against_each_ones_own_due(tmp_path, roster):
    """Ada's due is her own; Ben's the assignment's; Cho's policy takes nothing."""
    inbox = tree(tmp_path / "inbox", FOLDERS["gradescope"])
    due = read_time("2026-03-02 05:00", ZURICH)
    given = rules(roster=roster(ROSTER), due=due, policy=LatePolicy(percent=10))
    late = receive([inbox], NB, given).lateness

    assert {"s1": 0, "s2": 10, "s3": 0} == {s: found.percent for s, found in late.items()}
    assert "2 h 0 min late: 1 day at 10 % of the points" == late["s2"].line


def test_the_rosters_own_policies_and_times_count(tmp_path, roster):
    """A column `submitted` where files carry no time; Canvas's mark alone does not say how late."""
    text = ROSTER.replace("22:00,,,", "22:00,,percent=50,2026-03-01 22:01")
    inbox = tree(tmp_path / "inbox", {"s1.ipynb": "1", "s5.ipynb": "2"})
    canvas = tree(tmp_path / "canvas", {"eckeve_LATE_15_900_planar.ipynb": "1"})
    due = read_time("2026-03-02 05:00", ZURICH)

    assert {"s1": 50} == {
        s: late.percent
        for s, late in receive([inbox], NB, rules(roster=roster(text), due=due)).lateness.items()
    }
    said = receive([canvas], NB, rules(roster=roster(text), due=due)).said
    assert any(line.startswith("s5: Canvas says late, but not how late") for line in said)


def test_take_in_returns_the_entries(tmp_path):
    """The short form."""
    (entry,) = take_in([tree(tmp_path / "inbox", {"ada.ipynb": "1"})], NB)

    assert ("ada", "ada.ipynb") == (entry.student, entry.label)


def test_a_notebook_of_no_cells_and_one_that_is_none_have_their_reasons(tmp_path):
    """Statuses, one each."""
    files = {
        "cut/planar.ipynb": cells()[:-9],
        "void/planar.ipynb": b"",
        "hollow/planar.ipynb": tiny_course.notebook().encode(),
        "pdf/planar.pdf": b"%PDF",
        "none/x/y.txt": b"",
    }
    found = {e.student: e for e in receive([tree(tmp_path / "inbox", files)], NB).entries}

    assert {"not gradable"} == {e.status for e in found.values()}
    assert {
        "cut": "it is not a notebook", "void": "the file is empty", "hollow": "there is no code in it",
        "pdf": "there is no notebook and no .py file in it, only planar.pdf", "none": "only y.txt",
    }.items() <= {s: _like(e.reason) for s, e in found.items()}.items()  # fmt: skip


def _like(reason):
    return "only y.txt" if reason.endswith("only y.txt") else reason.partition(":")[0]


def test_nothing_stays_behind_when_the_process_ends(tmp_path):
    """What was unpacked lies in a folder of the process, and goes with it."""
    import subprocess
    import sys

    archive = tarred(tmp_path / "inbox.tar", {"ada/planar.ipynb": "1", "ben/planar.ipynb": "2"}, "w")
    assert tarfile.is_tarfile(archive)
    code = (
        "import sys, pathlib; from graders.intake import take_in\n"
        "print(take_in([pathlib.Path(sys.argv[1])], 'planar.ipynb')[0].path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(archive)], capture_output=True, text=True, check=True,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin"},
    )  # fmt: skip

    assert done.stdout.startswith(str(tmp_path / "symmetry-intake-"))
    assert [archive] == list(tmp_path.iterdir())


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path):
    """Its folder in the temporary files holds work of students."""
    import subprocess
    import sys

    archive = tarred(tmp_path / "inbox.tar", {"ada/planar.ipynb": "1", "ben/planar.ipynb": "2"}, "w")
    code = (
        "import os, sys, pathlib; from graders.intake import take_in\n"
        "print(take_in([pathlib.Path(sys.argv[1])], 'planar.ipynb')[0].path, flush=True)\n"
        "sys.stdin.readline(); os.kill(os.getpid(), 9)"
    )
    start = [sys.executable, "-c", code, str(archive)]
    around = {"TMPDIR": str(tmp_path), "PATH": "/usr/bin"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    killed = subprocess.Popen(start, env=around, **pipes)
    kept = [killed.stdout.readline().strip()]
    killed.communicate("\n")
    alive = [subprocess.Popen(start, env=around, **pipes) for _ in range(2)]
    kept += [process.stdout.readline().strip() for process in alive]
    there = [os.path.exists(path) for path in kept]  # noqa: PTH110
    for process in alive:
        process.communicate("\n")

    assert [False, True, True] == there
