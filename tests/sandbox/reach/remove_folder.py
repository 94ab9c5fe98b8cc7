"""Remove what lies beside.

sealed: PermissionError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    os.rmdir(os.path.join(world["folder"], "empty"))
    os.mkdir(os.path.join(world["folder"], "empty"))
    return "breached"
