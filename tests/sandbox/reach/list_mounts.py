"""List what is mounted.

sealed: PermissionError
plain: may
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if (
        library.syscall(458, (ctypes.c_uint64 * 4)(32, 2**64 - 1, 0, 0), (ctypes.c_uint64 * 64)(), 64, 0)
        == -1
    ):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
