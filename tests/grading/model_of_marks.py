"""What a mark is, said once more and as simply as possible: the model that the history is tested against.

A class knows what the tests gave, what was overridden, how late work came. A void is
put on everyone who handed in; the newest decision of an override and a void counts.
"""

WORTH = {"test_start": 1.0, "test_loss": 2.0, "test_gradients": 3.0}


class Model:
    def __init__(self):
        self.judged, self.overrides, self.voids, self.late, self.clock = {}, {}, {}, {}, 0

    def grade(self, student, points):
        self.judged[student] = dict(zip(WORTH, points, strict=True))

    def override(self, student, question, points):
        self.clock += 1
        self.overrides[student, question] = (self.clock, points)

    def restore(self, student, question):
        self.overrides.pop((student, question))

    def void(self, question):
        self.clock += 1
        self.voids[question] = (self.clock, WORTH[question])

    def reinstate(self, question):
        self.voids.pop(question)

    def come_late(self, student, percent, floor):
        self.late[student] = (percent, floor)

    def regrade(self, new, never_lower):
        for student, points in new.items():
            before, old = self.mark(student), self.judged[student]
            self.grade(student, points)
            if never_lower and self.mark(student) < before:
                self.judged[student] = old

    def forget(self, student):
        for kept in (self.judged, self.late):
            kept.pop(student, None)
        self.overrides = {key: value for key, value in self.overrides.items() if key[0] != student}

    def question(self, student, question):
        decided = [self.voids.get(question), self.overrides.get((student, question))]
        newest = max((d for d in decided if d is not None), default=None)
        return newest[1] if newest else self.judged[student][question]

    def mark(self, student):
        raw = sum(self.question(student, question) for question in WORTH)
        percent, floor = self.late.get(student, (0.0, 0.0))
        most = sum(WORTH.values())
        return round(max(raw - percent / 100 * most, min(raw, floor / 100 * most)), 6)

    def marks(self):
        return {student: self.mark(student) for student in sorted(self.judged)}
