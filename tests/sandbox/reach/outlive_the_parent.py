"""No longer end with the parent.

sealed: PermissionError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    if ctypes.CDLL(None, use_errno=True).prctl(1, 0, 0, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
