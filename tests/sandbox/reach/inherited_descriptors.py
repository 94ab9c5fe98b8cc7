"""Find more open files than one's own pipes.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import os

    def is_open(number):
        try:
            os.fstat(number)
        except OSError:
            return False
        return True

    if not any(is_open(number) for number in range(5, 64)):
        raise OSError("nothing but the pipes")
    return "breached"
