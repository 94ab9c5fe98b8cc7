"""Open files without end.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import os

    for _ in range(100_000):
        os.dup(0)
    return "breached"
