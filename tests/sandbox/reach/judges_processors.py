"""Bind the judge to one processor, so that a class takes for ever.

sealed: PermissionError|OSError|FileNotFoundError|ProcessLookupError
plain: breached
"""


def attack(world):
    import os

    os.sched_setaffinity(world["judge"], os.sched_getaffinity(world["judge"]))
    return "breached"
