"""Make a file outside by mapping it.

sealed: PermissionError|OSError|FileNotFoundError|ProcessLookupError
plain: breached
"""


def attack(world):
    import numpy as np

    np.memmap(world["folder"] + "/empty/mapped", dtype="f8", mode="w+", shape=(4,)).flush()
    return "breached"
