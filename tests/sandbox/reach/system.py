"""os.system.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    if os.system("true") != 0:
        raise PermissionError("refused")
    return "breached"
