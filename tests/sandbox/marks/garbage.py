"""Noise on the pipe.

outcome: died|timed out
points: 3.0
"""

import numpy as np


import os


def gradients(X, Y, parameters):
    os.write(4, os.urandom(65536))
    return {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
