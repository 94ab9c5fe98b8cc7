"""Who gets a score: only marks that are final, approved and sound, of students whose user is certain."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from paper_marks import mark

from graders.lti.scores import Held, fit_to_send
from graders.lti.settings import Settings
from graders.marks import Person

SETTINGS = Settings("lti.toml", "c", "t", "t")
POINTS = st.sampled_from([0.0, 0.5, 1.0, None])
MARKS = st.lists(
    st.builds(
        lambda points, status, approved, user, late: (points, status, approved, user, late),
        st.tuples(POINTS, POINTS, POINTS),
        st.sampled_from(["graded", "not gradable", "not graded yet", "missing", "excused"]),
        st.booleans(),
        st.sampled_from(["", "u1", "u2", "u3", "u4"]),
        st.sampled_from([0.0, 0.5]),
    ),
    max_size=6,
)


@given(MARKS)
def test_what_is_sent_was_approved_and_every_student_is_told_of_once(drawn):
    """Also where most of a class cannot be sent."""
    marks = []
    for number, (points, status, approved, user, late) in enumerate(drawn):
        one = mark(f"s{number}", *points, status=status, approved=approved)
        deduction = min(late, one.raw)
        one = replace(one, approved=approved and one.final, points=one.raw - deduction, deduction=deduction)
        marks.append(replace(one, person=Person(lti_user=user)))
    fit = fit_to_send(marks, SETTINGS, "hint")
    by_name = {one.student: one for one in marks}
    users = [one.person.lti_user for one in marks]

    told = [s.student for s in fit.scores] + [who for who, _ in (*fit.left_out, *fit.unsendable)]
    assert sorted(by_name) == sorted(told)
    for score in fit.scores:
        one = by_name[score.student]
        assert one.final
        assert one.approved
        assert not one.pending
        assert (score.points, score.of, score.user) == (one.points, one.max_points, one.person.lti_user)
        assert 1 == users.count(score.user)
    for who, _ in fit.unsendable:
        assert by_name[who].approved
    assert set(fit.unknown) <= {who for who, _ in fit.unsendable}


@given(st.floats(0, 1), st.floats(0.5, 1000), st.floats(0.5, 1000))
def test_a_score_is_known_again_as_the_platform_scales_and_rounds_it(share, ours, theirs):
    """Five decimals, in the maximum of the column."""
    held = Held(round(share * theirs, 5), theirs)

    assert held.is_equal(share * ours, ours)
    assert not held.is_equal((share + 0.01) * ours, ours) or 0.01 * theirs < 1e-4 * max(theirs, 1) + 1e-5


def test_a_result_without_a_score_is_none():
    """Nor is one whose numbers are none."""
    assert Held(0.5, 1.0) == Held.read({"resultScore": 0.5})
    for data in ({}, {"resultScore": None}, {"resultScore": "5"}, {"resultScore": 5, "resultMaximum": 0}):
        assert Held.read(data) is None
