"""Use up all file numbers of the disk.

sealed: PermissionError|OSError|FileNotFoundError
plain: not run
"""


def attack(world):
    for i in range(5000):
        open(f"/temporary/{i}", "w").close()
    return "breached"
