"""Read a file of the machine.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    open("/etc/passwd").read()
    return "breached"
