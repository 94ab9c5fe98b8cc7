"""A pool of processes.

sealed: PermissionError|OSError|ImportError|FileNotFoundError
plain: may
"""


def attack(world):
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.map(abs, [1])
    return "breached"
