"""Climb out of the working folder.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    open("../" * 30 + world["secret"][1:]).read()
    return "breached"
