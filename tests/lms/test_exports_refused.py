"""What is not right is refused in one sentence, before anything is written."""

import math
from dataclasses import replace

import pytest
from paper_marks import ASSIGNMENT, canvas_file, mark, moodle_file

from graders.exports import choosing
from graders.exports.choosing import find_format, formats, own_formats
from graders.exports.interface import ExportError, Written, carry_out


def refused(kind, marks, out, into=None, assignment=ASSIGNMENT):
    """Return the sentence with which an export is refused; nothing may be written."""
    with pytest.raises(ExportError) as error:
        carry_out(own_formats()[kind], marks, assignment, out, into)
    assert not out.exists()
    return str(error.value)


@pytest.mark.parametrize("points", [math.nan, math.inf, -math.inf, -0.5, 6.5])
@pytest.mark.parametrize("kind", sorted(own_formats()))
def test_marks_that_are_none(tmp_path, kind, points):
    """Not a number, negative, above the maximum: no platform gets it."""
    into = None
    if own_formats()[kind].fills_in:
        into = canvas_file(tmp_path / "into.csv") if kind == "canvas" else moodle_file(tmp_path / "into.csv")
    said = refused(kind, [mark("1"), replace(mark("2"), points=points)], tmp_path / "out", into)

    assert f"the mark is {points} of 6.0 points; no file was written" in said


@pytest.mark.parametrize("points", [math.nan, 3.5])
def test_questions_that_are_none(tmp_path, points):
    """The same for the points of one question."""
    good = mark("1")
    bad = replace(good, questions=(*good.questions[:2], replace(good.questions[2], points=points)))

    assert f", test_gradients: the mark is {points} of 3.0" in refused("csv", [bad], tmp_path / "out")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("A tiny assignment (77)", "Another (77)",
         ("line 1: no column with a number in brackets is called 'A tiny assignment'; name one with "
         "--column: 'Another (77)', 'Other (78)'")),
        ("Other (78)", "A tiny assignment (78)",
         ("line 1: several columns are called 'A tiny assignment'; name one with --column: 'A tiny "
         "assignment (77)', 'A tiny assignment (78)'")),
        ("A tiny assignment (77)", "A tiny assignment", "no column with a number in brackets is called"),
        ("    Points Possible", "Ada", 'no row begins with "Points Possible"'),
        (",6,10", ",(read only),10",
         "line 2, column A tiny assignment (77): Canvas takes no marks for this column (it is read only)"),
        (",6,10", ",100,10",
         ("line 2, column A tiny assignment (77): it is worth 100 points there and 6 in the gradebook; make "
         "them equal in Canvas, and export again")),
        (",6,10", ",six,10", "the points possible are 'six', but must be a number"),
        ("S1,,", "S1", "line 3, column A tiny assignment (77): the row has 5 cells and the header 7"),
        ("Student,ID,SIS User ID,SIS Login ID", "a,b,c,d", "no column is called ID, SIS User ID"),
    ],
)  # fmt: skip
def test_files_that_are_no_gradebook_of_canvas(tmp_path, old, new, said):
    """The file, the line, the column, what to do."""
    into = canvas_file(tmp_path / "c.csv", ("A", "1", "a", "", ""))
    text = into.read_text(encoding="utf-8")
    assert old in text
    into.write_text(text.replace(old, new), encoding="utf-8")
    found = refused("canvas", [mark("1")], tmp_path / "out.csv", into)

    assert said in found
    assert found.startswith(f"{into}, line ")


def test_a_column_by_its_name(tmp_path):
    """Where the title does not tell, --column does: by title, title and number, or number."""
    into = canvas_file(tmp_path / "c.csv", ("A", "1", "a", "", ""))
    into.write_text(into.read_text().replace("A tiny assignment (77)", "HW 3 (77)"))
    for column in ("HW 3", "hw 3 (77)", "77"):
        carry_out(
            own_formats()["canvas"], [mark("1")], replace(ASSIGNMENT, column=column), tmp_path / "o", into
        )

        assert ",S1,6," in (tmp_path / "o").read_text()


