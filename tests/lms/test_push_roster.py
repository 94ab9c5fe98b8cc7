"""Whom a platform means by its users stands in the roster, and is mistaken for nothing else."""

from zoneinfo import ZoneInfo

import pytest

from graders.roster import RosterError, read_roster


def roster(tmp_path, text):
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return read_roster(path, ZoneInfo("UTC"))


@pytest.mark.parametrize("column", ["lti user id", "LTI_user_ID", "lti sub", "LMS user id"])
def test_a_column_of_the_roster_names_the_user(tmp_path, column):
    """A number there may be another student's number here: no submission is found by it."""
    found = roster(tmp_path, f"id,{column}\n7,8\n8,7\n9,\n")

    assert ["8", "7", ""] == [one.person.lti_user for one in found.people.values()]
    assert {} == found.people["7"].person.ids
    assert "8" == found.by_id(["8"])


def test_two_students_cannot_be_the_same_user(tmp_path):
    """The row is told; case counts, as it does for the platform."""
    with pytest.raises(RosterError, match="line 3, column lti user id: 'u7' is also that of line 2"):
        roster(tmp_path, "id,lti user id\n1,u7\n2,u7\n")
    assert 2 == len(roster(tmp_path, "id,lti user id\n1,u7\n2,U7\n").people)
