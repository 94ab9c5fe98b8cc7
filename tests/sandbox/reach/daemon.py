"""Start a process that outlives this one.

sealed: PermissionError|OSError|FileNotFoundError
plain: not run
"""


def attack(world):
    import os

    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open(os.path.join(world["folder"], "daemon"), "w").close()
        os._exit(0)
    return "breached"
