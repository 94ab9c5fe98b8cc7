"""Infinite gradients.

outcome: failed
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    return {"d" + n: np.full(v.shape, np.inf) for n, v in parameters.items()}
