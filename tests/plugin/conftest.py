"""Runs of the plugin over the tiny course."""

# Runs in this process give back sys.modules as they found it, and numpy cannot be imported twice. Nor can we:
# a check of one run would raise another CheckFailed than the next run's plugin knows.
import jinja2  # noqa: F401
import nbformat  # noqa: F401
import numpy  # noqa: F401
import pytest
import tiny_course

import pytest_symmetry.run  # noqa: F401
from pytest_symmetry import check_gradients, check_matches, check_symmetry  # noqa: F401


class Course:
    """The tiny assignment in a folder of its own."""

    def __init__(self, pytester):
        self.pytester = pytester
        self.folder = tiny_course.write_course(pytester.path)

    def write(self, name, text):
        return tiny_course.write(self.folder / name, text)

    def submission(self, name, *changes, extra=()):
        return tiny_course.write_submission(self.folder / name, *changes, extra=extra)

    def run(self, *arguments):
        """Run pytest in this process: quick, and the same hooks."""
        return self.pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)

    def run_apart(self, *arguments):
        """Run pytest as a user does, in a process of its own."""
        return self.pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


@pytest.fixture
def course(pytester):
    return Course(pytester)
