"""Ask for asynchronous input and output.

sealed: PermissionError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(206, 1, ctypes.byref(ctypes.c_ulong(0))) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
