"""A small class: its course, what was handed in, and how it is graded without worker processes."""

from dataclasses import replace

import tiny_course

from graders import batch, grading_run
from graders.workers import Workers
from pytest_symmetry.assignment import load_assignment, load_reference

SUBMISSIONS = {
    "ada": [],
    "ben": [("* (1 - A**2)", "* 1")],
    "cho": [("    D = 2 *", "    import os; os._exit(0)\n    D = 2 *")],
    "dee": [
        ("rng.normal(size=(n_h, n_x)), rng.normal", "np.ones((n_h, n_x)), np.ones"),
        ("ones(size=", "ones("),
    ],
}


def here(tasks, workers):
    """Grade in this process: what a worker process adds is tried elsewhere."""
    yield from ((task, batch.grade_chunk(task)) for task in tasks)


def without_workers(patch):
    """Let nothing of a test run in a worker process."""
    patch.setattr(batch, "_through_workers", here)
    patch.setattr(Workers, "ask", lambda _, function, *args: function(*args))


def write_class(folder):
    """Write the course and what was handed in."""
    tiny_course.write_course(folder / "tiny")
    for student, changes in SUBMISSIONS.items():
        tiny_course.write_submission(folder / "inbox" / f"{student}.ipynb", *changes)
    tiny_course.write(folder / "inbox" / "cut.ipynb", tiny_course.notebook("x = 1")[:-9])


def order_for(folder, workers=None, **changes):
    """Return the order that grades the inbox."""
    load_reference.cache_clear()  # tests change the course
    assignment = load_assignment(folder / "tiny")
    order = grading_run.take_order(assignment, [folder / "inbox"], folder / "graded", workers=workers)
    return replace(order, key=b"k" * 32, **changes)


def grade(folder, **changes):
    """Grade what is new."""
    return list(grading_run.carry_out(order_for(folder, **changes), seed=5, jobs=1, reveal="hint"))
