"""Change whose the solution is to read.

sealed: PermissionError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    os.chmod(world["secret"], 0o644)
    return "breached"
