"""Take limits off one's own process.

sealed: PermissionError
plain: may
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    made = library.syscall(302, 0, 9, ctypes.c_char_p((2**64 - 1).to_bytes(8, "little") * 2), None)
    if made == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
