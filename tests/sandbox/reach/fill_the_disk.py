"""Write more than a scratch folder should hold.

sealed: PermissionError|OSError|died
plain: not run
"""


def attack(world):
    with open("/temporary/big", "wb") as file:
        for _ in range(64):
            file.write(b"x" * (1 << 20))
    return "breached"
