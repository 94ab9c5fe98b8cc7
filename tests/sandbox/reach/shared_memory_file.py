"""Leave a message in /dev/shm.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    open("/dev/shm/symmetry-message", "w").close()
    os.unlink("/dev/shm/symmetry-message")
    return "breached"
