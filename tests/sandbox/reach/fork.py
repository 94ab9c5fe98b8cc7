"""Start a process.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import os

    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "breached"
