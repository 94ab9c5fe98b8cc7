"""Open a socket without Python knowing.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    if ctypes.CDLL(None, use_errno=True).socket(2, 2, 0) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
