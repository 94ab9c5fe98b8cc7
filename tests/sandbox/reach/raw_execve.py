"""Become another program.

sealed: PermissionError|OSError|FileNotFoundError
plain: not run
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    library.execve(b"/bin/true", (ctypes.c_char_p * 2)(b"true", None), (ctypes.c_char_p * 1)(None))
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
