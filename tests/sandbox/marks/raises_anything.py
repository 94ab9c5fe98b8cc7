"""An exception whose text raises.

outcome: failed|died
points: 3.0
"""

import numpy as np


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def gradients(X, Y, parameters):
    raise Odd
