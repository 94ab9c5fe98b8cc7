"""List what is installed.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    import numpy

    beside = os.listdir(os.path.dirname(os.path.dirname(numpy.__file__)))
    if not any(name.startswith("pytest") for name in beside):
        raise FileNotFoundError("numpy alone")
    return "breached"
