"""The roster: columns in any order and encoding, one sentence per wrong row, and whose a submission is."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.names import identifier, key, look
from graders.roster import RosterError, read_roster

ZURICH = ZoneInfo("Europe/Zurich")
PLAIN = """\
id,name,email,group,section,due,excused,late policy
s1,Ada King Lovelace,ada@x.edu,,A,2026-03-01 23:59,,
s2,Ben Li,ben@x.edu,Red,A,,yes,
s3,Cho Yun,,Red,B,2026-03-05,no,none
"""


def read(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return read_roster(path, ZURICH)


def test_a_row_says_who_when_and_by_which_policy(tmp_path):
    """All columns; what a row leaves out is the default."""
    roster = read(tmp_path, PLAIN)
    ada, ben, cho = (roster.people[s] for s in ("s1", "s2", "s3"))

    assert ("Ada King Lovelace", "A", {"email": "ada@x.edu"}) == (
        ada.person.name, ada.person.section, ada.person.ids,
    )  # fmt: skip
    assert "2026-03-01T23:59:00+01:00" == ada.person.due
    assert (True, None, "") == (ben.person.excused, ben.due, ben.late_policy)
    assert ("2026-03-05T23:59:59+01:00", "none") == (cho.person.due, cho.late_policy)
    assert ("s2", "s3") == roster.members("red")
    assert "Red" == roster.group_of("RED")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiters_and_encodings_do_not_matter(tmp_path, encoding, delimiter, ending):
    """As Excel in any country writes it."""
    text = "id,name,section\ns1,Zoë Müller,A\n".replace(",", delimiter).replace("\n", ending)
    roster = read(tmp_path, text, encoding)

    assert "Zoë Müller" == roster.people["s1"].person.name
    assert ("Windows-1252" in " ".join(roster.notes)) == (encoding == "cp1252")


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Planar (123)
    Points Possible,,,,,10
"Lovelace, Ada",4711,u77,ada@x.edu,Tue,
"""
EXPORTS = {
    "canvas": (
        CANVAS,
        ["4711", "u77", "ADA@X.EDU"],
    ),
    "moodle": (
        "First name;Last name;ID number;Email address;Groups\nAda;Lovelace;077;ada@x.edu;\n",
        ["077", "ada@x.edu"],
    ),
    "github": (
        '"identifier","github_username","github_id","name"\n"ada@x.edu","adal","99","Ada Lovelace"\n',
        ["ada@x.edu", "AdaL", "99"],
    ),
    "excel": ('sep=;\nID;Name\n="007";Ada Lovelace\n', ["007"]),
}


@pytest.mark.parametrize("export", EXPORTS)
def test_exports_of_platforms_are_rosters(tmp_path, export):
    """Found under every identifier, in any case, and by the name in any order."""
    text, identifiers = EXPORTS[export]
    roster = read(tmp_path, text)
    (student,) = roster.people

    assert [student] * len(identifiers) == [roster.by_id([i]) for i in identifiers]
    for name in ("Ada Lovelace", "Lovelace, Ada", "lovelaceada", "ADA  LOVELACE"):
        assert student == roster.by_name(name)
    assert roster.by_name("Ada") is None


def test_a_name_that_two_people_have_is_nobodys(tmp_path):
    """Only their identifiers tell them apart."""
    roster = read(tmp_path, "id,name\n1,Jo Li\n2,Li Jo\n")

    assert roster.by_name("Jo Li") is None
    assert "2" == roster.by_id(["x", "2"])


WRONG = [
    ("", "it is empty; the first line must name the columns"),
    ("name,email\nAda,a@x\n", "line 1: no column is named id (found: name, email)"),
    ("id,excsued\n1,yes\n", "line 1, column 'excsued': did you mean 'excused'?"),
    ("id,name\n1,Ada\n,Ben\n", "line 3, column id: it is empty"),
    ("id,name\n1,Ada\n\n1,Ben\n", "line 4, column id: '1' is also that of line 2"),
    ("id,name\nada,Ada\nADA,Ben\n", "line 3, column id: 'ADA' is also that of line 2"),
    ("id,email\n1,a@x\n2,A@X\n", "line 3, column email: 'A@X' is also that of line 2"),
    ("id,due\n1,soon\n", "line 2, column due: 'soon' is no time; write it as 2026-03-01 23:59"),
    ("id,excused\n1,perhaps\n", "line 2, column excused: it is 'perhaps', but must be yes or no"),
    ("id,late policy\n1,10%\n", "line 2, column late policy: '10%' is no late policy"),
    ("id,name\n1,Lovelace, Ada\n", "line 2: it has 3 cells, but the header names 2 columns"),
    ('id,name\n1,"Ada\n2,Ben', ""),
]


@pytest.mark.parametrize(("text", "said"), [w for w in WRONG if w[1]], ids=[w[1][:30] for w in WRONG if w[1]])
def test_one_sentence_per_wrong_row(tmp_path, text, said):
    """File, line and column."""
    with pytest.raises(RosterError) as caught:
        read(tmp_path, text)

    assert f"{tmp_path / 'roster.csv'}" in str(caught.value)
    assert said in str(caught.value)


def test_all_wrong_rows_are_told_at_once(tmp_path):
    """Up to twenty of them."""
    rows = "".join(f"{i},soon\n" for i in range(30))
    with pytest.raises(RosterError) as caught:
        read(tmp_path, f"id,due\n{rows}")
    lines = str(caught.value).splitlines()

    assert (21, "and 10 more rows") == (len(lines), lines[-1])
    assert "line 21" in lines[19]


def test_a_roster_that_is_not_there_is_told(tmp_path):
    """The path is named."""
    with pytest.raises(RosterError, match="the roster cannot be read: No such file"):
        read_roster(tmp_path / "none.csv", ZURICH)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_roster_or_a_sentence(tmp_path_factory, data):
    """Never a traceback."""
    path = tmp_path_factory.mktemp("r") / "roster.csv"
    path.write_bytes(data)
    said = str(path)
    try:
        read_roster(path, ZURICH)
    except RosterError as error:
        said = str(error)

    assert str(path) in said


@given(st.text(max_size=150), st.text(max_size=150))
def test_identifiers_are_harmless_and_different_names_stay_different(one, other):
    """Equal only for names that Unicode calls equal."""
    import unicodedata

    for text in (one, other):
        shown = identifier(text)
        assert shown
        assert len(shown) <= 113
        shown.encode("utf-8")
        assert "\n" not in shown
        assert shown == shown.strip()
    if unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other):
        assert identifier(one) != identifier(other) or "\\" in one + other or "(no name)" in (one, other)


def test_what_looks_alike_is_known_to():
    """Homoglyphs, accents and separators; case is no difference for keys."""
    assert look("ada lovelace") == look("\u0430d\u0430_Lovelace")
    assert look("ada") != look("ade")
    assert key("Ada\u0301") == key("ad\u00e1")
