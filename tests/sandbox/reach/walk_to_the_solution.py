"""Find notebooks by walking the disk from the root.

sealed: PermissionError|OSError|FileNotFoundError
plain: not run
"""


def attack(world):
    import os

    found = [
        f for d in ("/opt", "/home", "/root", "/tmp", "/usr/local") for _, _, fs in os.walk(d) for f in fs
    ]
    if not any(name.endswith((".ipynb", ".toml")) for name in found):
        raise FileNotFoundError("nothing there")
    return "breached"
