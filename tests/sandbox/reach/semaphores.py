"""Leave a number in semaphores of System V for the next.

sealed: PermissionError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    made = library.syscall(64, 0, 1, 0o1600)
    if made == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    library.semctl(made, 0, 0)
    return "breached"
