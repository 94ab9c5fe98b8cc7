"""Change the solution's date.

sealed: PermissionError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    os.utime(world["secret"])
    return "breached"
