"""Run a shell.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import subprocess

    subprocess.run(["/bin/sh", "-c", "true"], check=True)
    return "breached"
