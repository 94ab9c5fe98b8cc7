"""Write into the judge's memory.

sealed: PermissionError
plain: may
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(311, world["judge"], None, 0, None, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
