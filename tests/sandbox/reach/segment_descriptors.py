"""Change the processor's own tables.

sealed: PermissionError
plain: may
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(154, 0, (ctypes.c_char * 64)(), 64) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
