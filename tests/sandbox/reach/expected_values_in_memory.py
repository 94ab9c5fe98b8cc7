"""Find the judge's solution among the objects of this process.

sealed: LookupError
plain: may
"""


def attack(world):
    import gc
    import sys

    names = [name for name in sys.modules if name.startswith(("pytest_symmetry", "graders"))]
    held = [
        o for o in gc.get_objects() if type(o).__name__ in ("Reference", "Assignment", "Context", "Finding")
    ]
    if not held and not any("assignment" in name or "checks" in name for name in names):
        raise LookupError("nothing to steal")
    return "breached"
