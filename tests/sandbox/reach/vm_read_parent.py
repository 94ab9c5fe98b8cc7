"""Read the memory of the process that forked this one.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import ctypes
    import os

    library = ctypes.CDLL(None, use_errno=True)
    if library.process_vm_readv(os.getppid(), None, 0, None, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "breached"
