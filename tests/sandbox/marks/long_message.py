"""A message of a hundred megabytes.

outcome: failed|died
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    raise ValueError("x" * 100_000_000)
