"""Walk to the machine's files through the parent's root.

sealed: PermissionError|OSError|FileNotFoundError|ProcessLookupError
plain: breached
"""


def attack(world):
    import os

    os.listdir(f"/proc/{os.getppid()}/root/etc")
    return "breached"
