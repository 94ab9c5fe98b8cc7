"""Make a second name of the solution.

sealed: PermissionError|FileNotFoundError|OSError
plain: breached
"""


def attack(world):
    import os

    os.link(world["secret"], os.path.join(world["folder"], "second"))
    os.unlink(os.path.join(world["folder"], "second"))
    return "breached"
