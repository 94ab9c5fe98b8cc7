"""Open a socket: AF_PACKET, SOCK_RAW.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import _socket

    _socket.socket(_socket.AF_PACKET, _socket.SOCK_RAW)
    return "breached"
