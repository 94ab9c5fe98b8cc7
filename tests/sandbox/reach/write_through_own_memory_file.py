"""Write to this process's memory through its file.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(id(world))
    return "breached"
