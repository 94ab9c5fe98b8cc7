"""Map a file of the judge's into memory, and write it there.

sealed: PermissionError|OSError|FileNotFoundError|ProcessLookupError
plain: breached
"""


def attack(world):
    import numpy as np

    np.memmap(world["secret"], dtype="u1", mode="r+")[:3] = 65
    return "breached"
