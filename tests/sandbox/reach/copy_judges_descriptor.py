"""Take an open file of the judge's.

sealed: PermissionError
plain: may
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(438, 0, 3, 0) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
