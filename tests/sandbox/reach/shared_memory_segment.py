"""Leave a message in System V shared memory.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    made = library.shmget(0x53594D, 4096, 0o1600)
    if made == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    library.shmctl(made, 0, None)
    return "breached"
