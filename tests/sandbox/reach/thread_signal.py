"""Send a signal to a thread of the judge.

sealed: PermissionError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(234, world["judge"], world["judge"], 0) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
