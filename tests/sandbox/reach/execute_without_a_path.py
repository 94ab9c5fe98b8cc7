"""Start a program from a descriptor.

sealed: PermissionError
plain: not run
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(322, 3, b"", None, None, 0x1000) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
