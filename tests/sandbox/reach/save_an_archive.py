"""Write a compressed archive beside the notebook.

sealed: PermissionError|OSError|FileNotFoundError|ProcessLookupError
plain: breached
"""


def attack(world):
    import numpy as np

    np.savez_compressed(world["folder"] + "/empty/archive.npz", W=np.ones(3))
    return "breached"
