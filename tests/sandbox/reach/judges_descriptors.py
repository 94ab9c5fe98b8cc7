"""Look at the judge's open files.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    os.listdir(f"/proc/{world['judge']}/fd")
    return "breached"
