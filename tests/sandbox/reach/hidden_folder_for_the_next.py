"""A folder in the scratch folder that nobody may open.

sealed: PermissionError|FileNotFoundError|OSError
plain: not run
"""


def attack(world):
    import os

    if os.path.isdir("/temporary/a/b/c"):
        return "breached"
    os.makedirs("/temporary/a/b/c", mode=0o000)
    raise PermissionError("no message yet")
    return "breached"
