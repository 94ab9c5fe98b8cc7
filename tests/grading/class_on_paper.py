"""A gradebook filled with results that no code was run for: what a class would look like, in a moment."""

from graders.gradebook import Basis
from graders.opening import open_gradebook
from pytest_symmetry.findings import Outcome, Result, Verdict
from pytest_symmetry.grading import result_line

QUESTIONS = {"test_start": 1.0, "test_loss": 2.0, "test_gradients": 3.0}
BASIS = Basis("files", {"numpy": "2.0"}, "5", "level 3 (sealed)")


def result(student, points, *, work="", waits=(), status="graded", reason=""):
    """Return a result with ``points`` for the questions, in their order."""
    tests = tuple(
        Verdict(
            name,
            f"test_tiny.py::{name}[x]",
            Outcome.WAITS if name in waits else Outcome.PASSED if p == most else Outcome.FAILED,
            0.0 if name in waits else p,
            most,
        )
        for (name, most), p in zip(QUESTIONS.items(), points, strict=False)
    )
    return Result(
        student=student,
        submission=f"{student}.ipynb",
        sha256=work or f"work of {student}",
        status="waits for a person" if waits else status,
        reason=f"no verdict on {', '.join(waits)}" if waits else reason,
        points=sum(t.points for t in tests),
        max_points=sum(t.max_points for t in tests),
        assignment="tiny",
        versions={"numpy": "2.0"},
        seed="5",
        isolation="level 3 (sealed)",
        tests=tests,
    )


def grade(book, student, points, **settings):
    """Let a result count."""
    made = result(student, points, **settings)
    book.add_standing(student, made.sha256, BASIS, result_line(made))


def opened(folder, author="staff"):
    """Open a gradebook with all that a run settles."""
    return open_gradebook(folder, author=author)


def settle(book):
    """Settle what a run settles."""
    book.settle_seed(5)
    book.settle_key(b"k" * 32)
    book.set_headers(assignment="tiny", title="A tiny assignment", reveal="hint", folder="tiny", seeds="1")
    return book
