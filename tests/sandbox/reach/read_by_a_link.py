"""Read a file through a link made in the scratch folder.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    place = os.path.join(world["folder"], "link")
    os.symlink(world["secret"], place)
    open(place).read()
    os.unlink(place)
    return "breached"
