"""Open a pair of sockets.

sealed: PermissionError|OSError|FileNotFoundError
plain: breached
"""


def attack(world):
    import socket

    socket.socketpair()
    return "breached"
