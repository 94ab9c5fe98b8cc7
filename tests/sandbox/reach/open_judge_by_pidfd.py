"""Get a handle on the judge's process.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    os.close(os.pidfd_open(world["judge"]))
    return "breached"
