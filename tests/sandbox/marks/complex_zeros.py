"""Gradients whose real parts are nothing and whose imaginary parts are everything.

outcome: died|failed
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    return {"d" + n: np.full(v.shape, 1j * np.nan) for n, v in parameters.items()}
