"""Pretend that somebody pressed Ctrl-C.

outcome: failed
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    raise KeyboardInterrupt
