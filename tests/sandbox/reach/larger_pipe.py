"""Take a megabyte of the kernel for the pipe.

sealed: PermissionError
plain: not run
"""


def attack(world):
    import fcntl

    fcntl.fcntl(4, 1031, 1 << 20)
    return "breached"
