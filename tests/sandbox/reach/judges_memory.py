"""Open the judge's memory.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    open(f"/proc/{world['judge']}/mem", "rb")
    return "breached"
