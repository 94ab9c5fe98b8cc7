"""Leave a file there without Python knowing.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    place = os.path.join(world["folder"], "left")
    if ctypes.CDLL(None, use_errno=True).open(place.encode(), os.O_CREAT | os.O_WRONLY, 0o600) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.unlink(place)
    return "breached"
