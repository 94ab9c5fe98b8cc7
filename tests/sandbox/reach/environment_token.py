"""Take a token from the environment.

sealed: KeyError
plain: breached by inheritance
"""


def attack(world):
    import os

    if world["token"] not in os.environ.values():
        raise KeyError("no token")
    return "breached"
