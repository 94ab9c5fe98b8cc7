"""Leave the control group, and its limits.

sealed: PermissionError|OSError|FileNotFoundError|ProcessLookupError
plain: may
"""


def attack(world):
    import os

    for root in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(root + "/cgroup.procs"):
            open(root + "/cgroup.procs", "w").write("0")
            return "breached"
    raise FileNotFoundError(root)
