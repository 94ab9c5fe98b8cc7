"""Become root.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import os

    os.setuid(0)
    os.setgid(0)
    return "breached"
