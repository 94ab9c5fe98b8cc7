"""Become the judge's debugger.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.ptrace(0x4206, world["judge"], None, None) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    library.ptrace(17, world["judge"], None, None)
    return "breached"
