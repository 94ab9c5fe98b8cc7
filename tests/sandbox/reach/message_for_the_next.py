"""Leave a file in the scratch folder for the next student, and look for one.

sealed: PermissionError|OSError|FileNotFoundError
plain: not run
"""


def attack(world):
    import os

    place = "/temporary/symmetry-note-for-the-next"
    if not os.path.exists(place):
        open(place, "w").write("the answer is 42")
        raise PermissionError("no message yet")
    os.unlink(place)
    return "breached"
