"""Use up the stack.

outcome: died|failed|timed out
points: 3.0
"""

import numpy as np


import sys

sys.setrecursionlimit(10**9)


def down(n):
    return np.sum([down(n + 1)])


def gradients(X, Y, parameters):
    return down(0)
