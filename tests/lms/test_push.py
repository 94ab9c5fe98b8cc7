"""Scores reach a platform that refuses what Moodle refuses: the right ones, once, and never in doubt."""

import json
import math
from dataclasses import replace

import httpx
import pytest
from lti_platform import AGS, Fault
from paper_marks import mark
from push_scene import scene, user_of

from graders.history import Event, Kind
from graders.lti.connection import PushStoppedError
from graders.lti.scores import LONGEST_COMMENT, Score, fit_to_send
from graders.lti.settings import PushError, Settings
from graders.marks import Lateness, Person
from graders.opening import open_gradebook
from pytest_symmetry.records import plain

ADA, BEN, CHO = ("ada", 1, 2, 3), ("ben", 1, 2, 0), ("cho", 1, 2, None)


@pytest.fixture
def course(tmp_path):
    """Ada has 6 of 6, Ben 3; a question of Cho's waits for a person."""
    with scene(tmp_path, ADA, BEN, CHO) as made:
        yield made


def test_approved_scores_arrive_and_what_waits_for_a_person_does_not(course):
    """Into a column that is created; nothing is sent for who waits, not even "Pending"."""
    outcomes, why, push = course.push()

    assert {"ada": "sent", "ben": "sent", "cho": "left out"} == outcomes
    assert "waits for a person: no verdict on test_gradients" == why["cho"]
    assert (6.0, 3.0, None) == (course.there("ada"), course.there("ben"), course.there("cho"))
    assert ["the column 'A tiny assignment' was created there"] == push.said
    assert 1 == len(course.platform.items)
    sent = [json.loads(e.body) for e in course.platform.asked("POST", "/scores")]
    assert {("FullyGraded", "Completed")} == {(s["gradingProgress"], s["activityProgress"]) for s in sent}


def test_only_approved_scores_are_sent(tmp_path):
    """An approval holds for the points that were approved."""
    with scene(tmp_path, ADA, BEN, approve=False) as made:
        outcomes, why, _ = made.push()

        assert {"ada": "left out", "ben": "left out"} == outcomes
        assert "not approved" == why["ada"]
        assert [] == made.platform.exchanges


def test_a_mark_that_changed_after_it_was_sent_needs_approval_and_says_what_stays_there(course):
    """The old score stays until the new one is approved."""
    course.push()
    with open_gradebook(course.folder) as book:
        event = Event(0, Kind.OVERRIDDEN, student="ben", question="test_gradients", points=1.5, reason="r")
        book.record(event)
    outcomes, why, _ = course.push()

    assert "left out" == outcomes["ben"]
    assert "not approved; 3 of 6, sent before, stay there" == why["ben"]
    assert 3.0 == course.there("ben")


def test_the_same_score_is_not_sent_twice(course):
    """Only what changed is sent again, with a later time."""
    course.push()
    course.decide("ben", "test_gradients", 1.5)
    before = len(course.platform.asked("POST", "/scores"))
    outcomes, _, _ = course.push()

    assert {"ada": "already there", "ben": "sent", "cho": "left out"} == outcomes
    assert 1 == len(course.platform.asked("POST", "/scores")) - before
    assert 4.5 == course.there("ben")


def test_a_change_within_the_same_second_waits_for_the_next(course):
    """Moodle compares whole seconds and refuses an equal one."""
    course.platform.takes = 0.0
    course.configure(requests_per_second=100)
    course.push()
    course.decide("ben", "test_gradients", 1.5)
    course.clock.time = math.floor(course.clock.time)
    outcomes, _, _ = course.push()

    assert "sent" == outcomes["ben"]
    assert 4.5 == course.there("ben")


def test_a_column_is_found_by_what_it_is_for(course):
    """Also on a later page, among those that are for something else, and with Moodle's quotation marks."""
    course.platform.page = 1
    course.platform.add_item("Other", 10, "tiny", tag="bonus")
    number = course.platform.add_item("Renamed by the teacher", 12, "tiny")
    outcomes, _, push = course.push()

    assert "sent" == outcomes["ada"]
    assert 2 == len(course.platform.items)
    assert (12.0, 6.0) == (course.there("ada", number), course.there("ben", number))
    said = "the column 'Renamed by the teacher' is worth 12 points there and 6 here: the platform scales"
    assert [said] == push.said


