"""A loop without end.

outcome: timed out
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    while True:
        pass
