"""A teacher's file keeps every byte that is not ours; marks go only where it is certain whose they are."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_marks import mark

from graders.exports.interface import ExportError
from graders.exports.matching import NOT_THERE, OTHER_NAME, SEVERAL_ROWS, SEVERAL_STUDENTS, Known, match
from graders.exports.tables import read_table

TEXTS = st.text(
    st.sampled_from('",;\r\n\t=\\ab ') | st.characters(exclude_categories=("Cs", "Cc")), max_size=12
)
ROWS = st.lists(st.lists(TEXTS.filter(str.strip), min_size=2, max_size=4), min_size=1, max_size=5)


def written(rows, delimiter, end, *, all_quoted=False):
    """Write a file as programs do; Python's own writer leaves out quotes that its reader needs."""

    def cell(text):
        if all_quoted or any(c in text for c in f'{delimiter}"\r\n'):
            return '"' + text.replace('"', '""') + '"'
        return text

    return "".join(delimiter.join(map(cell, row)) + end for row in rows)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "teacher.csv"


@settings(max_examples=60)
@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    all_quoted=st.booleans(),
    bom=st.booleans(),
    value=st.text('",;ab\r\n', max_size=6),
    data=st.data(),
)
def test_one_cell_changes_and_no_other_byte(file, rows, delimiter, end, all_quoted, bom, value, data):
    """Whatever names and cells hold, in all ways to write such a file."""
    text = "\ufeff" * bom + written(rows, delimiter, end, all_quoted=all_quoted)
    file.write_bytes(text.encode())
    table = read_table(file, delimiter)
    r = data.draw(st.integers(0, len(rows) - 1))
    c = data.draw(st.integers(0, len(rows[r]) - 1))
    changed = table.changed({(r, c): value}).removeprefix("\ufeff")
    expected = [list(row) for row in rows]
    expected[r][c] = value
    cell = table.rows[r].cells[c]

    assert rows == [[cell.value for cell in row.cells] for row in table.rows]
    assert text == table.changed({})
    assert expected == list(csv.reader(io.StringIO(changed, newline=""), delimiter=delimiter))
    assert table.changed({(r, c): value}).startswith(text[: cell.start])
    assert table.changed({(r, c): value}).endswith(text[cell.end :])


@settings(max_examples=40)
@given(rows=ROWS, data=st.data())
def test_rows_that_are_kept_are_kept_byte_for_byte(file, rows, data):
    """And the others are gone whole."""
    lines = [written([row], ",", "\r\n") for row in rows]
    file.write_bytes("".join(lines).encode())
    keep = {0, *data.draw(st.sets(st.integers(0, len(rows) - 1)))}

    assert "".join(lines[n] for n in sorted(keep)) == read_table(file, ",").changed({}, keep=keep)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "it is empty; download it again"),
        (b"\n \n", "it is empty; download it again"),
        (b"a,b\n\xff,1\n", "byte 4 is not UTF-8; download it again, and do not save it in a spreadsheet"),
        (b'a,b\n1,"2\n3\n', "line 2: a quote is opened and never closed; download the file again"),
        ("a,b\n".encode("utf-16"), "byte 0 is not UTF-8"),
    ],
)
def test_files_that_are_no_tables(file, raw, said):
    """One sentence: the file, what is wrong, what to do."""
    file.write_bytes(raw)
    with pytest.raises(ExportError) as refused:
        read_table(file)

    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_identifiers_come_before_names():
    """A name is looked at only where no identifier says anything."""
    marks = [mark("11", name="Ada Lovelace"), mark("22", name="Ben Ko", ids={"email": "B@x.org"})]
    known = {1: Known(("b@X.org",), "Ada Lovelace"), 2: Known(("11",), "King, Ada")}
    found = match(marks, known)

    assert {2: "11", 1: "22"} == {row: m.student for row, m in found.rows.items()}


@pytest.mark.parametrize(
    ("marks", "known", "why"),
    [
        ([mark("a")], {1: Known(("b",), "Cho")}, {"a": NOT_THERE}),
        ([mark("a", ids={"id": "7"})], {1: Known(("a",)), 2: Known(("7",))}, {"a": SEVERAL_ROWS}),
        (
            [mark("a"), mark("b", ids={"email": "A"})],
            {1: Known(("a",))},
            {"a": SEVERAL_STUDENTS, "b": SEVERAL_STUDENTS},
        ),
        ([mark("x", name="Ada Ko")], {1: Known(("1",), "Ada Ko"), 2: Known(("2",), "Ko, Ada")},
         {"x": SEVERAL_ROWS}),
        ([mark("7", name="Ada Ko")], {1: Known(("7",), "Ben Li")}, {"7": OTHER_NAME}),
        ([mark("x", name="Ada Ko"), mark("y", name="Ko Ada")], {1: Known(("1",), "Ada Ko")},
         {"x": NOT_THERE, "y": NOT_THERE}),
    ],
)  # fmt: skip
def test_where_it_is_not_certain_nobody_gets_a_mark(marks, known, why):
    """Two Adas, an identifier that two share, a stranger."""
    found = match(marks, known)

    assert {} == found.rows
    assert why == dict(found.left_out)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["a", "b", "A ", "Ada Ko", "Ko, Ada", "1", ""]), max_size=6), st.data())
def test_no_row_is_shared_and_nobody_is_lost(names, data):
    """Every student is in a row of their own or is left out with a reason."""
    pool = st.sampled_from(["a", "b", "Ada Ko", "1", "", "c"])
    marks = [mark(f"s{i}", name=n, ids={"id": data.draw(pool)}) for i, n in enumerate(names)]
    known = {i: Known((data.draw(pool), data.draw(pool)), data.draw(pool)) for i in range(4)}
    found = match(marks, known)
    placed = [m.student for m in found.rows.values()]

    assert sorted(m.student for m in marks) == sorted([*placed, *dict(found.left_out)])
