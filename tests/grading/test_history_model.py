"""Any sequence of decisions gives the marks that a model of forty lines gives."""

import itertools
from types import SimpleNamespace

import class_on_paper
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_of_marks import WORTH, Model

from graders import decisions, forgetting, regrade
from graders.grading_run import Run
from graders.history import Event, Kind
from graders.intake import Entry
from graders.marks import Lateness, marks
from pytest_symmetry.grading import result_line
from pytest_symmetry.records import plain

STUDENTS = ("ada", "ben")
_SHARES = st.sampled_from((0.0, 0.5, 1.0))
_POINTS = st.tuples(*(_SHARES.map(lambda share, most=most: share * most) for most in WORTH.values()))
_STUDENT, _QUESTION = st.sampled_from(STUDENTS), st.sampled_from(tuple(WORTH))

OPERATIONS = st.one_of(
    st.tuples(st.just("grade"), _STUDENT, _POINTS),
    st.tuples(st.just("override"), _STUDENT, _QUESTION, st.sampled_from((0.0, 0.25, 1.0))),
    st.tuples(st.just("restore"), _STUDENT, _QUESTION),
    st.tuples(st.just("void"), _QUESTION),
    st.tuples(st.just("reinstate"), _QUESTION),
    st.tuples(st.just("late"), _STUDENT, st.sampled_from((0.0, 10.0, 40.0)), st.sampled_from((0.0, 50.0))),
    st.tuples(st.just("regrade"), st.dictionaries(_STUDENT, _POINTS, min_size=1), st.booleans()),
    st.tuples(st.just("forget"), _STUDENT),
)


class _PaperRun(Run):
    """A run whose submissions are judged on paper: what would be judged anew is given."""

    def __init__(self, book, new, number):
        entries = tuple(Entry(s, None, f"{s}.ipynb", f"work of {s}") for s in new)
        super().__init__(SimpleNamespace(entries=entries), book, 5, 1, 1, "hint")
        self.basis = class_on_paper.Basis(f"files {number}", {}, "5", "level 3 (sealed)")

    def finish(self, changed):
        """Write no page."""


class Class:
    """A gradebook and its model, which every operation is done to."""

    def __init__(self, book):
        self.book, self.model, self.runs = book, Model(), itertools.count()

    def do(self, operation, *what):
        """Do one operation, where the model says that it makes sense."""
        getattr(self, operation)(*what)

    def grade(self, student, points):
        class_on_paper.grade(self.book, student, points)
        self.model.grade(student, points)

    def override(self, student, question, points):
        if student in self.model.judged:
            asked = decisions.Asked(student, question, str(points), "looked at again")
            decisions.override(self.book, [asked])
            self.model.override(student, question, points)

    def restore(self, student, question):
        if (student, question) in self.model.overrides:
            decisions.restore(self.book, student, question)
            self.model.restore(student, question)

    def void(self, question):
        if self.model.judged:
            decisions.void(self.book, question, "unclear")
            self.model.void(question)

    def reinstate(self, question):
        if self.model.judged and question in self.model.voids:
            decisions.void(self.book, question, "", undo=True)
            self.model.reinstate(question)

    def late(self, student, percent, floor):
        if student in self.model.judged:
            late = Lateness(60, percent, floor)
            self.book.record(Event(0, Kind.LATE, student=student, data=plain(late)))
            self.model.come_late(student, percent, floor)

    def regrade(self, new, never_lower):
        new = {student: points for student, points in new.items() if student in self.model.judged}
        run = _PaperRun(self.book, new, next(self.runs))
        for student, points in new.items():
            line = result_line(class_on_paper.result(student, points))
            self.book.add(student, f"work of {student}", run.basis, line)
        regrade.accept(run, regrade.proposed(run), never_lower=never_lower)
        self.model.regrade(new, never_lower)

    def forget(self, student):
        if student in self.model.judged:
            forgetting.forget(self.book, student)
            self.model.forget(student)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return (tmp_path_factory.mktemp("book") for _ in itertools.count())


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OPERATIONS, min_size=6, max_size=20))
def test_any_sequence_of_decisions_gives_the_models_marks(folders, operations):
    """After every single step, and again when the gradebook is opened anew."""
    folder = next(folders)
    with class_on_paper.opened(folder) as book:
        class_on_paper.settle(book)
        both = Class(book)
        both.grade("ada", (1.0, 1.0, 0.0))  # nothing can be decided about an empty class
        for operation in operations:
            both.do(*operation)

            assert both.model.marks() == {m.student: m.points for m in marks(book)}, operation
    with class_on_paper.opened(folder) as book:
        assert both.model.marks() == {m.student: m.points for m in marks(book)}
