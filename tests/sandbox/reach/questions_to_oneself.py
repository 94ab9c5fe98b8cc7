"""Write questions into one's own pipe, in the judge's place.

sealed: PermissionError|OSError|FileNotFoundError|ProcessLookupError
plain: not run
"""


def attack(world):
    import os

    os.write(os.open("/proc/self/fd/3", os.O_WRONLY), b"x")
    return "breached"
