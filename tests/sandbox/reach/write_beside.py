"""Leave a file in the folder of somebody else.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import os

    place = os.path.join(world["folder"], "left")
    open(place, "w").write("x")
    os.unlink(place)
    return "breached"
