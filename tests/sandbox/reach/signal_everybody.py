"""Kill every process that one may.

sealed: PermissionError|OSError|FileNotFoundError
plain: not run
"""


def attack(world):
    import ctypes
    import os

    if ctypes.CDLL(None, use_errno=True).kill(-1, 9) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
