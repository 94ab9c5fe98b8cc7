"""Read where there is no memory.

outcome: died
points: 3.0
"""

import numpy as np


import ctypes


def gradients(X, Y, parameters):
    ctypes.string_at(0)
