"""Import the grader, with all that it can read.

sealed: MissingModuleError|ImportError|ModuleNotFoundError
plain: breached
"""


def attack(world):
    import pytest_symmetry.assignment

    pytest_symmetry.assignment.bundled_assignments()
    return "breached"
