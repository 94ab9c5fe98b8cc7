"""Read the solution where the assignment lies.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    open(world["secret"]).read()
    return "breached"
