"""How late is late: grace, begun days and hours, caps and floors, and the days on which the clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.lateness import (
    LatenessError,
    LatePolicy,
    how_late,
    policy_of_text,
    read_policy,
    read_time,
    read_zone,
)

ZURICH = ZoneInfo("Europe/Zurich")
DUE = datetime(2026, 3, 1, 23, 59)
TEN = LatePolicy(percent=10)

policies = st.builds(
    LatePolicy,
    per=st.sampled_from(["day", "hour"]),
    percent=st.floats(0, 100),
    grace=st.floats(0, 300),
    floor=st.floats(0, 100),
    cap=st.floats(0, 100),
)
zones = st.sampled_from([ZoneInfo(n) for n in ("Europe/Zurich", "America/New_York", "Australia/Lord_Howe")])
# Around the days on which Zurich's and New York's clocks change, and Lord Howe's (by half an hour).
dues = st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 10)) | st.datetimes(
    datetime(2026, 9, 28), datetime(2026, 11, 10)
)
lates = st.timedeltas(timedelta(days=-2), timedelta(days=40))


def after(due, **late):
    return due + timedelta(**late)


@pytest.mark.parametrize(
    ("late", "percent"),
    [
        ({"days": -3}, 0),
        ({"seconds": 0}, 0),
        ({"seconds": 1}, 10),
        ({"hours": 24}, 10),
        ({"hours": 24, "seconds": 1}, 20),
        ({"days": 30}, 100),
    ],
    ids=str,
)
def test_each_begun_day_takes_its_share(late, percent):
    """Exactly at the due time is in time; a second later is a begun day."""
    assert percent == how_late(DUE, after(DUE, **late), TEN, ZURICH).percent


@pytest.mark.parametrize(
    ("late", "percent"), [({"minutes": 60}, 5), ({"minutes": 61}, 10), ({"hours": 9}, 30)], ids=str
)
def test_hours_and_the_cap(late, percent):
    """Five percent an hour, thirty at most."""
    policy = LatePolicy(per="hour", percent=5, cap=30)

    assert percent == how_late(DUE, after(DUE, **late), policy, ZURICH).percent


def test_grace_forgives_what_is_within_it_and_nothing_beyond():
    """15 minutes and one second late are a begun day."""
    policy = LatePolicy(percent=10, grace=15)
    within = how_late(DUE, after(DUE, minutes=15), policy, ZURICH)

    assert (0, 900, "15 min late, within the grace") == (within.percent, within.seconds, within.line)
    assert 10 == how_late(DUE, after(DUE, minutes=15, seconds=1), policy, ZURICH).percent


def test_the_floor_and_the_reason():
    """Lateness takes nobody below the floor; the line says how long, how many and at what share."""
    late = how_late(DUE, after(DUE, days=4, hours=3), LatePolicy(percent=20, floor=30, cap=80), ZURICH)

    assert "4 days 3 h late: 5 days at 20 % of the points, at most 80 %" == late.line
    assert [6.0, 1.0, 0.0] == [late.deduction(9.0, 10.0), late.deduction(4.0, 10.0), late.deduction(2.0, 10)]


@pytest.mark.parametrize(
    ("due", "submitted", "percent"),
    [
        # Clocks go forward on 29 March: that day has 23 hours, but is a day.
        ("2026-03-28 23:59", "2026-03-29T23:59:00+02:00", 10),
        ("2026-03-28 23:59", "2026-03-30T00:00:00+02:00", 20),
        # Clocks go back on 25 October: that day has 25 hours.
        ("2026-10-24 23:59", "2026-10-25T23:59:00+01:00", 10),
        # 02:30 comes twice that night; the later one counts for the due time.
        ("2026-10-25 02:30", "2026-10-25T02:30:00+02:00", 0),
        ("2026-10-25 02:30", "2026-10-25T02:30:00+01:00", 0),
        ("2026-10-25 02:30", "2026-10-25T02:30:01+01:00", 10),
        # 02:30 never comes on 29 March: half an hour after it began.
        ("2026-03-29 02:30", "2026-03-29T03:30:00+02:00", 0),
    ],
)
def test_a_day_is_a_day_where_the_clocks_change(due, submitted, percent):
    """The same clock time of the next day, whatever happened in between."""
    late = how_late(read_time(due, ZURICH, latest=True), read_time(submitted, ZURICH), TEN, ZURICH)

    assert percent == late.percent


@given(dues, lates, lates, policies, zones)
def test_later_never_costs_less(due, one, other, policy, zone):
    """The deduction grows with time, for any policy, also across a change of the clocks."""
    at = due.replace(tzinfo=zone, fold=1).astimezone(UTC)
    early, late = sorted([at + one, at + other])
    first, second = how_late(due, early, policy, zone), how_late(due, late, policy, zone)

    assert first.percent <= second.percent
    for earned in (0.0, 3.5, 10.0):
        assert 0 <= first.deduction(earned, 10.0) <= second.deduction(earned, 10.0) <= earned
        assert earned - second.deduction(earned, 10.0) >= min(earned, policy.floor / 10) - 1e-6


@given(dues, lates, policies, zones)
def test_nothing_is_taken_up_to_the_end_of_the_grace(due, late, policy, zone):
    """In time, or late by no more than the grace: nothing; else at least one unit."""
    at = due.replace(tzinfo=zone, fold=1).astimezone(UTC)
    found = how_late(due, at + late, policy, zone)

    if late <= timedelta(minutes=policy.grace):
        assert 0 == found.percent
    elif late > timedelta(minutes=policy.grace) + timedelta(seconds=1):
        assert min(policy.percent, policy.cap) <= found.percent


@given(dues, st.integers(1, 30), zones)
def test_n_days_later_at_the_same_clock_time_is_n_days(due, days, zone):
    """One second more is one day more."""
    at = (due + timedelta(days=days)).replace(tzinfo=zone, fold=1).astimezone(UTC)
    policy = LatePolicy(percent=1)

    assert days == how_late(due, at, policy, zone).percent
    assert days + 1 == how_late(due, at + timedelta(seconds=1), policy, zone).percent


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-01 23:59", "2026-03-01T22:59:00+00:00"),
        ("2026-03-01", "2026-03-01T22:59:59+00:00"),
        ("2026-03-01T23:59:00Z", "2026-03-01T23:59:00+00:00"),
        ("2026-03-01 23:59:00.123456789 Z", "2026-03-01T23:59:00.123456+00:00"),
        ("2026-03-01 23:59:00 -0500", "2026-03-02T04:59:00+00:00"),
        ("2026-03-01 23:59:00.5 America/New_York", "2026-03-02T04:59:00.500000+00:00"),
        ("2026-03-01 22:59:00 UTC", "2026-03-01T22:59:00+00:00"),
        ("Sunday, 1 March 2026, 11:59 PM", "2026-03-01T22:59:00+00:00"),
        (date(2026, 3, 1), "2026-03-01T22:59:59+00:00"),
        (datetime(2026, 3, 1, 12), "2026-03-01T11:00:00+00:00"),
    ],
)
def test_times_are_read_as_an_lms_writes_them(text, utc):
    """Without an offset it is the course's clock."""
    assert utc == read_time(text, ZURICH).astimezone(UTC).isoformat()


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: read_time("tomorrow", ZURICH), "'tomorrow' is no time; write it as 2026-03-01 23:59"),
        (lambda: read_time("2026-13-01", ZURICH), "is no time"),
        (lambda: read_zone("Mars/Olympus"), "'Mars/Olympus' is no time zone"),
        (lambda: read_zone("../../etc/passwd"), "is no time zone"),
        (lambda: read_policy({"per": "week"}), 'per is \'week\', but must be "day" or "hour"'),
        (lambda: read_policy({"percent": 120}), "percent is 120, but must be a number from 0 to 100"),
        (lambda: read_policy({"percent": True}), "percent is True"),
        (lambda: read_policy({"grace": -1}), "grace is -1, but must be a number of minutes"),
        (lambda: policy_of_text("10% a day", TEN), "'10% a day' is no late policy; write \"none\""),
        (lambda: policy_of_text("percent=ten", TEN), "percent is 'ten'"),
    ],
)
def test_what_cannot_be_read_is_told(read, said):
    """One sentence with what was found and what to write."""
    with pytest.raises(LatenessError) as caught:
        read()

    assert said in str(caught.value)


def test_a_rosters_cell_changes_the_default_policy():
    """Empty is the default, "none" costs nothing, pairs replace what they name."""
    default = LatePolicy(percent=10, grace=15, floor=40)

    assert default == policy_of_text(" ", default)
    assert 0 == policy_of_text("None", default).percent
    assert LatePolicy("hour", 2, 15, 40) == policy_of_text("per=hour; percent=2%", default)
