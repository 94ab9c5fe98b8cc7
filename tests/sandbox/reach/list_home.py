"""List the folders of the machine.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    if "usr" not in os.listdir("/"):
        raise FileNotFoundError("/usr")
    return "breached"
