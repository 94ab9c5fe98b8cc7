"""Make a device.

sealed: PermissionError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    os.mknod(os.path.join(world["folder"], "device"), 0o600 | 0o010000)
    os.unlink(os.path.join(world["folder"], "device"))
    return "breached"
