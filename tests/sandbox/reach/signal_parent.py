"""Stop the process that forks the next student's.

sealed: PermissionError|OSError|FileNotFoundError
plain: not run
"""


def attack(world):
    import ctypes
    import os

    if ctypes.CDLL(None, use_errno=True).kill(os.getppid(), 19) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
