"""Random terms of a course: marks change, people approve, platforms fail, teachers type."""

import random
from collections import defaultdict

import httpx
import pytest
from push_scene import scene, user_of
from test_push_faults import BadDay

from graders import decisions
from graders.decisions import Asked
from graders.marks import marks
from graders.opening import open_gradebook

PEOPLE = [("s0", 1, 2, 3), ("s1", 0, 1, 2), ("s2", 1, 0, None), ("s3", 0, 0, 0)]


class Way(httpx.BaseTransport):
    """The way to a platform on a bad day, interrupted after so many requests."""

    def __init__(self, day, left):
        self.day, self.left = day, left

    def handle_request(self, request):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.day.handle_request(request)

    def close(self):
        self.day.close()


class Term:
    """A course over a term: what was ever approved, and what the platform got."""

    def __init__(self, made, seed):
        self.made, self.rng = made, random.Random(seed)
        self.approved = defaultdict(set)
        self.typed = set()
        self.day = BadDay(made.platform, self.rng, 0.2)

    def override(self):
        student, question = self.rng.choice(PEOPLE)[0], self.rng.choice(["test_start", "test_gradients"])
        points = self.rng.choice(["0", "0.5", "1"])
        with open_gradebook(self.made.folder, author="staff") as book:
            decisions.override(book, [Asked(student, question, points, "r")])

    def restore(self):
        with open_gradebook(self.made.folder, author="staff") as book:
            for mark in marks(book):
                if mark.corrected and self.rng.random() < 0.5:
                    decisions.restore(book, mark.student, mark.corrected[0].question)

    def approve(self):
        with open_gradebook(self.made.folder, author="staff") as book:
            decisions.approve(book)
            for mark in marks(book):
                if mark.approved:
                    self.approved[mark.student].add(mark.points)

    def push(self):
        """On a bad day, and sometimes it is interrupted."""
        way = Way(self.day, self.rng.choice([2, 5, 9, 99, 99]))
        try:
            outcomes, why, push = self.made.push(httpx.Client(transport=way, trust_env=False))
        except (KeyboardInterrupt, decisions.SymmetryError):
            self.typed.clear()  # whether that push had a look, nobody can say
            return
        if any("does not show" in said for said in push.said):
            self.typed.clear()
        assert {5.25} >= {self.made.there(student) for student in self.typed}
        with open_gradebook(self.made.folder) as book:
            points = {mark.student: mark.points for mark in marks(book)}
        for student, outcome in outcomes.items():
            if outcome in ("sent", "already there") and "does not show" not in why[student]:
                assert points[student] == self.made.there(student)

    def type_in(self):
        """A teacher gives a grade on the platform."""
        student = self.rng.choice(PEOPLE)[0]
        grade = {"points": 5.25, "second": int(self.made.platform.now()), "comment": None}
        if self.made.platform.items:
            self.made.platform.grades[7, user_of(student)] = grade
            self.typed.add(student)

    def move_clock(self):
        self.made.platform.ahead = self.rng.choice([-200.0, 0.0, 0.0, 200.0])


@pytest.mark.parametrize("seed", range(2))
def test_what_is_there_was_approved_or_typed_there(tmp_path, seed):
    """And nothing that is claimed to be there is not; at the end a quiet day brings all approved marks."""
    with scene(tmp_path, *PEOPLE, approve=False) as made:
        term = Term(made, seed)
        steps = [term.override, term.restore, term.approve, term.push, term.push, term.type_in]
        for _ in range(40):
            made.clock.time += term.rng.choice([0, 0.3, 60])
            term.rng.choice(steps)()
            for student, *_ in PEOPLE:
                there = made.there(student)
                assert there is None or there in term.approved[student] | {5.25}, (seed, student)
        term.approve()
        made.platform.fault = lambda exchange: None
        for _ in range(2):  # the second replaces what a teacher typed
            made.clock.time += 600
            outcomes, _, _ = made.push(again=True)
        with open_gradebook(made.folder) as book:
            wanted = {mark.student: mark.points for mark in marks(book) if mark.final}
        assert {"sent", "already there", "left out"} >= set(outcomes.values()), seed
        sent = {student for student, outcome in outcomes.items() if outcome != "left out"}
        assert set(wanted) == sent
