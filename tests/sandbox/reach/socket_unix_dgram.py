"""Open a socket: AF_UNIX, SOCK_DGRAM.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import _socket

    _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    return "breached"
