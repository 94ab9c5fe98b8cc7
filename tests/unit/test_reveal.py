"""How much is said, and from when: keys of assignment.toml, time zones, changes of the clocks."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tiny_course
from hypothesis import given
from hypothesis import strategies as st

from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.errors import AssignmentError
from pytest_symmetry.reveal import Policy, moment, read_policy

ZURICH = ZoneInfo("Europe/Zurich")
FILE = Path("assignment.toml")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH)


def test_the_cause_is_named_after_it_was_due_and_not_at_the_due_time():
    policy = read_policy(FILE, {"due": datetime(2026, 12, 1, 18, 0), "timezone": "Europe/Zurich"})

    assert "hint" == policy.at(at("2026-12-01 18:00"))
    assert "cause" == policy.at(at("2026-12-01 18:00:01"))
    assert "hint" == policy.at(datetime(2026, 12, 1, 17, 0, tzinfo=UTC))
    assert "cause" == policy.at(datetime(2026, 12, 1, 17, 0, 1, tzinfo=UTC))


def test_a_students_own_due_time_counts_for_them():
    """Somebody with more time is not told earlier; somebody with less is told then."""
    policy = Policy(due=at("2026-12-01 18:00"))

    assert "hint" == policy.at(at("2026-12-03 12:00"), at("2026-12-05 18:00"))
    assert "cause" == policy.at(at("2026-11-30 12:00"), at("2026-11-29 18:00"))


def test_nothing_changes_where_nothing_is_due():
    assert "hint" == Policy().at(at("2036-01-01 00:00"))
    assert "cause" == Policy("cause").at(at("2026-01-01 00:00"))
    assert "hint" == Policy(after="hint", due=at("2026-01-01 00:00")).at(at("2036-01-01 00:00"))


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (date(2026, 12, 1), "2026-12-01T22:59:59+00:00"),
        (datetime(2026, 7, 1, 12, 0), "2026-07-01T10:00:00+00:00"),
        (datetime(2026, 10, 25, 2, 30), "2026-10-25T01:30:00+00:00"),  # comes twice: the later one
        (datetime(2026, 3, 29, 2, 30), "2026-03-29T01:30:00+00:00"),  # is skipped
        (datetime(2026, 3, 29, 2, 30, tzinfo=UTC), "2026-03-29T02:30:00+00:00"),
    ],
)
def test_times_are_the_courses_clock(time, expected):
    assert datetime.fromisoformat(expected) == moment(time, ZURICH)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)),
    st.sampled_from(["Europe/Zurich", "America/Lima", "Asia/Kathmandu"]),
)
def test_nobody_is_told_before_the_clock_shows_the_due_time(wall, zone):
    due = moment(wall, ZoneInfo(zone))

    assert due.astimezone(ZoneInfo(zone)).replace(tzinfo=None) >= wall
    assert "hint" == Policy(due=due).at(due)
    assert "cause" == Policy(due=due).at(due + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("lines", "key", "says"),
    [
        ('reveal = "all"', "reveal", "must be one of"),
        ('reveal_after_due = "answer"', "reveal_after_due", "must be one of"),
        ('reveal = "cause"\nreveal_after_due = "hint"', "reveal_after_due", "cannot take it back"),
        ('due = "tomorrow"', "due", "must be a date or a time without quotes, such as 2026-12-01"),
        ("due = 18:00:00", "due", "must be a date or a time"),
        ('timezone = "Zurich"', "timezone", 'write for example "Europe/Zurich"'),
        ('timezone = "../etc/passwd"', "timezone", "no time zone"),
        ("timezone = 1", "timezone", "must be a text"),
    ],
)
def test_what_makes_no_sense_is_told_with_file_and_key(tmp_path, lines, key, says):
    folder = tiny_course.write_course(tmp_path)
    (folder / "assignment.toml").write_text(f"{lines}\n{tiny_course.TOML}")

    with pytest.raises(AssignmentError, match=says) as caught:
        load_assignment(folder)

    assert key == caught.value.key
    assert str(folder / "assignment.toml") in str(caught.value)


def test_an_assignment_has_its_policy(tmp_path):
    """What is said today follows from it."""
    folder = tiny_course.write_course(tmp_path)
    keys = 'due = 2020-01-01\ntimezone = "America/Lima"\n'
    (folder / "assignment.toml").write_text(keys + tiny_course.TOML)
    assignment = load_assignment(folder)

    assert datetime(2020, 1, 2, 4, 59, 59, tzinfo=UTC) == assignment.policy.due
    assert "cause" == assignment.reveal
    (folder / "assignment.toml").write_text(tiny_course.TOML)
    assert "hint" == load_assignment(folder).reveal
