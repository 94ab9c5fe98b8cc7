"""Leave a message in a queue of System V for the next.

sealed: PermissionError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    made = library.syscall(68, 0, 0o1600)
    if made == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    library.msgctl(made, 0, None)
    return "breached"
