"""Leave a message in a queue of POSIX for the next.

sealed: PermissionError
plain: may
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    made = library.syscall(240, b"symmetry-queue", 0o102, 0o600, None)
    if made == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    library.syscall(241, b"symmetry-queue")
    return "breached"
