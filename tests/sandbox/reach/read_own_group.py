"""Read which control group the grader runs in.

sealed: PermissionError|OSError|FileNotFoundError|ProcessLookupError
plain: breached
"""


def attack(world):
    open("/proc/self/cgroup").read()
    return "breached"
