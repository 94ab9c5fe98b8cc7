"""Install a package.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "--version"], check=True, capture_output=True)
    return "breached"
