"""Set a limit of the judge.

sealed: PermissionError
plain: not run
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(302, world["judge"], 7, ctypes.create_string_buffer(b"\\xff" * 16), None) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
