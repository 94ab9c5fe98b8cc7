"""Be told whenever somebody opens a file.

sealed: PermissionError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    descriptor = library.inotify_init()
    if descriptor == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    if library.inotify_add_watch(descriptor, world["folder"].encode(), 0xFFF) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
