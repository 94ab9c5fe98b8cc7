"""Read the process's own environment and memory map.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    open("/proc/self/environ").read()
    open("/proc/self/maps").read()
    return "breached"
