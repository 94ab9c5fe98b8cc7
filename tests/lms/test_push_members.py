"""Users whom the roster does not name are looked up on the platform: those who are certain, no others."""

import pytest
from lti_platform import MEMBERS
from push_scene import Push, marks, read_settings, scene, user_of

from graders.history import Event, Kind
from graders.lti.connection import PushStoppedError
from graders.marks import Person
from graders.opening import open_gradebook
from pytest_symmetry.records import plain

LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
PEOPLE = [(student, 1, 2, 3) for student in ("ada", "ben", "cho", "dee")]


def member(user, name="", roles=(LEARNER,), **more):
    return {"user_id": user, "name": name, "roles": list(roles), "status": "Active", **more}


@pytest.fixture
def course(tmp_path):
    """The roster names the user of Dee alone."""
    with scene(tmp_path, *PEOPLE) as made:
        people = {
            "ada": Person(name="Ada Lovelace", ids={"email": "ada@x.edu"}),
            "ben": Person(name="Ben Li"),
            "cho": Person(name="Cho Yun"),
            "dee": Person(name="Dee Day", lti_user=user_of("dee")),
        }
        with open_gradebook(made.folder) as book:
            book.record(*(Event(0, Kind.ENROLLED, student=s, data=plain(p)) for s, p in people.items()))
        made.configure(memberships=made.platform.memberships_url)
        yield made


def test_members_are_found_by_address_and_by_name(course):
    """On any page, in the order of names that the platform likes."""
    course.platform.page = 1
    course.platform.members = [
        member("t1", "Ben Li", roles=["Instructor"]),
        member(user_of("ada"), "A. L.", email="Ada@X.edu"),
        member(user_of("ben"), given_name="Ben", family_name="Li", roles=["Learner"]),
        member(user_of("cho"), "Yun, Cho"),
    ]
    outcomes, _, push = course.push()

    assert {"sent"} == set(outcomes.values())
    assert [6.0] * 4 == [course.there(student) for student, *_ in PEOPLE]
    assert "3 of 3 users were found in the platform's list of members" in push.said
    assert {"already there"} == set(course.push()[0].values())


def test_who_is_not_certain_is_not_sent(course):
    """Two of one name, somebody who left, a teacher, and a member whom the roster gives to somebody else."""
    course.platform.members = [
        member("x1", "Ada Lovelace"),
        member("x2", "Lovelace, Ada"),
        member("x3", "Ben Li", status="Inactive"),
        member("x4", "Ben Li", roles=[LEARNER.replace("Learner", "Instructor")]),
        member(user_of("dee"), "Cho Yun"),
        {"user_id": 7, "roles": [LEARNER]},
        "odd",
    ]
    course.platform.users |= {"x1", "x2", "x3", "x4"}
    outcomes, why, push = course.push()

    assert {"ada": "not sent", "ben": "not sent", "cho": "not sent", "dee": "sent"} == outcomes
    said = "the roster has no 'lti user id' for them, and the list of members is not certain about them"
    assert {said} == {why[student] for student in ("ada", "ben", "cho")}
    assert [user_of("dee")] == [user for _, user in course.platform.grades]
    assert "0 of 3 users were found in the platform's list of members" in push.said


def test_the_list_is_asked_for_only_where_it_is_needed(course):
    """It is personal data."""
    with open_gradebook(course.folder) as book:
        for student in ("ada", "ben", "cho"):
            data = plain(Person(lti_user=user_of(student)))
            book.record(Event(0, Kind.ENROLLED, student=student, data=data))

    assert {"sent"} == set(course.push()[0].values())
    assert [] == course.platform.asked("GET", "/memberships")
    assert MEMBERS not in course.platform.asked("POST", "token.php")[0].body


def test_a_list_that_is_not_given_is_one_sentence(course):
    """Before anything is sent."""
    course.configure(memberships=course.platform.root + "/nowhere")
    with pytest.raises(
        PushStoppedError, match=r"lists no members \(404: No handler found for this path\); mend it"
    ):
        course.push()
    assert [] == course.platform.asked("POST", "/scores")


def test_a_look_without_sending_says_who_would_be_looked_up(course):
    """And asks nobody."""
    with open_gradebook(course.folder) as book:
        push = Push.of(book, marks(book), read_settings(course.config))
        rows = {row.student: (row.outcome, row.why) for row in push.preview()}

    assert ("to be sent", "if its list of members has them") == rows["ada"]
    assert ("to be sent", "") == rows["dee"]
    assert [] == course.platform.exchanges