def test_a_column_can_be_given_by_its_address(course):
    """Then the tool needs no right to see the others, and its query stays behind the path."""
    number = course.platform.add_item(resource="something else")
    course.platform.permitted -= {AGS + "lineitem"}
    course.configure(lineitems=None, lineitem=course.platform.item_url(number))
    outcomes, _, _ = course.push()

    assert "sent" == outcomes["ada"]
    path = course.platform.asked("POST", "/scores")[0].path
    assert f"/mod/lti/services.php/2/lineitems/{number}/lineitem/scores?type_id=5" == path


def test_two_columns_for_the_same_thing_are_not_chosen_from(course):
    """A person says which."""
    course.platform.add_item()
    course.platform.add_item()
    with pytest.raises(PushError, match="key 'lineitem': 2 columns have resource_id 'tiny' and tag ''"):
        course.push()


def test_a_column_that_is_for_nothing_is_never_meant(course):
    """A gradebook that does not name its assignment."""
    course.platform.add_item(resource="")
    with open_gradebook(course.folder) as book:
        book.set_headers(assignment="")
    with pytest.raises(PushError, match="key 'resource_id': it is missing, and the gradebook names no"):
        course.push()
    course.configure(resource_id="tiny")
    assert "sent" == course.push()[0]["ada"]
    assert course.there("ada") is None
    assert 6.0 == course.there("ada", 8)


def test_who_is_forgotten_leaves_no_trace_of_what_was_sent(course):
    """Not the user, not the points."""
    course.push()
    with open_gradebook(course.folder) as book:
        book.erase("ada")
        book.rebuild()
    raw = b"".join(path.read_bytes() for path in course.folder.glob("gradebook.sqlite*"))

    assert b"user-ada" not in raw
    assert b"user-ben" in raw
    assert {"ben": "already there", "cho": "left out"} == course.push()[0]


def test_a_new_column_gets_all_scores(course):
    """What was sent to a column that somebody deleted is not there any more."""
    course.push()
    course.platform.items.clear()
    course.platform.add_item(resource="another")
    outcomes, _, _ = course.push()

    assert {"ada": "sent", "ben": "sent", "cho": "left out"} == outcomes
    assert 6.0 == course.there("ada", 8)


def test_a_deleted_column_stops_the_push(tmp_path):
    """What is refused for everyone is not tried for everyone."""
    with scene(tmp_path, *((f"s{i}", 1, 2, 3) for i in range(9))) as made:
        made.configure(lineitems=None, lineitem=made.platform.item_url(99))
        outcomes, why, push = made.push()

        assert ["refused"] * 3 + ["not sent"] * 6 == list(outcomes.values())
        assert "404: Not Found: Grade item 99 doesn't exist." in push.stopped
        assert "the push stopped before" == why["s8"]


def test_a_user_whom_the_platform_does_not_know_is_reported_alone(tmp_path):
    """The others arrive; what the platform repeats of the score is not shown."""
    with scene(tmp_path, ADA, BEN, known={user_of("ben")}) as made:
        outcomes, why, _ = made.push()

        assert {"ada": "refused", "ben": "sent"} == outcomes
        said = "400: Incorrect score received; see that they are a student of that course"
        assert said == why["ada"]
        made.platform.users.add(user_of("ada"))
        outcomes, _, _ = made.push()
        assert {"ada": "sent", "ben": "already there"} == outcomes


@pytest.mark.parametrize(
    ("users", "why"),
    [
        (("", "u2"), "the roster has no 'lti user id' for them"),
        (("u2", "u2"), "another student has the same 'lti user id'"),
    ],
)
def test_a_user_who_is_not_certain_gets_nothing(course, users, why):
    """Nobody gets somebody else's score."""
    with open_gradebook(course.folder) as book:
        for student, user in zip(("ada", "cho"), users, strict=True):
            person = plain(Person(lti_user=user))
            book.record(Event(0, Kind.ENROLLED, student=student, data=person))
    outcomes, found, push = course.push()

    assert ("not sent", "sent") == (outcomes["ada"], outcomes["ben"])
    assert why == found["ada"]
    assert "" == push.stopped


def test_what_a_teacher_changed_there_stays_and_is_told(course):
    """One look at all results; with ``again`` it is sent anew."""
    course.push()
    course.platform.grades[7, user_of("ada")]["points"] = 5.25
    course.platform.grades[7, user_of("ben")]["points"] = None
    course.clock.time += 60
    outcomes, why, _ = course.push()

    assert {"ada": "changed there", "ben": "changed there"} == {
        k: v for k, v in outcomes.items() if k != "cho"
    }
    assert "sent before; the platform has 5.25 of 6 now, and it stays (--again sends)" == why["ada"]
    assert "sent before; the platform has none now, and it stays (--again sends)" == why["ben"]
    assert 1 == len(course.platform.asked("GET", "/results"))
    outcomes, _, _ = course.push(again=True)
    assert {"ada": "sent", "ben": "sent", "cho": "left out"} == outcomes
    assert (6.0, 3.0) == (course.there("ada"), course.there("ben"))
    outcomes, _, _ = course.push(again=True)
    assert {"ada": "already there", "ben": "already there", "cho": "left out"} == outcomes


