"""Open a file by the call that came later.

sealed: PermissionError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(437, -100, world["secret"].encode(), (ctypes.c_uint64 * 3)(0, 0, 0), 24) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
