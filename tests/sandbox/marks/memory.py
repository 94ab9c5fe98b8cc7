"""Take all memory.

outcome: failed|died|timed out
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    kept = []
    while True:
        kept.append(np.ones(1 << 24))
