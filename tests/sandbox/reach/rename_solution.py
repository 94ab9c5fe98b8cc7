"""Move the solution away.

sealed: PermissionError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    os.rename(world["secret"], world["secret"] + "x")
    os.rename(world["secret"] + "x", world["secret"])
    return "breached"
