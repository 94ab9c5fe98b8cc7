"""Let any process trace this one.

sealed: PermissionError
plain: may
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0) == -1 or library.prctl(4, 1, 0, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
