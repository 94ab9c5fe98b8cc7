"""Read the judge's environment.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    open(f"/proc/{world['judge']}/environ", "rb").read()
    return "breached"
