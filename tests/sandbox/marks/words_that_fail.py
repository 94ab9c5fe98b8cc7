"""An error that cannot say what it is.

outcome: failed|died
points: 3.0
"""


class Silent(Exception):
    def __str__(self):
        raise Silent

    __repr__ = __str__


def gradients(X, Y, parameters):
    raise Silent