@pytest.mark.parametrize("fault", [Fault(500), Fault(403), Fault(200, body="odd")])
def test_what_was_sent_and_is_not_shown_is_said_to_be_so(course, fault):
    """The gradebook remembers; the platform cannot be asked."""
    course.push()
    course.platform.fault = lambda e: fault if "results" in e.path else None
    outcomes, why, _ = course.push()

    assert {"ada": "already there", "ben": "already there", "cho": "left out"} == outcomes
    assert "sent before; the platform does not show it" == why["ada"]


def test_a_user_who_was_another_is_sent_again_and_told(course):
    """What the roster had wrong is not taken back by itself."""
    course.push()
    course.platform.users.add("right")
    with open_gradebook(course.folder) as book:
        book.record(Event(0, Kind.ENROLLED, student="ada", data=plain(Person(lti_user="right"))))
    outcomes, why, _ = course.push()

    assert {"ada": "sent", "ben": "already there", "cho": "left out"} == outcomes
    assert "an earlier score is with another user, as the roster then said; see to it there" == why["ada"]


def test_the_same_column_by_another_way_has_its_scores(course):
    """What was sent is known by the address of the column."""
    course.push()
    course.configure(lineitems=None, lineitem=course.platform.item_url(7))

    assert {"ada": "already there", "ben": "already there", "cho": "left out"} == course.push()[0]


@pytest.mark.parametrize(
    "link", ["<http://[bad>; rel=next", "<http://127.0.0.1:x/>; rel=next", "<\x7f>; rel=next"]
)
def test_a_link_that_leads_nowhere_is_one_sentence(course, link):
    """Whatever the platform writes there."""
    course.platform.fault = lambda e: Fault(200, {"Link": link}, "[]") if e.method == "GET" else None
    with pytest.raises(PushStoppedError) as error:
        course.push()
    assert "\n" not in str(error.value)


def test_users_may_stand_in_another_column_of_the_roster(course):
    """Or be the identifiers of the gradebook."""
    course.platform.users = {"ada", "b-17"}
    with open_gradebook(course.folder) as book:
        person = plain(Person(ids={"sis user id": "b-17"}))
        book.record(Event(0, Kind.ENROLLED, student="ben", data=person))
    course.configure(user_column="sis user id")
    assert {"ada": "not sent", "ben": "sent"} == {k: v for k, v in course.push()[0].items() if k != "cho"}
    course.configure(user_column="id")
    assert "sent" == course.push()[0]["ada"]


def test_a_score_of_somebody_else_stays(course):
    """It is seen before anything is sent, and told; with ``again`` it is replaced."""
    number = course.platform.add_item()
    course.platform.grades[number, user_of("ada")] = {"points": 4.0, "second": 0, "comment": None}
    outcomes, why, push = course.push()

    assert {"ada": "not sent", "ben": "sent", "cho": "left out"} == outcomes
    assert "the platform has 4 of 6, which is not from here; it stays (--again sends)" == why["ada"]
    assert (4.0, "") == (course.there("ada"), push.stopped)
    assert "sent" == course.push(again=True)[0]["ada"]
    assert 6.0 == course.there("ada")


def test_a_score_that_somebody_types_meanwhile_stays(course):
    """A 409 is answered by looking."""
    number = course.platform.add_item()

    def type_in(exchange):
        if "user-ada" in exchange.body and not course.platform.grades:
            second = int(course.clock.now()) + 1
            grade = {"points": 4.0, "second": second, "comment": None}
            course.platform.grades[number, user_of("ada")] = grade

    course.platform.fault = type_in
    outcomes, why, _ = course.push()

    assert {"ada": "refused", "ben": "sent", "cho": "left out"} == outcomes
    assert "the platform has a later score, 4 of 6; it stays (--again sends)" == why["ada"]
    assert 4.0 == course.there("ada")
    course.clock.time += 60
    assert "not sent" == course.push()[0]["ada"]
    assert "sent" == course.push(again=True)[0]["ada"]


