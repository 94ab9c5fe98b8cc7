"""Walk to the machine's files through the judge's working folder.

sealed: PermissionError|OSError|FileNotFoundError|ProcessLookupError
plain: breached
"""


def attack(world):
    import os

    os.listdir(f"/proc/{world['judge']}/cwd")
    return "breached"
