"""Which finding comes first is decided once, by rules that can be read here."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from shown_results import gradient, verdict

from pytest_symmetry.feedback.ordering import first_cause, tell
from pytest_symmetry.findings import Finding, Outcome

FAILED = Outcome.FAILED


def test_first_cause_is_the_first_failure_that_nothing_explains() -> None:
    """Consequences, warnings and notes never come first."""
    note, follows = gradient(severity="note"), gradient(consequence_of="MAT101")
    cause, later = Finding("MAT101"), gradient("dW2")
    verdicts = [verdict("a", FAILED, 1, [note, follows]), verdict("b", FAILED, 1, [cause, later])]

    assert cause == first_cause(verdicts)


def test_a_question_left_alone_gives_way_to_one_that_was_tried() -> None:
    """What somebody wrote is of more use to them than what they did not write."""
    untouched, tried = Finding("RUN101"), gradient()
    verdicts = [verdict("a", Outcome.NOT_ATTEMPTED, 1, [untouched]), verdict("b", FAILED, 1, [tried])]

    assert tried == first_cause(verdicts)
    assert untouched == first_cause(verdicts[:1])


def test_a_question_without_a_verdict_gives_a_note() -> None:
    """An accident of the course's own test is nothing that a student could mend."""
    accident = Finding("TST102")
    verdicts = [verdict("a", Outcome.WAITS, 1, [accident])]

    assert first_cause(verdicts) is None
    assert [accident] == [told.finding for told in tell(verdicts).notes]


def test_a_consequence_without_its_cause_is_told_as_a_cause() -> None:
    """A run of one question only leaves nobody without a hint."""
    follows = gradient(consequence_of="MAT101")

    assert follows == first_cause([verdict("a", FAILED, 1, [follows])])


def test_nothing_failed_means_no_first_cause() -> None:
    """Passed questions and notes have no cause."""
    assert first_cause([verdict("a"), verdict("b", findings=[gradient(severity="warn")])]) is None
    assert first_cause([]) is None


def test_one_mistake_seen_in_two_questions_is_told_once() -> None:
    """The questions are listed with it."""
    verdicts = [
        verdict(name, FAILED, 1, [gradient(cause="factor-m")]) for name in ("small", "large", "large")
    ]

    story = tell(verdicts)

    assert story.first is not None
    assert story.first.questions == ["small", "large"]
    assert story.others == []


def test_consequences_stand_under_their_cause() -> None:
    """Each under the first finding with the code that it names."""
    first, second = Finding("MAT101"), gradient()
    follows = gradient("dW2", consequence_of="GRD101")

    story = tell([verdict("a", FAILED, 1, [follows, first, second])])

    assert story.first is not None
    assert story.first.consequences == []
    assert [follows] == [told.finding for told in story.others[0].consequences]


FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(["A1", "B2", "C3"]),
    severity=st.sampled_from(["fail", "warn", "note"]),
    consequence_of=st.sampled_from([None, None, "A1", "C3", "X9"]),
)
VERDICTS = st.lists(
    st.builds(
        verdict,
        name=st.sampled_from(["a", "b", "c"]),
        outcome=st.sampled_from(list(Outcome)),
        findings=st.lists(FINDINGS, max_size=4),
    ),
    max_size=5,
)


@given(VERDICTS)
def test_every_finding_is_told_exactly_once(verdicts: list) -> None:
    """Nothing is lost and nothing is said twice, whatever explains what."""
    story = tell(verdicts)
    causes = [*([story.first] if story.first else []), *story.others]
    shelves = [*causes, *(c for told in causes for c in told.consequences), *story.notes]
    told = [(t.finding.code, t.finding.consequence_of) for t in shelves]

    everything = {(f.code, f.consequence_of) for v in verdicts for f in v.findings}
    assert everything == set(told)
    causes += [c for told in causes for c in told.consequences]
    assert len(causes) == len({(t.finding.code, t.finding.consequence_of) for t in causes})
    assert (story.first.finding if story.first else None) == first_cause(verdicts)
