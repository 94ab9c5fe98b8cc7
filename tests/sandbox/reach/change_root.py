"""Change the root folder.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import os

    os.chroot("/")
    return "breached"