def test_an_equal_score_is_there(course):
    """Whoever typed it: nothing is sent."""
    number = course.platform.add_item()
    second = int(course.clock.now()) + 600
    course.platform.grades[number, user_of("ada")] = {"points": 6.0, "second": second, "comment": None}

    assert "already there" == course.push()[0]["ada"]
    assert "already there" == course.push()[0]["ada"]
    assert [] == [e for e in course.platform.asked("POST", "/scores") if user_of("ada") in e.body]


@pytest.mark.parametrize("readable", [True, False])
def test_a_409_without_a_score_there_is_tried_once_more_a_second_later(course, readable):
    """Where the platform shows none, and where it does not let us look."""
    if not readable:
        course.platform.permitted -= {AGS + "result.readonly"}
    refused = []

    def fault(exchange):
        if exchange.path.endswith("/scores?type_id=5") and len(refused) < 1:
            refused.append(json.loads(exchange.body)["timestamp"])
            return Fault(409)
        return None

    course.platform.fault = fault
    outcomes, _, _ = course.push()
    stamps = [json.loads(e.body)["timestamp"] for e in course.platform.asked("POST", "/scores")]

    assert "sent" == outcomes["ada"]
    assert stamps[0] < stamps[1]


def test_a_later_score_that_is_not_shown_is_told(course):
    """Without the right to look, nobody claims that it arrived."""
    course.platform.permitted -= {AGS + "result.readonly"}
    number = course.platform.add_item()
    grade = {"points": 6.0, "second": int(course.clock.now()) + 600, "comment": None}
    course.platform.grades[number, user_of("ada")] = grade
    outcomes, why, _ = course.push()

    assert "refused" == outcomes["ada"]
    assert "the platform has a score with a later time and does not show it; look there" == why["ada"]


@pytest.mark.parametrize("ahead", [-3600.0, -90.0, 90.0, 3600.0])
def test_clocks_that_differ_are_told_and_the_platforms_counts(course, ahead):
    """Nothing is stamped ahead of the platform's time: it would stand against honest ones."""
    course.platform.ahead = ahead
    outcomes, _, push = course.push()
    newest = max(grade["second"] for grade in course.platform.grades.values())

    assert "sent" == outcomes["ada"]
    assert newest <= course.platform.now()
    assert newest > course.platform.now() - 5
    side = "behind" if ahead > 0 else "ahead of"
    said = f"s {side} the platform's; scores are stamped with the platform's time"
    assert said in push.said[-1]


def test_clocks_that_are_days_apart_stop_before_anything_is_sent(course):
    """One of them is not set; which, only a person knows."""
    course.platform.ahead = 10 * 86_400.0
    said = "this machine's clock says 2026-11-22 11:00 UTC and the platform's 2026-12-02 11:00 UTC; set"
    with pytest.raises(PushError, match=said):
        course.push()
    assert {} == course.platform.grades


def test_a_token_is_renewed_before_it_ends(course):
    """And each assertion is used once: the platform refuses a second of the same number."""
    course.platform.lasts = 4
    course.platform.takes = 1.0
    course.push()

    assert [200] == sorted({e.status for e in course.platform.asked("POST", "token.php")})
    assert len(course.platform.asked("POST", "token.php")) > 1
    assert not [e for e in course.platform.exchanges if e.status == 401]


def test_a_token_that_is_refused_is_renewed_once(course):
    """As where the platform was restarted."""
    refused = []

    def fault(exchange):
        if exchange.path.endswith("/scores?type_id=5") and not refused:
            refused.append(exchange)
            return Fault(401)
        return None

    course.platform.fault = fault

    assert "sent" == course.push()[0]["ada"]
    assert 2 == len(course.platform.asked("POST", "token.php"))


def test_a_token_that_is_refused_when_new_stops_the_push(course):
    """One sentence, and no more requests."""
    number = course.platform.add_item()
    course.configure(lineitems=None, lineitem=course.platform.item_url(number))
    course.platform.fault = lambda e: Fault(401) if e.path.endswith("/scores?type_id=5") else None
    outcomes, _, push = course.push()

    assert {"ada": "not sent", "ben": "not sent", "cho": "left out"} == outcomes
    assert "the platform refuses a token that it has just given (401)" in push.stopped
    assert 2 == len(course.platform.asked("POST", "/scores"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_id": "tool-2"}, "gives no token (400: invalid_client)"),
        ({"audience": "https://elsewhere"}, "gives no token (400: invalid_client)"),
        ({"lineitems": "{root}/nowhere"}, "lists no columns (404: No handler found for this path)"),
        ({"token_url": "{root}/nowhere"}, "gives no token (404: No handler found for this path)"),
    ],
)
def test_what_the_platform_does_not_accept_is_said_before_anything_is_sent(course, changed, said):
    """In one sentence that names lti.toml."""
    changed = {key: value.format(root=course.platform.root) for key, value in changed.items()}
    course.configure(**changed)
    with pytest.raises(PushError) as error:
        course.push()

    assert said in str(error.value)
    assert str(course.config) in str(error.value)
    assert [] == course.platform.asked("POST", "/scores")


