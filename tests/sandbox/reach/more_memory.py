"""Take the memory limit away.

sealed: PermissionError|ValueError|OSError
plain: may
"""


def attack(world):
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "breached"
