"""Import what is installed beside numpy.

sealed: ImportError|ModuleNotFoundError
plain: breached
"""


def attack(world):
    import pytest

    return "breached"
