"""Send the judge a signal (number 0, which only asks).

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    if ctypes.CDLL(None, use_errno=True).kill(world["judge"], 0) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
