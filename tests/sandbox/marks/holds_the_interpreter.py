"""A call that lets no thread run.

outcome: timed out
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    return sum(range(10**13))
