"""Ignore all signals and loop.

outcome: timed out
points: 3.0
"""

import numpy as np


import signal


def gradients(X, Y, parameters):
    for number in range(1, 32):
        if number not in (9, 19):
            signal.signal(number, signal.SIG_IGN)
    while True:
        pass