@pytest.mark.parametrize("kind", ["moodle", "moodle-feedback"])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Identifier", "Kennung",
         "no column is called 'Identifier'; download the grading worksheet with Moodle"),
        ("Participant 1", "Ada",
         "line 2, column Identifier: it is 'Ada', but must be like \"Participant 12\""),
        (",-,", ",", "line 2: the row has 9 cells and the header 10"),
    ],
)  # fmt: skip
def test_files_that_are_no_worksheet_of_moodle(tmp_path, kind, old, new, said):
    """The same for Moodle's worksheet."""
    into = moodle_file(tmp_path / "m.csv", (1, "A", "a", "", "6.00", ""))
    into.write_text(into.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    assert said in refused(kind, [mark("1")], tmp_path / "out", into)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",6.00,", ",100.00,", "line 2, column Maximum grade: it is 100, and the gradebook has 6 points"),
        (",6.00,", ",Good,",
         "line 2, column Maximum grade: it is 'Good', but must be a number; scales"),
        ("Maximum grade", "Scale", "no column is called 'Maximum grade'"),
        ("Last modified (grade)", "x", "no column is called 'Last modified (grade)'"),
        ("Full name", "Grade", "line 1, column Grade: there are several columns of that name"),
    ],
)  # fmt: skip
def test_worksheets_that_would_not_be_taken(tmp_path, old, new, said):
    """What Moodle's importer needs is there, and the maximum is ours."""
    into = moodle_file(tmp_path / "m.csv", (1, "A", "a", "", "6.00", ""))
    into.write_text(into.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    assert said in refused("moodle", [mark("1")], tmp_path / "out", into)


def test_the_file_to_fill_in(tmp_path):
    """Asked for where it is needed, refused where it is not, and never overwritten."""
    into = canvas_file(tmp_path / "c.csv", ("A", "1", "a", "", ""))
    gone = tmp_path / "gone.csv"

    assert (
        "the format canvas fills in the gradebook exported from Canvas; name that file with --into"
        == refused("canvas", [mark("1")], tmp_path / "out")
    )
    assert "the format csv fills in no file; leave --into out" == refused(
        "csv", [mark("1")], tmp_path / "out", into
    )
    assert f"{gone}: there is no such file; --into must name the gradebook exported from Canvas" == refused(
        "canvas", [mark("1")], tmp_path / "out", gone
    )
    with pytest.raises(ExportError, match="that is the file to fill in, and it stays as it is"):
        carry_out(own_formats()["canvas"], [mark("1")], ASSIGNMENT, into, into)


def test_a_place_that_cannot_be_written(tmp_path):
    """A folder where a file should be; nothing half written stays."""
    (tmp_path / "out" / "x").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"out: it cannot be written: .*; give another --out"):
        carry_out(own_formats()["csv"], [mark("1")], ASSIGNMENT, tmp_path / "out")

    assert ["out"] == [path.name for path in tmp_path.iterdir()]


def test_one_file_for_several_students(tmp_path):
    """Formats of one student need a folder, or a name."""
    said = refused("gradescope", [mark("1"), mark("2")], tmp_path / "results.json")

    assert said.endswith("give a folder as --out, or name one with --student")


def test_a_format_that_is_not_there():
    """The nearest name is told."""
    with pytest.raises(ExportError, match=r"there is no format 'gradscope'; did you mean 'gradescope'\?"):
        find_format("gradscope")
    with pytest.raises(ExportError, match="`symmetry export --list` lists them"):
        find_format("zzz")


class Postcard:
    """A format of another package."""

    name, writes, fills_in, approved_only = "postcard", "a postcard", "", True

    def export(self, marks, assignment, out, into=None):
        out.write_text(", ".join(m.student for m in marks))
        return Written((out,), len(marks))


class Point:
    """An entry point."""

    def __init__(self, name, loaded):
        self.name, self.value, self.loaded = name, f"other:{name}", loaded

    def load(self):
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


def test_formats_of_other_packages(tmp_path, monkeypatch):
    """One that works is used by the same rules; one that does not harms no other, and takes no name."""
    points = [Point("postcard", Postcard()), Point("broken", ImportError("no ink")), Point("csv", Postcard()),
              Point("empty", object())]  # fmt: skip
    monkeypatch.setattr(choosing, "entry_points", lambda group: points if group == choosing.GROUP else [])
    found, broken = formats()
    written = carry_out(
        find_format("postcard"), [mark("1"), mark("2", approved=False)], ASSIGNMENT, tmp_path / "card"
    )

    assert [*own_formats(), "postcard"] == list(found)
    assert {
        "broken": "other:broken: ImportError: no ink",
        "csv (other:csv)": "its name is taken",
        "empty": "other:empty: TypeError: it has no name, writes, fills_in, approved_only, export",
    } == broken
    assert "1" == (tmp_path / "card").read_text()
    assert (("2", "not approved"),) == written.left_out
    with pytest.raises(
        ExportError, match="the format 'broken' cannot be used: other:broken: ImportError: no ink"
    ):
        find_format("broken")
