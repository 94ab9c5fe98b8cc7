"""An error that is its own reason.

outcome: failed
points: 3.0
"""


def gradients(X, Y, parameters):
    first, second = ValueError("one"), ValueError("two")
    first.__cause__, second.__cause__ = second, first
    raise first
