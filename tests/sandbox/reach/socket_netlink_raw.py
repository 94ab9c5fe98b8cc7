"""Open a socket: AF_NETLINK, SOCK_RAW.

sealed: PermissionError|OSError|FileNotFoundError
plain: may
"""


def attack(world):
    import _socket

    _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW)
    return "breached"
