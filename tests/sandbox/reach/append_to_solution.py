"""Change the solution.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    open(world["secret"], "a").close()
    return "breached"