def test_a_tool_that_may_not_send_scores_is_told_so(course):
    """The token says what it is good for."""
    course.platform.permitted = {AGS + "lineitem"}
    with pytest.raises(PushStoppedError, match="does not let this tool send scores"):
        course.push()


def test_nobody_is_followed_elsewhere(course):
    """A token is for one host."""
    course.platform.fault = lambda e: (
        Fault(302, {"Location": "https://evil.example/"}) if "lineitems" in e.path else None
    )
    with pytest.raises(PushStoppedError, match=r"sends us elsewhere \(302, https://evil.example/\)"):
        course.push()
    course.platform.fault = lambda e: None
    course.platform.add_item()
    course.platform.items[7]["id"] = "https://evil.example/7"
    with pytest.raises(PushStoppedError, match="an address on another host, evil"):
        course.push()


def test_the_pace_is_kept(course):
    """No faster than lti.toml says."""
    course.platform.takes = 0.0
    course.configure(requests_per_second=2)
    start = course.clock.now()
    course.push()

    assert course.clock.now() - start >= (len(course.platform.exchanges) - 1) / 2


def test_what_nobody_may_be_given_is_sent_to_nobody():
    """NaN, infinity, negative points, points above the maximum: one sentence before anything leaves."""
    settings = Settings("lti.toml", "c", "t", "t")
    for points in (math.nan, math.inf, -0.5, 6.5):
        bad = replace(mark("1"), points=points)
        with pytest.raises(PushError, match=r"the mark is .* of 6.0 points; nothing was sent"):
            fit_to_send([bad], settings, "hint")
    with pytest.raises(ValueError, match="JSON compliant"):
        Score("1", "u", math.nan, 6.0).body(0)


def test_a_comment_is_plain_text_of_bounded_length():
    """The student's level, cut between lines; none where the course wants none."""
    person = Person(lti_user="u")
    late = Lateness(3600, 10, line="\x1b[31m1 hour late\u202e" + "\n".join(["x" * 50] * 100))
    one = replace(mark("1", 1, 2, 0), person=person, lateness=late)
    settings = Settings("lti.toml", "c", "t", "t")
    (long,) = fit_to_send([one], settings, "hint").scores
    (short,) = fit_to_send([replace(one, lateness=Lateness())], settings, "hint").scores
    (points,) = fit_to_send(
        [replace(one, lateness=Lateness())], replace(settings, comment="points"), "x"
    ).scores
    (none,) = fit_to_send([one], replace(settings, comment="none"), "hint").scores

    assert len(long.comment) <= LONGEST_COMMENT
    assert long.comment.endswith("\n(The rest is on the page.)")
    assert "\x1b" not in long.comment
    assert "\u202e" not in long.comment
    assert short.comment.startswith("3 of 6 points.\n\nstart: 1 of 1\n")
    assert "3 of 6 points." == points.comment
    assert "comment" not in json.loads(none.body(0))


def test_a_platform_that_does_not_answer_is_not_asked_without_end(tmp_path):
    """Six times for one thing, and for three students; the rest is for another time."""
    silent = httpx.MockTransport(_nothing)
    with scene(tmp_path, *((f"s{i}", 1, 2, 3) for i in range(5))) as made:
        with pytest.raises(
            PushError, match=r"^the platform gave no answer in time \(ReadTimeout\), 6 times$"
        ):
            made.push(httpx.Client(transport=silent))
        assert [1.0, 2.0, 4.0, 8.0, 16.0] == made.clock.waits
        number = made.platform.add_item()
        made.configure(lineitems=None, lineitem=made.platform.item_url(number))
        outcomes, why, push = made.push(httpx.Client(transport=silent))
        assert {"not sent"} == set(outcomes.values())
        assert ["the platform gave no answer in time (ReadTimeout), 6 times"] * 3 == list(why.values())[:3]
        assert "3 scores in a row came to nothing (the platform gave no answer in time" in push.stopped
        assert {"sent"} == set(made.push()[0].values())


def _nothing(request):
    raise httpx.ReadTimeout("slow")
