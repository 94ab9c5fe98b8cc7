"""Let the kernel send signals to the judge when the pipe has news.

sealed: PermissionError
plain: not run
"""


def attack(world):
    import fcntl

    fcntl.fcntl(4, fcntl.F_SETOWN, world["judge"])
    return "breached"
