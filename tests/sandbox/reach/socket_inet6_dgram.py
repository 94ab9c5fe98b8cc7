"""Open a socket: AF_INET6, SOCK_DGRAM.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import _socket

    _socket.socket(_socket.AF_INET6, _socket.SOCK_DGRAM)
    return "breached"
