"""Start a process without Python knowing.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    child = ctypes.CDLL(None, use_errno=True).fork()
    if child == 0:
        os._exit(0)
    if child == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.waitpid(child, 0)
    return "breached"
