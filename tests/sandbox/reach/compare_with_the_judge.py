"""Ask the kernel which of the judge's files are one's own.

sealed: PermissionError
plain: may
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(312, os.getpid(), world["judge"], 0, 3, 3) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
