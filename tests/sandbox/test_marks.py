"""Nothing that a submission does changes a mark: neither its own, nor that of the next one."""

import pytest
import tiny_course
from attack_files import attacks

from graders import batch
from graders.intake import Entry
from graders.sandbox import choice
from pytest_symmetry.assignment import load_assignment

ALL = attacks("marks")
LIMITS = "seconds_per_call = 0.3\nmemory_mb = 256"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    tiny_course.write_course(folder / "tiny")
    toml = (folder / "tiny" / "assignment.toml").read_text(encoding="utf-8")
    tiny_course.write(folder / "tiny" / "assignment.toml", toml.replace("seconds_per_call = 1", LIMITS))
    entries = []
    for attack in ALL:
        path = tiny_course.write_submission(folder / "in" / f"{attack.name}.ipynb", extra=[attack.source])
        entries.append(Entry(attack.name, path, path.name))
        path = tiny_course.write_submission(folder / "in" / f"after_{attack.name}.ipynb")
        entries.append(Entry(f"after {attack.name}", path, path.name))
    return load_assignment(folder / "tiny"), entries


@pytest.fixture(scope="module", params=[3, 2], ids=["level-3", "level-2"])
def graded(request, course):
    """The whole class of attackers, each followed by an honest student, in one run at each level."""
    sandbox = request.getfixturevalue(f"sandbox_{request.param}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "_offered", lambda data: (sandbox, ""))
        results = batch.run_tests(*course, 5, "strict")
    return {result.student: result for result in results}


@pytest.mark.parametrize("attack", ALL, ids=[a.name for a in ALL])
def test_no_mark_is_gained_and_the_next_student_loses_none(graded, attack):
    """The question that was attacked earns nothing, the others what they are worth."""
    mine, after = graded[attack.name], graded[f"after {attack.name}"]
    outcomes = {test.name: test.outcome.value for test in mine.tests}

    assert float(attack.facts["points"]) == mine.points
    assert outcomes["test_gradients"] in attack.facts["outcome"].split("|")
    assert 6.0 == after.points
    assert all(test.outcome.value == "passed" for test in after.tests)


def test_every_result_says_how_it_was_locked_in(graded):
    """The level is part of the record."""
    assert {True} == {result.isolation.startswith("level ") for result in graded.values()}
    assert {True} == {"sealed" in result.isolation for result in graded.values()}
