"""Open the memory of the process that forked this one.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    open(f"/proc/{os.getppid()}/mem", "rb")
    return "breached"
