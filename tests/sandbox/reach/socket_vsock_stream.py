"""Open a socket: AF_VSOCK, SOCK_STREAM.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import _socket

    _socket.socket(_socket.AF_VSOCK, _socket.SOCK_STREAM)
    return "breached"
