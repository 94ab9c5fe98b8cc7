"""Return nothing.

outcome: failed
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    X = 3
